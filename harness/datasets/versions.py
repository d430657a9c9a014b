"""From one version to the next: what differs, and making a new one from an old one with edits."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.datasets import loading, manifest, splits, tables
from harness.datasets.audit.equality import TRAIN
from harness.datasets.releasing import release
from harness.errors import DatasetError, one_of
from harness.ground.ids import unit_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from harness.types import Dataset, Example

EDITABLE = ("text", "label", "split", "group")


@dataclass(frozen=True, slots=True)
class Change:
    """One row that is not the same in both versions: what it said, and what it says now."""

    id: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What became of the rows of version `a` in version `b`. A row can be changed in several ways.

    `reworded` rows have another text, other tags or other fields; `moved` ones another split.
    """

    a: str
    b: str
    same: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    relabelled: tuple[Change, ...]
    moved: tuple[Change, ...]
    reworded: tuple[Change, ...]
    regrouped: tuple[Change, ...]

    @property
    def is_empty(self) -> bool:
        """Whether both versions say the same."""
        return not (self.added or self.removed or self.relabelled or self.moved or self.reworded or self.regrouped)


@dataclass(frozen=True, slots=True)
class Edits:
    """How a new version differs from the old one; `cells` by id and column, `groups` by id."""

    cells: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    drop: frozenset[str] = frozenset()
    groups: Mapping[str, str] | None = None
    note: str = ""


def diff(a: Dataset, b: Dataset) -> Difference:
    """What differs between two versions, matched by id."""
    old, new = ({example.item.id: example for example in one.examples} for one in (a, b))
    both = [(old[key], new[key]) for key in old if key in new]
    changed = {
        "relabelled": [Change(x.item.id, x.label, y.label) for x, y in both if x.label != y.label],
        "moved": [Change(x.item.id, x.split, y.split) for x, y in both if x.split != y.split],
        "reworded": [Change(x.item.id, x.item.text, y.item.text) for x, y in both if _said(x) != _said(y)],
        "regrouped": [Change(x.item.id, x.group or "", y.group or "") for x, y in both if x.group != y.group],
    }
    touched = {change.id for changes in changed.values() for change in changes}
    return Difference(
        a=a.ref,
        b=b.ref,
        same=len(both) - len(touched),
        added=tuple(key for key in new if key not in old),
        removed=tuple(key for key in old if key not in new),
        **{name: tuple(changes) for name, changes in changed.items()},
    )


def new_version(root: Path, ref: str, version: str, edits: Edits) -> Path:
    """The folder of a new version: the old rows without the dropped ones, with the edited cells.

    Raises `DatasetError` for an id that is not there, a column that cannot be edited, or no change.
    """
    dataset = loading.load(root, ref)
    known = {example.item.id for example in dataset.examples}
    for item_id in (*edits.cells, *edits.drop):
        if item_id not in known:
            raise DatasetError(f"{dataset.ref} has no row {item_id!r}; {one_of(item_id, known)}")
    examples = [_edited(example, edits) for example in dataset.examples if example.item.id not in edits.drop]
    if examples == list(dataset.examples):
        raise DatasetError(f"nothing would change in {dataset.ref}; a new version has to differ")
    return derive(root, ref, version, examples, edits.note)


def fresh(dataset: Dataset, split: str, seed: int = 0) -> dict[str, dict[str, str]]:
    """Edits that give a split as many items of the training split as it has, and that one the old ones.

    So nothing in it has been scored yet. Drawn by the hash of the item or its group, groups whole; at most half of
    the training items. `DatasetError` where the split or training items are lacking.
    """
    old = [example for example in dataset.examples if example.split == split]
    if split == TRAIN or not old:
        named = dataset.splits - {TRAIN}
        raise DatasetError(f"{dataset.ref} has no split {split!r} to draw anew; {one_of(split, named)}")
    elsewhere = {_key(example) for example in dataset.examples if example.split != TRAIN}
    families: dict[str, list[str]] = {}
    for example in dataset.examples:
        if _key(example) not in elsewhere:
            families.setdefault(_key(example), []).append(example.item.id)
    wanted = min(len(old), sum(map(len, families.values())) // 2)
    if not wanted:
        raise DatasetError(
            f"{dataset.ref} has no training items to draw a new {split!r} from; label new ones: harness dataset sample "
            f"{dataset.ref} --pool FILE --out to-label.csv"
        )
    drawn: list[str] = []
    for key in sorted(families, key=lambda key: unit_interval(f"fresh {seed}", key)):
        drawn += families[key] if len(drawn) < wanted else []
    moved = {example.item.id: {"split": TRAIN} for example in old}
    return moved | {item_id: {"split": split} for item_id in drawn}


def _key(example: Example) -> str:
    return example.group or example.item.id


def derive(root: Path, ref: str, version: str, examples: Sequence[Example], note: str) -> Path:
    """The folder of a new version of a dataset that holds these examples; labels as they are found in them."""
    read = manifest.read(loading.find(root, ref))
    names_in = splits.gold_names(read.kind)
    found = {name for example in examples if example.is_labelled for name in names_in(example.label)}
    if not examples:
        raise DatasetError(f"no row of {ref} would be left")
    # Where rows wait for their label, any label may come; where all have one, a label without a row is gone.
    is_open = any(not example.is_labelled for example in examples)
    labels = {name: text for name, text in read.labels.items() if is_open or name in found}
    if read.labels:
        labels |= {name: "" for name in sorted(found - set(labels))}
    source = {**read.source, "made_from": ref, "change": note}
    return release(root, replace(read, version=version, labels=labels, source=source), examples, extra={})


def read_cells(path: Path, fields: Iterable[str]) -> dict[str, dict[str, str]]:
    """Edited cells by id, from a file with an `id` column and the columns to change; an empty cell changes nothing.

    Columns whose name begins with `#` are remarks.
    """
    allowed = (*EDITABLE, *fields)
    cells: dict[str, dict[str, str]] = {}
    for where, row in tables.read(path):
        item_id = row.get("id")
        if not isinstance(item_id, str) or not item_id:
            raise DatasetError(f"{where}: there is no id; expected a column 'id' and the columns to change")
        if item_id in cells:
            raise DatasetError(f"{where}: id {item_id!r} stands there twice")
        told = {column: cell for column, cell in row.items() if not column.startswith("#") or column in fields}
        for column in told:
            if column != "id" and column not in allowed:
                raise DatasetError(f"{where}: column {column!r} cannot be edited; {one_of(column, allowed)}")
        cells[item_id] = {key: cell for key, cell in told.items() if key != "id" and isinstance(cell, str) and cell}
    return cells


def read_ids(path: Path) -> frozenset[str]:
    """The ids in a file: one a line, or the column `id` of a table."""
    if path.name.lower().endswith(tables.FORMATS):
        return frozenset(str(row.get("id") or "") for _, row in tables.read(path)) - {""}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: {error}; expected one id a line") from None
    return frozenset(line.strip() for line in lines) - {""}


def _said(example: Example) -> tuple[str, tuple[str, ...], dict[str, str]]:
    return example.item.text, example.item.tags, dict(example.item.fields)


def _edited(example: Example, edits: Edits) -> Example:
    cells = edits.cells.get(example.item.id, {})
    item, group = example.item, example.group
    if edits.groups is not None:
        group = edits.groups.get(item.id)
    changed_fields = {name: cell for name, cell in cells.items() if name not in EDITABLE}
    if "text" in cells or changed_fields:
        item = replace(item, text=cells.get("text", item.text), fields={**item.fields, **changed_fields})
    return replace(
        example,
        item=item,
        label=cells.get("label", example.label),
        split=cells.get("split", example.split),
        group=cells.get("group", group),
    )
