"""Two arms on the same items: who was right where the other was not, and what that can carry. Pure.

Scores are paired by item. An item that either arm failed on (an outage) is left out and counted;
any other item without an answer is wrong, and where that matters the comparison is made a second
time on the items that both answered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from harness import panel
from harness.errors import ConfigError
from harness.panel import Answers, Panel
from harness.stats import clusters, differences, multiplicity, paired, power, resampling
from harness.stats.paired import Table2x2

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.random import Generator
    from numpy.typing import NDArray

    from harness.types import Estimate

__all__ = ["Answers", "Changed", "Comparison", "against", "compare", "compare_all", "compare_pairs"]


@dataclass(frozen=True, slots=True)
class Changed:
    """An item on which the arms differ: its gold label and what each said (None: no answer)."""

    example_id: str
    gold: str
    a: str | None
    b: str | None
    right: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Arm `a` against arm `b` on `n` shared items; `difference` is a minus b, in accuracy.

    `table` counts items; with repeats an arm counts as right where it was right more often than
    not. `p_value` is two-sided, `adjusted_p` corrected for all comparisons made together. `mde` is
    the difference that so many items show with 80% power at the disagreement seen; None when they
    could show none. `failed` items had an outage, `unshared` ones were asked of one arm only.
    `answered` is the same comparison on the items both answered, where some have no answer.
    `further` are other differences, a minus b: macro-F1, cost per 1,000 items, 95th percentile of latency.
    """

    a: str
    b: str
    n: int
    table: Table2x2
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


def compare(a: Answers, b: Answers, rng: Generator) -> Comparison:
    """The comparison of two arms on the items that both were asked; `ConfigError` when there are none."""
    together = panel.of([a, b])
    made = _paired(together, (0, 1), rng, _Tables(together))
    mine, theirs = _first_rows(a.rows), _first_rows(b.rows)
    shared = mine.merge(theirs, left_index=True, right_index=True, suffixes=("_a", "_b"))
    replied = shared.dropna(subset=["correct_a", "correct_b"])
    return replace(made, changed=_changed(together, shared), further=_further(replied, rng))


def compare_all(together: Panel, rng: Generator) -> list[Comparison]:
    """Every pair of arms; see `compare_pairs`."""
    return compare_pairs(together, list(combinations(range(len(together.names)), 2)), rng)


def against(best: Answers, others: Sequence[Answers], rng: Generator) -> list[Comparison]:
    """One arm against each of the others; see `compare_pairs`."""
    return compare_pairs(panel.of([best, *others]), [(0, k + 1) for k in range(len(others))], rng)


def compare_pairs(together: Panel, pairs: Sequence[tuple[int, int]], rng: Generator) -> list[Comparison]:
    """Pairs of a panel's arms, with p-values corrected for their number (Holm 1979).

    Without the items on which they differ and the further differences, which only `compare` has.
    """
    tables = _Tables(together)
    made = [_paired(together, pair, rng, tables) for pair in pairs]
    adjusted = multiplicity.holm([one.p_value for one in made])
    return [replace(one, adjusted_p=p) for one, p in zip(made, adjusted, strict=True)]


class _Tables:
    """The 2x2 tables of all pairs of a panel, by four products of matrices instead of a pass per pair."""

    def __init__(self, together: Panel) -> None:
        is_known = ~np.isnan(together.scores)
        right = np.where(is_known, together.scores, 0.0) > 0.5
        self._whole = _Products(right, is_known & ~right)
        self._answered = _Products(right & together.answered, is_known & ~right & together.answered)
        asked = together.asked.astype(np.float32)
        self._shared = asked.T @ asked

    def whole(self, a: int, b: int) -> Table2x2:
        """The items that neither failed on; without an answer is wrong."""
        return self._whole.table(a, b)

    def answered(self, a: int, b: int) -> Table2x2:
        """The items that both answered."""
        return self._answered.table(a, b)

    def shared(self, a: int, b: int) -> tuple[int, int]:
        """The items that both were asked, and those that only one was."""
        both = int(self._shared[a, b])
        return both, int(self._shared[a, a] + self._shared[b, b]) - 2 * both


class _Products:
    """How often two arms were right and wrong together."""

    def __init__(self, right: NDArray[np.bool_], wrong: NDArray[np.bool_]) -> None:
        # 32 bits count exactly up to 16 million items, and are multiplied twice as fast.
        hits, misses = right.astype(np.float32), wrong.astype(np.float32)
        self._both, self._only, self._neither = hits.T @ hits, hits.T @ misses, misses.T @ misses

    def table(self, a: int, b: int) -> Table2x2:
        return Table2x2(*(int(n) for n in (self._both[a, b], self._only[a, b], self._only[b, a], self._neither[a, b])))


def _paired(together: Panel, pair: tuple[int, int], rng: Generator, tables: _Tables) -> Comparison:
    a, b = pair
    shared, unshared = tables.shared(a, b)
    if not shared:
        raise ConfigError(
            f"{together.names[a]} and {together.names[b]} have no item in common; "
            "compare runs of the same dataset and split"
        )
    table, answered = tables.whole(a, b), tables.answered(a, b)
    known = together.known(a, b)
    whole = _compared(together, pair, known, table, rng)
    whole = replace(whole, failed=shared - table.n, unshared=unshared)
    if answered.n in (0, table.n):
        return whole
    both = known & together.answered[:, a] & together.answered[:, b]
    second = _compared(together, pair, both, answered, rng)
    return replace(whole, answered=replace(second, failed=whole.failed, unshared=unshared))


def _compared(
    together: Panel, pair: tuple[int, int], items: NDArray[np.bool_], table: Table2x2, rng: Generator
) -> Comparison:
    a, b = pair
    if together.is_single:
        difference, p_value = paired.tango(table), paired.mcnemar_mid_p(table) if table.n else None
        method = "McNemar mid-P, Tango interval"
    else:
        gaps = together.scores[items, a] - together.scores[items, b]
        codes = np.arange(len(gaps)) if together.clusters is None else together.clusters[items]
        difference, p_value = _clustered(gaps, codes, rng)
        method = "sign flips of clusters, cluster-robust interval"
    return Comparison(
        together.names[a],
        together.names[b],
        n=table.n,
        table=table,
        difference=difference,
        p_value=p_value,
        adjusted_p=None,
        method=method,
        mde=power.mde(table.n, table.discordant / table.n) if table.discordant else None,
        failed=0,
        unshared=0,
    )


def _clustered(gaps: NDArray[np.float64], codes: NDArray[np.int64], rng: Generator) -> tuple[Estimate, float | None]:
    difference = clusters.cluster_mean(gaps, codes, name="difference")
    if not len(codes):
        return difference, None
    _, dense = np.unique(codes, return_inverse=True)
    sums = np.bincount(dense, weights=gaps)
    return difference, resampling.paired_permutation(sums, np.zeros_like(sums), rng=rng)


def _first_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per item, of the first repeat."""
    wanted = [name for name in ("gold", "label", "correct", "cost_usd", "latency_s") if name in rows]
    return rows.drop_duplicates("example_id").set_index("example_id")[wanted]


def _changed(together: Panel, shared: pd.DataFrame) -> tuple[Changed, ...]:
    known = together.known(0, 1)
    lead = together.scores[known, 0] - together.scores[known, 1]
    right_of = dict(zip(together.items[known][lead != 0], np.where(lead[lead != 0] > 0, "a", "b"), strict=True))
    rows = shared.loc[[item for item in shared.index if item in right_of]]
    return tuple(
        Changed(str(item), row["gold_a"], _text(row["label_a"]), _text(row["label_b"]), str(right_of[item]))
        for item, row in zip(rows.index, rows.to_dict("records"), strict=True)
    )


def _further(replied: pd.DataFrame, rng: Generator) -> tuple[Estimate, ...]:
    found = [differences.macro_f1(replied["gold_a"], replied["label_a"], replied["label_b"], rng)]
    if "cost_usd_a" in replied and "cost_usd_b" in replied:
        found.append(differences.cost_per_1000(replied["cost_usd_a"], replied["cost_usd_b"]))
    if "latency_s_a" in replied and "latency_s_b" in replied:
        times = replied.dropna(subset=["latency_s_a", "latency_s_b"])
        found.append(differences.quantile(times["latency_s_a"], times["latency_s_b"], 0.95, rng))
    return tuple(found)


def _text(label: object) -> str | None:
    return label if isinstance(label, str) else None
