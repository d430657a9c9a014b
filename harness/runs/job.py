"""A job: an arm with everything that is needed to run it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.arms.prompts.files import Prompt
    from harness.models.stack import Stack
    from harness.runs.early import EarlyStop
    from harness.types import JSON, Arm, Example, Item, Run


@dataclass(frozen=True, slots=True)
class Job:
    """An arm with everything the runner needs to run it.

    `model` is what an arm asks, if it asks one; `early` ends the run as soon as no more answers are needed;
    `facts` are stored with the run, beside what the arm finds out. `fit_s` is how long its arm was fitted already.
    """

    run: Run
    arm: Arm
    training: tuple[Example, ...]
    items: Sequence[Item]
    workers: int = 1
    prompt: Prompt | None = None
    model: Stack | None = None
    early: EarlyStop | None = None
    facts: Mapping[str, JSON] = field(default_factory=dict)
    fit_s: float | None = None
