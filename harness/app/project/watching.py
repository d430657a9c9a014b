"""A log of production beside the arm that answered it: read, embedded, and held against what the arm promised."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from harness.analysis import watching
from harness.analysis.watching import NOTHING, Observed
from harness.app.serving import answering
from harness.app.serving.folder import Damaged, checked_files
from harness.arms import encoding
from harness.datasets import loading, manifest, streaming, text_files
from harness.datasets.cells import spelt
from harness.datasets.task import SINGLE
from harness.errors import ConfigError, DatasetError, one_of
from harness.ground.ids import unit_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.analysis.watching import Watched
    from harness.app.project.project import Project
    from harness.store import StoredRun

REFERENCE = "reference.json"
VECTORS = "reference.npz"
MOST_EMBEDDED = 2_000
ANSWERS, GOLD = ("harness_label", "label", "answer", "prediction"), ("gold", "label")


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log and what its columns mean; None: found by their names."""

    path: Path
    text: str | None = None
    answer: str | None = None
    score: str | None = None
    gold: str | None = None


@dataclass(frozen=True)
class Reference:
    """What an arm answered to labelled items, and how the log's texts are called; `texts` are embedded when needed."""

    arm: str
    text: str
    observed: Observed


def of_run(project: Project, run: StoredRun) -> Reference:
    """The reference of a stored run: its answers on its split; `ConfigError` where answers are of several parts."""
    read = manifest.read(loading.find(project.workspace.root, run.dataset))
    _check_kind(run.arm, read.kind)
    return _reference(project, run, read.text)


def _reference(project: Project, run: StoredRun, text: str) -> Reference:
    rows = reference_rows(project, run)
    vectors = _embedded([str(row["text"]) for row in rows], project.workspace.embeddings)
    return Reference(run.arm, text, _observed(rows, vectors))


def of_folder(folder: Path) -> Reference:
    """The reference that was shipped with an arm; `ConfigError` names a file that was changed."""
    try:
        files = checked_files(folder)
    except Damaged as error:
        raise ConfigError(str(error)) from None
    told = json.loads(files[REFERENCE])
    with np.load(io.BytesIO(files[VECTORS]), allow_pickle=False) as arrays:
        vectors = arrays["vectors"].astype(np.float32)
    card = json.loads(files[answering.CARD])
    _check_kind(card["arm"], told.get("kind", SINGLE.kind))
    return Reference(card["arm"], told["text"], _observed(told["rows"], vectors))


def files_of(project: Project, run: StoredRun) -> dict[str, bytes]:
    """What a shipped folder carries so that it can be watched: answers and gold labels, vectors, no texts."""
    read = manifest.read(loading.find(project.workspace.root, run.dataset))
    reference = _reference(project, run, read.text)
    kept = ("answer", "score", "gold")
    rows = [{name: row[name] for name in kept} for row in reference_rows(project, run)]
    numbers = io.BytesIO()
    np.savez(numbers, allow_pickle=False, vectors=cast("Any", reference.observed.vectors).astype(np.float16))
    told = json.dumps({"kind": read.kind, "text": reference.text, "rows": rows}, indent=1, sort_keys=True)
    return {REFERENCE: told.encode("ascii") + b"\n", VECTORS: numbers.getvalue()}


def _check_kind(arm: str, kind: str) -> None:
    if str(kind) != SINGLE.kind:
        raise ConfigError(
            f"{arm} answers a task of kind {kind}; watch knows kind {SINGLE.kind}, where an answer is one label"
        )


def reference_rows(project: Project, run: StoredRun) -> list[dict[str, object]]:
    """The items of a run in an order that is no file's: text, answer, score, gold."""
    with project.store.reader() as select:
        rows = select(
            "select example_id, text, label as answer, score, gold from scored "
            "where run_id = ? and outcome <> 'failed'",
            [run.run_id],
        )
    return sorted(rows, key=lambda row: unit_interval("watch", str(row["example_id"])))


def watched(project: Project, reference: Reference, log: LogFile, settings: Mapping[str, Any]) -> Watched:
    """What the log says; `settings` are `alpha`, `promised` and `seed`."""
    rows = read(log, reference.text)
    _check_answers(log, reference, rows)
    vectors = None
    if log.text is not None or reference.text in rows[0]["row"]:
        vectors = _embedded([row["text"] for row in rows], project.workspace.embeddings, most=None)
    rng = np.random.default_rng(settings["seed"])
    return watching.watched(reference.observed, _observed(rows, vectors), settings["alpha"], settings["promised"], rng)


def _check_answers(log: LogFile, reference: Reference, rows: Sequence[Mapping[str, Any]]) -> None:
    """Raise `DatasetError` where no answer, or no gold label, of a log is one that the arm's dataset knows."""
    known = {str(one) for one in (*reference.observed.answers, *reference.observed.gold) if one is not None}
    for name, what, option in (("answer", "answers", "--answer"), ("gold", "gold labels", "--gold")):
        given = {str(row[name]) for row in rows if row[name] is not None}
        if given and not given & known:
            first = min(given)
            raise DatasetError(
                f"{log.path}: none of its {len(given):,} values in the column of {what} is a label; the first is "
                f"{first!r}, {one_of(first, known - {NOTHING})}; name the column by {option}"
            )


def read(log: LogFile, text: str) -> list[dict[str, Any]]:
    """The rows of a log: text, answer, score and gold of each; `DatasetError` names a column that is missing."""
    if not log.path.is_file():
        raise ConfigError(f"{log.path}: there is no such file")
    rows: list[dict[str, Any]] = []
    for where, row in streaming.read(log.path):
        answer = log.answer or next((name for name in ANSWERS if name in row), None)
        place = text_files.names_place(log.path, where)
        if answer is None or answer not in row:
            raise DatasetError(
                f"{place}: there is no column of answers; {one_of(answer or 'label', row)}; name it by --answer"
            )
        gold = log.gold or next((name for name in GOLD if name in row and name != answer), None)
        for name in (log.text, log.score, log.gold):
            if name is not None and name not in row:
                raise DatasetError(f"{place}: there is no column {name!r}; {one_of(name, row)}")
        score = row.get(log.score or ("harness_score" if "harness_score" in row else "score"))
        told = {
            "answer": _label(row[answer]),
            "gold": _label(row[gold]) if gold else None,
            "score": _number(score, where),
        }
        rows.append(told | {"text": str(row.get(log.text or text) or ""), "row": row})
    if not rows:
        raise ConfigError(f"{log.path} has no rows; there is nothing to watch")
    return rows


def _observed(rows: Sequence[Mapping[str, Any]], vectors: Any) -> Observed:  # noqa: ANN401  (an array or None)
    answers = [NOTHING if row["answer"] is None else row["answer"] for row in rows]
    scores = [np.nan if row["score"] is None else float(row["score"]) for row in rows]
    gold = [row["gold"] for row in rows]
    return Observed(np.array(answers, dtype=object), np.array(scores), np.array(gold, dtype=object), vectors)


def _embedded(texts: Sequence[str], cache: Path, most: int | None = MOST_EMBEDDED) -> Any:  # noqa: ANN401
    """The vectors of texts by the default encoder, whichever the arm's is: all that is asked is what they are like."""
    cache.parent.mkdir(parents=True, exist_ok=True)
    return encoding.connect(encoding.DEFAULT, cache).embed(texts[:most])


def _label(value: object) -> str | None:
    told = spelt(value)
    return told or None if isinstance(told, str | None) else json.dumps(told)


def _number(value: object, where: str) -> float | None:
    if value in (None, ""):
        return None
    try:
        return float(cast("Any", value))
    except (TypeError, ValueError):
        raise DatasetError(f"{where}: the score {value!r} is not a number") from None
