"""Reports and figures written beside the store, and the front page over all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ground import private
from harness.report import front

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.analysis.results import Results
    from harness.app.project.project import Project


def write(project: Project, results: Results, files: Mapping[str, bytes]) -> list[Path]:
    """The paths of the files, written into the split's folder; of a report, the front page over all splits is last."""
    top = project.folder
    folder = top / results.split.dataset / results.split.name
    written = []
    with private.files():
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
            written.append(folder / name)
        if front.SUMMARY in files:
            (top / front.NAME).write_bytes(_front_page(top))
            written.append(top / front.NAME)
    return written


def _front_page(top: Path) -> bytes:
    """The page over every split that has a report below this folder."""
    read = {path: front.read(path.read_bytes()) for path in sorted(top.glob(f"*/*/{front.SUMMARY}"))}
    found = {(path.parent.parent.name, path.parent.name): one for path, one in read.items() if one is not None}
    return front.page(found, [path.parent.name for path in top.glob("*/audit.html")])
