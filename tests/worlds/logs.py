"""Twelve logs of prompts beside fitted arms: answers with planted accuracies, ties, failed calls, groups and refits."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from harness.analysis.results import BUCKETS, RunFacts, Split, analyse

LABELS = ("billing", "bug", "question")
ACCURACIES = (0.94, 0.93, 0.92, 0.90, 0.90, 0.88, 0.86, 0.84, 0.80, 0.72, 0.6, 0.45)
PRICES = (2.0, 0.9, 0.9, None, 0.05, 0.3, 0.01, 0.02, 0.4, 0.003, None, 0.001)
N = 300


@dataclass(frozen=True)
class Logs:
    """What is planted beside the accuracies: how large groups are, how alike their items, and how many fits."""

    seed: int
    group_size: int = 1
    alike: float = 0.7
    fits: int = 1
    n: int = N

    def said(self):
        """Gold, groups, and by arm what each answered to each item: None where its call failed."""
        rng = np.random.default_rng(self.seed)
        gold = rng.integers(0, 3, self.n)
        groups = np.arange(self.n) // self.group_size
        hard = _latent(rng, groups, self.alike)

        def right(accuracy):
            own = _latent(rng, groups, self.alike)
            placed = (np.sqrt(0.5) * (hard + own)).argsort().argsort()
            return placed < round(accuracy * self.n)

        found = {}
        for name, accuracy in zip("abcdefghijkl", ACCURACIES, strict=True):
            found[f"import:llm-{name}"] = _answers(gold, right(accuracy))
        # One log says what another says; one fails on items that it mostly had wrong; one on two of them.
        found["import:llm-b"] = list(found["import:llm-a"])
        wrong = [i for i, said in enumerate(found["import:llm-g"]) if said != gold[i]]
        lost = {"import:llm-g": wrong[: int(0.9 * len(wrong))], "import:llm-e": [3, 7]}
        for name, items in lost.items():
            found[name] = [None if i in items else said for i, said in enumerate(found[name])]
        for seed in range(self.fits):
            found[_fit("tfidf-lr", seed)] = _answers(gold, right(0.91 - 0.03 * seed))
        return gold, groups, found | {"majority": [0] * self.n}

    def results(self):
        """The same as analysis makes it of a store's rows."""
        gold, groups, said = self.said()
        group = [f"g{code}" for code in groups] if self.group_size > 1 else None
        frames = [_frame(name, gold, answers, group) for name, answers in said.items()]
        split = Split("tk@v1", "s1:tk", "test", "single", LABELS, self.n, looks=len(frames))
        found = analyse(split, [_facts(name) for name in said], pd.concat(frames), {"harness": "test"})
        items = frames[0][["example_id", "text", "tags", "gold"]].assign(fields=None, group=group)
        return replace(found, items=items.sort_values("example_id").reset_index(drop=True))


def _fit(arm, seed):
    return arm + (f" seed {seed}" if seed else "")


def _latent(rng, groups, alike):
    together = rng.normal(size=groups.max() + 1)[groups]
    return np.sqrt(alike) * together + np.sqrt(1 - alike) * rng.normal(size=len(groups))


def _answers(gold, right):
    return [int(label) if is_right else int(label + 1) % 3 for label, is_right in zip(gold, right, strict=True)]


def _facts(name):
    arm, _, seed = name.partition(" seed ")
    fitted = 500 if arm == "tfidf-lr" else None
    started = pd.Timestamp("2026-01-01", tz="UTC")
    made = RunFacts(_id(name), arm, None, "done", int(seed or 0), 0, fitted, {}, started, 1.0, None)
    return replace(made, name=name, arm_name=arm, arm_id=f"s1:{arm}")


def _id(name):
    return "s1:" + name.encode().hex()[-16:].rjust(16, "0")


def _frame(name, gold, answers, group):
    n, price = len(gold), 0.002
    if name.startswith("import:"):
        price = PRICES["abcdefghijkl".index(name[-1])]
    failed = [answer is None for answer in answers]
    given = [None if answer is None else LABELS[answer] for answer in answers]
    return pd.DataFrame(
        {
            "run_id": _id(name),
            "arm": name.partition(" ")[0],
            "model": None,
            "example_id": [f"i{i:04}" for i in range(n)],
            "group": group,
            "text": [f"text {i}" for i in range(n)],
            "tags": None,
            "gold": [LABELS[label] for label in gold],
            "outcome": ["failed" if is_lost else "answered" for is_lost in failed],
            "label": given,
            "score": None,
            "credit": [np.nan if g is None else float(g == LABELS[t]) for g, t in zip(given, gold, strict=True)],
            "raw": given,
            "error": None,
            "cost_usd": None if price is None else price / 1000,
            "billed_usd": 0.0,
            "latency_s": 0.02,
            "answered_by": name,
            "attempts": 0,
            "cached": False,
            **dict.fromkeys(BUCKETS, pd.NA),
        }
    )
