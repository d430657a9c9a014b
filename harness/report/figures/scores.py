"""The numbers an arm gives against the gold ones: the best arms side by side, a point an item."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from harness.ground import formatting
from harness.report.figures import _style

if TYPE_CHECKING:
    from harness.analysis.results import Results

TITLE = "Answers against gold"
ORDER = 42
KINDS = ("score",)
ARMS_SHOWN = 3
MOST_POINTS = 2_000


def draw(results: Results) -> _style.Drawing | None:
    """Gold across, answer up, the line on which both are equal; None where nobody answered."""
    scored = results.predictions.dropna(subset=["credit", "label"]).sort_values("example_id")
    shown = [
        (result, rows)
        for result in results.runs[:ARMS_SHOWN]
        if len(rows := scored[scored["run_id"] == result.run.run_id])
    ]
    if not shown:
        return None
    low, high = (float(end) for end in results.split.labels)
    figure = Figure(figsize=(3.2 * len(shown), 3.4))
    table: list[tuple[str, str, float, float]] = []
    told = []
    for place, (result, rows) in enumerate(shown):
        gold, given = (rows[name].astype(float).to_numpy() for name in ("gold", "label"))
        axes = figure.add_subplot(1, len(shown), place + 1)
        axes.plot([low, high], [low, high], color=_style.mark(3), linewidth=1)
        step = max(1, len(gold) // MOST_POINTS)
        axes.scatter(gold[::step], given[::step], s=8, alpha=0.5, color=_style.mark(0), linewidths=0)
        axes.set_xlim(low, high)
        axes.set_ylim(low, high)
        axes.set_xlabel("gold")
        axes.set_title(_style.name_of(result), fontsize=9)
        if place == 0:
            axes.set_ylabel("answer")
        table += [
            (result.run.name, str(i), float(g), float(a))
            for i, g, a in zip(rows["example_id"], gold, given, strict=True)
        ]
        told.append(
            f"{_style.name_of(result)} is off by {formatting.share(float(np.abs(gold - given).mean()), 2)} on average"
        )
    return _style.Drawing(
        figure,
        alt=f"Scatter of {formatting.plural(len(shown), 'arm')}: {'; '.join(told)}.",
        caption="A point an item; on the line the answer is the gold number.",
        method="none",
        columns=("arm", "item", "gold", "answer"),
        rows=tuple(table),
        sql="",
    )
