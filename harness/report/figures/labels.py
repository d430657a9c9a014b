"""Accuracy per label, hardest first: which labels cost the most, and how sure that is."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from harness.analysis import panel
from harness.ground import formatting
from harness.report import queries
from harness.report.figures import _looks, _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from harness.analysis.results import Results, RunResult
    from harness.report.figures._looks import Look
    from harness.types import Estimate

TITLE = "Labels"
ORDER = 40
NEEDS = ("classes",)
SHOWN = 30
ROW_INCHES = 0.27
NARROW_ROW_INCHES = 0.4  # a name on two lines
AROUND_INCHES = 1.7
OFFSET = 0.17  # of a row: how far two arms stand apart


def draw(results: Results) -> _style.Drawing | None:
    """The best arm and the best of the other kind, a row per label; nothing without a scored item."""
    arms = _style.compared(results)
    found = {result.run.run_id: _by_label(results, result) for result in arms}
    first = found[arms[0].run.run_id]
    if not first:
        return None
    hardest = sorted(first, key=lambda label: (_style.value_of(first[label]), label))
    row = NARROW_ROW_INCHES if _style.is_narrow() else ROW_INCHES
    shown = hardest[: _rows_in(_style.FRAME.get().height, row)]
    figure = _style.canvas(AROUND_INCHES + row * max(len(shown), 4))
    axes = figure.add_subplot()
    known = _looks.looks(results)
    for number, result in enumerate(arms):
        offset = (number - (len(arms) - 1) / 2) * 2 * OFFSET * 2 / max(len(arms), 2)
        estimates = [found[result.run.run_id].get(label) for label in shown]
        _series(axes, (known[result.run.arm_name], _style.name_of(result)), estimates, offset)
    _dress(axes, shown)
    _style.legend(axes)
    caption = f"Recall per label with Wilson's 95% interval, hardest for {_style.name_of(arms[0])} first."
    if len(hardest) > len(shown):
        rest = [first[label] for label in hardest[len(shown) :]]
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


def _rows_in(height: float | None, row: float) -> int:
    """How many labels fit into a figure of that height."""
    return SHOWN if height is None else max(1, min(SHOWN, int((height - AROUND_INCHES) / row)))


def _by_label(results: Results, result: RunResult) -> dict[str, Estimate]:
    rows = results.answers[result.run.run_id].rows.dropna(subset=["credit"])
    return {str(label): panel.share(mine, "recall") for label, mine in rows.groupby("gold")}


def _series(axes: Axes, arm: tuple[Look, str], found: list[Estimate | None], offset: float) -> None:
    look, name = arm
    known = [(i + offset, one) for i, one in enumerate(found) if one is not None]
    reach = [_style.ends(one) for _, one in known]
    axes.errorbar(
        [_style.value_of(one) for _, one in known],
        [place for place, _ in known],
        xerr=[[low for low, _ in reach], [high for _, high in reach]],
        linestyle="",
        elinewidth=1.6,
        label=name,
        **look.drawn(5.5),
    )


def _dress(axes: Axes, labels: list[str]) -> None:
    axes.set_yticks(range(len(labels)), [_called(label) for label in labels])
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("recall")
    axes.tick_params(axis="y", length=0)
    _style.grid(axes, "x")
    _style.shares(axes, x=True)


def _called(label: str) -> str:
    """A label's name in a third of the figure's width: on a narrow one, on two lines."""
    fits = _style.letters(_style.FRAME.get().width / 3, 10)
    if not _style.is_narrow():
        return _style.said(label, fits)
    return "\n".join(textwrap.wrap(_style.said(label, 2 * fits - 4), fits)[:2])
