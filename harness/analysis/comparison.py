"""Two arms on the same items: who was right where the other was not, and what that can carry. Pure.

Scores are paired by item. An item that either arm failed on (an outage) is left out and counted;
any other item without an answer is wrong, and where that matters the comparison is made a second
time on the items that both answered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from harness.analysis import measures, panel
from harness.analysis.pair_tables import Tables
from harness.analysis.panel import Answers, Panel
from harness.errors import ConfigError
from harness.stats import differences, multiplicity, power
from harness.types import Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.random import Generator
    from numpy.typing import NDArray

    from harness.datasets.task import Task
    from harness.stats.paired import Table2x2
    from harness.stats.pairwise import Pairwise

__all__ = [
    "Answers",
    "Changed",
    "Comparison",
    "against",
    "among_all",
    "by_itself",
    "compare",
    "compare_all",
    "compare_pairs",
    "leading",
    "shown",
]

TAIL = 0.025


@dataclass(frozen=True, slots=True)
class Changed:
    """An item on which the arms differ: its gold label, what each said (None: no answer), and its text.

    `a_reply` and `b_reply` are the replies as they came, of a model that was not right; None for others.
    """

    example_id: str
    gold: str
    a: str | None
    b: str | None
    right: str
    text: str = ""
    a_reply: str | None = None
    b_reply: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Arm `a` against arm `b` on `n` shared items; `difference` is a minus b, in credit.

    `table` counts items; with repeats an arm counts as right where it was right more often than
    not; None where answers have degrees. `p_value` is two-sided, `adjusted_p` corrected for all comparisons made
    together, and `together` the difference with an interval that holds for all of them at once; both None for a pair
    by itself. `mde` is the difference that so many items show with 80% power at the disagreement seen, groups
    of items counted as what they are worth; None when they could show none. `failed` items had an outage, `unshared`
    ones were asked of one arm only; `bounded_p` is the p-value, corrected likewise, were all failed calls against the
    arm that is ahead. `answered` is the same comparison on the items both answered, where some have no
    answer. `further` are other differences, a minus b: macro-F1, cost per 1,000 items, 95th percentile of latency.
    """

    a: str
    b: str
    n: int
    table: Table2x2 | None
    difference: Estimate
    p_value: float | None
    adjusted_p: float | None
    method: str
    mde: float | None
    failed: int
    unshared: int
    changed: tuple[Changed, ...] = ()
    answered: Comparison | None = None
    further: tuple[Estimate, ...] = ()
    together: Estimate | None = None
    bounded_p: float | None = None

    @property
    def is_shown(self) -> bool:
        """Whether one is shown to be better than the other, among all comparisons made, whatever failed calls say."""
        p_values = [self.p_value if self.adjusted_p is None else self.adjusted_p, self.bounded_p]
        known = [p for p in p_values if p is not None]
        return bool(known) and max(known) <= 2 * TAIL and self.difference.value != 0

    @property
    def lead(self) -> Estimate:
        """The difference with the interval that may be read beside its p-value."""
        return self.difference if self.together is None else self.together


def compare(a: Answers, b: Answers, rng: Generator) -> Comparison:
    """The comparison of two arms on the items that both were asked; `ConfigError` when there are none."""
    together = panel.of([a, b])
    (made,) = compare_pairs(together, [(0, 1)])
    mine, theirs = _first_rows(a.rows), _first_rows(b.rows)
    shared = mine.merge(theirs, left_index=True, right_index=True, suffixes=("_a", "_b"))
    replied = shared.dropna(subset=["credit_a", "credit_b"])
    further = (*_further(replied, a.task, rng), *measures.differences(replied, a.task))
    return replace(by_itself(made, _changed(together, a, b)), further=further)


def by_itself(one: Comparison, changed: Sequence[Changed]) -> Comparison:
    """A comparison that was not made together with others, with the items on which the two differ."""
    return replace(one, adjusted_p=None, together=None, changed=tuple(changed))


def compare_all(together: Panel) -> list[Comparison]:
    """Every pair of arms, corrected for all of them; see `among_all`."""
    return among_all(together, list(combinations(range(len(together.names)), 2)))


def against(control: Answers, others: Sequence[Answers]) -> list[Comparison]:
    """An arm that was named before anybody looked against each of the others; see `compare_pairs`."""
    return compare_pairs(panel.of([control, *others]), [(0, k + 1) for k in range(len(others))])


def leading(best: Answers, others: Sequence[Answers]) -> list[Comparison]:
    """The arm that came out best against each of the others, all arms that were scored: see `among_all`.

    Whoever picks the best has looked at every pair, so all pairs are corrected for, not the ones that are shown.
    """
    return among_all(panel.of([best, *others]), [(0, k + 1) for k in range(len(others))])


def compare_pairs(together: Panel, pairs: Sequence[tuple[int, int]]) -> list[Comparison]:
    """Pairs of a panel's arms that were named beforehand, with p-values corrected for their number (Holm 1979).

    Without the items on which they differ and the further differences, which only `compare` has.
    """
    family = _Family(together)
    return _corrected(family, pairs, list(pairs))


def among_all(together: Panel, pairs: Sequence[tuple[int, int]]) -> list[Comparison]:
    """Pairs of a panel's arms, whichever they are, corrected for all pairs of its arms.

    The p-values are Holm's (1979) over all pairs; `together` is an interval that holds for all pairs at once
    (Bonferroni), and that ends at 0 where Holm's test has shown the sign and the interval alone would not.
    """
    every = list(combinations(range(len(together.names)), 2))
    family = _Family(together)
    return _corrected(family, pairs, every)


def shown(together: Panel) -> NDArray[np.bool_]:
    """[a, b]: whether a is shown to be better than b, as `Comparison.is_shown` says among all pairs of the arms."""
    arms = len(together.names)
    every, family = list(combinations(range(arms), 2)), _Family(together)
    found = np.zeros((arms, arms), dtype=np.bool_)
    if every:
        first, second = np.transpose(every)
        p_values = np.maximum(*_holm(family, every))
        lead = np.where(p_values <= 2 * TAIL, np.nan_to_num(family.seen.difference[first, second]), 0.0)
        found[first, second], found[second, first] = lead > 0, lead < 0
    return found


def _holm(family: _Family, every: Sequence[tuple[int, int]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Every pair's p-value, corrected for all; and were every failed call against the arm that is ahead. nan: none."""
    seen, bounded = (
        np.array(multiplicity.holm([p_of(*pair) for pair in every]), dtype=np.float64)
        for p_of in (family.p_of, family.bounded_p_of)
    )
    return seen, bounded


def _corrected(family: _Family, pairs: Sequence[tuple[int, int]], every: Sequence[tuple[int, int]]) -> list[Comparison]:
    """Some pairs, corrected for every one that was or might have been looked at."""
    low, high = family.seen.limits(TAIL / max(len(every), 1))
    p_values = dict(zip(map(_unordered, every), zip(*_holm(family, every), strict=True), strict=True))
    return [
        _agreeing(
            replace(
                one,
                adjusted_p=_known(p_values[_unordered(pair)][0]),
                bounded_p=_known(p_values[_unordered(pair)][1]) if one.failed else None,
                together=_wide(one, float(low[pair]), float(high[pair]), len(every)),
            )
        )
        for one, pair in ((family.paired(*pair), pair) for pair in pairs)
    ]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _unordered(pair: tuple[int, int]) -> tuple[int, int]:
    return min(pair), max(pair)


def _wide(one: Comparison, low: float, high: float, count: int) -> Estimate:
    if one.difference.value is None or count == 1:
        return one.difference
    method = f"{one.difference.method}, {count:,} pairs together"
    return replace(one.difference, low=max(-1.0, low), high=min(1.0, high), method=method)


def _agreeing(one: Comparison) -> Comparison:
    """The interval ends at 0 where the step-down test has shown the sign and Bonferroni's interval has not."""
    wide = one.together
    if wide is None or wide is one.difference or not one.is_shown or wide.low is None or wide.high is None:
        return one
    if (wide.value or 0.0) > 0:
        return replace(one, together=replace(wide, low=max(0.0, wide.low)))
    return replace(one, together=replace(wide, high=min(0.0, wide.high)))


class _Evidence:
    """All pairs of some scores, with each pair's own p-value and interval."""

    def __init__(self, together: Panel, scores: NDArray[np.float64]) -> None:
        self.pairs = together.pairs(scores=scores)
        self.p_values = self.pairs.p_of_no_difference()
        self.low, self.high = self.pairs.limits(TAIL)


class _Family:
    """The arms of a panel, pair by pair: taken apart once instead of once per pair."""

    def __init__(self, together: Panel) -> None:
        self._together, self._tables = together, Tables(together)
        self._whole = _Evidence(together, together.scores)

    @property
    def seen(self) -> Pairwise:
        """The pairs on the items that neither failed on."""
        return self._whole.pairs

    @cached_property
    def _answered(self) -> _Evidence:
        scores = np.where(self._together.answered, self._together.scores, np.nan)
        return _Evidence(self._together, scores)

    def p_of(self, a: int, b: int) -> float | None:
        """The p-value of a pair by itself; None without shared items."""
        return float(self._whole.p_values[a, b]) if self.seen.n[a, b] else None

    def bounded_p_of(self, a: int, b: int) -> float | None:
        """The same were every failed call against the arm that is ahead (Manski 1990); 1 where that turns the sign."""
        if not self.seen.n[a, b]:
            return None
        first, second = (a, b) if self.seen.difference[a, b] > 0 else (b, a)
        bounds, p_values = self._bounded
        return float(p_values[first, second]) if bounds.difference[first, second] > 0 else 1.0

    @cached_property
    def _bounded(self) -> tuple[Pairwise, NDArray[np.float64]]:
        together = self._together
        if together.few is None and not together.lost.any():
            return self.seen, self._whole.p_values
        bounds = together.worst_pairs()
        return bounds, bounds.p_of_no_difference()

    def paired(self, a: int, b: int) -> Comparison:
        """Two of the arms; `ConfigError` when they share no item."""
        names = self._together.names
        shared, unshared = self._tables.shared(a, b)
        if not shared:
            raise ConfigError(
                f"{names[a]} and {names[b]} have no item in common; compare runs of the same dataset and split"
            )
        table, answered = self._tables.whole(a, b), self._tables.answered(a, b)
        whole = self._compared(self._whole, table, (a, b))
        few = self._together.few
        whole = replace(whole, failed=shared - table.n if few is None else int(few.failed[a, b]), unshared=unshared)
        if answered.n in (0, table.n):
            return whole
        second = self._compared(self._answered, answered, (a, b))
        return replace(whole, answered=replace(second, failed=whole.failed, unshared=unshared))

    def _compared(self, found: _Evidence, table: Table2x2, pair: tuple[int, int]) -> Comparison:
        seen, is_binary = found.pairs, self._together.is_binary
        basis = self._basis(seen, table, pair)
        difference = Estimate("difference", None, None, None, 0, basis.interval)
        if table.n:
            ends = max(-1.0, float(found.low[pair])), min(1.0, float(found.high[pair]))
            difference = Estimate("difference", float(seen.difference[pair]), *ends, table.n, basis.interval)
        return Comparison(
            self._together.names[pair[0]],
            self._together.names[pair[1]],
            n=table.n,
            table=table if is_binary else None,
            difference=difference,
            p_value=float(found.p_values[pair]) if table.n else None,
            adjusted_p=None,
            method=basis.test,
            mde=power.mde(basis.worth, basis.discordant) if basis.discordant else None,
            failed=0,
            unshared=0,
        )

    def _basis(self, seen: Pairwise, table: Table2x2, pair: tuple[int, int]) -> _Basis:
        few, is_binary = self._together.few, self._together.is_binary
        if few is not None:
            one = few.found[pair[0]][pair[1]]
            test = "score test and interval of the estimate"
            return _Basis(one.estimate.method, test, int(one.evidence.worth), one.evidence.apart)
        discordant = table.discordant if is_binary else float(seen.wins[pair] + seen.losses[pair])
        design, units = float(seen.design[pair]), int(seen.units[pair])
        what = "clusters" if is_binary or self._together.clusters is not None else "items"
        words = ("Tango", "McNemar mid-P, Tango interval")
        if not seen.is_exact:
            words = f"Tango, {units:,} {what}, design effect {design:.2g}", f"score test and interval of {what}"
        return _Basis(*words, int(table.n / design), discordant / max(1, table.n))


class _Basis(NamedTuple):
    """How a pair's interval and test are called, how many plain items it is worth, and the share that differ."""

    interval: str
    test: str
    worth: int
    discordant: float


def _first_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per item, of the first repeat."""
    columns = ("gold", "label", "credit", "raw", "group", "cost_usd", "latency_s")
    wanted = [name for name in columns if name in rows]
    return rows.drop_duplicates("example_id").set_index("example_id")[wanted]


def _changed(together: Panel, a: Answers, b: Answers) -> tuple[Changed, ...]:
    """The items that one got right more often: of repeats, an answer of each that shows it."""
    known = together.known(0, 1)
    lead = together.scores[known, 0] - together.scores[known, 1]
    right_of = dict(zip(together.items[known][lead != 0], np.where(lead[lead != 0] > 0, "a", "b"), strict=True))
    rows = {name: one.rows[one.rows["example_id"].isin(right_of)] for name, one in (("a", a), ("b", b))}
    answers = {
        (name, is_right): _telling(of_arm, is_right=is_right)
        for name, of_arm in rows.items()
        for is_right in (True, False)
    }
    shown = []
    for item in rows["a"]["example_id"].unique():
        said = {name: answers[name, right_of[item] == name][item] for name in ("a", "b")}
        # The rows of wrong answers have the text.
        text = said["b" if right_of[item] == "a" else "a"].get("text")
        shown.append(
            Changed(
                str(item),
                said["a"]["gold"],
                _text(said["a"]["label"]),
                _text(said["b"]["label"]),
                str(right_of[item]),
                _text(text) or "",
                _text(said["a"].get("raw")),
                _text(said["b"].get("raw")),
            )
        )
    return tuple(shown)


def _telling(rows: pd.DataFrame, *, is_right: bool) -> dict[str, dict[str, Any]]:
    """A row of each item, of its repeats the one that is most right, or most wrong."""
    ordered = rows.dropna(subset=["credit"]).sort_values("credit", ascending=not is_right, kind="stable")
    wanted = [name for name in ("gold", "label", "text", "raw") if name in rows]
    return ordered.drop_duplicates("example_id").set_index("example_id")[wanted].to_dict("index")  # type: ignore[no-any-return]


def _further(replied: pd.DataFrame, task: Task, rng: Generator) -> tuple[Estimate, ...]:
    found = []
    if task.rules.HAS_CLASSES:
        found.append(differences.macro_f1(replied["gold_a"], replied["label_a"], replied["label_b"], rng))
    if "cost_usd_a" in replied and "cost_usd_b" in replied:
        found.append(differences.cost_per_1000(replied["cost_usd_a"], replied["cost_usd_b"]))
    if "latency_s_a" in replied and "latency_s_b" in replied:
        times = replied.dropna(subset=["latency_s_a", "latency_s_b"])
        found.append(differences.quantile(times["latency_s_a"], times["latency_s_b"], 0.95, rng))
    return tuple(found)


def _text(label: object) -> str | None:
    return label if isinstance(label, str) else None
