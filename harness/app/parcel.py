"""A run on its way out: what it is and what it measured, as plain values for the files of `exporters`. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from harness.analysis.results import PromptText, RunResult
    from harness.store.run_parquet import RunRecord
    from harness.types import JSON, Estimate, Usage


@dataclass(frozen=True, slots=True)
class Parcel:
    """One run, for a service outside.

    `file` is the run as `runs export` writes it, `rows_sha256` the hash inside. `rows` reads the
    predictions when they are wanted, by item id: columns as in the view `scored`. `labels` is the closed
    set of the dataset, `prompt` what was asked, for an arm that is a prompt.
    """

    record: RunRecord
    result: RunResult
    labels: tuple[str, ...]
    prompt: PromptText | None
    rows_sha256: str
    file: Path
    rows: Callable[[], list[dict[str, object]]]

    def identity(self) -> dict[str, JSON]:
        """Which run this is: dataset, split, arm, model, prompt and seeds. Unknown is left out."""
        record = self.record
        said: dict[str, JSON] = {
            "dataset": record.dataset,
            "dataset_id": record.dataset_id,
            "split": record.split,
            "arm": record.arm,
            "arm_id": record.arm_id,
            "model": record.model,
            "prompt": json.loads(record.params).get("prompt"),
            "seed": record.seed,
            "repeat": record.repeat,
            "n_train": record.n_train,
        }
        return {name: value for name, value in said.items() if value is not None}

    def origin(self) -> dict[str, str]:
        """What leads back here: the run's id, the hashes of its rows, and the version that made it."""
        record = self.record
        said = {
            "run_id": record.run_id,
            "content_hash": record.content_hash,
            "rows_sha256": self.rows_sha256,
            "code_version": record.code_version,
            "prices_as_of": record.prices_as_of,
        }
        return {name: value for name, value in said.items() if value is not None}

    def measures(self) -> dict[str, float]:
        """Every number of the run object that has a value, named as in `--json`, nested names joined by `_`.

        An estimate has its ends beside it: `accuracy`, `accuracy_low`, `accuracy_high`.
        """
        result = self.result
        said: dict[str, float | None] = {"n": result.n}
        for name, estimate in result.metrics.items():
            said |= _of_estimate(name, estimate)
        said |= {f"outcomes_{outcome.value}": count for outcome, count in result.outcomes.items()}
        said |= {f"latency_s_{name}": seconds for name, seconds in result.latency_s.items()}
        said |= {name: getattr(result, name) for name in ("cost_usd", "billed_usd", "cost_per_1000_usd")}
        said |= {f"tokens_{bucket}": count for bucket, count in _of_usage(result.tokens).items()}
        said |= {"wall_s": result.run.wall_s, "fit_s": result.run.fit_s}
        return {name: float(value) for name, value in said.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a parcel: where it lies, in words and for programs. No address in it holds a credential."""

    run_id: str
    said: str
    facts: Mapping[str, JSON]


class NotTaken(HarnessError):
    """A service outside did not take a run. Nothing is lost: the run is in the store, and can be sent again."""

    exit_code = 3


def _of_estimate(name: str, estimate: Estimate) -> dict[str, float | None]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _of_usage(usage: Usage | None) -> dict[str, int]:
    return {} if usage is None else {bucket: getattr(usage, bucket) for bucket in usage.__slots__}
