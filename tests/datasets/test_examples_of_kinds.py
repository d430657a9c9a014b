"""The small datasets of other kinds that stand in the repository: of our own making, complete, and solvable."""

from pathlib import Path

import numpy as np
import pytest

from harness import datasets
from harness.arms import answers
from harness.arms.answers import KindSpec
from harness.arms.baselines import majority, rules
from harness.arms.prompts import files
from harness.datasets.task import Task
from tests import kind_examples

ROOT = Path(__file__).parents[2]
KINDS = {"topics": "multi", "bookings": "extract", "moods": "score"}


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_a_newcomer_can_run_each_kind(name, kind):
    """The rows are those that the lists of words draw; rules beat the constant answer, and the prompt asks for JSON."""
    dataset = datasets.load(ROOT, f"{name}@v1")
    drawn = kind_examples.ROWS[kind](200)
    assert dataset.kind == kind
    assert {one.item.text: one.split for one in dataset.examples} == {row["text"]: row["split"] for row in drawn}
    assert dataset.source["licence"].startswith("this project's own")
    task, spec = Task.of(dataset), KindSpec(kind, tuple((one.name, one.description) for one in dataset.labels))
    train, test = dataset.in_split("train"), dataset.in_split("test")
    written = (ROOT / "prompts" / name / "rules-v1.toml").read_text(encoding="utf-8")
    worth = []
    for built in (rules.build(written, spec), majority.build(spec)):
        built.fit([one.item for one in train], [one.label for one in train])
        said = [one.label for one in answers.answers(built, [one.item for one in test])]
        worth.append(np.mean(task.credits([one.label for one in test], said)))
    assert worth[0] > worth[1] + 0.1
    assert files.load(ROOT, name, "v1").header.output == "json"
