"""People's own files, made into a released version."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.datasets import loading, splits, tables
from harness.datasets.manifest import Manifest, Splits, Tags
from harness.datasets.releasing import release
from harness.errors import DatasetError, one_of
from harness.ids import content_id
from harness.types import Example, Item

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from harness.datasets.tables import Cell

SHARES = {"train": 0.6, "dev": 0.2, "test": 0.2}
MAX_LABELS = 2000


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


def import_file(root: Path, spec: ImportSpec, files: Mapping[str | None, Path]) -> Path:
    """The folder of the new version; `files` by the split they hold (None: still to be split)."""
    rows = [(split, where, row) for split, path in files.items() for where, row in tables.read(path)]
    names = ", ".join(path.name for path in files.values())
    if not rows:
        raise DatasetError(f"{names}: there are no rows")
    return import_rows(root, spec, rows, extra={}, origin=names)


def import_rows(
    root: Path,
    spec: ImportSpec,
    rows: Iterable[tuple[str | None, str, dict[str, Cell]]],
    extra: Mapping[str, bytes],
    origin: str,
) -> Path:
    """The folder of a new version made of rows with their split (or None) and their place."""
    examples = list(_examples(spec, rows))
    found = sorted({example.label for example in examples})
    if len(found) > MAX_LABELS:
        raise DatasetError(
            f"{origin}: column {spec.label!r} holds {len(found):,} different labels; a closed set has at most "
            f"{MAX_LABELS:,}: is it the right column?"
        )
    if len(found) < 2:
        raise DatasetError(f"{origin}: column {spec.label!r} holds one label only: {found[0]!r}")
    described = Manifest(
        name=spec.name,
        version=spec.version,
        text="text",
        label="label",
        labels={label: spec.labels.get(label, "") for label in found},
        splits=Splits(column="split"),
        kind=spec.kind,
        description=spec.description,
        source={"file": origin, **spec.source},
    )
    return release(root, described, examples, extra)


def _examples(spec: ImportSpec, rows: Iterable[tuple[str | None, str, dict[str, Cell]]]) -> Iterator[Example]:
    read = Manifest(
        name=spec.name,
        version=spec.version,
        text=spec.text,
        label=spec.label,
        labels={},
        splits=Splits(column=spec.split_column, shares=SHARES, seed=spec.seed),
        id=spec.id,
        group=spec.group,
        tags=Tags(spec.tags, spec.tags_separator) if spec.tags else None,
    )
    places: dict[str, str] = {}
    for split, where, row in rows:
        raw = loading.example(where, row, read)
        item_id = raw.item.id if spec.id else _fresh_id(raw.item, places)
        if item_id in places:
            raise DatasetError(f"{where}: id {item_id!r} stands at {places[item_id]} already")
        places[item_id] = where
        if not raw.label.strip():
            raise DatasetError(f"{where}: the label in column {spec.label!r} is empty")
        item = Item(item_id, raw.item.text, raw.item.tags, raw.item.fields)
        drawn = raw.split if spec.split_column else splits.assign(raw.group or item_id, SHARES, spec.seed)
        yield Example(item, raw.label, split or _named(drawn, where), raw.group)


def _named(split: str, where: str) -> str:
    if not split:
        raise DatasetError(f"{where}: the split is empty; {one_of(split, SHARES)}")
    return split


def _fresh_id(item: Item, taken: Mapping[str, str]) -> str:
    """An id from what the item says; a repeated text gets a number behind it."""
    stem = content_id([item.text, list(item.tags)]).partition(":")[2][:12]
    number, item_id = 1, stem
    while item_id in taken:
        number += 1
        item_id = f"{stem}-{number}"
    return item_id
