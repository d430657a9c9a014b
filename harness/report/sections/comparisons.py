"""The best arm against every other, item by item: who was right where the other was not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.analysis import comparison, estimated_panel, pair_words
from harness.ground import formatting
from harness.report.blocks import Column, Section, Table

if TYPE_CHECKING:
    from harness.analysis.comparison import Comparison
    from harness.analysis.results import Results

ORDER = 24
FEW_LABELS = True
COUNTED = ("both", "only best", "only other", "neither")
COLUMNS = (
    Column("against"),
    *(Column(title, numeric=True) for title in ("items", *COUNTED)),
    *(Column(title, numeric=True) for title in ("difference", "p, Holm", "MDE")),
)


def section(results: Results) -> Section | None:
    """The comparisons with p corrected for their number; nothing without a second arm."""
    arms = results.by_arm
    best, *others = arms.runs
    if not others:
        return None
    made = _leading(arms)
    name = best.run.name
    pairs = formatting.plural(len(arms.runs) * len(others) // 2, "pair")
    counted = "" if made[0].table is None else ", in items that both, only one, or neither got right"
    caption = (
        f"{name} against each other arm{counted}; its lead with an interval "
        f"that holds for all pairs of arms at once, 95% together ({made[0].method}); p corrected for all {pairs} "
        "(Holm), because the best was picked after looking. "
        f"MDE: the difference that so many items show with 80% power.{pair_words.failures(made)}"
    )
    columns = COLUMNS if made[0].table is not None else tuple(one for one in COLUMNS if one.title not in COUNTED)
    table = Table(columns, tuple(_row(one) for one in made), caption)
    return Section(f"{name} against the others", (table,))


def _leading(arms: Results) -> list[Comparison]:
    """The first arm against the others, by their scores or as estimated from few labels."""
    if arms.estimation is None:
        best, *others = (arms.answers[one.run.run_id] for one in arms.runs)
        return comparison.leading(best, others)
    together = estimated_panel.panel_of(arms.estimation, names=[one.run.name for one in arms.runs])
    return comparison.among_all(together, [(0, k) for k in range(1, len(together.names))])


def _row(one: Comparison) -> tuple[str, ...]:
    table = one.table
    counts = (one.n,) if table is None else (one.n, table.both, table.only_a, table.only_b, table.neither)
    p_value, mde = pair_words.p_value(one), formatting.share(one.mde) if one.mde else "none shows"
    return one.b, *map(formatting.count, counts), formatting.with_interval(one.lead), p_value, mde
