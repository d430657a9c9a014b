"""What single people reach against the gold, beside the best arms: the figure to read arms against."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

from harness.datasets.task import spoken
from harness.ground import formatting
from harness.report.blocks import Column, Section, Table

if TYPE_CHECKING:
    from harness.analysis.results import Results

ORDER = 41
ARMS_SHOWN = 4


def section(results: Results) -> Section | None:
    """A row a metric: a single person on average, the lowest and the highest of them, and arms; None without raters."""
    people = results.people
    if people is None:
        return None
    shown = results.runs[:ARMS_SHOWN]
    columns = (
        Column("metric"),
        Column("a single person", numeric=True),
        Column("lowest–highest", numeric=True),
        *(Column(result.run.name, numeric=True) for result in shown),
    )
    rows = tuple(
        (
            spoken(name),
            formatting.share(fmean(values)),
            f"{formatting.share(min(values))}–{formatting.share(max(values))}",
            *(formatting.with_interval(result.metrics[name]) for result in shown if name in result.metrics),
        )
        for name, values in people.values.items()
        if all(name in result.metrics for result in shown)
    )
    caption = (
        f"{formatting.plural(len(people.raters), 'rater')} on {formatting.plural(people.n, 'item')}, each against the "
        "gold on the items they rated. Where the gold was made of their answers each of them is part of it, which "
        "favours them a little."
    )
    return Section("Single people against the gold", (Table(columns, rows, caption),))
