"""The identity of a dataset: one hash per row, and the hash of all of them in no order."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from harness.ground.ids import SCHEME, canonical_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from harness.types import JSON, Example, Label

LOCK = "rows.lock"
SHORT = 12


def row_hash(example: Example) -> str:
    """The SHA-256 of everything a row says."""
    return row_digest(example).hex()


def row_digest(example: Example) -> bytes:
    """The same in 32 bytes: a million of them fit in memory."""
    item = example.item
    asked: list[JSON] = [item.id, item.text, list(item.tags), dict(item.fields)]
    said = [*asked, example.label, example.split, example.group]
    if example.ratings:
        said.append(dict(example.ratings))
    return hashlib.sha256(canonical_json(said).encode("utf-8", "surrogatepass")).digest()


def dataset_id(kind: str, labels: Sequence[Label], row_digests: Iterable[bytes]) -> str:
    """The id of a dataset's content: kind, labels and rows, whatever the order of the rows."""
    return dataset_id_of(kind, labels, sorted(row_digests))


def dataset_id_of(kind: str, labels: Sequence[Label], in_order: Iterable[bytes]) -> str:
    """The same of digests that come in order, of which only one need be in memory.

    It is `ids.content_id` of {kind, labels, rows: sorted row hashes}, hashed piece by piece, for
    the JSON text of a million rows would be 70 MB.
    """
    named = [[label.name, label.description] for label in labels]
    digest = hashlib.sha256(canonical_json({"kind": kind, "labels": named})[:-1].encode("utf-8", "surrogatepass"))
    separator = ',"rows":["'
    for row in in_order:
        digest.update(f"{separator}{row.hex()}".encode("ascii"))
        separator = '","'
    digest.update(b'"]}' if separator == '","' else b',"rows":[]}')
    return SCHEME + digest.hexdigest()[:16]


def lock_line(digest: bytes) -> str:
    """A line of the lock file: a short hash per row, in file order. It is what lets an error name the row."""
    return digest.hex()[:SHORT] + "\n"


def first_change(folder: Path, examples: Iterable[tuple[str, Example]]) -> str:
    """What differs from the released rows, in words; `examples` come with their places."""
    lock = folder / LOCK
    if not lock.is_file():
        return f"{lock.name} is gone, so the row cannot be named"
    released = lock.read_text(encoding="ascii").split()
    n = 0
    for n, (where, example) in enumerate(examples, start=1):
        if n <= len(released) and not row_hash(example).startswith(released[n - 1]):
            return f"the first row that differs is {where} (id {example.item.id!r})"
    if n != len(released):
        return f"it has {n:,} rows, and {len(released):,} were released"
    return "no row differs, so line ends or quoting were rewritten"
