"""People's own files, made into a released version: read once to know what they hold, once more to write it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.datasets import (
    encodings,
    gold_readers,
    guessing,
    json_files,
    json_forms,
    loading,
    splits,
    tables,
    text_files,
    unknown_columns,
)
from harness.datasets.headers import NotTheHeader
from harness.datasets.import_spec import ImportSpec
from harness.datasets.manifest import Manifest, Splits, Tags
from harness.datasets.notes import Note, Notes
from harness.datasets.releasing import Shape, refuse_existing, release_stream
from harness.datasets.survey import Roles, Survey
from harness.errors import DatasetError, one_of
from harness.ground.ids import content_id
from harness.types import Example, Item

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.datasets.cells import Cell
    from harness.datasets.layouts import Layout

Placed = tuple["str | None", str, "dict[str, Cell]"]
"""A row with its split (None: still to be split) and its place."""
Rows = Callable[[Notes], Iterator[Placed]]
"""The rows, from the first one each time it is called: they are read twice, for a million do not fit in memory."""
SHARES = {"train": 0.6, "dev": 0.2, "test": 0.2}
WATCHED = 20_000  # rows between two reports of progress
NO_COLUMN = "\x00label"  # of a gold answer that no column holds alone: no column is called so
HELD, HELD_BYTES = (".csv", ".tsv", ".jsonl", ".ndjson"), 16 * 1024**2
NO_RATINGS: dict[str, str] = {}
SPLIT_COLUMNS = ("split", "splits", "subset", "fold")
LOOKED_AT = 1_000  # rows that may lack a column before it counts as missing


@dataclass(slots=True)
class Imported:
    """What an import made: the folder of the version, its rows by split and label, and how the files were read.

    `notes` count what was repaired, left out or noticed.
    """

    folder: Path
    counts: dict[str, dict[str, int]]
    sizes: dict[str, int]
    encodings: dict[str, str]
    notes: tuple[Note, ...] = ()


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
    reading = _of_files(spec, files, watch)
    notes = reading.surveyed(root)
    folder = reading.written(root, extra={})
    return Imported(folder, reading.counts, reading.sizes, _encodings(spec, files), notes.all())


def try_files(spec: ImportSpec, files: Mapping[str | None, Path]) -> None:
    """Read files as an import would, and write nothing; raises what the import would raise."""
    reading = _of_files(spec, files, lambda _: None)
    reading.surveyed(None)
    for _ in reading.checked():
        pass
    reading.finished()


def import_rows(root: Path, spec: ImportSpec, rows: Iterable[Placed], extra: Mapping[str, bytes], origin: str) -> Path:
    """The folder of a new version made of rows with their split (or None) and their place."""
    held = list(rows)
    reading = _Reading(replace(spec, source={"file": origin, **spec.source}), lambda _: iter(held))
    reading.surveyed(root)
    return reading.written(root, extra)


def _of_files(spec: ImportSpec, files: Mapping[str | None, Path], watch: Callable[[int], None]) -> _Reading:
    layout, whole = spec.layout, files.get(None)
    if whole is not None and spec.split_column is None and _names_splits(whole, layout):
        spec = replace(spec, split_column=json_forms.SPLIT)

    held: list[Placed] = []  # small files are read once: to survey them and to write them
    is_small = all(path.is_file() and path.suffix.lower() in HELD for path in files.values())
    is_small = is_small and sum(path.stat().st_size for path in files.values()) <= HELD_BYTES

    def rows(notes: Notes) -> Iterator[Placed]:
        if not is_small:
            return _of_all(files, layout, notes)
        if not held:
            held.extend(_of_all(files, layout, notes))
        return iter(held)

    unusual = {name: known for name, known in _encodings(spec, files).items() if known not in ("utf-8", "utf-8-sig")}
    told = {f"encoding of {name}": known for name, known in unusual.items()}
    names = ", ".join(path.name for path in files.values())
    return _Reading(replace(spec, source={"file": names, **told, **spec.source}), rows, watch, files)


def _of_all(files: Mapping[str | None, Path], layout: Layout, notes: Notes) -> Iterator[Placed]:
    for split, path in files.items():
        try:
            for where, row in tables.read(path, layout, notes):
                yield split, where, row
        except NotTheHeader as error:
            raise unknown_columns.not_the_header(str(error), guessing.header(path, layout)) from None


def _names_splits(path: Path, layout: Layout) -> bool:
    """Whether a file is a JSON document with its rows by split: then they are its splits, whatever else was said."""
    if not path.is_file() or text_files.ending(path) != ".json":
        return False
    encodings.refuse_other_formats(path)
    return json_files.names_splits(path, layout)


def _encodings(spec: ImportSpec, files: Mapping[str | None, Path]) -> dict[str, str]:
    """The encodings of the text files, by name."""
    texts = [p for p in files.values() if p.is_file() and text_files.ending(p) not in (*tables.EXCEL, tables.PARQUET)]
    chosen = spec.layout.encoding
    return {path.name: chosen or encodings.declared(text_files.head(path)) for path in texts}


class _Reading:
    """The rows of an import as checked examples, and what they tell about the whole."""

    def __init__(
        self,
        spec: ImportSpec,
        rows: Rows,
        watch: Callable[[int], None] = lambda _: None,
        files: Mapping[str | None, Path] | None = None,
    ) -> None:
        self.spec = spec
        self.counts: dict[str, dict[str, int]] = {}
        self._rows = rows
        self._watch = watch
        self._files = files or {}
        self._shape = Shape()
        self._survey = Survey(
            Roles(
                spec.text,
                spec.label,
                spec.split_column,
                spec.kind,
                spec.relabel,
                spec.drop_unlabelled,
                spec.drop_empty,
                gold_readers.reader(spec),
                spec.is_closed,
            )
        )
        self.sizes: dict[str, int] = {}
        self._taken: set[str] = set()
        self._repeats: dict[str, int] = {}

    def surveyed(self, root: Path | None) -> Notes:
        """Read all rows once, and decide what they become; raises before anything is written."""
        if root is not None:
            refuse_existing(root, self.described())
        notes, survey, read = Notes(), self._survey, _source(self.spec)
        if not (self.spec.text and (self.spec.label or self.spec.fields or self.spec.is_closed)):
            raise unknown_columns.unnamed(self.spec, self._file)
        for given, where, row in self._rows(notes):
            survey.add(where, row, given, notes)
            if survey.n in (1, LOOKED_AT):
                self._check_columns(is_final=survey.n == LOOKED_AT or not self._may_lack_columns)
            if read.tags is not None and read.tags.column in row:
                self._shape.add_tags(loading.tags_of(row, read, where))
            if survey.n % WATCHED == 0:
                self._watch(survey.n)
        self._check_columns(is_final=True)
        survey.decide(notes)
        self._note_unused_splits(notes)
        named = {*self.spec.named, *read.named}
        self._shape.fields = dict.fromkeys(name for name in survey.columns if name not in named)
        self._shape.has_groups = self.spec.group is not None
        self._shape.raters = dict.fromkeys(self.spec.raters)
        changed = notes.changed()
        if changed:
            self.spec = replace(self.spec, source={**self.spec.source, "repaired": changed})
        return notes

    def _note_unused_splits(self, notes: Notes) -> None:
        """Say where a column is called as one of splits would be, and was not named as that."""
        survey, spec = self._survey, self.spec
        column = next((name for name in survey.columns if name.casefold() in SPLIT_COLUMNS), None)
        if column is None or spec.split_column is not None or column in spec.named or None not in self._files:
            return
        notes.add(
            "noticed",
            f"rows with a column {column!r} that is kept as a field: --split-column {column} takes the splits from it",
            survey.first_row,
            n=survey.n,
        )

    def written(self, root: Path, extra: Mapping[str, bytes]) -> Path:
        """The folder of the version, its rows read once more."""
        return release_stream(root, self.finished, self._shape, self.checked(), extra)

    def described(self, labels: Iterable[str] = ()) -> Manifest:
        """The manifest of the version, with these labels."""
        spec = self.spec
        return Manifest(
            name=spec.name,
            version=spec.version,
            text="text",
            label="label",
            labels={label: spec.labels.get(label, "") for label in labels if spec.kind != "extract" and not spec.range},
            fields={name: spec.labels.get(name, "") for name in labels if spec.kind == "extract"},
            range=spec.range,
            splits=Splits(column="split"),
            kind=spec.kind,
            description=spec.description,
            source=dict(spec.source),
        )

    def finished(self) -> Manifest:
        """The manifest with the labels that were found; `DatasetError` unless they can be a closed set."""
        found = sorted({label for of_split in self.counts.values() for label in of_split} - {""})
        if self.spec.is_closed:
            _check_closed(found, self.spec)
            return self.described(self.spec.labels)
        found = [*self.spec.fields] or found
        _check_labels(found, self.spec, sum(self.sizes.values()))
        return self.described(found)

    def checked(self) -> Iterator[Example]:
        """Every row that is kept as an example with its own id, counted by split and label."""
        spec, read, survey = self.spec, _source(self.spec), self._survey
        has_own = bool(spec.fields or spec.raters)
        for number, (given, where, row) in enumerate(self._rows(Notes()), start=1):
            if number % WATCHED == 0:
                self._watch(survey.n + number)
            label = survey.kept(where, row)
            if label is None:
                continue
            own = self._own(row) if has_own else row
            raw = loading.example(where, {**own, read.label: label}, read)
            item_id = self._named(raw.item, where)
            split = given or survey.split(_split(spec, raw, item_id, where))
            of_split = self.counts.setdefault(split, {})
            self.sizes[split] = self.sizes.get(split, 0) + 1
            for name in survey.names_in(label):
                of_split[name] = of_split.get(name, 0) + 1
            item = Item(item_id, raw.item.text, raw.item.tags, raw.item.fields)
            yield Example(item, label, split, raw.group, self._ratings(row, where))

    def _own(self, row: dict[str, Cell]) -> dict[str, Cell]:
        """The row without the columns that were read as gold answers or ratings."""
        read = {*self.spec.fields.values(), *self.spec.raters}
        return {name: cell for name, cell in row.items() if name not in read} if read else row

    def _ratings(self, row: dict[str, Cell], where: str) -> dict[str, str]:
        """What each rater says of a row, as canonical text; who says nothing is left out."""
        if not self.spec.raters:
            return NO_RATINGS
        found = {rater: self._survey.rating(row, rater, where) for rater in self.spec.raters}
        return {rater: answer for rater, answer in found.items() if answer is not None}

    @property
    def _file(self) -> Path | None:
        """The file whose columns a message shows; None where the rows come from elsewhere."""
        return next(iter(self._files.values()), None)

    @property
    def _may_lack_columns(self) -> bool:
        """Whether a row may lack a column that others have: JSON's may."""
        return not self._files or any(text_files.ending(path) in tables.JSON for path in self._files.values())

    def _check_columns(self, *, is_final: bool) -> None:
        """Raise `ImportProblem` for a column that no row has."""
        survey, spec = self._survey, self.spec
        if not survey.n or not is_final:
            return
        for role in ("text", "label", "id", "tags", "group", "split_column"):
            name = getattr(spec, role)
            if name and name not in survey.columns:
                raise unknown_columns.missing(spec, role, survey, self._file)
        for option, column in (
            *(("--rater", rater) for rater in spec.raters),
            *(("--field", column) for column in spec.fields.values()),
        ):
            if column not in survey.columns:
                hint = one_of(column, list(survey.columns))
                raise DatasetError(f"{survey.first_row}: {option}: there is no column {column!r}; {hint}")

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
        return next(where for _, where, row in self._rows(Notes()) if row.get(self.spec.id or "") == item_id)


def _check_labels(found: list[str], spec: ImportSpec, n: int) -> None:
    origin = spec.source["file"]
    if not n:
        raise DatasetError(f"{origin}: there are no rows")
    if not found and spec.range is None:
        raise DatasetError(f"{origin}: no row holds a single {'field' if spec.kind == 'extract' else 'label'}")
    if len(found) < 2 and spec.kind == "single":
        raise DatasetError(f"{origin}: column {spec.label!r} holds one label only: {found[0]!r}")


def _check_closed(found: list[str], spec: ImportSpec) -> None:
    """Raise `DatasetError` unless the labels in the file are among those that were given, two or more."""
    if len(spec.labels) < 2:
        raise DatasetError(f"--labels names {len(spec.labels)} label; a closed set has two or more")
    for label in found:
        if label not in spec.labels:
            raise DatasetError(
                f"{spec.source['file']}: label {label!r} is none of --labels; {one_of(label, spec.labels)}"
            )


def _source(spec: ImportSpec) -> Manifest:
    """The columns of the source, as a manifest; splits are drawn here, when each row has its id."""
    return Manifest(
        name=spec.name,
        version=spec.version,
        text=spec.text,
        label=spec.label or NO_COLUMN,
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
