"""Records to rows and back to frames: the shape of the tables, without touching the database."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

import pandas as pd

from harness.ground.ids import canonical_json
from harness.types import Outcome, Prediction, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from harness.types import Dataset, Run

PREDICTION_TYPES = {
    "score": "float64",
    "input_fresh": "Int64",
    "cache_read": "Int64",
    "cache_write": "Int64",
    "output_visible": "Int64",
    "reasoning": "Int64",
    "cost_usd": "float64",
    "billed_usd": "float64",
    "latency_s": "float64",
    "waited_s": "float64",
}


def of_run(run: Run, dataset: str, code_version: str, prices_as_of: str | None, now: datetime) -> dict[str, object]:
    """The row of a run that begins now, columns as in the table `runs`."""
    return {
        "run_id": run.id,
        "dataset_id": run.dataset_id,
        "dataset": dataset,
        "split": run.split,
        "arm": run.arm,
        "arm_id": run.arm_id,
        "model": run.model,
        "params": canonical_json(dict(run.params)),
        "seed": run.seed,
        "n_train": run.n_train,
        "repeat": run.repeat,
        "item_set": run.item_set,
        "purpose": run.purpose,
        "status": "running",
        "started_at": now,
        "code_version": code_version,
        "prices_as_of": prices_as_of,
    }


def of_predictions(runs: Iterable[tuple[str, Iterable[Prediction]]]) -> pd.DataFrame:
    """One row per prediction of each run (id, predictions), columns as in the table `predictions`."""
    rows = [
        (
            run_id,
            p.item_id,
            p.outcome.value,
            storable(p.label),
            p.score,
            _json(p.scores),
            storable(p.raw),
            storable(p.error),
            *((None,) * 5 if p.usage is None else _buckets(p)),
            p.cost_usd,
            p.billed_usd,
            p.latency_s,
            p.waited_s,
            p.cached,
            p.attempts,
            p.request_id,
            list(p.path),
        )
        for run_id, predictions in runs
        for p in predictions
    ]
    return pd.DataFrame(rows, columns=PREDICTION_COLUMNS).astype(PREDICTION_TYPES)


PREDICTION_COLUMNS = [
    "run_id",
    "example_id",
    "outcome",
    "label",
    "score",
    "scores",
    "raw",
    "error",
    "input_fresh",
    "cache_read",
    "cache_write",
    "output_visible",
    "reasoning",
    "cost_usd",
    "billed_usd",
    "latency_s",
    "waited_s",
    "cached",
    "attempts",
    "request_id",
    "path",
]


def to_prediction(row: Mapping[str, Any]) -> Prediction:
    """The prediction that a row of the table `predictions` was made of."""
    buckets = [row[bucket] for bucket in BUCKETS]
    return Prediction(
        row["example_id"],
        Outcome(row["outcome"]),
        usage=None if None in buckets else Usage(*buckets),
        scores=None if row["scores"] is None else json.loads(row["scores"]),
        cached=bool(row["cached"]),
        attempts=row["attempts"] or 0,
        path=tuple(row["path"] or ()),
        **{name: row[name] for name in PLAIN},
    )


BLOCK = 200_000
REPEATING = ("run_id", "arm", "gold", "outcome", "label", "answered_by")
BUCKETS = ("input_fresh", "cache_read", "cache_write", "output_visible", "reasoning")
PLAIN = ("label", "score", "raw", "error", "cost_usd", "billed_usd", "latency_s", "waited_s", "request_id")


def of_examples(dataset: Dataset) -> Iterator[pd.DataFrame]:
    """One row per example, columns as in the table `examples`, a block of them at a time."""
    rest = iter(dataset.examples)
    while block := list(islice(rest, BLOCK)):
        yield pd.DataFrame(
            {
                "dataset_id": dataset.id,
                "example_id": [e.item.id for e in block],
                "split": [e.split for e in block],
                "text": [storable(e.item.text) for e in block],
                "tags": [[storable(tag) for tag in e.item.tags] for e in block],
                "fields": [_json(e.item.fields) for e in block],
                "gold": [e.label or None for e in block],
                "group": [e.group for e in block],
            }
        )


def storable(text: str | None) -> str | None:
    """The text with lone surrogates written as escapes: the database holds valid Unicode only."""
    return None if text is None else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _json(value: Mapping[str, object] | None) -> str | None:
    return storable(canonical_json(dict(value))) if value else None  # type: ignore[arg-type]


def _buckets(prediction: Prediction) -> tuple[int, ...]:
    usage = prediction.usage
    assert usage is not None
    return usage.input_fresh, usage.cache_read, usage.cache_write, usage.output_visible, usage.reasoning


def shared(frame: pd.DataFrame, words: dict[object, object]) -> pd.DataFrame:
    """The frame with equal words of its repeating columns being one object in memory, not thousands."""
    for column in REPEATING:
        frame[column] = pd.Series([words.setdefault(word, word) for word in frame[column].tolist()], dtype=object)
    return frame
