"""What single people reach against the gold, beside the best arms: the figure to read arms against."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

from harness.datasets.task import spoken
from harness.ground import formatting
from harness.report.blocks import Column, Section, Table, Text

if TYPE_CHECKING:
    from harness.analysis.people import People
    from harness.analysis.results import Results
    from harness.report.blocks import Block

ORDER = 41
ARMS_SHOWN = 4
DISPUTED_SHOWN = 20


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
    return Section("Single people against the gold", (Table(columns, rows, caption), *_agreement(people, results)))


def _agreement(people: People, results: Results) -> list[Block]:
    """How far people agree, and how arms do where they do not."""
    alpha = people.agreement
    if alpha is None or alpha.value is None:
        return []
    twice = f"{formatting.plural(people.n_twice, 'item')} with two answers or more"
    measure = f"They agree with each other by {formatting.with_interval(alpha)} (Krippendorff's alpha; 1: always, 0: as"
    if not results.split.task.rules.HAS_CLASSES:
        return [Text(f"{measure} by chance, and near answers nearly agree), on {twice}.")]
    said = f"{measure} by chance) and differ on {len(people.disputed):,} of {twice}."
    if not people.disputed:
        return [Text(said)]
    rows = []
    for result in results.runs:
        mine = results.predictions[results.predictions["run_id"] == result.run.run_id].dropna(subset=["credit"])
        is_disputed = mine["example_id"].isin(people.disputed)
        shares = [mine["credit"][mask].astype(float) for mask in (~is_disputed, is_disputed)]
        rows.append((result.run.name, *(formatting.share(float(of.mean())) if len(of) else "" for of in shares)))
    columns = (Column("arm"), Column("where people agree", numeric=True), Column("where they differ", numeric=True))
    listed = ", ".join(sorted(people.disputed)[:DISPUTED_SHOWN])
    more = ", ..." if len(people.disputed) > DISPUTED_SHOWN else ""
    return [Text(said), Table(columns, tuple(rows), f"They differ on: {listed}{more}")]
