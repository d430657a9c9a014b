"""Taking rows out of released versions, because a person asked for it: the one change that a version may see.

A version keeps its name and gets another content id, for it is other content; its source says when, how many
rows went, and what its id was. Its rows and its manifest cannot be replaced in one step, so the new manifest lies
beside the old one meanwhile, and whoever comes next finishes what was begun.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.datasets import content, loading, manifest
from harness.datasets.releasing import ROWS, Shape, write_rows
from harness.errors import DatasetError
from harness.ground import formatting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.datasets.manifest import Manifest
    from harness.ground.traces import Traces
    from harness.types import Example

SCRATCH = ".erasing-"


@dataclass(frozen=True, slots=True)
class Shortened:
    """A version without the rows that go, made ready beside the one that is there. `was` and `id` are content ids."""

    ref: str
    folder: Path
    made: Path
    manifest: Manifest
    was: str
    gone: frozenset[str]

    @property
    def id(self) -> str:
        """The id of the content that is left."""
        return self.manifest.content


def versions(root: Path, name: str) -> list[str]:
    """The `name@version` of every version of a dataset that is there; what an earlier erasure began is finished."""
    known = [ref for ref in loading.refs(root) if ref.partition("@")[0] == name]
    for ref in known:
        _finish(loading.find(root, ref))
    return known


@contextmanager
def shortened(
    root: Path, refs: Sequence[str], is_gone: Callable[[Example], bool], traces: Traces, date: str
) -> Iterator[list[Shortened]]:
    """Each version that has rows to go, written anew in a folder of its own; nothing is replaced yet.

    Raises `DatasetError` where no row would be left, or a version is not as it was released.
    """
    if not refs:
        yield []
        return
    for left in (root / loading.FOLDER).glob(f"{SCRATCH}*"):
        shutil.rmtree(left)  # of an erasure that was killed
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=root / loading.FOLDER) as scratch:
        found = [_shortened(root, ref, is_gone, traces, date, Path(scratch)) for ref in refs]
        yield [one for one in found if one is not None]


def replace_rows(one: Shortened) -> None:
    """Put the shortened version in the place of the one that is there."""
    (one.folder / manifest.PENDING).write_text(manifest.written(one.manifest), encoding="utf-8")
    (one.made / ROWS).replace(one.folder / ROWS)
    _finish(one.folder)


def _shortened(
    root: Path, ref: str, is_gone: Callable[[Example], bool], traces: Traces, date: str, scratch: Path
) -> Shortened | None:
    dataset = loading.load(root, ref)
    kept = [example for example in dataset.examples if not is_gone(example)]
    gone = len(dataset.examples) - len(kept)
    if not gone:
        return None
    if not kept:
        raise DatasetError(f"no row of {ref} would be left; remove the folder {loading.find(root, ref)} instead")
    said = f"{formatting.plural(gone, 'row')} on {date}, content was {dataset.id}"
    before = dataset.source.get("erased")
    source = {name: str(traces.erased(text)) for name, text in dataset.source.items()}
    source["erased"] = f"{before}; {said}" if before else said
    folder = loading.find(root, ref)
    made = scratch / folder.name
    made.mkdir()
    described = replace(manifest.read(folder), source=source)
    finished = write_rows(made, lambda: described, Shape.of(kept), kept)
    ids = frozenset(example.item.id for example in dataset.examples if is_gone(example))
    return Shortened(ref, folder, made, finished, dataset.id, ids)


def _finish(folder: Path) -> None:
    """End what was begun in a version's folder: with its new rows in place, or as if it had not begun."""
    pending = folder / manifest.PENDING
    if not pending.exists():
        return
    try:
        old, new = manifest.read(folder), manifest.read_file(pending)
    except DatasetError:  # cut short while it was written: nothing else has changed
        pending.unlink()
        return
    if not (folder / ROWS).is_file() or loading.file_hash(folder / ROWS) != new.sha256:
        pending.unlink()
        return
    rows = [content.row_digest(example) for _, example in loading.read_examples(folder, new)]
    lock = folder / f".{content.LOCK}.new"
    lock.write_text("".join(map(content.lock_line, rows)), encoding="ascii")
    lock.replace(folder / content.LOCK)
    if old.file != new.file:
        (folder / old.file).unlink(missing_ok=True)
    pending.replace(folder / manifest.FILE)
