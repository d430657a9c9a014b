"""Making a version: its folder appears whole or not at all, and is never written again."""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.datasets import content, loading, manifest, splits
from harness.datasets.manifest import Manifest, Splits, Tags
from harness.errors import DatasetError
from harness.types import Example, Label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLUMNS = ("id", "text", "tags", "label", "split", "group")
SEPARATORS = ("|", ";", "\t", "\x1f")


def release(root: Path, described: Manifest, examples: Sequence[Example], extra: Mapping[str, bytes]) -> Path:
    """The folder of a new version holding these examples; `extra` files (a licence) lie beside them.

    Raises `DatasetError` when the version is there already.
    """
    folder = root / loading.FOLDER / described.name / described.version
    if folder.exists():
        raise DatasetError(f"{folder} is there already; a released version is frozen: choose another --version")
    examples = _uniform(examples)
    separator = _separator(examples)
    text = _csv(examples, separator)
    labels = tuple(Label(name, description) for name, description in described.labels.items())
    hashes = [content.row_hash(example) for example in examples]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder.parent) as scratch:
        made = Path(scratch) / folder.name
        made.mkdir()
        (made / "examples.csv").write_bytes(text)
        (made / content.LOCK).write_text(content.lock_text(hashes), encoding="ascii")
        for name, content_bytes in extra.items():
            (made / name).write_bytes(content_bytes)
        finished = replace(
            described,
            file="examples.csv",
            text="text",
            label="label",
            id="id",
            group="group" if any(example.group for example in examples) else None,
            tags=Tags("tags", separator) if any(example.item.tags for example in examples) else None,
            splits=Splits(column="split"),
            sha256=loading.file_hash(made / "examples.csv"),
            content=content.dataset_id(described.kind, labels, hashes),
        )
        (made / manifest.FILE).write_text(manifest.written(finished), encoding="utf-8")
        shutil.move(made, folder)  # one rename: the version is there whole, or not at all
    return folder


def resplit(root: Path, ref: str, version: str, shares: Mapping[str, float], seed: int) -> Path:
    """The folder of a new version with the same rows and other splits, by hash of group or id."""
    splits.check_shares(shares, "--train and --dev")
    dataset = loading.load(root, ref)
    read = manifest.read(loading.find(root, ref))
    examples = [
        replace(example, split=splits.assign(example.group or example.item.id, shares, seed))
        for example in dataset.examples
    ]
    drawn = f"{ref} split anew by hash, seed {seed}: {', '.join(f'{k} {v:g}' for k, v in shares.items())}"
    described = replace(read, version=version, source={**read.source, "splits": drawn})
    return release(root, described, examples, extra={})


def _uniform(examples: Sequence[Example]) -> list[Example]:
    """The examples as they will be read back: all with the same fields, none named like a column of ours."""
    found = sorted({name for example in examples for name in example.item.fields})
    renamed = {name: f"{name}_" if name in COLUMNS else name for name in found}
    return [
        replace(
            example,
            item=replace(example.item, fields={new: example.item.fields.get(old, "") for old, new in renamed.items()}),
        )
        for example in examples
    ]


def _csv(examples: Sequence[Example], separator: str) -> bytes:
    fields = list(examples[0].item.fields)
    has_tags = any(example.item.tags for example in examples)
    has_groups = any(example.group for example in examples)
    columns = ["id", "text", *["tags"] * has_tags, "label", "split", *["group"] * has_groups]
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*columns, *fields])
    for example in examples:
        item = example.item
        cells = [item.id, item.text, *[separator.join(item.tags)] * has_tags, example.label, example.split]
        cells += [example.group or ""] * has_groups
        writer.writerow([*cells, *(item.fields[name] for name in fields)])
    return out.getvalue().encode("utf-8")


def _separator(examples: Sequence[Example]) -> str:
    used = "".join(tag for example in examples for tag in example.item.tags)
    for separator in SEPARATORS:
        if separator not in used:
            return separator
    raise DatasetError(f"the tags use all of {SEPARATORS!r}; none is left to stand between them")
