"""Released versions: found, read, checked against what was released."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from harness import __version__
from harness.datasets import content, manifest, released, splits
from harness.datasets.task import kind_of
from harness.errors import DatasetError, HarnessError, one_of
from harness.ground import plugins
from harness.ground.ids import content_id
from harness.ground.workspace import RESULTS, checked_name
from harness.types import Dataset, Example, Item, Label

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.datasets.cells import Cell
    from harness.datasets.manifest import Manifest

FOLDER = "datasets"
NO_FIELDS: Mapping[str, str] = MappingProxyType({})  # one for all: most datasets have no further columns
KINDS = "datasets/kinds"
LARGE_BYTES = 16 * 1024 * 1024  # some 200,000 short texts
PACKED = 4  # how often a Parquet file is larger once it is unpacked


@dataclass(frozen=True, slots=True)
class Verification:
    """What `dataset verify` found: nothing, or every way in which a version is not as released."""

    ref: str
    id: str
    n: int
    problems: tuple[str, ...]


def refs(root: Path) -> list[str]:
    """Every `name@version` of a workspace, versions in natural order."""
    folders = [path.parent for path in (root / FOLDER).glob(f"*/*/{manifest.FILE}")]
    ordered = sorted(folders, key=lambda folder: (folder.parent.name, natural(folder.name)))
    return [f"{folder.parent.name}@{folder.name}" for folder in ordered]


def load(root: Path, ref: str) -> Dataset:
    """A released version by `name@version`, or by `name`: its newest. Raises `DatasetError`.

    The rows of a large one stay in files, where they are checked once.
    """
    folder = find(root, ref)
    dataset, problem = _loaded(root / RESULTS, folder, manifest.read(folder))
    if problem is not None:
        raise DatasetError(f"{problem}; a released version is frozen: undo the edit, or release a new version")
    return dataset


def verify(root: Path, ref: str) -> Verification:
    """What is wrong with a version; raises only when there is no such version."""
    folder = find(root, ref)
    name = f"{folder.parent.name}@{folder.name}"
    try:
        with tempfile.TemporaryDirectory() as scratch:  # whatever is kept of it is not looked at
            dataset, problem = _loaded(Path(scratch), folder, manifest.read(folder))
            n = len(dataset.examples)
    except HarnessError as error:  # a wrong row, a wrong key, a wrong kind: all are findings here
        return Verification(name, "", 0, (str(error),))
    return Verification(name, dataset.id, n, () if problem is None else (problem,))


def find(root: Path, ref: str) -> Path:
    """The folder of a version; `DatasetError` names what there is when it is not there."""
    name, _, version = ref.partition("@")
    checked_name(name, "dataset")
    if version:
        checked_name(version, "version")
    known = refs(root)
    versions = [one.partition("@")[2] for one in known if one.partition("@")[0] == name]
    if not version and versions:
        version = versions[-1]
    if version not in versions:
        recipe = f"; harness dataset fetch {name} brings it in" if name in _recipes() else ""
        raise DatasetError(f"there is no dataset {ref!r} in {root / FOLDER}{recipe}; {one_of(ref, known)}")
    folder = root / FOLDER / name / version
    if not folder.resolve().is_relative_to(root.resolve()):
        raise DatasetError(f"{folder} leads out of the workspace; copy the data in")
    return folder


def read_examples(folder: Path, read: Manifest) -> Iterator[tuple[str, Example]]:
    """The examples of a version with their places; every row is checked on the way."""
    seen: dict[str, str] = {}
    for where, one in _read_examples(folder, read):
        item_id = one.item.id
        if item_id in seen:
            raise DatasetError(f"{where}: id {item_id!r} stands at {seen[item_id]} already")
        seen[item_id] = where
        yield where, one


def _read_examples(folder: Path, read: Manifest) -> Iterator[tuple[str, Example]]:
    """The same, of which an id may stand twice."""
    path = folder / read.file
    if path.is_symlink():
        raise DatasetError(f"{path} is a link; a version holds its own rows")
    kind = kind_of(read.kind)
    for where, row in released.read(path):
        one = example(where, row, read)
        yield where, replace(one, label=kind.read_gold(one.label, read.names, where)) if one.is_labelled else one


def natural(name: str) -> list[tuple[int, str]]:
    """A sort key that puts v2 before v10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name) if part]


def file_hash(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _loaded(results: Path, folder: Path, read: Manifest) -> tuple[Dataset, str | None]:
    """The dataset, and what differs from the release (None: nothing); rows of a large one stay in `results`."""
    path = folder / read.file
    sha256 = file_hash(path) if path.is_file() and not path.is_symlink() else ""
    labels = tuple(Label(name, description) for name, description in read.names.items())
    found, examples = (sha256 and _kept(results, folder, read, sha256)) or _in_memory(folder, read, labels)
    dataset = Dataset(
        name=read.name,
        version=read.version,
        id=found,
        kind=read.kind,
        labels=labels,
        examples=examples,
        description=read.description,
        source=read.source,
        costs=read.costs,
    )
    return dataset, _problem(folder, read, sha256, found)


def _in_memory(folder: Path, read: Manifest, labels: Sequence[Label]) -> tuple[str, Sequence[Example]]:
    """The id of a version's content, and its examples."""
    examples = tuple(one for _, one in read_examples(folder, read))
    return content.dataset_id(read.kind, labels, map(content.row_digest, examples)), examples


def _kept(results: Path, folder: Path, read: Manifest, sha256: str) -> tuple[str, Sequence[Example]] | None:
    """The same of a large version, whose rows stay in files; None of a small one, and where they cannot."""
    path = folder / read.file
    size = path.stat().st_size * (PACKED if path.suffix.lower() == ".parquet" else 1)
    if size < LARGE_BYTES or read.kind not in plugins.names(KINDS):
        return None
    # Imported when it is needed: it loads a database engine.
    kept_rows = import_module("harness.datasets.kept_rows")
    # What it is about, where it is from and what errors cost changes no row.
    meant = manifest.written(replace(read, description="", source={}, costs={}))
    key = content_id({"harness": __version__, "rows": sha256, "manifest": meant})
    at = results / f"{read.name}@{read.version}" / f"{kept_rows.PREFIX}{key.partition(':')[2]}"
    if not kept_rows.is_there(at):
        labels = [Label(name, description) for name, description in read.names.items()]
        identify = partial(content.dataset_id_of, read.kind, labels)
        kept_rows.keep(at, (one for _, one in _read_examples(folder, read)), identify)
    kept: tuple[str, Sequence[Example]] | None = kept_rows.read(at)
    return kept


def _problem(folder: Path, read: Manifest, sha256: str, found: str) -> str | None:
    """What differs from the release; None: nothing."""
    if not read.sha256 or not read.content:
        released = f'add sha256 = "{sha256}" and content = "{found}" to release it as it is'
        return f"{folder / manifest.FILE} has no sha256 or no content id; {released}"
    if (folder / manifest.PENDING).exists():
        return f"{folder}: an erasure was cut short; run the same harness forget again"
    if sha256 != read.sha256:
        return f"{folder / read.file} was changed: {content.first_change(folder, read_examples(folder, read))}"
    if found != read.content:
        return f"{folder / manifest.FILE} was changed: labels, columns or splits are not those released"
    return None


def example(where: str, row: dict[str, Cell], read: Manifest) -> Example:
    """The example that a row is, by the manifest's columns; `DatasetError` names the place."""
    text = _text(row, read.text, where)
    if not text.strip():
        raise DatasetError(f"{where}: the text is empty; every item needs one")
    tags = tags_of(row, read, where)
    group = _optional(row, read.group, where)
    item_id = _text(row, read.id, where) if read.id else where
    named = read.named
    fields = {name: _plain(cell) for name, cell in row.items() if name not in named and cell is not None}
    if read.splits.column is not None:
        split = _text(row, read.splits.column, where)
    elif not read.splits.shares:
        split = ""
    else:
        split = splits.assign(group or item_id, read.splits.shares, read.splits.seed)
    ratings = {rater: answer for rater in read.raters if (answer := _optional(row, rater, where))}
    item = Item(item_id, text, tags, fields or NO_FIELDS)
    return Example(item, _text(row, read.label, where), split, group, ratings or NO_FIELDS)


def _text(row: dict[str, Cell], column: str, where: str) -> str:
    if column not in row:
        raise DatasetError(f"{where}: there is no column {column!r}; {one_of(column, row)}")
    cell = row[column]
    if not isinstance(cell, str):
        raise DatasetError(f"{where}: column {column!r} holds {cell!r}; expected text")
    return cell


def _optional(row: dict[str, Cell], column: str | None, where: str) -> str | None:
    return _text(row, column, where) or None if column else None


def tags_of(row: dict[str, Cell], read: Manifest, where: str) -> tuple[str, ...]:
    """The tags of a row; `DatasetError` when it lacks their column."""
    if read.tags is None:
        return ()
    if read.tags.column not in row:
        raise DatasetError(f"{where}: there is no column {read.tags.column!r}; {one_of(read.tags.column, row)}")
    cell = row[read.tags.column]
    parts = cell if isinstance(cell, list) else (cell or "").split(read.tags.separator)
    return tuple(part.strip() for part in parts if part.strip())


def _plain(cell: Cell) -> str:
    return cell if isinstance(cell, str) else ", ".join(cell or ())


def _recipes() -> tuple[str, ...]:
    return plugins.names("datasets/recipes")
