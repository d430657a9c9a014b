"""Accuracy against cost: what each further point of accuracy is paid with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.analysis import wording
from harness.ground import formatting
from harness.report import queries
from harness.report.figures import _looks, _style, _tradeoff

if TYPE_CHECKING:
    from harness.analysis.results import Results, RunResult

TITLE = "Accuracy against cost"
ORDER = 20


def draw(results: Results) -> _style.Drawing | None:
    """Every arm with a price; nothing when none has one."""
    known = _looks.looks(results)
    points = [
        _tradeoff.Marker(result, known[result.run.arm_name], result.cost_per_1000_usd)
        for result in results.runs
        if result.cost_per_1000_usd and result.headline.value is not None
    ]
    if not points:
        return None
    figure, settle = _tradeoff.draw(points, results.split.task.noun, "list price per 1,000 items", _price)
    drawn = {point.result.run.run_id for point in points}
    missing = [result for result in results.runs if result.run.run_id not in drawn]
    caption = (
        "Accuracy with its 95% interval (Wilson) against list price per 1,000 items. "
        "No other arm is both better and cheaper than those on the line."
    )
    if missing:
        caption += f" Not drawn, price unknown or nothing: {_style.listed(missing)}."
    told = "; ".join(
        f"{_style.name_of(point.result)} {formatting.share(point.y)} at {formatting.dollars(point.x)}"
        for point in points
    )
    said = wording.of_headline(results.split.task)
    return _style.Drawing(
        figure,
        ("arm", "model", "run_id", "n", said.noun, "low", "high", "cost_per_1000_usd", "on_front"),
        tuple(_row(result, _tradeoff.front(points)) for result in results.runs),
        f"{said.title} against cost per 1,000 items: {told}.",
        said.say(caption),
        results.runs[0].headline.method,
        queries.line(results, "scorecard"),
        settle=settle,
        title="" if said.counts_right else said.say(TITLE),
    )


def _row(result: RunResult, front: list[_tradeoff.Marker]) -> tuple[_style.Cell, ...]:
    run, accuracy = result.run, result.headline
    is_on_front = any(point.result is result for point in front)
    return (
        run.name,
        run.model,
        run.run_id,
        accuracy.n,
        accuracy.value,
        accuracy.low,
        accuracy.high,
        result.cost_per_1000_usd,
        int(is_on_front),
    )


def _price(usd: float) -> str:
    return f"${usd:.10f}".rstrip("0").rstrip(".")
