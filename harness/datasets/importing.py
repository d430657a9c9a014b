"""People's own files, made into a released version."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.datasets import encodings, loading, splits, tables
from harness.datasets.manifest import Manifest, Splits, Tags
from harness.datasets.releasing import Shape, refuse_existing, release_stream
from harness.errors import DatasetError, one_of
from harness.ids import content_id
from harness.types import Example, Item

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.datasets.tables import Cell

Placed = tuple["str | None", str, "dict[str, Cell]"]
"""A row with its split (None: still to be split) and its place."""
Rows = Callable[[], Iterator[Placed]]
"""The rows, from the first one each time it is called: they are read twice, for a million do not fit in memory."""
SHARES = {"train": 0.6, "dev": 0.2, "test": 0.2}
MAX_LABELS = 2000
WATCHED = 20_000  # rows between two reports of progress


@dataclass(frozen=True, slots=True)
class ImportSpec:
    """Which columns mean what, and how rows without a split get one."""

    name: str
    version: str
    text: str
    label: str
    id: str | None = None
    tags: str | None = None
    tags_separator: str = "|"
    group: str | None = None
    split_column: str | None = None
    seed: int = 0
    description: str = ""
    kind: str = "single"
    labels: Mapping[str, str] = field(default_factory=dict)
    source: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None


@dataclass(slots=True)
class Imported:
    """What an import made: the folder of the version, its rows by split and label, and how the files were read."""

    folder: Path
    counts: dict[str, dict[str, int]]
    encodings: dict[str, str]


def import_file(
    root: Path, spec: ImportSpec, files: Mapping[str | None, Path], watch: Callable[[int], None] = lambda _: None
) -> Path:
    """The folder of the new version; `files` by the split they hold (None: still to be split)."""
    return import_files(root, spec, files, watch).folder


def import_files(
    root: Path, spec: ImportSpec, files: Mapping[str | None, Path], watch: Callable[[int], None] = lambda _: None
) -> Imported:
    """A new version of files of any size: about 200 bytes a row stay in memory.

    `watch` is told now and then how many rows have been read.
    """
    encoding = None if spec.encoding is None else encodings.checked(spec.encoding)

    def rows() -> Iterator[Placed]:
        for split, path in files.items():
            for where, row in tables.read(path, encoding):
                yield split, where, row

    read_as = {
        path.name: encoding or encodings.declared(path)
        for path in files.values()
        if path.is_file() and path.suffix.lower() != ".parquet"
    }
    unusual = {name: known for name, known in read_as.items() if known not in (encodings.UTF8, "utf-8-sig")}
    told = {f"encoding of {name}": known for name, known in unusual.items()}
    names = ", ".join(path.name for path in files.values())
    reading = _Reading(replace(spec, source={"file": names, **told, **spec.source}), rows, watch)
    folder = _import(root, reading, _fields(spec, files, encoding), extra={})
    return Imported(folder, reading.counts, read_as)


def import_rows(root: Path, spec: ImportSpec, rows: Iterable[Placed], extra: Mapping[str, bytes], origin: str) -> Path:
    """The folder of a new version made of rows with their split (or None) and their place."""
    held = list(rows)
    reading = _Reading(replace(spec, source={"file": origin, **spec.source}), lambda: iter(held), lambda _: None)
    return _import(root, reading, fields=None, extra=extra)


def _import(root: Path, reading: _Reading, fields: tuple[str, ...] | None, extra: Mapping[str, bytes]) -> Path:
    """The new version; rows are read once when the fields are known before, else twice."""
    refuse_existing(root, reading.described())
    if fields is not None:
        shape = Shape(fields=dict.fromkeys(fields), has_groups=reading.spec.group is not None)
        return release_stream(root, reading.finished, shape, reading.checked(), extra)
    shape, known = Shape(), list[tuple[str, str]]()
    for example in reading.checked():
        shape.add(example)
        known.append((example.item.id, example.split))
    reading.finished()  # wrong labels are found before anything is written
    return release_stream(root, reading.finished, shape, reading.again(known), extra)


def _fields(spec: ImportSpec, files: Mapping[str | None, Path], encoding: str | None) -> tuple[str, ...] | None:
    """The columns beside those that have a meaning; None when only reading all rows can tell.

    Every line of JSONL may have keys of its own, and what may stand between two tags depends on all tags.
    """
    if spec.tags or any(path.suffix.lower() not in (".csv", ".tsv", ".parquet") for path in files.values()):
        return None
    named = _source(spec).named
    firsts = (next(iter(tables.read(path, encoding)), None) for path in files.values())
    found = dict.fromkeys(name for first in firsts if first is not None for name in first[1] if name not in named)
    return tuple(found)


class _Reading:
    """The rows of an import as checked examples, and what they tell about the whole."""

    def __init__(self, spec: ImportSpec, rows: Rows, watch: Callable[[int], None]) -> None:
        self.spec = spec
        self.counts: dict[str, dict[str, int]] = {}
        self._rows = rows
        self._watch = watch
        self._taken: set[str] = set()
        self._repeats: dict[str, int] = {}

    def described(self, labels: Iterable[str] = ()) -> Manifest:
        """The manifest of the version, with these labels."""
        spec = self.spec
        return Manifest(
            name=spec.name,
            version=spec.version,
            text="text",
            label="label",
            labels={label: spec.labels.get(label, "") for label in labels},
            splits=Splits(column="split"),
            kind=spec.kind,
            description=spec.description,
            source=dict(spec.source),
        )

    def finished(self) -> Manifest:
        """The manifest with the labels that were found; `DatasetError` unless they can be a closed set."""
        found = sorted({label for of_split in self.counts.values() for label in of_split})
        _check_labels(found, self.spec)
        return self.described(found)

    def checked(self) -> Iterator[Example]:
        """Every row as an example with its own id, counted by split and label."""
        spec, read, counts = self.spec, _source(self.spec), self.counts
        for number, (given, where, row) in enumerate(self._rows(), start=1):
            raw = loading.example(where, row, read)
            item_id = self._named(raw.item, where)
            label = raw.label
            if not label.strip():
                raise DatasetError(f"{where}: the label in column {spec.label!r} is empty")
            split = given or _split(spec, raw, item_id, where)
            of_split = counts.setdefault(split, {})
            of_split[label] = of_split.get(label, 0) + 1
            if len(of_split) > MAX_LABELS:
                _check_labels(list(of_split), spec)
            if number % WATCHED == 0:
                self._watch(number)
            yield Example(Item(item_id, raw.item.text, raw.item.tags, raw.item.fields), label, split, raw.group)

    def again(self, known: Iterable[tuple[str, str]]) -> Iterator[Example]:
        """The same examples once more, with the ids and splits they had."""
        read = _source(self.spec)
        for (_, where, row), (item_id, split) in zip(self._rows(), known, strict=True):
            raw = loading.example(where, row, read)
            yield Example(Item(item_id, raw.item.text, raw.item.tags, raw.item.fields), raw.label, split, raw.group)

    def _named(self, item: Item, where: str) -> str:
        """What the id column says, or a hash of what the item says; never the same id twice."""
        item_id = item.id if self.spec.id else self._fresh(item)
        if item_id in self._taken:
            raise DatasetError(f"{where}: id {item_id!r} stands at {self._first_place(item_id)} already")
        self._taken.add(item_id)
        return item_id

    def _fresh(self, item: Item) -> str:
        """An id from what the item says; a repeated text gets a number behind it."""
        stem = content_id([item.text, list(item.tags)]).partition(":")[2][:12]
        if stem not in self._taken:
            return stem
        number = self._repeats[stem] = self._repeats.get(stem, 1) + 1
        return f"{stem}-{number}"

    def _first_place(self, item_id: str) -> str:
        """Where an id stood first: the places are not kept, so the rows are read again for the message."""
        return next(where for _, where, row in self._rows() if row.get(self.spec.id or "") == item_id)


def _check_labels(found: list[str], spec: ImportSpec) -> None:
    origin = spec.source["file"]
    if not found:
        raise DatasetError(f"{origin}: there are no rows")
    if len(found) > MAX_LABELS:
        raise DatasetError(
            f"{origin}: column {spec.label!r} holds more than {MAX_LABELS:,} different labels, the most that a closed "
            "set may have: is it the right column?"
        )
    if len(found) < 2:
        raise DatasetError(f"{origin}: column {spec.label!r} holds one label only: {found[0]!r}")


def _source(spec: ImportSpec) -> Manifest:
    """The columns of the source, as a manifest; splits are drawn here, when each row has its id."""
    return Manifest(
        name=spec.name,
        version=spec.version,
        text=spec.text,
        label=spec.label,
        labels={},
        splits=Splits(column=spec.split_column),
        id=spec.id,
        group=spec.group,
        tags=Tags(spec.tags, spec.tags_separator) if spec.tags else None,
    )


def _split(spec: ImportSpec, raw: Example, item_id: str, where: str) -> str:
    split = raw.split if spec.split_column else splits.assign(raw.group or item_id, SHARES, spec.seed)
    if not split:
        raise DatasetError(f"{where}: the split is empty; {one_of(split, SHARES)}")
    return split
