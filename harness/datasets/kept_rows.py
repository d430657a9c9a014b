"""The rows of a large version, checked once and kept in files that are read a block at a time, never all at once.

A folder of Parquet files, each a block of rows in file order, and a note that is written last. It holds people's
texts, so it is its owner's alone, and lies where a version's reports lie: what erases those erases it.
"""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, overload

import duckdb

from harness.datasets import content
from harness.errors import DatasetError
from harness.ground import private
from harness.types import Example, Item, KeptExamples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

NOTE = "rows.json"
ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
PREFIX = "rows-"
BLOCK = 50_000
BLOCK_CHARS = 16_000_000
DAY_S = 86_400.0
BATCH = 2048
# What sorting needs beyond the memory goes to the disk.
READING: dict[str, str | bool | int | float | list[str]] = {"memory_limit": "400MB", "threads": 1}
COLUMNS = "id text, split text, is_labelled boolean, is_rated boolean, digest blob, row text"


class KeptRows(KeptExamples):
    """The rows in a folder, or those of a split, with a label, with answers of raters."""

    def __init__(self, folder: Path, split: str | None = None, *, labelled: bool = False, rated: bool = False) -> None:
        self.folder = folder
        self._split, self._labelled, self._rated = split, labelled, rated
        self._n: int | None = None

    def part(self, split: str | None, *, labelled: bool = False, rated: bool = False) -> Sequence[Example]:
        """Those of a split (None: of all), those that have a gold label, those that somebody rated; few in memory."""
        found = KeptRows(self.folder, split, labelled=labelled, rated=rated)
        return found if len(found) > BLOCK else tuple(found)

    def splits(self) -> frozenset[str]:
        """The splits that there are."""
        return frozenset(str(split) for (split,) in self._selected("distinct split"))

    def ids(self) -> Iterator[str]:
        """The ids of the items, in their order as texts."""
        for (item_id,) in self._selected("id", "order by id"):
            yield str(item_id)

    def __len__(self) -> int:
        if self._n is None:
            ((n,),) = self._selected("count(*)")
            self._n = int(str(n))
        return self._n

    def __iter__(self) -> Iterator[Example]:
        for (row,) in self._selected("row"):
            yield _example(str(row))

    @overload
    def __getitem__(self, place: int) -> Example: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Example]: ...
    def __getitem__(self, place: int | slice) -> Example | Sequence[Example]:
        if isinstance(place, slice):
            return tuple(self._at(range(len(self))[place]))
        for example in self._at([range(len(self))[place]]):
            return example
        raise IndexError(place)

    def _at(self, places: Sequence[int]) -> Iterator[Example]:
        """The examples at some places, which rise or fall by equal steps."""
        if not places:
            return
        first, last = min(places), max(places)
        found = [row for (row,) in self._selected("row", f"limit {last - first + 1} offset {first}")]
        yield from (_example(str(found[place - first])) for place in places)

    def _selected(self, columns: str, rest: str = "") -> Iterator[tuple[object, ...]]:
        conditions = ["split = $1" if self._split is not None else "$1::text is null"]
        conditions += ["is_labelled"] * self._labelled + ["is_rated"] * self._rated
        self._check()
        with _open(self.folder) as connection:
            connection.execute(f"select {columns} from rows where {' and '.join(conditions)} {rest}", [self._split])
            while batch := connection.fetchmany(BATCH):
                yield from batch
        self._check()

    def _check(self) -> None:
        if not is_there(self.folder):
            raise DatasetError(f"{self.folder}: its rows were removed meanwhile; run the command again")


def is_there(folder: Path) -> bool:
    """Whether rows are kept there, all of them."""
    return _note(folder) is not None


def read(folder: Path) -> tuple[str, KeptRows] | None:
    """The id of the content of the rows that are kept there, and the rows; None where none are."""
    note = _note(folder)
    return None if note is None else (str(note["content"]), KeptRows(folder))


def keep(folder: Path, examples: Iterable[Example], identify: Callable[[Iterable[bytes]], str]) -> None:
    """Write the rows into a folder that is there whole afterwards; `identify` makes their id of sorted digests.

    It is not there where rows cannot be kept: an id stands twice, the disk is full or read-only. Whoever reads them
    one by one then finds out why.
    """
    made = folder.with_name(f".{folder.name}.{os.getpid()}.new")
    if folder.exists() and not is_there(folder):
        shutil.rmtree(folder, ignore_errors=True)  # a part of it was erased
    try:
        with private.files():
            made.mkdir(parents=True)
            for number, block in enumerate(_blocks(examples)):
                _write(made / f"{number:06}.rows", block)
            if _has_an_id_twice(made):
                return
            note = {"content": identify(_digests(made)), "sizes": _sizes(made)}
            (made / NOTE).write_text(json.dumps(note), encoding="utf-8")
            made.rename(folder)
        _clear(folder)
    except (OSError, duckdb.Error):
        return
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _blocks(examples: Iterable[Example]) -> Iterator[list[Example]]:
    """The examples in blocks of so many rows or characters: a few thousand rows are in memory when one is read."""
    block: list[Example] = []
    size = 0
    for one in examples:
        block.append(one)
        size += len(one.item.text)
        if len(block) == BLOCK or size >= BLOCK_CHARS:
            yield block
            block, size = [], 0
    if block:
        yield block


def _clear(folder: Path) -> None:
    """Remove what was kept of another content or by an older harness, and what a killed command left a day ago."""
    made_s = folder.stat().st_mtime
    for pattern, least_age_s in ((f"{PREFIX}*", -DAY_S), (f".{PREFIX}*", DAY_S)):
        for old in folder.parent.glob(pattern):
            if old != folder and made_s - old.stat().st_mtime >= least_age_s:
                shutil.rmtree(old, ignore_errors=True)


def _note(folder: Path) -> dict[str, Any] | None:
    """What was written last, where all is there that it names."""
    try:
        note: dict[str, Any] = json.loads((folder / NOTE).read_text(encoding="utf-8"))
        return note if note["sizes"] == _sizes(folder) else None
    except (OSError, ValueError, KeyError):
        return None


def _sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in sorted(folder.glob("*.rows"))}


def _digests(folder: Path) -> Iterator[bytes]:
    """The digests of all rows, in their order."""
    with _open(folder) as connection:
        connection.execute("select digest from rows order by digest")
        while batch := connection.fetchmany(BATCH):
            yield from (digest for (digest,) in batch)


def _has_an_id_twice(folder: Path) -> bool:
    with _open(folder) as connection:
        query = "select 1 from (select id from rows group by id having count(*) > 1) limit 1"
        return connection.execute(query).fetchone() is not None


@contextmanager
def _open(folder: Path) -> Iterator[DuckDBPyConnection]:
    """A connection that sees the rows, in file order, as `rows`."""
    scratch = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    with private.files(), duckdb.connect(config={**READING, "temp_directory": str(scratch)}) as connection:
        files = [str(path) for path in sorted(folder.glob("*.rows"))]
        if files:
            connection.from_parquet(files).create_view("rows")
        else:
            connection.execute(f"create table rows ({COLUMNS})")
        yield connection


def _write(path: Path, block: Sequence[Example]) -> None:
    columns: list[list[object]] = [
        [one.item.id for one in block],
        [one.split for one in block],
        [one.is_labelled for one in block],
        [bool(one.ratings) for one in block],
        [content.row_digest(one) for one in block],
        [_row(one) for one in block],
    ]
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(f"create table rows ({COLUMNS})")
        connection.execute(f"insert into rows select {', '.join(['unnest(?)'] * len(columns))}", columns)
        connection.table("rows").write_parquet(str(path), compression="zstd")


def _row(example: Example) -> str:
    item = example.item
    said = [item.id, item.text, item.tags, dict(item.fields), example.label, example.split, example.group]
    return ENCODER.encode([*said, dict(example.ratings)])


def _example(row: str) -> Example:
    item_id, text, tags, fields, label, split, group, ratings = json.loads(row)
    return Example(Item(item_id, text, tuple(tags), fields), label, split, group, ratings)
