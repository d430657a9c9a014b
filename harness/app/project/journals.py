"""Where the answers of people who label a dataset version lie, and the labels that stand there, not released yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.datasets.label_journal import Journal, agreed, standing
from harness.datasets.label_session import disagreed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.app.project.project import Project
    from harness.datasets.label_journal import Entry
    from harness.types import Dataset

FOLDER = "labels"


def of(project: Project, dataset: Dataset) -> Journal:
    """The journal of a dataset version; it may not be there yet."""
    return Journal(project.folder / dataset.ref / FOLDER)


def labels(journal: Journal) -> dict[str, tuple[str, float | None]]:
    """By item the label that stands, and how many items it stands for (None: it was chosen, not drawn)."""
    said = standing(journal.entries())
    found = {item: agreed(of_item) for item, of_item in said.items()}
    return {item: (label, weight(said[item])) for item, label in found.items() if label is not None}


def unsettled(journal: Journal) -> tuple[frozenset[str], frozenset[str]]:
    """The items of which somebody said that nobody can tell, and those on which people differ; none has a label."""
    said = standing(journal.entries())
    open_ = {item: of_item for item, of_item in said.items() if agreed(of_item) is None}
    differ = frozenset(disagreed(open_))
    untold = {i for i, of_item in open_.items() if any(one.act == "cannot tell" for one in of_item.values())}
    return frozenset(untold - differ), differ


def weight(of_item: Mapping[str, Entry]) -> float | None:
    """How many items one stands for, by the answers to it."""
    weights = [entry.weight for entry in of_item.values() if entry.weight is not None]
    return weights[0] if weights else None
