"""How likely more labelled items would decide the verdict: its assurance (O'Hagan, Stevens and Campbell 2005).

What is seen and what is believed before (four imagined items, answered at random) make a posterior over what
items there are: a Dirichlet process, of which the Bayesian bootstrap (Rubin 1981) is the limit. From each of
its draws new items are drawn, and the rule itself is applied to the old and the new together: prices,
constraints and failed calls as they are.

Of estimates from few labels the new labels are of items that are there already: the estimates step on as far as
today's leave them uncertain (`FewLabels.after`), to at most a label for every item, and the same rule is applied.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.analysis.decision import choosing
from harness.stats.strata import Strata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from harness.analysis.decision.choosing import Terms
    from harness.analysis.decision.limits import Floor
    from harness.analysis.few_labels import FewLabels
    from harness.analysis.panel import Panel

    Numbers = NDArray[np.float64]

WANTED = 0.8
SIZES = (25, 50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 102_400)
BELIEVED = 4.0  # imagined items
ATOMS = 32  # different ones
DRAWS = 300
FEWEST_DRAWS = 100
REFINED = 4  # halvings between two sizes
ROUNDS = 9
WORK = 1e9  # multiplications in all


@dataclass(frozen=True, slots=True)
class Assurance:
    """With `labels` more labelled items the verdict would be decided with this `probability`.

    `arms` says how probably for each arm. Where no number of labels up to the largest tried, `most`, brings 80%,
    `labels` is None and `probability` is the highest that any of them brings. `of_all` says that `most` are all there
    are.
    """

    labels: int | None
    probability: float
    arms: dict[str, float]
    most: int = SIZES[-1]
    of_all: bool = False


@dataclass(frozen=True)
class Question:
    """What is decided: the arms that may be served side by side, the floors, prices, margin.

    `is_kept` says of each arm whether it surely keeps the limits that labels do not change.
    """

    together: Panel
    floors: Sequence[Floor]
    terms: Terms
    margin: float
    is_kept: NDArray[np.bool_]

    def decided(self, weights: Numbers | None = None) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The arm to serve and whether that is decided, with items (or clusters) counted by `weights`."""
        chosen, kept = self.choice(weights)
        is_open = chosen.better.any(axis=-1) | chosen.cheaper.any(axis=-1)
        return chosen.arm, ~is_open & np.take_along_axis(kept, chosen.arm[..., None], axis=-1)[..., 0]

    def choice(self, weights: Numbers | None = None) -> tuple[choosing.Chosen, NDArray[np.bool_]]:
        """What the rule chooses, and which arms keep every limit."""
        together = self.together
        worst = together.worst_pairs(weights)
        accuracy = together.shares(weights).mean
        judged = [floor.judged(together, weights) for floor in self.floors]
        may = ~np.any([broken for _, broken in judged], axis=0) if judged else np.ones(accuracy.shape, dtype=np.bool_)
        # Where every arm breaks a floor, nothing is chosen; the rule then speaks of none of them.
        may = np.where(may.any(axis=-1, keepdims=True), may, True)
        kept = np.all([kept for kept, _ in judged], axis=0) & self.is_kept if judged else self.is_kept & may
        return choosing.choose(accuracy, may, choosing.claims(worst, self.margin), self.terms), kept


def assurance(question: Question, rng: Generator) -> Assurance:
    """The fewest further labels that decide with 80%, and for whom."""
    few = question.together.few
    if few is None:
        return _fewest(_Posterior(question, rng), SIZES)
    left = few.n_all - few.n_gold
    if left < 1 or not few.n_gold:
        return Assurance(None, 0.0, {}, most=max(left, 0), of_all=True)
    sizes = (*(size for size in SIZES if size < left), left)
    return replace(_fewest(_FewPosterior(question, few, rng), sizes), most=left, of_all=True)


def _fewest(posterior: _Posterior | _FewPosterior, sizes: Sequence[int]) -> Assurance:
    most = posterior.outcome(sizes[-1])
    if most.probability < WANTED:
        tried = (most, *(posterior.outcome(size) for size in sizes[4:-1:4]))
        return replace(max(tried, key=lambda one: one.probability), labels=None)
    first, last, found = -1, len(sizes) - 1, most
    while last - first > 1:
        middle = (first + last) // 2
        tried_here = posterior.outcome(sizes[middle])
        is_enough = tried_here.probability >= WANTED
        first, last, found = (first, middle, tried_here) if is_enough else (middle, last, found)
    return _refined(posterior, sizes[first] if first >= 0 else 0, found)


def _refined(posterior: _Posterior | _FewPosterior, low: int, found: Assurance) -> Assurance:
    """The same between a number that does not suffice and one that does."""
    for _ in range(REFINED):
        high = found.labels or 0
        middle = _round((low + high) / 2)
        if not low < middle < high:
            break
        tried = posterior.outcome(middle)
        low, found = (low, tried) if tried.probability >= WANTED else (middle, found)
    return found


def _round(value: float) -> int:
    """A number of labels with two digits that matter."""
    scale = 10 ** max(0, len(str(int(value))) - 2)
    return int(round(value / scale) * scale)


class _Posterior:
    """Draws of what items there are, and of new ones."""

    def __init__(self, question: Question, rng: Generator) -> None:
        self._rng, self._names = rng, question.together.names
        self._question, self._seen = _with_atoms(question, rng)
        units, arms = len(self._seen), len(self._names)
        draws = int(np.clip(WORK / (units * arms * arms * ROUNDS), FEWEST_DRAWS, DRAWS))
        mass = np.where(self._seen > 0, self._seen, BELIEVED / ATOMS)
        gammas = rng.standard_gamma(np.broadcast_to(mass, (draws, units)))
        self._shares = gammas / gammas.sum(axis=1, keepdims=True)
        self._per_unit = len(question.together.items) / max(self._seen.sum(), 1)

    def outcome(self, labels: int) -> Assurance:
        """How often the verdict is decided with so many labels more."""
        new = self._rng.multinomial(max(1, round(labels / self._per_unit)), self._shares)
        return _counted(labels, self._names, *self._question.decided(self._seen + new))


class _FewPosterior:
    """Draws of what may be estimated after further labels."""

    def __init__(self, question: Question, few: FewLabels, rng: Generator) -> None:
        self._question, self._few, self._rng = question, few, rng

    def outcome(self, labels: int) -> Assurance:
        """How often the verdict is decided with so many labels more."""
        together = self._question.together
        later = replace(together, few=self._few.after(labels, DRAWS, self._rng))
        return _counted(labels, together.names, *replace(self._question, together=later).decided())


def _counted(labels: int, names: Sequence[str], arm: NDArray[np.int64], is_decided: NDArray[np.bool_]) -> Assurance:
    """How often each arm was decided for, over draws."""
    counts = np.bincount(arm[is_decided], minlength=len(names)) / len(arm)
    arms = {name: float(share) for name, share in zip(names, counts, strict=True) if share > 0}
    return Assurance(labels, float(is_decided.mean()), arms)


def _with_atoms(question: Question, rng: Generator) -> tuple[Question, Numbers]:
    """The question with imagined items behind the seen ones, and how often each unit was seen.

    Items that stand for themselves and came out alike are one unit; an imagined cluster is as large as the mean.
    """
    together = question.together
    if together.clusters is None:
        seen, counts, floors = _alike(together, question.floors)
    else:
        codes = np.unique(together.clusters, return_inverse=True)[1]
        seen, counts = replace(together, clusters=codes), np.ones(int(codes.max()) + 1)
        floors = list(question.floors)
    size = max(1, round(len(together.items) / len(counts))) if together.clusters is not None else 1
    atoms = np.repeat((rng.random((ATOMS, len(together.names))) < 0.5).astype(np.float64), size, axis=0)
    rows = len(atoms)
    clusters = None
    if seen.clusters is not None:
        clusters = np.concatenate([seen.clusters, len(counts) + np.repeat(np.arange(ATOMS), size)])
    whole = replace(
        seen,
        items=np.concatenate([seen.items, np.full(rows, "", dtype=object)]),
        scores=np.vstack([seen.scores, atoms]),
        asked=np.vstack([seen.asked, np.ones_like(atoms, dtype=np.bool_)]),
        answered=np.vstack([seen.answered, np.ones_like(atoms, dtype=np.bool_)]),
        clusters=clusters,
        strata=None if seen.strata is None else _imagined(seen.strata, rows, rng),
    )
    wider = [
        replace(
            floor,
            items=np.concatenate([floor.items, np.full(rows, bool(floor.items.all()))]),
            scores=None if floor.scores is None else np.vstack([floor.scores, atoms]),
        )
        for floor in floors
    ]
    return replace(question, together=whole, floors=wider), np.concatenate([counts, np.zeros(ATOMS)])


def _imagined(seen: Strata, rows: int, rng: Generator) -> Strata:
    """The strata with imagined items behind, as many of a label as were seen, and none of them seen."""
    like = seen.rows(rng.choice(len(seen.codes), size=rows, p=seen.times / seen.times.sum()))
    codes, worth = np.concatenate([seen.codes, like.codes]), np.concatenate([seen.worth, like.worth])
    return Strata(codes, worth, np.concatenate([seen.times, np.zeros(rows)]))


def _alike(together: Panel, floors: Sequence[Floor]) -> tuple[Panel, Numbers, list[Floor]]:
    masks = np.column_stack([floor.items for floor in floors]) if floors else np.zeros((len(together.items), 0))
    known = np.where(np.isnan(together.scores), -1.0, together.scores)
    further = [np.nan_to_num(floor.scores, nan=-1.0) for floor in floors if floor.scores is not None]
    labels = np.zeros(len(known)) if together.strata is None else together.strata.codes
    rows = np.column_stack([known, together.asked, masks, *further, labels]).astype(np.float64)
    _, first, counts = np.unique(rows, axis=0, return_index=True, return_counts=True)
    seen = replace(
        together,
        items=together.items[first],
        scores=together.scores[first],
        asked=together.asked[first],
        answered=together.answered[first],
        strata=None if together.strata is None else together.strata.rows(first).seen(counts.astype(np.float64)),
    )
    return seen, counts.astype(np.float64), [floor.take(first) for floor in floors]
