"""Finite populations of known truth, of which thousands of samples go through the rule of `decide` at once.

An arm's accuracy is exact in the population, and a sample is how often each of its items (or groups) was drawn: the
very weights with which the rule is applied. `test_rule` checks that `decide` on a sample's rows says the same.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from harness.analysis import measures
from harness.analysis.decision.assurance import Question
from harness.analysis.decision.choosing import Claims, Terms, choose
from harness.analysis.decision.limits import Floor
from harness.analysis.panel import Panel
from harness.datasets.task import SINGLE
from harness.stats import best, pairwise, shares

ROWS = 1000
REPEATED = {1.0: 0.512, 2 / 3: 0.384, 1 / 3: 0.096, 0.0: 0.008}  # three answers that keep the item's own with .8
BLOCK = 250
MARGIN = 0.02
DEAR, CHEAP = 500.0, 0.1
ONE_TEST = NormalDist().inv_cdf(1 - best.ALPHA)


@dataclass(frozen=True)
class Population:
    """Arms of exactly these accuracies; groups of `group_size` items that are right and wrong together by `alike`."""

    accuracies: tuple[float, ...]
    correlation: float = 0.5
    group_size: int = 1
    alike: float = 0.0
    is_repeated: bool = False

    def panel(self):
        rng = np.random.default_rng(3)
        arms, units = len(self.accuracies), ROWS if self.group_size == 1 else max(200, ROWS // self.group_size)
        rows = units * self.group_size
        groups = np.arange(rows) // self.group_size

        def normal(columns):
            within = np.sqrt(1 - self.alike) * rng.normal(size=(rows, columns))
            return within + np.sqrt(self.alike) * rng.normal(size=(units, columns))[groups]

        latent = np.sqrt(self.correlation) * normal(1) + np.sqrt(1 - self.correlation) * normal(arms)
        places = latent.argsort(axis=0).argsort(axis=0)
        scores = (places < np.round(np.array(self.accuracies) * rows)).astype(float)
        if self.is_repeated:
            scores = np.column_stack([_repeated(scores[:, arm], rng) for arm in range(arms)])
        asked = np.ones(scores.shape, dtype=bool)
        names = tuple(f"arm{arm:02}" for arm in range(arms))
        items = np.array([f"i{row:05}" for row in range(rows)], dtype=object)
        return Panel(names, items, scores, asked, asked, groups if self.group_size > 1 else None, self.is_repeated)


def _repeated(right, rng):
    """Mean scores of three answers, in exact numbers among the right items and among the wrong ones."""
    made = np.empty(len(right))
    for value, flip in ((1.0, False), (0.0, True)):
        mine = np.flatnonzero(right == value)
        ends = np.round(np.cumsum(list(REPEATED.values())) * len(mine)).astype(int)
        means = np.repeat(list(REPEATED), np.diff(ends, prepend=0))
        made[rng.permutation(mine)] = 1 - means if flip else means
    return made


@dataclass
class Rates:
    """Shares of samples: decided; decided for an arm the margin worse; and what was shown that is false.

    `close`: an arm within the margin of the best; `behind`: one worse than another by more than the margin;
    `ahead`: one better than another (two-sided); `kept` and `broken`: floors of just an arm's accuracy; `covered`: the
    printed interval of an accuracy, of all arms; `uncorrected`: decided without a correction for the number of arms.
    """

    decided: float = 0.0
    wrong: float = 0.0
    close: float = 0.0
    behind: float = 0.0
    ahead: float = 0.0
    kept: float = 0.0
    broken: float = 0.0
    covered: float = 0.0
    uncorrected: float = 0.0
    uncorrected_wrong: float = 0.0


def rates(population, n, draws, is_dear=True, seed=11):
    """The rates over so many samples of n items."""
    seen = population.panel()
    truth = seen.scores.mean(axis=0)
    margin = float(truth.max() - truth.min()) or MARGIN
    floor = Floor("accuracy", float(truth.max()), np.ones(len(seen.items), dtype=bool), measures.headline(SINGLE))
    terms = Terms(np.array([DEAR if is_dear else CHEAP] + [CHEAP] * (len(truth) - 1)), 1.0)
    question = Question(seen, (), terms, margin - 1e-12, np.ones(len(truth), dtype=bool))
    units = len(seen.items) // population.group_size
    rng, totals = np.random.default_rng(seed), Rates()
    for start in range(0, draws, BLOCK):
        size = min(BLOCK, draws - start)
        weights = rng.multinomial(n // population.group_size, np.full(units, 1 / units), size=size).astype(float)
        for name, flags in _events(question, floor, truth, weights).items():
            setattr(totals, name, getattr(totals, name) + float(np.mean(flags)) * size / draws)
    return totals


def shown(pairs):
    """`comparison.shown` for many samples at once: Holm (1979) over the p-values of all pairs."""
    first, second = np.triu_indices(pairs.n.shape[-1], 1)
    p_values = pairs.p_of_no_difference()[..., first, second]
    order = p_values.argsort(axis=-1, kind="stable")
    left = len(first) - np.arange(len(first))
    kept = np.logical_and.accumulate(np.take_along_axis(p_values, order, axis=-1) * left <= 2 * best.ALPHA, axis=-1)
    is_shown = np.zeros(p_values.shape, dtype=bool)
    np.put_along_axis(is_shown, order, kept, axis=-1)
    found = np.zeros(pairs.n.shape, dtype=bool)
    found[..., first, second] = found[..., second, first] = is_shown
    return found & (pairs.wins > np.swapaxes(pairs.wins, -1, -2))


def _events(question, floor, truth, weights):
    seen, margin = question.together, question.margin
    arm, is_decided = question.decided(weights)
    pairs = pairwise.bounded(seen.scores, seen.lost, seen.clusters).weighed(weights)
    lead = truth[:, None] - truth
    is_bad = truth.max() - truth >= margin
    kept, broken = floor.judged(seen, weights)
    found = shares.shares(seen.scores, seen.clusters, weights)
    low, high = found.limits()
    alone = Claims(pairs.z(-margin) >= ONE_TEST, np.swapaxes(pairs.z(margin) >= ONE_TEST, -1, -2))
    plain = choose(found.mean, np.ones(found.mean.shape, dtype=bool), alone, question.terms)
    is_plain = ~plain.better.any(axis=-1) & ~plain.cheaper.any(axis=-1)
    return {
        "decided": is_decided,
        "wrong": is_decided & is_bad[arm],
        "close": (best.close(pairs, margin) & is_bad).any(axis=-1),
        "behind": (best.ahead(pairs, margin) & (lead <= margin + 1e-9)).any(axis=(-2, -1)),
        "ahead": (shown(pairs) & (lead <= 1e-9)).any(axis=(-2, -1)),
        "kept": (kept & (truth <= floor.least + 1e-12)).any(axis=-1),
        "broken": (broken & (truth >= floor.least - 1e-12)).any(axis=-1),
        "covered": ((low <= truth) & (truth <= high)).mean(axis=-1),
        "uncorrected": is_plain,
        "uncorrected_wrong": is_plain & is_bad[plain.arm],
    }
