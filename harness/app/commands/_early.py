"""What `eval --stop-when-decided` says of the race that it stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ground import formatting

if TYPE_CHECKING:
    from harness.runs.early import EarlyStop
    from harness.types import JSON


def as_json(stop: EarlyStop) -> dict[str, JSON]:
    """The race as it ended."""
    race = stop.race
    return {
        "against": stop.reference.arm,
        "is_decided": stop.is_over,
        "leader": {"a": "prompt", "b": stop.reference.arm}.get(race.leader(stop.alpha) or ""),
        "only_prompt": race.only_a,
        "only_reference": race.only_b,
        "n": race.n,
        "p_value": race.p_value,
        "alpha": stop.alpha,
    }


def sentence(stop: EarlyStop, version: str, total: int) -> str:
    """Who is better, after how many items, and what the p-value means."""
    race, other = stop.race, stop.reference.arm
    p = f"anytime-valid p {formatting.p_value(race.p_value)}, threshold {formatting.share(stop.alpha)}"
    if not stop.is_over:
        return f"Not decided between prompt:{version} and {other} after {formatting.plural(race.n, 'item')} ({p})."
    better = f"prompt:{version}" if race.leader(stop.alpha) == "a" else other
    return (
        f"Decided after {race.n:,} of {formatting.plural(total, 'item')}: {better} is better ({p}). The p holds "
        "whenever one stops; the intervals above are those of a sample that was stopped for its result, so read "
        "them as rough."
    )
