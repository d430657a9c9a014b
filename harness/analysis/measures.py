"""The files of `metrics/`, here and in a workspace's extensions: which of them a task has, and what they come to. Pure.

A metric file gives a number an item; its estimate is their mean, its difference between two arms the mean of the
items' differences, both with the interval of so many groups (`stats.clusters`). It offers `values`, `BETTER` ("higher"
or "lower"), `UNANSWERED` and, where it is not for every kind, `NEEDS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from harness.analysis import panel
from harness.ground import plugins
from harness.stats import clusters

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import ModuleType

    import pandas as pd
    from numpy.typing import NDArray

    from harness.datasets.task import Task
    from harness.types import Estimate

FOLDER = "metrics"


def of_task(task: Task) -> dict[str, ModuleType]:
    """The metric files that mean something for a task, by name."""
    at = cast("Path | None", getattr(task.kind, "at", None))
    loaded = {name: plugins.load(FOLDER, name, at) for name in plugins.names(FOLDER, at)}
    return {name: module for name, module in loaded.items() if task.meets(module)}


def estimates(rows: pd.DataFrame, task: Task) -> Mapping[str, Estimate]:
    """What the metric files come to over an arm's rows that did not fail."""
    codes = _codes(rows)
    found = {name: _values(module, rows, task) for name, module in of_task(task).items()}
    return {
        name: clusters.cluster_mean(values, codes, name=name) for name, values in found.items() if values is not None
    }


def differences(pairs: pd.DataFrame, task: Task) -> list[Estimate]:
    """The metrics of arm a minus those of arm b, over rows with `gold_a`, `label_a` and `label_b`."""
    sides = [pairs[["gold_a", f"label_{side}"]].set_axis(["gold", "label"], axis="columns") for side in ("a", "b")]
    codes = _codes(pairs.rename(columns={"group_a": "group"}))
    found = []
    for name, module in of_task(task).items():
        a, b = (_values(module, side, task) for side in sides)
        if a is not None and b is not None:
            found.append(clusters.cluster_mean(a - b, codes, name=name))
    return found


def _values(module: ModuleType, rows: pd.DataFrame, task: Task) -> NDArray[np.float64] | None:
    answers = [label if isinstance(label, str) else None for label in rows["label"].tolist()]
    values = module.values(rows["gold"].tolist(), answers, task)
    return None if values is None else np.asarray(values, dtype=np.float64)


def _codes(rows: pd.DataFrame) -> NDArray[np.int64]:
    groups = rows["group"].to_numpy(object) if "group" in rows else np.full(len(rows), None, dtype=object)
    return panel.cluster_codes(groups)
