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

from harness.errors import ConfigError
from harness.stats import clusters, multiplicity, paired, power, resampling
from harness.stats.paired import Table2x2

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.random import Generator
    from numpy.typing import NDArray

    from harness.types import Estimate


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
    changed: tuple[Changed, ...]
    answered: Comparison | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """An arm's rows, one or more per item when it was repeated: see `Store.predictions`.

    `dataset` is the version it was run on; `left_out` says which rows are not here because the
    other arm was run on another version.
    """

    name: str
    rows: pd.DataFrame
    dataset: str = ""
    left_out: str = ""


def compare(a: Answers, b: Answers, rng: Generator) -> Comparison:
    """The comparison of two arms on the items that both were asked; `ConfigError` when there are none."""
    mine, theirs = _by_item(a.rows), _by_item(b.rows)
    shared = mine.merge(theirs, left_index=True, right_index=True, suffixes=("_a", "_b"))
    if shared.empty:
        raise ConfigError(f"{a.name} and {b.name} have no item in common; compare runs of the same dataset and split")
    scored = shared.dropna(subset=["score_a", "score_b"])
    unshared = len(mine) + len(theirs) - 2 * len(shared)
    whole = _compared(a.name, b.name, scored, rng, failed=len(shared) - len(scored), unshared=unshared)
    both_answered = scored[scored["is_answered_a"] & scored["is_answered_b"]]
    if len(both_answered) == len(scored) or both_answered.empty:
        return whole
    second = _compared(a.name, b.name, both_answered, rng, failed=whole.failed, unshared=unshared)
    return replace(whole, answered=second)


def compare_all(arms: Sequence[Answers], rng: Generator) -> list[Comparison]:
    """Every pair of arms, with p-values corrected for their number (Holm 1979)."""
    made = [compare(a, b, rng) for a, b in combinations(arms, 2)]
    adjusted = multiplicity.holm([one.p_value for one in made])
    return [replace(one, adjusted_p=p) for one, p in zip(made, adjusted, strict=True)]


def against(best: Answers, others: Sequence[Answers], rng: Generator) -> list[Comparison]:
    """One arm against each of the others, with p-values corrected for their number (Holm 1979)."""
    made = [compare(best, other, rng) for other in others]
    adjusted = multiplicity.holm([one.p_value for one in made])
    return [replace(one, adjusted_p=p) for one, p in zip(made, adjusted, strict=True)]


def _by_item(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per item: its mean score over repeats (None: failed each time), gold, label, group, answered."""
    ordered = rows.assign(
        score=rows["correct"].astype("Float64"), is_answered=rows["label"].notna(), label=rows["label"].astype(object)
    )
    if "group" not in ordered:
        ordered["group"] = None
    if ordered["example_id"].is_unique:
        return ordered.set_index("example_id")[["score", "gold", "label", "group", "is_answered"]]
    items = ordered.groupby("example_id", sort=True)
    first = items[["gold", "label", "group"]].first()
    return first.assign(score=items["score"].mean(), is_answered=items["is_answered"].any())


def _compared(a: str, b: str, items: pd.DataFrame, rng: Generator, *, failed: int, unshared: int) -> Comparison:
    scores_a, scores_b = items["score_a"].to_numpy(float), items["score_b"].to_numpy(float)
    table = Table2x2.of(scores_a > 0.5, scores_b > 0.5)
    groups = items["group_a"].to_numpy(object)
    if _are_single(scores_a, scores_b, groups):
        difference, p_value = paired.tango(table), paired.mcnemar_mid_p(table) if table.n else None
        method = "McNemar mid-P, Tango interval"
    else:
        difference, p_value = _clustered(scores_a - scores_b, groups, rng)
        method = "sign flips of clusters, cluster-robust interval"
    return Comparison(
        a,
        b,
        n=len(items),
        table=table,
        difference=difference,
        p_value=p_value,
        adjusted_p=None,
        method=method,
        mde=power.mde(table.n, table.discordant / table.n) if table.discordant else None,
        failed=failed,
        unshared=unshared,
        changed=_changed(items),
    )


def _are_single(a: NDArray[np.float64], b: NDArray[np.float64], groups: NDArray[np.object_]) -> bool:
    """Whether every item was asked once and stands for itself, so that the exact tests hold."""
    known = [group for group in groups if group is not None and group == group]  # noqa: PLR0124  (NaN)
    return bool(np.isin(a, (0, 1)).all() and np.isin(b, (0, 1)).all() and len(set(known)) == len(known))


def _clustered(
    differences: NDArray[np.float64], groups: NDArray[np.object_], rng: Generator
) -> tuple[Estimate, float | None]:
    codes = _codes(groups)
    difference = clusters.cluster_mean(differences, codes, name="difference")
    sums = np.bincount(codes, weights=differences) if len(codes) else np.array([])
    return difference, resampling.paired_permutation(sums, np.zeros_like(sums), rng=rng) if len(sums) else None


def _codes(groups: NDArray[np.object_]) -> NDArray[np.int64]:
    """A number per item: the same for items of one group, its own for an item without."""
    seen: dict[object, int] = {}
    keys = (group if isinstance(group, str) else i for i, group in enumerate(groups))
    return np.array([seen.setdefault(key, len(seen)) for key in keys], dtype=np.int64)


def _changed(items: pd.DataFrame) -> tuple[Changed, ...]:
    differing = items[(items["score_a"] > 0.5) != (items["score_b"] > 0.5)]
    columns = zip(
        differing.index,
        differing["gold_a"],
        differing["label_a"],
        differing["label_b"],
        differing["score_a"],
        strict=True,
    )
    return tuple(
        Changed(str(i), str(gold), _text(said_a), _text(said_b), "a" if score > 0.5 else "b")
        for i, gold, said_a, said_b, score in columns
    )


def _text(label: object) -> str | None:
    return label if isinstance(label, str) else None
