"""Items to label next, as a table that goes out to people and comes back with labels."""

from __future__ import annotations

import heapq
import io
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.datasets import loading, splits, tables, text_files
from harness.datasets.importing import SHARES
from harness.datasets.layouts import PLAIN
from harness.datasets.versions import derive
from harness.errors import DatasetError
from harness.ground.ids import unit_interval
from harness.ground.spreadsheets import Rows, guarded, unguarded
from harness.types import Example, Item

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from harness.datasets.layouts import Layout

WEIGHT = "sampling_weight"
COLUMNS = ("id", "text", "tags", "label", WEIGHT)
BETWEEN_TAGS = "|"
FLOOR = 0.5  # of an item's chance of being drawn, whatever it is worth


@dataclass(frozen=True, slots=True)
class Drawn:
    """An item to label, and how many items of the whole it stands for: one over its chance of being drawn."""

    item: Item
    weight: float | None


def at_random(items: Iterable[Item], n: int, seed: int) -> list[Drawn]:
    """A simple random sample without replacement, by the hash of each id: a larger one holds a smaller one."""
    total = 0

    def counted() -> Iterable[Item]:
        nonlocal total
        for item in items:
            total += 1
            yield item

    chosen = heapq.nsmallest(n, counted(), key=lambda item: unit_interval(f"sample {seed}", item.id))
    return [Drawn(item, total / len(chosen)) for item in chosen]


def by_worth(items: Sequence[Item], worth: Mapping[str, float], n: int, seed: int) -> list[Drawn]:
    """About n items, likelier the more a label would tell; each with how many it stands for.

    Half of each item's chance is what it has in a plain random draw (`FLOOR`), so that no weight exceeds twice the
    plain one; the other half goes by its worth. Drawn systematically, in an order drawn by hash (Madow 1949), so the
    number is n and each item's chance is exactly the one that its weight is the inverse of. Items without a known
    worth have the floor alone.
    """
    ordered = sorted(items, key=lambda item: unit_interval(f"sample {seed}", item.id))
    wanted = min(n, len(ordered))
    chances = _chances([max(0.0, worth.get(item.id, 0.0)) for item in ordered], wanted)
    start, upto, drawn = unit_interval(f"start {seed}", "systematic"), 0.0, []
    for item, chance in zip(ordered, chances, strict=True):
        passed, upto = upto, upto + chance
        if math.floor(upto - start) > math.floor(passed - start):
            drawn.append(Drawn(item, 1 / chance))
    return drawn


def _chances(worth: Sequence[float], n: int) -> list[float]:
    """Each item's chance of being drawn; they add up to n, and none is above 1."""
    total = sum(worth)
    share = [FLOOR / len(worth) + (1 - FLOOR) * (w / total if total else 1 / len(worth)) for w in worth]
    certain: set[int] = set()
    while True:
        left = sum(s for i, s in enumerate(share) if i not in certain)
        factor = (n - len(certain)) / left if left else 0.0
        above = {i for i, s in enumerate(share) if i not in certain and s * factor >= 1}
        if not above:
            return [1.0 if i in certain else s * factor for i, s in enumerate(share)]
        certain |= above


def written(drawn: Sequence[Drawn]) -> bytes:
    """The table for the labellers, without labels. A cell that a spreadsheet would run gets a quote before it."""
    out = io.StringIO(newline="")
    writer = Rows(out)
    writer.write(COLUMNS)
    for one in drawn:
        tags = BETWEEN_TAGS.join(one.item.tags)
        weight = "" if one.weight is None else f"{one.weight:.6g}"
        writer.write([*map(guarded, (one.item.id, one.item.text, tags)), "", weight])
    return out.getvalue().encode()


def append_labels(root: Path, ref: str, version: str, path: Path, layout: Layout = PLAIN) -> tuple[Path, int]:
    """The folder of a new version with the labels of a returned table, and how many rows are still without one.

    A row whose id is known gives that item another label (and its weight); any other is a new item,
    put into a split by the hash of its id.
    """
    dataset = loading.load(root, ref)
    by_id = {example.item.id: example for example in dataset.examples}
    waiting, seen = 0, set[str]()
    for where, row in tables.read(path, layout):
        place = text_files.names_place(path, where)
        _check(row, place, "id", "label")
        item_id, label = unguarded(_cell(row, "id", where)), _cell(row, "label", where)
        if item_id in seen or not item_id:
            raise DatasetError(f"{where}: id {item_id!r} {'stands there twice' if item_id else 'is empty'}")
        seen.add(item_id)
        if not label.strip():
            waiting += 1
            continue
        if item_id not in by_id:
            _check(row, place, "text")
        known = by_id.get(item_id) or _new(item_id, row, where)
        weight = str(row.get(WEIGHT) or "")
        fields = {**known.item.fields, **({WEIGHT: weight} if weight else {})}
        by_id[item_id] = replace(known, item=replace(known.item, fields=fields), label=label)
    if waiting == len(seen):
        raise DatasetError(f"{path}: no row has a label yet")
    note = f"labels of {path.name} appended: {len(seen) - waiting:,} rows"
    return derive(root, dataset.ref, version, list(by_id.values()), note), waiting


def _new(item_id: str, row: Mapping[str, tables.Cell], where: str) -> Example:
    text = unguarded(_cell(row, "text", where))
    if not text.strip():
        raise DatasetError(f"{where}: the text is empty; every item needs one")
    tags = unguarded(str(row.get("tags") or ""))
    item = Item(item_id, text, tuple(tag for tag in tags.split(BETWEEN_TAGS) if tag))
    split = str(row.get("split") or "") or splits.assign(item_id, SHARES, 0)
    return Example(item, "", split)


def _check(row: Mapping[str, tables.Cell], place: str, *names: str) -> None:
    for name in names:
        if name not in row:
            raise DatasetError(f"{place}: there is no column {name!r}; expected the columns of harness dataset sample")


def _cell(row: Mapping[str, tables.Cell], name: str, where: str) -> str:
    cell = row.get(name) or ""  # a cell of a spreadsheet that holds nothing
    if not isinstance(cell, str):
        raise DatasetError(f"{where}: column {name!r} holds a list; expected one value")
    return cell
