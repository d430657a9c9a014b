"""Inspect logs, in JSON or in its .eval format.

A sample's answer is its scorer's, or the completion; the sample's id is the item's. Epochs are repeats.
"""

from __future__ import annotations

import lzma
import sys
import zlib
from typing import TYPE_CHECKING

from harness.errors import DatasetError
from harness.importers import _reading as reading
from harness.matching import Foreign
from harness.types import Outcome

if sys.version_info >= (3, 14):
    import zipfile

    from compression.zstd import ZstdError
else:  # its logs are packed with zstd, which the standard library reads from 3.14 on
    from backports.zstd import ZstdError, zipfile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BROKEN = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, ZstdError),
    *(NotImplementedError, RuntimeError, OSError, EOFError, ValueError),
)
RIGHT = {"C": True, "I": False}
MAX_SAMPLE_BYTES = 64 * 1024**2


def recognises(path: Path) -> bool:
    """A zip named .eval, or JSON that begins as a log does."""
    if path.suffix == ".eval":
        return zipfile.is_zipfile(path)
    start = reading.beginning(path)
    return path.suffix == ".json" and all(key in start for key in ('"version"', '"status"', '"eval"', '"task"'))


def rows(path: Path) -> Iterator[Foreign]:
    """One prediction per sample and epoch."""
    if path.suffix == ".eval":
        samples = _unzipped(path)
    else:
        log = reading.mapping(reading.document(path), str(path))
        samples = iter(reading.sequence(log.get("samples"), f"{path}: samples"))
    for number, sample in enumerate(samples, start=1):
        yield _row(reading.mapping(sample, f"{path}: sample {number}"), f"{path}: sample {number}")


def _unzipped(path: Path) -> Iterator[object]:
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.filename.startswith("samples/") and entry.filename.endswith(".json"):
                if entry.file_size > MAX_SAMPLE_BYTES:
                    raise DatasetError(f"{path}: {entry.filename} unpacks to {entry.file_size:,} bytes")
                yield reading.parsed(_content(archive, entry, path), f"{path}: {entry.filename}")


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> bytes:
    try:
        return archive.read(entry)
    except BROKEN as error:
        raise DatasetError(f"{path}: {entry.filename} cannot be unpacked: {error}") from None


def _row(sample: dict[str, object], where: str) -> Foreign:
    scores = reading.part(sample, "scores")
    score = next(iter(scores.values()), None) if isinstance(scores, dict) else None
    answer = reading.text(reading.part(score, "answer"))
    error = reading.part(sample, "error", "message")
    question = sample.get("input")
    said = question if isinstance(question, list) else []
    return Foreign(
        where,
        reading.text(sample.get("id")),
        question if isinstance(question, str) else None,
        answer if answer is not None else reading.text(reading.part(sample, "output", "completion")),
        outcome=Outcome.FAILED if error is not None else None,
        latency_s=reading.amount(reading.part(sample, "output", "time")),
        error=reading.text(error),
        was_right=_was_right(reading.part(score, "value")),
        other_texts=tuple(
            one for message in said for one in [reading.part(message, "content")] if isinstance(one, str)
        ),
        repeat=reading.repeat(sample.get("epoch"), where, first=1),
    )


def _was_right(value: object) -> bool | None:
    if isinstance(value, str):
        return RIGHT.get(value)
    return value == 1 if isinstance(value, int | float) and value in (0, 1) else None
