"""A metric: a number an item, within its bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harness.app.contracts import _samples
from harness.datasets.task import Task
from harness.ground.located import Located

if TYPE_CHECKING:
    from harness.app.contracts._subject import Subject

COSTS = {"food": {"sport": 3.0, "no-answer": 0.5}, "sport": {"food": 0.25}}
UNANSWERED = ("counted", "wrong", "excluded")


def _constants(subject: Subject) -> None:
    name, module = subject.name, subject.module
    assert module.BETTER in ("higher", "lower"), f"{name}: BETTER is {module.BETTER!r}; expected 'higher' or 'lower'"
    said = f"{name}: UNANSWERED is {module.UNANSWERED!r}; expected one of {', '.join(UNANSWERED)}"
    assert module.UNANSWERED in UNANSWERED, said


def _task(subject: Subject) -> tuple[Task, list[str], list[str | None]]:
    at, kinds = subject.given.get("at"), getattr(subject.module, "KINDS", ("single",))
    task = Task(kinds[0] if at is None else Located(kinds[0], at), _samples.LABELS, COSTS)
    cells = [cell for cell, _, _ in getattr(task.rules, "EXAMPLES", ())] or list(_samples.LABELS)
    rng = np.random.default_rng(0)
    gold = [task.rules.read_gold(str(one), task.labels, "row 1") for one in rng.choice(cells, 60)]
    return task, gold, [None if i % 7 == 0 else str(one) for i, one in enumerate(rng.permutation(gold))]


def _values(subject: Subject) -> None:
    name, module = subject.name, subject.module
    task, gold, answers = _task(subject)
    low, high = module.bounds(task)
    assert low < high, f"{name}: bounds gave {low!r} and {high!r}; expected a low and a high"
    found = np.asarray(module.values(gold, answers, task), dtype=float)
    assert found.shape == (60,), f"{name}: values gave shape {found.shape} for 60 items; expected a number each"
    assert ((found >= low) & (found <= high)).all(), f"{name}: values lie outside of bounds, {low:g} to {high:g}"
    again = np.asarray(module.values(gold[:1], answers[:1], task), dtype=float)
    assert again[0] == found[0], f"{name}: an item alone has another number than among others"
    assert len(module.values([], [], task)) == 0, f"{name}: no items give numbers"


CHECKS = {
    "BETTER and UNANSWERED": _constants,
    "a number for each item, within bounds": _values,
}
