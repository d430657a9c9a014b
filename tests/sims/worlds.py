"""Planted arms for simulations: items x arms of scores with a known truth, and the results that a verdict reads."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import scipy

from harness.analysis import panel
from harness.analysis.panel import Answers
from harness.analysis.results import Results, RunFacts, RunResult, Split
from harness.analysis.summing import Calls
from harness.datasets.kinds import single

LABELS = ("a", "b")


@dataclass(frozen=True)
class World:
    """Arms of known accuracy: how items correlate across arms, and how items of a group do within one arm.

    `group_size` items fail together with correlation `alike`; `repeats` answers are given per item, each the
    item's own with probability 1 - `noise`. Every arm but the first was fitted `fits` times, and its fits' accuracies
    lie `apart` (a standard deviation); the truth is that of the mean over all fits.
    """

    accuracies: tuple[float, ...]
    n: int
    correlation: float = 0.5
    group_size: int = 1
    alike: float = 0.0
    repeats: int = 1
    noise: float = 0.2
    fits: int = 1
    apart: float = 0.03

    @property
    def truth(self):
        """The expected score of each arm."""
        p = np.array(self.accuracies)
        return p if self.repeats == 1 else p * (1 - self.noise) + (1 - p) * self.noise

    def draw(self, rng):
        """Items x arms x repeats of 0 and 1, and each item's group (None without groups)."""
        arms = len(self.accuracies)
        groups = np.arange(self.n) // self.group_size
        shared = _within(rng, groups, self.alike, 1)
        own = _within(rng, groups, self.alike, arms)
        latent = np.sqrt(self.correlation) * shared + np.sqrt(1 - self.correlation) * own
        if self.fits > 1:
            return self._fitted(latent, rng), (groups if self.group_size > 1 else None)
        right = latent < scipy.special.ndtri(np.array(self.accuracies))
        scores = np.repeat(right[:, :, None], self.repeats, axis=2)
        if self.repeats > 1:
            scores ^= rng.random(scores.shape) < self.noise
        return scores.astype(float), (groups if self.group_size > 1 else None)

    def _fitted(self, latent, rng):
        """Items x arms x fits: each fit shifts an arm's accuracy by its own normal number."""
        shifts = self.apart * rng.normal(size=(len(self.accuracies), self.fits))
        shifts[0] = 0.0  # a prompt
        levels = np.clip(np.array(self.accuracies)[:, None] + shifts, 0.01, 0.99)
        return (latent[:, :, None] < scipy.special.ndtri(levels)).astype(float)


def _within(rng, groups, alike, arms):
    """Normal numbers that correlate by `alike` within a group."""
    each = rng.normal(size=(len(groups), arms))
    if alike == 0:
        return each
    together = rng.normal(size=(groups.max() + 1, arms))[groups]
    return np.sqrt(alike) * together + np.sqrt(1 - alike) * each


def results(scores, groups=None, prices=None, failed=None, *, is_fitted=False):
    """Results as analysis makes them, from items x arms (x repeats) of 0 and 1; `prices` are $ per 1,000 items.

    A cell of `failed` (items x arms) is a call without a reply. With `is_fitted` the third dimension are fits, else
    repeats.
    """
    right = scores if scores.ndim == 3 else scores[:, :, None]
    n, arms, _ = right.shape
    prices = np.full(arms, 0.001) if prices is None else np.asarray(prices, dtype=float)
    names = [f"arm{k:02}" for k in range(arms)]
    lost = np.zeros((n, arms), dtype=bool) if failed is None else failed
    frames, runs = [], []
    for k, name in enumerate(names):
        rows = _rows(name, right[:, k, :], lost[:, k], groups, prices[k] / 1000)
        frames.append(rows.assign(fit=np.tile(np.arange(right.shape[2]), n)) if is_fitted else rows)
        each = tuple(right[:, k, :].mean(axis=0)) if is_fitted else ()
        runs.append(replace(_run(name, rows, prices[k]), fits=each))
    split = Split("d@v1", "s1:d", "test", "single", LABELS, n)
    order = sorted(runs, key=lambda run: (-(run.headline.value or 0.0), run.run.arm))
    return Results(split, tuple(order), pd.concat(frames, ignore_index=True), leading=names[0])


def _rows(name, right, lost, groups, price):
    n, repeats = right.shape
    ids = np.repeat(_ids(n), repeats)
    hits = right.ravel() > 0.5
    gone = np.repeat(lost, repeats)
    label = np.where(hits, "a", "b").astype(object)
    label[gone] = None
    credit = np.where(gone, np.nan, hits)
    return pd.DataFrame(
        {
            "run_id": name,
            "arm": name,
            "example_id": ids,
            "group": None if groups is None else np.repeat(groups, repeats),
            "gold": "a",
            "outcome": np.where(gone, "failed", "answered"),
            "label": label,
            "credit": credit,
            "cost_usd": price,
            "latency_s": 0.01,
        }
    )


_KEPT = {}


def _ids(n):
    if n not in _KEPT:
        _KEPT[n] = np.array([f"i{i:06}" for i in range(n)], dtype=object)
    return _KEPT[n]


def _run(name, rows, price):
    replied = rows[rows["outcome"] != "failed"]
    facts = RunFacts(name, name, None, "done", 0, 0, None, {}, None, 1.0, None)
    metrics = {"accuracy": accuracy(replied)}
    latency = {"p50": 0.01, "p95": 0.01, "p99": 0.01}
    return RunResult(
        facts, len(rows), {}, metrics, price * len(rows) / 1000, 0.0, price, latency, len(rows), Calls(), None
    )


def accuracy(replied):
    """The headline metric as analysis estimates it."""
    groups = panel.clusters_of(replied["group"].to_numpy(object))
    given = (replied["gold"].tolist(), replied["label"].tolist(), LABELS, np.random.default_rng(0))
    return single.METRICS["accuracy"].estimate(*given, clusters=groups)


def answers(found):
    """Each arm's rows, in the order of the results."""
    return [Answers(run.run.arm, found.answers[run.run.run_id].rows, fits=run.fits) for run in found.runs]


def number(name):
    """Which arm a name is."""
    return int(name.removeprefix("arm"))
