"""Labelled files of shards: what each says of itself in a file beside it, and all of them put together."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from harness.datasets import loading
from harness.datasets import part_files as rows_of_parts
from harness.errors import ConfigError, MissingAnswers
from harness.ground import outputs, private
from harness.ground.validation import validated

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.ground.shards import Shard

ENDING = ".shard.json"
FORM = "harness-part/1"
MARKED = re.compile(r"\.([0-9]+)-of-([0-9]+)$")


@dataclass(frozen=True, slots=True)
class About:
    """What a part says of itself: which share of which file, by whom, its own hash, and how many of its rows failed.

    `rows` are those of the whole file, `index` is the column of a row's number there, `answered` the share's.
    """

    form: str
    part: int
    of: int
    source: Mapping[str, str]
    rows: int
    answered: int
    failed: int
    index: str
    sha256: str

    @property
    def whole(self) -> tuple[object, ...]:
        """What all parts of a file say alike."""
        return self.form, self.of, tuple(sorted(self.source.items())), self.rows, self.index


@dataclass(frozen=True, slots=True)
class MergedFile:
    """A file that was put together: its rows, those that failed, and of how many parts."""

    path: Path
    rows: int
    failed: int
    parts: int


def named(whole: Path, shard: Shard) -> Path:
    """What the part of a file is called: `labelled.3-of-8.csv`."""
    return whole.with_name(f"{whole.stem}.{shard.part}-of-{shard.of}{whole.suffix}")


def beside(part: Path) -> Path:
    """The file that says what a part is."""
    return part.with_name(part.name + ENDING)


def is_part(path: Path) -> bool:
    """Whether a file is a labelled part, by the file beside it or by its name."""
    return beside(path).is_file() or MARKED.search(path.stem) is not None


def describe(part: Path, about: About) -> None:
    """Write what a part is beside it."""
    with private.files(), private.replaced(beside(part)) as fresh:
        fresh.write_text(json.dumps(asdict(about), indent=1) + "\n", encoding="utf-8")


def merge(parts: Sequence[Path], to: Path | None = None, *, overwrites: bool = False) -> MergedFile:
    """The parts put together to the file that one process would have written; by default named without the share.

    A file that is there stays, unless it `overwrites`.

    `MissingAnswers` names a part that is not there; `ConfigError` what does not belong together, or was changed.
    """
    found = {path: _about(path) for path in parts}
    first = found[parts[0]]
    by_part = _by_part(found, parts[0])
    target = to or _whole(parts[0])
    missing = [part for part in range(1, first.of + 1) if part not in by_part]
    if missing:
        raise MissingAnswers(
            f"part {missing[0]} of {first.of} of {target.name} is not among the files; label it with "
            f"--shard {missing[0]}/{first.of}, then merge again"
        )
    _check_unchanged(found)
    if {path.suffix.lower() for path in (*parts, target)} != {target.suffix.lower()}:
        raise ConfigError(f"--to {target}: the parts end in {parts[0].suffix}, and so must the whole")
    outputs.check_free(target, "--to", overwrites=overwrites)
    rows_of_parts.merge([by_part[part] for part in sorted(by_part)], first.index, first.rows, target)
    return MergedFile(target, first.rows, sum(about.failed for about in found.values()), first.of)


def _by_part(found: Mapping[Path, About], first: Path) -> dict[int, Path]:
    """The files by the number of the part, all of one file by one arm."""
    by_part: dict[int, Path] = {}
    for path, about in found.items():
        if about.whole != found[first].whole:
            raise ConfigError(
                f"{path} is not a part of the same file by the same arm as {first}; give one file's parts"
            )
        if about.part in by_part:
            raise ConfigError(f"{by_part[about.part]} and {path} are both part {about.part} of {about.of}; give one")
        by_part[about.part] = path
    return by_part


def _check_unchanged(found: Mapping[Path, About]) -> None:
    for path, about in found.items():
        if loading.file_hash(path) != about.sha256:
            raise ConfigError(
                f"{path} was changed after it was written; label it again with --shard {about.part}/{about.of}"
            )


def _whole(part: Path) -> Path:
    return part.with_name(f"{MARKED.sub('', part.stem)}{part.suffix}")


def _about(path: Path) -> About:
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such file; expected a part that harness predict --shard wrote")
    told = beside(path)
    if not told.is_file():
        raise ConfigError(f"{path}: {told.name} is not beside it, which says what it is; copy both, or label it again")
    try:
        content = json.loads(told.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise ConfigError(f"{told} is not JSON; label the part again") from None
    return validated(About, content, str(told))
