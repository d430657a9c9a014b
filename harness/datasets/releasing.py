"""Making a version: its folder appears whole or not at all, and is never written again."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.datasets import content, loading, manifest, splits
from harness.datasets.manifest import Manifest, Splits, Tags
from harness.errors import DatasetError
from harness.ground import plugins
from harness.ground.spreadsheets import Rows
from harness.types import Example, Item, Label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from harness.types import Dataset

COLUMNS = ("id", "text", "tags", "label", "split", "group")
ROWS = "examples.csv"
TIME = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?")
SEPARATORS = ("|", ";", "\t", "\x1f")


@dataclass(slots=True)
class Shape:
    """What has to be known of all rows before the first can be written: which columns there are."""

    n: int = 0
    fields: dict[str, None] = field(default_factory=dict)
    has_tags: bool = False
    has_groups: bool = False
    tag_characters: set[str] = field(default_factory=set)
    raters: dict[str, None] = field(default_factory=dict)

    def add(self, example: Example) -> None:
        """Take one more row into account."""
        self.n += 1
        if example.item.fields:
            self.fields.update(dict.fromkeys(example.item.fields))
        self.add_tags(example.item.tags)
        self.has_groups = self.has_groups or bool(example.group)
        if example.ratings:
            self.raters.update(dict.fromkeys(example.ratings))

    def add_tags(self, tags: Sequence[str]) -> None:
        """Take the tags of one more row into account."""
        if tags:
            self.has_tags = True
            self.tag_characters.update(*tags)

    @classmethod
    def of(cls, examples: Iterable[Example]) -> Shape:
        """The shape of rows that are in memory."""
        shape = cls()
        for example in examples:
            shape.add(example)
        return shape

    @property
    def separator(self) -> str:
        """A character that stands in no tag."""
        for separator in SEPARATORS:
            if separator not in self.tag_characters:
                return separator
        raise DatasetError(f"the tags use all of {SEPARATORS!r}; none is left to stand between them")

    @property
    def renamed(self) -> dict[str, str]:
        """The names of the fields, old to new: none may be called like a column of ours."""
        return {name: f"{name}_" if name in (*COLUMNS, *self.raters) else name for name in sorted(self.fields)}


def release(root: Path, described: Manifest, examples: Sequence[Example], extra: Mapping[str, bytes]) -> Path:
    """The folder of a new version holding these examples; `extra` files (a licence) lie beside them.

    Raises `DatasetError` when the version is there already.
    """
    refuse_existing(root, described)
    return release_stream(root, lambda: described, Shape.of(examples), examples, extra)


def release_stream(
    root: Path,
    describe: Callable[[], Manifest],
    shape: Shape,
    examples: Iterable[Example],
    extra: Mapping[str, bytes],
) -> Path:
    """The same of rows that come one at a time and have this shape; 32 bytes a row stay in memory.

    `describe` is asked once all rows have come: only then are all labels known.
    """
    folder = root / loading.FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as scratch:
        made = Path(scratch) / "version"
        made.mkdir()
        finished = write_rows(made, describe, shape, examples)
        folder = refuse_existing(root, finished)
        for name, content_bytes in extra.items():
            (made / name).write_bytes(content_bytes)
        (made / manifest.FILE).write_text(manifest.written(finished), encoding="utf-8")
        folder.parent.mkdir(exist_ok=True)
        shutil.move(made, folder)  # one rename: the version is there whole, or not at all
    return folder


def write_rows(made: Path, describe: Callable[[], Manifest], shape: Shape, examples: Iterable[Example]) -> Manifest:
    """The manifest of a version whose rows and lock are now in the folder `made`; it is not written yet."""
    digests = _write_rows(made, shape, examples)
    described = describe()
    labels = tuple(Label(name, description) for name, description in described.names.items())
    return replace(
        described,
        file=ROWS,
        text="text",
        label="label",
        id="id",
        group="group" if shape.has_groups else None,
        tags=Tags("tags", shape.separator) if shape.has_tags else None,
        splits=Splits(column="split"),
        raters=tuple(shape.raters),
        sha256=loading.file_hash(made / ROWS),
        content=content.dataset_id(described.kind, labels, digests),
    )


def refuse_existing(root: Path, described: Manifest) -> Path:
    """The folder the version will have; `DatasetError` when it is there."""
    folder = root / loading.FOLDER / described.name / described.version
    if folder.exists():
        raise DatasetError(f"{folder} is there already; a released version is frozen: choose another --version")
    return folder


def _write_rows(made: Path, shape: Shape, examples: Iterable[Example]) -> list[bytes]:
    """The digests of the rows, in file order; rows and lock are written on the way."""
    renamed, separator, digests = shape.renamed, shape.separator, []
    columns = ["id", "text", *["tags"] * shape.has_tags, "label", "split", *["group"] * shape.has_groups]
    columns += shape.raters
    with (
        (made / ROWS).open("w", encoding="utf-8", newline="") as rows,
        (made / content.LOCK).open("w", encoding="ascii", newline="") as lock,
    ):
        writer = Rows(rows)
        writer.write([*columns, *renamed.values()])
        for given in examples:
            example = _uniform(given, renamed)
            item = example.item
            cells = [item.id, item.text]
            if shape.has_tags:
                cells.append(separator.join(item.tags))
            cells += (example.label, example.split)
            if shape.has_groups:
                cells.append(example.group or "")
            cells += (example.ratings.get(rater, "") for rater in shape.raters)
            cells += item.fields.values()
            writer.write(cells)
            digest = content.row_digest(example)
            digests.append(digest)
            lock.write(content.lock_line(digest))
    return digests


def _uniform(example: Example, renamed: Mapping[str, str]) -> Example:
    """The example as it will be read back: with the fields that all have, none named like a column of ours."""
    if not renamed:
        return example
    item, given = example.item, example.item.fields
    fields = {new: given.get(old, "") for old, new in renamed.items()}
    return replace(example, item=Item(item.id, item.text, item.tags, fields))


@dataclass(frozen=True, slots=True)
class Draw:
    """How rows get their split: shares, and by hash alone, with every label's share kept, or by time."""

    shares: Mapping[str, float]
    seed: int = 0
    stratify: bool = False
    time: str | None = None

    @property
    def told(self) -> str:
        """How it was done, for the manifest."""
        shares = ", ".join(f"{name} {share:g}" for name, share in self.shares.items())
        if self.time:
            return f"by {self.time}, the oldest first: {shares}"
        return f"by hash, seed {self.seed}{', every label alike' if self.stratify else ''}: {shares}"


def resplit(root: Path, ref: str, version: str, draw: Draw) -> Path:
    """The folder of a new version with the same rows and other splits; rows of one group stay together."""
    splits.check_shares(draw.shares, "--train and --dev")
    dataset = loading.load(root, ref)
    read = manifest.read(loading.find(root, ref))
    keys = [example.group or example.item.id for example in dataset.examples]
    if draw.time:
        drawn_by_key = _by_time(dataset, keys, draw.time, draw.shares)
    elif draw.stratify:
        drawn_by_key = splits.assign_alike(keys, _strata(dataset), draw.shares, draw.seed)
    else:
        drawn_by_key = {key: splits.assign(key, draw.shares, draw.seed) for key in set(keys)}
    examples = [replace(example, split=drawn_by_key[key]) for key, example in zip(keys, dataset.examples, strict=True)]
    drawn = f"{ref} split anew {draw.told}"
    described = replace(read, version=version, source={**read.source, "splits": drawn})
    return release(root, described, examples, extra={})


def _strata(dataset: Dataset) -> list[tuple[str, ...]]:
    """What a split should keep the shares of, per row: its label, unless its kind knows better."""
    strata = getattr(plugins.load("kinds", dataset.kind), "strata", None)
    if strata is None:
        return [(example.label,) for example in dataset.examples]
    known = iter(strata([example.label for example in dataset.labelled()]))
    return [next(known) if example.is_labelled else ("",) for example in dataset.examples]


def _by_time(dataset: Dataset, keys: Sequence[str], column: str, shares: Mapping[str, float]) -> dict[str, str]:
    """The splits of the keys in order of time; a group is as old as its youngest row."""
    youngest: dict[str, str] = {}
    for key, example in zip(keys, dataset.examples, strict=True):
        when = example.item.fields.get(column, "")
        if not TIME.fullmatch(when):
            raise DatasetError(
                f"{dataset.ref}: row {example.item.id!r} has {when!r} in {column!r}; a time split needs dates "
                "like 2026-01-31 or 2026-01-31T12:00:00, in one form"
            )
        youngest[key] = max(youngest.get(key, ""), when)
    return splits.in_shares(sorted(youngest, key=lambda key: (youngest[key], key)), shares)
