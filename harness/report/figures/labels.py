"""Accuracy per label, hardest first: which labels cost the most, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ground import formatting
from harness.report import queries
from harness.report.figures import _style
from harness.stats import intervals

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from harness.analysis.results import Results, RunResult
    from harness.types import Estimate

TITLE = "Labels"
ORDER = 40
NEEDS = ("classes",)
SHOWN = 30
OFFSET = 0.17  # of a row: how far two arms stand apart


def draw(results: Results) -> _style.Drawing | None:
    """The best arm and the best of the other kind, a row per label; nothing without a scored item."""
    arms = _style.compared(results)
    found = {result.run.run_id: _by_label(results, result) for result in arms}
    first = found[arms[0].run.run_id]
    if not first:
        return None
    hardest = sorted(first, key=lambda label: (_style.value_of(first[label]), label))
    shown = hardest[:SHOWN]
    figure = _style.canvas(1.7 + 0.27 * max(len(shown), 4))
    axes = figure.add_subplot()
    for number, result in enumerate(arms):
        offset = (number - (len(arms) - 1) / 2) * 2 * OFFSET
        _series(axes, number, result, [found[result.run.run_id].get(label) for label in shown], offset)
    _dress(axes, shown)
    if len(arms) > 1:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=9.5, borderaxespad=0)
    caption = f"Recall per label with Wilson's 95% interval, hardest for {_style.name_of(arms[0])} first."
    if len(hardest) > len(shown):
        rest = [first[label] for label in hardest[SHOWN:]]
        worst = formatting.share(_style.value_of(rest[0]))
        caption += f" The other {len(rest)} labels, {worst} and better, are in the table behind the figure."
    told = "; ".join(f"{_style.said(label)} {formatting.with_interval(first[label])}" for label in shown[:8])
    return _style.Drawing(
        figure,
        ("arm", "run_id", "label", "n", "recall", "low", "high"),
        tuple(
            (result.run.name, result.run.run_id, label, one.n, one.value, one.low, one.high)
            for result in arms
            for label in hardest
            if (one := found[result.run.run_id].get(label)) is not None
        ),
        f"Recall per label, hardest first, of {_style.listed(arms)}. {_style.name_of(arms[0])}: {told}.",
        caption,
        "Wilson",
        queries.line(results, "per_label"),
    )


def _by_label(results: Results, result: RunResult) -> dict[str, Estimate]:
    rows = results.answers[result.run.run_id].rows.dropna(subset=["credit"])
    counts = rows.groupby("gold")["credit"].agg(["sum", "count"])
    return {
        str(label): intervals.wilson(int(right), int(n), name="recall")
        for label, right, n in counts.itertuples(index=True)
    }


def _series(axes: Axes, number: int, result: RunResult, found: list[Estimate | None], offset: float) -> None:
    known = [(i + offset, one) for i, one in enumerate(found) if one is not None]
    reach = [_style.ends(one) for _, one in known]
    axes.errorbar(
        [_style.value_of(one) for _, one in known],
        [place for place, _ in known],
        xerr=[[low for low, _ in reach], [high for _, high in reach]],
        fmt=_style.MARKERS[number],
        markersize=5.5,
        elinewidth=1.6,
        color=_style.mark(number),
        label=_style.name_of(result),
    )


def _dress(axes: Axes, labels: list[str]) -> None:
    axes.set_yticks(range(len(labels)), [_style.said(label, 34) for label in labels])
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("recall")
    axes.tick_params(axis="y", length=0)
    _style.grid(axes, "x")
    _style.shares(axes, x=True)
