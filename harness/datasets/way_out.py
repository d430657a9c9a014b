"""The way out of an import that fails: one option changed after the other, tried without writing anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.datasets.importing import try_files
from harness.datasets.problems import ImportProblem
from harness.errors import DatasetError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.datasets.import_spec import ImportSpec

MOST_CHANGES = 6


def sought(problem: ImportProblem, spec: ImportSpec, files: Mapping[str | None, Path]) -> ImportSpec | None:
    """The spec with which the import would go through; None where no change of options helps."""
    current: ImportProblem | None = problem
    for _ in range(MOST_CHANGES):
        if current is None or not current.change:
            break
        changed = spec.changed(current.change)
        if changed == spec:
            break
        spec, current = changed, tried(changed, files)
        if current is None:
            return spec
    return None


def tried(spec: ImportSpec, files: Mapping[str | None, Path]) -> ImportProblem | None:
    """What is still wrong with an import; None when it would go through."""
    try:
        try_files(spec, files)
    except ImportProblem as problem:
        return problem
    except DatasetError as error:
        return ImportProblem(str(error))
    return None
