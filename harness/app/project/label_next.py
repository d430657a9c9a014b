"""The rows of a log that teach most, as a dataset that people can label."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.analysis.watching import NOTHING
from harness.app.project import watching
from harness.datasets import ImportSpec, importing
from harness.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from harness.analysis.watching import Watched
    from harness.app.project.project import Project
    from harness.app.project.watching import LogFile, Reference

VERSION = "v1"


def check_name(project: Project, name: str) -> None:
    """Raise `ConfigError` where there is a dataset of that name already."""
    if (project.workspace.root / "datasets" / name).exists():
        raise ConfigError(f"--label-next {name}: there is a dataset of that name; choose another")


def as_dataset(project: Project, reference: Reference, log: LogFile, found: Watched, name: str) -> Path:
    """The folder of dataset NAME@v1: what is to be labelled next, without labels, with the arm's answer and the reason.

    All of it is in split train: these rows were chosen because they are odd, so they teach, and measure nothing.
    `ConfigError` where the log has no texts, or nothing is left to label.
    """
    rows = watching.read(log, reference.text)
    chosen = [(one, rows[one.row]) for one in found.label_next]
    if not any(row["text"] for _, row in chosen):
        what = "has no texts" if chosen else "has a gold label in every row"
        raise ConfigError(f"--label-next {name}: {log.path.name} {what}, so there is nothing to label")
    known = {*reference.observed.gold, *reference.observed.answers} - {None, NOTHING}
    spec = ImportSpec(
        name,
        VERSION,
        "text",
        "label",
        id="id",
        labels=dict.fromkeys(sorted(map(str, known)), ""),
        is_closed=True,
        drop_empty=True,
        source={"tool": f"harness watch {reference.arm}"},
        description=f"What {reference.arm} was least sure of in {log.path.name}, and what is least like its tests.",
    )
    placed = [
        (
            "train",
            f"{log.path.name}, row {one.row + 1}",
            {
                "id": f"row-{one.row + 1}",
                "text": row["text"],
                "label": "",
                "answer": row["answer"] or "",
                "why": one.reason,
            },
        )
        for one, row in chosen
    ]
    return importing.import_rows(project.workspace.root, spec, placed, extra={}, origin=log.path.name)
