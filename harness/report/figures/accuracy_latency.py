"""Accuracy against latency: what each further point of accuracy makes a caller wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.analysis import wording
from harness.ground import formatting
from harness.report import queries
from harness.report.figures import _looks, _style, _tradeoff

if TYPE_CHECKING:
    from harness.analysis.results import Results, RunResult

TITLE = "Accuracy against latency"
ORDER = 22
LATENCY = "latency of one item: median, with a line to the 95th percentile"


def draw(results: Results) -> _style.Drawing | None:
    """Every arm that was timed; nothing when none was."""
    known = _looks.looks(results)
    points = [
        _tradeoff.Marker(result, known[result.run.arm_name], result.latency_s["p50"], result.latency_s["p95"])
        for result in results.runs
        if result.latency_s["p50"] and result.headline.value is not None
    ]
    if not points:
        return None
    told = "; ".join(
        f"{_style.name_of(point.result)} {formatting.share(point.y)} in {formatting.duration(point.x)}"
        for point in points
    )
    what = "latency of one item: median, line to p95" if _style.is_narrow() else LATENCY
    figure, settle = _tradeoff.draw(points, results.split.task.noun, what, formatting.duration)
    said = wording.of_headline(results.split.task)
    return _style.Drawing(
        figure,
        ("arm", "model", "run_id", "n", said.noun, "low", "high", "p50_s", "p95_s", "timed_items"),
        tuple(_row(point.result) for point in points),
        f"{said.title} against latency: {told}.",
        f"{said.say('Accuracy with its 95% interval (Wilson)')} against what a caller waits for one item alone: "
        "the median, and a line to the 95th percentile. "
        "No other arm is both better and faster (median) than those on the step line.",
        results.runs[0].headline.method,
        queries.line(results, "scorecard"),
        settle=settle,
        title="" if said.counts_right else said.say(TITLE),
    )


def _row(result: RunResult) -> tuple[_style.Cell, ...]:
    run, accuracy, latency_s = result.run, result.headline, result.latency_s
    named = (run.name, run.model, run.run_id)
    waits = (latency_s["p50"], latency_s["p95"], result.latency_n)
    return (*named, accuracy.n, accuracy.value, accuracy.low, accuracy.high, *waits)
