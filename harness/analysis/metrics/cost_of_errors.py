"""What the answers cost: the mean cost of an item by the matrix under `[costs]` of dataset.toml.

`[costs.GOLD]` says what each answer costs where GOLD is right, by label, and `no-answer` for none. What is not
named costs 0 where it is right, else 1. Elkan 2001, "The foundations of cost-sensitive learning", section 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.datasets.task import Task

BETTER = "lower"
UNANSWERED = "counted"
NEEDS = ("classes",)
NO_ANSWER = "no-answer"


def values(gold: Sequence[str], answers: Sequence[str | None], task: Task) -> list[float] | None:
    """The cost of each item; None without a matrix."""
    if not task.costs:
        return None
    return [_cost(wanted, answer, task) for wanted, answer in zip(gold, answers, strict=True)]


def bounds(task: Task) -> tuple[float, float]:
    """The least and the most that an answer can cost."""
    named = [cost for row in task.costs.values() for cost in row.values()]
    return min([0.0, *named]), max([1.0, *named])


def _cost(gold: str, answer: str | None, task: Task) -> float:
    named = task.costs.get(gold, {})
    return named.get(NO_ANSWER if answer is None else answer, 1.0 - task.credit(gold, answer))
