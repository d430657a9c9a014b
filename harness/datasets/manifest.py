"""dataset.toml: what a version's rows mean. Read with every key checked, written in one form."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from harness.errors import DatasetError
from harness.ground.located import Located
from harness.ground.validation import validated
from harness.ground.workspace import EXTENSIONS, checked_name

if TYPE_CHECKING:
    from pathlib import Path

FILE = "dataset.toml"
PENDING = ".erasing.toml"  # the next dataset.toml, while rows are being erased
Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, slots=True)
class Tags:
    """The column of tags, and what stands between two of them."""

    column: str
    separator: str = "|"


@dataclass(frozen=True, slots=True)
class Splits:
    """Either the column that names each row's split, or shares drawn by hash with a seed."""

    column: str | None = None
    shares: dict[str, Share] = field(default_factory=dict)
    seed: Annotated[int, Field(ge=0)] = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """A version's dataset.toml. `id` in it is the hash of its content, `sha256` that of its file.

    Kinds differ in what their answers are made of: `labels` of a closed set, `fields` that are filled, the ends of a
    `range`. `raters` are the columns of single people's answers.
    """

    name: str
    version: str
    text: str
    label: str
    splits: Splits
    labels: dict[str, str] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    range: tuple[float, float] | None = None
    raters: tuple[str, ...] = ()
    file: str = "examples.csv"
    kind: str = "single"
    description: str = ""
    id: str | None = None
    group: str | None = None
    tags: Tags | None = None
    source: dict[str, str] = field(default_factory=dict)
    costs: dict[str, dict[str, Annotated[float, Field(allow_inf_nan=False)]]] = field(default_factory=dict)
    sha256: str = ""
    content: str = ""

    @property
    def names(self) -> dict[str, str]:
        """What answers are made of, with descriptions: the labels, the fields, or the two ends of the range."""
        if self.range is not None:
            return {f"{end:.15g}": "" for end in self.range}
        return self.fields or self.labels

    @property
    def named(self) -> tuple[str | None, ...]:
        """The columns that have a meaning; all others are fields."""
        tags = None if self.tags is None else self.tags.column
        return self.text, self.label, self.id, self.group, self.splits.column, tags, *self.raters


def read(folder: Path) -> Manifest:
    """The manifest of a version's folder; `DatasetError` names file and key."""
    path = folder / FILE
    if not path.is_file():
        raise DatasetError(f"{folder} holds no {FILE}")
    manifest = read_file(path)
    if (manifest.name, manifest.version) != (folder.parent.name, folder.name):
        raise DatasetError(f"{path} says {manifest.name}@{manifest.version}; its folder says otherwise")
    return manifest


def read_file(path: Path) -> Manifest:
    """The manifest in a file of a version's folder, whatever it is called."""
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: not valid TOML: {error}") from None
    manifest = validated(Manifest, value, str(path))
    _check_kind(manifest, path)
    checked_name(manifest.file, f"{path}: file")
    return replace(manifest, kind=Located(manifest.kind, path.parents[3] / EXTENSIONS))


def _check_kind(manifest: Manifest, path: Path) -> None:
    """Raise `DatasetError` unless the manifest says what answers of its kind are made of."""
    needed = {"extract": "fields", "score": "range"}.get(manifest.kind, "labels")
    if not getattr(manifest, needed) and manifest.kind in ("single", "multi", "extract", "score"):
        raise DatasetError(f"{path}: a dataset of kind {manifest.kind} has {needed}, and there are none")
    if manifest.range is not None and not manifest.range[0] < manifest.range[1]:
        raise DatasetError(f"{path}: range is {list(manifest.range)}; expected its lower end, then its upper end")


def written(manifest: Manifest) -> str:
    """The manifest as TOML text; the same manifest is the same text."""
    lines = []
    for name in ("name", "version", "kind", "description", "file", "text", "label", "id", "group"):
        value = getattr(manifest, name)
        if value:
            lines.append(f"{name} = {_quoted(value)}")
    lines += [f"range = [{', '.join(map(repr, manifest.range))}]"] if manifest.range is not None else []
    lines += [f"raters = [{', '.join(map(_quoted, manifest.raters))}]"] if manifest.raters else []
    lines += [f"sha256 = {_quoted(manifest.sha256)}", f"content = {_quoted(manifest.content)}"]
    if manifest.tags is not None:
        tags = {"column": manifest.tags.column, "separator": manifest.tags.separator}
        lines += ["", "[tags]", *_pairs(tags)]
    lines += [*_names(manifest), "", "[splits]"]
    if manifest.splits.column is not None:
        lines.append(f"column = {_quoted(manifest.splits.column)}")
    else:
        lines.append(f"seed = {manifest.splits.seed}")
        shares = [f"{_quoted(name)} = {share!r}" for name, share in manifest.splits.shares.items()]
        lines += ["", "[splits.shares]", *shares]
    if manifest.source:
        lines += ["", "[source]", *_pairs(manifest.source)]
    for gold, costs in manifest.costs.items():
        lines += ["", f"[costs.{_quoted(gold)}]", *(f"{_quoted(answer)} = {cost!r}" for answer, cost in costs.items())]
    return "\n".join(lines) + "\n"


def _names(manifest: Manifest) -> list[str]:
    """The table of what answers are made of; the ends of a range need none."""
    if manifest.fields:
        return ["", "[fields]", *_pairs(manifest.fields)]
    return [] if manifest.range is not None else ["", "[labels]", *_pairs(manifest.labels)]


def _pairs(table: dict[str, str]) -> list[str]:
    return [f"{_quoted(key)} = {_quoted(value)}" for key, value in table.items()]


def _quoted(text: str) -> str:
    # A TOML basic string is a JSON string, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
