"""Rows of predictions summed up: what they cost, how long they took, how sure they were. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.analysis import panel
from harness.stats import calibration
from harness.store.rows import BUCKETS
from harness.types import Confidence, Outcome, Usage

if TYPE_CHECKING:
    import pandas as pd

SCORES = ["score", "credit", "gold_score", "squares", "total", "named"]
QUANTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class Calls:
    """Requests to a model: sent over the wire (every attempt), served by the ledger, and re-tried."""

    sent: int = 0
    cached: int = 0
    retried: int = 0


def of_items(frame: pd.DataFrame) -> dict[str, Any]:
    """What asking some items cost and how long it took, whether they have labels or not; fields of `RunResult`."""
    replied = frame[frame["outcome"] != Outcome.FAILED.value].sort_values("example_id")
    cost = _total(replied["cost_usd"])
    return {
        "cost_usd": cost,
        "billed_usd": _total(replied["billed_usd"]),
        "cost_per_1000_usd": None if cost is None or replied.empty else 1000 * cost / len(replied),
        "latency_s": _quantiles(replied["latency_s"]),
        "latency_n": int(replied["latency_s"].notna().sum()),
    }


def confidence(rows: pd.DataFrame, n_labels: int) -> Confidence:
    """How sure an arm was, over the rows it answered with a score; a row of `Results.predictions` per item."""
    known = rows[rows["label"].notna()].reindex(columns=[*SCORES, *rows.columns.intersection(["group"])])
    answered = known[known["score"].notna()]
    of = {name: answered[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in SCORES}
    error = calibration.squared_error(of["gold_score"], of["squares"], of["total"], n_labels - of["named"])
    groups = panel.clusters_of(answered["group"].to_numpy(object)) if "group" in answered else None
    return Confidence(of["score"], of["credit"] == 1.0, error, groups)


def _total(column: pd.Series) -> float | None:
    return None if column.empty or column.isna().any() else float(column.sum())


def _quantiles(latency_s: pd.Series) -> dict[str, float | None]:
    known = latency_s.dropna()
    return {name: None if known.empty else float(known.quantile(q)) for name, q in QUANTILES.items()}


def calls(frame: pd.DataFrame) -> Calls:
    """The requests behind some rows."""
    attempts = frame["attempts"].fillna(0).astype(int)
    cached = frame["cached"].fillna(False).astype(bool)
    fresh = attempts[~cached]
    return Calls(int(fresh.sum()), int(cached.sum()), int((fresh - 1).clip(lower=0).sum()))


def tokens(replied: pd.DataFrame) -> Usage | None:
    """The tokens of the rows that have any; None where none has."""
    sums = {bucket: replied[bucket].dropna() for bucket in BUCKETS}
    if all(column.empty for column in sums.values()):
        return None
    return Usage(**{bucket: int(column.sum()) for bucket, column in sums.items()})
