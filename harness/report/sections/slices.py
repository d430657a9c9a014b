"""Where the best arm is weaker or stronger: by length, tag, group and any field, corrected for their number."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.ground import formatting
from harness.report.blocks import Column, Section, Table
from harness.report.sections import _cells
from harness.stats import exact, margins, means, multiplicity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from harness.analysis.results import Results

    Members = NDArray[np.bool_]
    Numbers = NDArray[np.float64]

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
    """Some of the items, by name: the credit inside, and that elsewhere."""

    name: str
    inside: Numbers
    elsewhere: Numbers

    @property
    def p_value(self) -> float:
        """The p of no difference between inside and elsewhere: Fisher's exact one of whole credits, else Welch's."""
        if all(np.isin(part, (0.0, 1.0)).all() for part in (self.inside, self.elsewhere)):
            right, elsewhere = int(self.inside.sum()), int(self.elsewhere.sum())
            return exact.fisher(right, len(self.inside), elsewhere, len(self.elsewhere))
        return means.welch(self.inside, self.elsewhere)


def section(results: Results) -> Section | None:
    """The slices that differ most from the rest; nothing when no slice has items enough."""
    if results.items is None:
        return None
    best = results.runs[0]
    rows = results.answers[best.run.run_id].rows.dropna(subset=["credit"])
    of_item = dict(zip(rows["example_id"].tolist(), rows["credit"].tolist(), strict=True))
    items = results.items[results.items["example_id"].isin(of_item)]
    credit = np.array([of_item[i] for i in items["example_id"].tolist()], dtype=np.float64)
    slices = [Slice(name, credit[member], credit[~member]) for name, member in _members(items) if _is_enough(member)]
    if not slices:
        return None
    adjusted = multiplicity.holm([one.p_value for one in slices])
    ranked = sorted(zip(slices, adjusted, strict=True), key=lambda pair: (pair[1], pair[0].p_value, pair[0].name))
    shown = ranked[:SHOWN]
    surely = sum(1 for _, p in ranked if p is not None and p <= 0.05)
    test = "Fisher's exact test" if results.split.task.rules.IS_BINARY else "Welch's t test"
    caption = (
        f"{best.run.name} on {formatting.plural(len(slices), 'slice')} of {FEWEST} items or more, by length of the "
        f"text, tags, group and fields, those that differ most first. p of no difference ({test}), "
        f"corrected for all {len(slices)} (Holm): {surely or 'none'} differ{'s' if surely == 1 else ''} surely."
    )
    return Section(
        "Slices", (Table(_cells.worded(COLUMNS, results.split.task), tuple(_row(one, p) for one, p in shown), caption),)
    )


def _row(one: Slice, adjusted_p: float | None) -> tuple[str, ...]:
    inside, elsewhere = margins.share(one.inside), float(one.elsewhere.mean())
    found = (formatting.with_interval(inside), formatting.share(elsewhere), formatting.p_value(adjusted_p))
    return _cells.short(one.name, 60), formatting.count(len(one.inside)), *found


def _is_enough(member: Members) -> bool:
    inside = int(member.sum())
    return min(inside, len(member) - inside) >= FEWEST


def _members(items: pd.DataFrame) -> Iterator[tuple[str, Members]]:
    """Every possible slice: its name, and which items are in it."""
    yield from _by_length(np.array([len(str(text)) for text in items["text"].tolist()]))
    tags = [() if formatting.is_missing(tags) else tuple(map(str, tags)) for tags in items["tags"].tolist()]
    yield from _by_value("tag", tags)
    groups = [() if formatting.is_missing(group) else (str(group),) for group in items["group"].tolist()]
    yield from _by_value("group", groups)
    fields = [{} if formatting.is_missing(text) else json.loads(text) for text in items["fields"].tolist()]
    for name in sorted({name for one in fields for name in one}):
        values = [(_in_json(one[name]),) if name in one else () for one in fields]
        yield from _by_value(name, values)


def _in_json(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _by_length(lengths: NDArray[np.int64]) -> Iterator[tuple[str, Members]]:
    low, middle, high = (int(q) for q in np.quantile(lengths, (0.25, 0.5, 0.75))) if len(lengths) else (0, 0, 0)
    yield f"text up to {low} characters", lengths <= low
    for above, upto in ((low, middle), (middle, high)):
        yield f"text of {above + 1} to {upto} characters", (lengths > above) & (lengths <= upto)
    yield f"text over {high} characters", lengths > high


def _by_value(kind: str, values: Sequence[tuple[str, ...]]) -> Iterator[tuple[str, Members]]:
    places: dict[str, list[int]] = {}
    for place, several in enumerate(values):
        for value in several:
            places.setdefault(value, []).append(place)
    often = sorted((v for v in places if len(places[v]) >= FEWEST), key=lambda v: (-len(places[v]), v))
    for value in often[:MOST_VALUES]:
        member = np.zeros(len(values), dtype=bool)
        member[places[value]] = True
        yield f"{kind} {value}", member
