"""A task of Inspect's in three forms: free answers, two scorers, letters. ITEMS names the file of its items."""

import inspect
import json
import os
from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import choice, includes, match
from inspect_ai.solver import generate, multiple_choice

ITEMS = [json.loads(line) for line in Path(os.environ["ITEMS"]).read_text().splitlines()]
LABELS = sorted({one["label"] for one in ITEMS})
SOLVER = "solver" if "solver" in inspect.signature(Task.__init__).parameters else "plan"  # its first name
PLAIN = [Sample(input=one["text"], target=one["label"], id=one["id"]) for one in ITEMS]


@task
def free():
    """The reply is the label."""
    return Task(dataset=PLAIN, scorer=match(), **{SOLVER: generate()})


@task
def two():
    """Two scorers, each with the answers."""
    return Task(dataset=PLAIN, scorer=[match(), includes()], **{SOLVER: generate()})


@task
def letters():
    """The labels are choices, the target a letter."""
    letter = dict(zip(LABELS, "ABC", strict=True))
    samples = [Sample(input=one["text"], target=letter[one["label"]], choices=LABELS, id=one["id"]) for one in ITEMS]
    return Task(dataset=samples, scorer=choice(), **{SOLVER: multiple_choice()})
