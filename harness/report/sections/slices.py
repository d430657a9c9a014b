"""Where the best arm is weaker or stronger: by length, tag, group and any field, corrected for their number."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import fisher_exact

from harness import numbers
from harness.report.blocks import Column, Section, Table
from harness.report.sections import _cells
from harness.stats import intervals, multiplicity

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from harness.analysis import Results

ORDER = 46
FEWEST = 15  # items in a slice and outside it
MOST_VALUES = 40  # of one kind: a field with more is no slice
SHOWN = 20
COLUMNS = (
    Column("slice"),
    Column("items", numeric=True),
    Column("accuracy", numeric=True),
    Column("elsewhere", numeric=True),
    Column("p, Holm", numeric=True),
)


@dataclass(frozen=True, slots=True)
class Slice:
    """Some of the items, by name: right of n inside, and right of n elsewhere."""

    name: str
    right: int
    n: int
    right_elsewhere: int
    n_elsewhere: int

    @property
    def p_value(self) -> float:
        """Fisher's exact p of no difference between inside and elsewhere."""
        table = [
            [self.right, self.n - self.right],
            [self.right_elsewhere, self.n_elsewhere - self.right_elsewhere],
        ]
        return float(fisher_exact(table).pvalue)


def section(results: Results) -> Section | None:
    """The slices that differ most from the rest; nothing when no slice has items enough."""
    if results.items is None:
        return None
    best = results.runs[0]
    rows = _cells.answers(results, best).rows.dropna(subset=["correct"])
    right = dict(zip(rows["example_id"], rows["correct"].astype(bool), strict=True))
    items = results.items[results.items["example_id"].isin(right)]
    hits = np.array([right[i] for i in items["example_id"]], dtype=bool)
    slices = [_slice(name, member, hits) for name, member in _members(items) if _is_enough(member)]
    if not slices:
        return None
    adjusted = multiplicity.holm([one.p_value for one in slices])
    ranked = sorted(zip(slices, adjusted, strict=True), key=lambda pair: (pair[1], pair[0].p_value, pair[0].name))
    shown = ranked[:SHOWN]
    surely = sum(1 for _, p in ranked if p is not None and p <= 0.05)
    caption = (
        f"{_cells.name_of(best)} on {numbers.plural(len(slices), 'slice')} of {FEWEST} items or more, by length of the "
        f"text, tags, group and fields, those that differ most first. p of no difference (Fisher's exact test), "
        f"corrected for all {len(slices)} (Holm): {surely or 'none'} differ{'s' if surely == 1 else ''} surely."
    )
    return Section("Slices", (Table(COLUMNS, tuple(_row(one, p) for one, p in shown), caption),))


def _row(one: Slice, adjusted_p: float | None) -> tuple[str, ...]:
    inside = intervals.wilson(one.right, one.n)
    elsewhere = intervals.wilson(one.right_elsewhere, one.n_elsewhere)
    found = (numbers.with_interval(inside), numbers.share(elsewhere.value), numbers.p_value(adjusted_p))
    return _cells.short(one.name, 60), numbers.count(one.n), *found


def _slice(name: str, member: NDArray[np.bool_], hits: NDArray[np.bool_]) -> Slice:
    return Slice(name, int(hits[member].sum()), int(member.sum()), int(hits[~member].sum()), int((~member).sum()))


def _is_enough(member: NDArray[np.bool_]) -> bool:
    inside = int(member.sum())
    return min(inside, len(member) - inside) >= FEWEST


def _members(items: pd.DataFrame) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Every possible slice: its name, and which items are in it."""
    yield from _by_length(np.array([len(str(text)) for text in items["text"]]))
    yield from _by_value("tag", [() if _cells.is_null(tags) else tuple(map(str, tags)) for tags in items["tags"]])
    yield from _by_value("group", [() if _cells.is_null(group) else (str(group),) for group in items["group"]])
    fields = [{} if _cells.is_null(text) else json.loads(text) for text in items["fields"]]
    for name in sorted({name for one in fields for name in one}):
        yield from _by_value(name, [(str(one[name]),) if name in one else () for one in fields])


def _by_length(lengths: NDArray[np.int64]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    low, middle, high = (int(q) for q in np.quantile(lengths, (0.25, 0.5, 0.75))) if len(lengths) else (0, 0, 0)
    yield f"text up to {low} characters", lengths <= low
    yield f"text of {low + 1} to {middle} characters", (lengths > low) & (lengths <= middle)
    yield f"text of {middle + 1} to {high} characters", (lengths > middle) & (lengths <= high)
    yield f"text over {high} characters", lengths > high


def _by_value(kind: str, values: list[tuple[str, ...]]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    places: dict[str, list[int]] = {}
    for place, several in enumerate(values):
        for value in several:
            places.setdefault(value, []).append(place)
    often = sorted((v for v in places if len(places[v]) >= FEWEST), key=lambda v: (-len(places[v]), v))
    for value in often[:MOST_VALUES]:
        member = np.zeros(len(values), dtype=bool)
        member[places[value]] = True
        yield f"{kind} {value}", member
