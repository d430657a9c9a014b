"""Asking an arm that stands inside another: in its own batches, at once where it waits for a network."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.types import Arm, Item, Prediction


async def ask(arm: Arm, items: Sequence[Item]) -> dict[str, Prediction]:
    """The arm's predictions by item id.

    An arm that takes one item at a time waits for somebody else: its items are asked at the same
    time, and its own limits hold. One that takes batches computes here, so they take turns.
    """
    if not items:
        return {}
    size = arm.batch_size
    batches = [items[start : start + size] for start in range(0, len(items), size)]
    if size == 1:
        # What is under way is awaited even when one of them ends it all: it may be paid for.
        ended = await asyncio.gather(*(arm.predict(batch) for batch in batches), return_exceptions=True)
        answered = [_or_raise(one) for one in ended]
    else:
        answered = [await arm.predict(batch) for batch in batches]
    return {prediction.item_id: prediction for predictions in answered for prediction in predictions}


def _or_raise(ended: list[Prediction] | BaseException) -> list[Prediction]:
    if isinstance(ended, BaseException):
        raise ended
    return ended


def after(first: Prediction, second: Prediction) -> Prediction:
    """The second prediction for an item, asked for after the first: costs, tokens and waits add up, paths join."""
    return replace(
        second,
        usage=first.usage.plus(second.usage) if first.usage and second.usage else second.usage or first.usage,
        cost_usd=_sum(first.cost_usd, second.cost_usd),
        billed_usd=_sum(first.billed_usd, second.billed_usd),
        latency_s=_sum(first.latency_s, second.latency_s),
        attempts=first.attempts + second.attempts,
        path=first.path + second.path,
    )


def _sum(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a + b
