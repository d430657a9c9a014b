"""Inspect logs, in JSON (versions 1 and 2) or in its .eval format.

A sample's answer is its scorer's, or the completion; the sample's id is the item's. A letter is the choice it stands
for, and of a completion it is the one behind `ANSWER:`, where the scorer does not say it (its first versions). Epochs
are repeats. Of several scorers the one that says what the answer was counts: `--scorer`.
"""

from __future__ import annotations

import lzma
import re
import sys
import zlib
from itertools import islice
from string import ascii_uppercase
from typing import TYPE_CHECKING

from harness.errors import ConfigError, DatasetError, one_of
from harness.store.importers import _reading as reading
from harness.store.matching import Foreign
from harness.types import Outcome

if sys.version_info >= (3, 14):
    import zipfile

    from compression.zstd import ZstdError
else:  # its logs are packed with zstd, which the standard library reads from 3.14 on
    from backports.zstd import ZstdError, zipfile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Sample = dict[str, object]

BROKEN = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, ZstdError),
    *(NotImplementedError, RuntimeError, OSError, EOFError, ValueError),
)
VARIANT = "scorer"
RIGHT = {"C": True, "I": False, "N": False}  # correct, incorrect, no answer; partly right is neither
ONLY = "score"
ASKED = re.compile(r"^ANSWER\s*:\s*(\w+)\s*(?:$|\.)", re.IGNORECASE | re.MULTILINE)  # what its multiple choice asks for
ATTACHED = "attachment://"
LOOKED_AT = 50  # samples in which scorers are looked for
NUMBERS = frozenset(str(i) for i in range(1, 1000))
MAX_SAMPLE_BYTES = 64 * 1024**2


def recognises(path: Path) -> bool:
    """A zip named .eval, or JSON that begins as a log does."""
    if path.suffix == ".eval":
        return zipfile.is_zipfile(path)
    start = reading.beginning(path)
    return path.suffix == ".json" and all(key in start for key in ('"version"', '"status"', '"eval"', '"task"'))


def rows(path: Path, wanted: str | None = None) -> Iterator[Foreign]:
    """One prediction per sample and epoch, as the scorer that is wanted judged it."""
    scorer = _chosen(_scorers(path), wanted, path)
    for where, sample in _samples(path):
        yield _row(sample, where, scorer)


def _samples(path: Path) -> Iterator[tuple[str, Sample]]:
    if path.suffix == ".eval":
        samples = _unzipped(path)
    else:
        log = reading.mapping(reading.document(path), str(path))
        if log.get("samples") is None:
            raise DatasetError(f"{path} holds no samples: Inspect wrote it without them (log_samples)")
        samples = iter(reading.sequence(log["samples"], f"{path}: samples"))
    for number, sample in enumerate(samples, start=1):
        where = f"{path}: sample {number}"
        yield where, reading.mapping(sample, where)


def _scorers(path: Path) -> dict[str, bool]:
    """The scorers of the first samples, and whether they say what the answer was."""
    found: dict[str, bool] = {}
    for _, sample in islice(_samples(path), LOOKED_AT):
        for name, score in _scores(sample).items():
            found[name] = found.get(name, False) or reading.text(reading.part(score, "answer")) is not None
    return found


def _scores(sample: Sample) -> dict[str, object]:
    """The scores by their scorers; version 1 had one scorer, without a name."""
    if isinstance(sample.get("score"), dict):
        return {ONLY: sample["score"]}
    scores = sample.get("scores")
    return {str(name): score for name, score in scores.items()} if isinstance(scores, dict) else {}


def _chosen(scorers: dict[str, bool], wanted: str | None, path: Path) -> str | None:
    """The scorer that is wanted, or the one that says what the answer was; None where no one does."""
    if wanted is not None and wanted not in scorers:
        raise ConfigError(f"{path} has no scorer {wanted!r}; {one_of(wanted, scorers)}")
    having = [name for name, has_answers in scorers.items() if has_answers]
    if wanted is None and len(having) > 1:
        raise ConfigError(
            f"{path} has the answers of {len(having)} scorers; say which count: --scorer {' or --scorer '.join(having)}"
        )
    return wanted or next(iter(having or scorers), None)


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


def _row(sample: Sample, where: str, scorer: str | None) -> Foreign:
    score = _scores(sample).get(scorer or "")
    answer, *spellings = _answers(sample, reading.text(reading.part(score, "answer")))
    error = reading.part(sample, "error", "message")
    question = _resolved(sample.get("input"), sample)
    return Foreign(
        where,
        reading.text(sample.get("id")),
        question if isinstance(question, str) else None,
        answer,
        outcome=Outcome.FAILED if error is not None else None,
        latency_s=reading.amount(reading.part(sample, "output", "time")),
        error=reading.text(error),
        was_right=_was_right(reading.part(score, "value")),
        other_texts=tuple(str(_resolved(one, sample)) for one in reading.contents(question)),
        repeat=reading.repeat(sample.get("epoch"), where, first=1),
        spellings=tuple(one for one in spellings if one is not None),
    )


def _answers(sample: Sample, answer: str | None) -> tuple[str | None, ...]:
    """The answer and what else it is called: a choice's text and its letter; the completion where there is none."""
    if answer is None or not answer.strip():
        completion = reading.text(reading.part(sample, "output", "completion"))
        first = reading.part(sample, "output", "choices")
        said = reading.contents([reading.part(one, "message") for one in first[:1]] if isinstance(first, list) else [])
        reply = completion if completion is not None or not said else said[0]
        found = ASKED.search(reply or "") if sample.get("choices") else None
        if found is None:
            return (reply,)
        answer = found.group(1)
    choices, place = sample.get("choices"), _place(answer.strip())
    if not isinstance(choices, list) or place is None or place >= len(choices):
        return (answer,)
    return str(choices[place]), answer


def _place(answer: str) -> int | None:
    """Which choice a letter means: A the first, and 1 the one after Z."""
    if len(answer) == 1 and "A" <= answer.upper() <= "Z":
        return ord(answer.upper()) - ord("A")
    return len(ascii_uppercase) - 1 + int(answer) if answer in NUMBERS else None


def _resolved(value: object, sample: Sample) -> object:
    """A long text, which stands once in the sample's attachments."""
    if not isinstance(value, str) or not value.startswith(ATTACHED):
        return value
    return reading.part(sample, "attachments", value.removeprefix(ATTACHED)) or value


def _was_right(value: object) -> bool | None:
    if isinstance(value, str):
        return RIGHT.get(value)
    return value == 1 if isinstance(value, int | float) and value in (0, 1) else None
