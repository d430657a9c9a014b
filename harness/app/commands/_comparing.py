"""Two arms side by side, as `compare`, `eval` and `prompt diff` print them: in words, item by item, as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from harness.app.commands._groups import print_table
from harness.datasets import unread
from harness.ground import formatting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.analysis.comparison import Changed, Comparison
    from harness.analysis.measures import Measure
    from harness.types import JSON, Estimate

NONE = "(none)"
LONGEST_TEXT = 160
FURTHER = {
    "macro_f1": lambda found: f"macro-F1 differs by {formatting.with_interval(found)}",
    "cost_per_1000_usd": lambda found: f"cost per 1,000 items by {formatting.between(found, formatting.dollars)}",
    "p95_s": lambda found: (
        f"95th percentile of latency by {formatting.between(found, formatting.duration)} "
        f"({formatting.plural(found.n, 'timed item')})"
    ),
}
"""What else differs, in words."""


def sentences(one: Comparison, measure: Measure | None = None) -> list[str]:
    """The comparison in words: what was found, how sure, and what so many items can show."""
    of = "" if measure is None or (measure.task.rules.IS_BINARY and measure.is_headline) else f" in {measure.noun}"
    lines = [
        f"difference{of} {formatting.with_interval(one.difference)}, p {formatting.p_value(one.p_value)} "
        f"({one.method})",
        f"so many items, disagreeing so often, show a difference of {formatting.share(one.mde)} or more with 80% power"
        if one.mde
        else "so few disagree that no difference can show",
    ]
    lines += [FURTHER.get(found.name, _measured)(found) for found in one.further if found.value is not None]
    if one.answered is not None:
        lines.append(
            f"{_unanswered(one, measure)}; on the {one.answered.n:,} that both answered: "
            f"{formatting.with_interval(one.answered.difference)}, p {formatting.p_value(one.answered.p_value)}"
        )
    if one.failed:
        lines.append(f"{formatting.plural(one.failed, 'item')} left out: a call failed")
    if one.unshared:
        lines.append(f"{formatting.plural(one.unshared, 'item')} left out: asked of one of the two only")
    return lines


def _unanswered(one: Comparison, measure: Measure | None) -> str:
    if measure is not None and not measure.is_headline:
        return f"unanswered items count as {measure.noun} says"
    return f"unanswered items count as {'wrong' if one.table is not None else '0'}"


def _measured(found: Estimate) -> str:
    """The difference in a metric of a file."""
    return f"{found.name} differs by {formatting.with_interval(found)}"


def headline(one: Comparison) -> str:
    """What `a` did to `b` in one line: the paired difference, and how many items it fixed and broke."""
    fixed, broken = by_effect(one)
    return (
        f"{one.a} minus {one.b}: {formatting.with_interval(one.difference)}, p {formatting.p_value(one.p_value)}; "
        f"of {formatting.plural(one.n, 'item')} {len(fixed):,} fixed, {len(broken):,} broken"
    )


def by_effect(one: Comparison) -> tuple[list[Changed], list[Changed]]:
    """The items that `a` fixed, and those that it broke, of what `b` did."""
    return [c for c in one.changed if c.right == "a"], [c for c in one.changed if c.right == "b"]


def print_effects(one: Comparison, most: int) -> None:
    """Fixed and broken items with their texts, and what both said of them, side by side; `most` of each."""
    for what, items in zip(("fixed", "broken"), by_effect(one), strict=True):
        if items and most:
            click.echo(f"\n{what}: {len(items):,}" + (f", {most} of them" if len(items) > most else ""))
            print_changes(one, items[:most])


def print_changes(one: Comparison, items: Sequence[Changed]) -> None:
    """A line an item: its id, what both said, its gold label, its text."""
    rows = [(c.example_id, _answer(c.b, c.b_reply), _answer(c.a, c.a_reply), c.gold, shortened(c.text)) for c in items]
    print_table(("item", one.b, one.a, "gold", "text"), rows)


def _answer(label: str | None, reply: str | None) -> str:
    """An answer, and beside it the reply where that says it in other words."""
    if label is None or reply is None or reply.strip() == label:
        return NONE if label is None and reply is None else unread.answer(label, reply)
    return f"{label} (of {unread.sample(reply, ())})"


def shortened(text: str) -> str:
    """A text on one line, not too long for a table."""
    return formatting.one_line(text, LONGEST_TEXT)


def as_json(one: Comparison) -> dict[str, JSON]:
    """Everything about the comparison, its changed items with their texts among it."""
    table = one.table
    return {
        "a": one.a,
        "b": one.b,
        "n": one.n,
        **{name: None if table is None else getattr(table, name) for name in ("both", "only_a", "only_b", "neither")},
        "difference": asdict(one.difference),
        "together": None if one.together is None else asdict(one.together),
        "p_value": one.p_value,
        "adjusted_p": one.adjusted_p,
        "bounded_p": one.bounded_p,
        "is_shown": one.is_shown,
        "method": one.method,
        "mde": one.mde,
        "failed": one.failed,
        "unshared": one.unshared,
        "further": [asdict(estimate) for estimate in one.further],
        "answered": None
        if one.answered is None
        else {k: v for k, v in as_json(one.answered).items() if k != "changed"},
        "changed": [asdict(item) for item in one.changed],
    }
