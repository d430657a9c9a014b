"""The column `credit` of the stored predictions: what each answer is worth, as its kind says.

It is computed when rows are written, once; SQL, Python and JavaScript read the number. A failed call has none:
an outage is not a wrong answer; nor has an answer to an item that nobody has labelled.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pandas as pd

from harness.datasets.task import Task
from harness.errors import ConfigError, StoreError
from harness.ground.located import Located
from harness.store.statements import literal
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection

TASKS = """
    select r.run_id, r.dataset_id, d.kind, d.labels::text from datasets d join runs r using (dataset_id)
    where r.run_id in (select unnest(?))
"""
GOLD = """
    select example_id, gold from examples
    where dataset_id = ? and gold is not null and example_id in (select unnest(?))
"""
PENDING = """
    from predictions p join runs r using (run_id) join datasets d using (dataset_id)
        join examples e on e.dataset_id = r.dataset_id and e.example_id = p.example_id
    where p.credit is null and p.outcome <> 'failed' and e.gold is not null
"""
PAIRS = f"select r.dataset_id, d.kind, d.labels::text as labels, e.gold, p.label {PENDING} group by all"
FILL = f"""
    update predictions set credit = found.credit
    from (
        select p.run_id, p.example_id, worth.credit
        from (select p.run_id, p.example_id, p.label as answer, r.dataset_id, e.gold {PENDING}) p
        join worth on worth.dataset_id = p.dataset_id and worth.gold = p.gold
            and cast(worth.answer as varchar) is not distinct from p.answer
    ) found
    where predictions.run_id = found.run_id and predictions.example_id = found.example_id
"""


def of_rows(connection: DuckDBPyConnection, frame: pd.DataFrame, extensions: Path | None) -> list[float | None]:
    """What the predictions of some runs are worth, row by row; None without their dataset in the store."""
    columns = [frame[name].tolist() for name in ("run_id", "example_id", "outcome", "label")]
    asked = {}
    golds: dict[str, tuple[Task, dict[str, str]]] = {}
    for run_id, dataset_id, kind, labels in connection.execute(TASKS, [list(set(columns[0]))]).fetchall():
        if dataset_id not in golds:
            found = connection.execute(GOLD, [dataset_id, list(set(columns[1]))]).fetchall()
            golds[dataset_id] = task_said(kind, labels, extensions), dict(found)
        asked[run_id] = golds[dataset_id]
    nothing: tuple[Task, dict[str, str]] = (Task(), {})
    return [
        _credit(*asked.get(run_id, nothing), example_id, outcome, label)
        for run_id, example_id, outcome, label in zip(*columns, strict=True)
    ]


def _credit(task: Task, gold: Mapping[str, str], example_id: str, outcome: str, answer: object) -> float | None:
    wanted = None if outcome == Outcome.FAILED.value else gold.get(example_id)
    return None if wanted is None else task.credit(wanted, answer)


@contextmanager
def added(connection: DuckDBPyConnection, dataset_id: str, rows: str, extensions: Path | None) -> Iterator[str]:
    """Within it: a query of predictions of a dataset's items with one column more, `credit`.

    Each answer to each label is credited once, and the database does the rest: millions of rows never come here.
    """
    gold = f"(select example_id, gold from examples where dataset_id = {literal(dataset_id)})"
    known = f"from ({rows}) p left join {gold} e using (example_id)"
    answered = f"select distinct gold, label {known} where outcome <> 'failed' and gold is not null"
    task = task_of(connection, dataset_id, extensions)
    pairs = connection.execute(answered).fetchall()
    with _worth(connection, [(dataset_id, gold, label, task.credit(gold, label)) for gold, label in pairs]):
        yield (
            f"select p.*, worth.credit {known} left join worth on cast(worth.gold as varchar) = e.gold and "
            "cast(worth.answer as varchar) is not distinct from p.label and p.outcome <> 'failed'"
        )


@contextmanager
def _worth(connection: DuckDBPyConnection, rows: Sequence[tuple[str, str, object, float]]) -> Iterator[None]:
    """Within it there is a table `worth`: what an answer to an item with that label of a dataset is worth."""
    connection.register("worth", pd.DataFrame(rows, columns=["dataset_id", "gold", "answer", "credit"]))
    try:
        yield
    finally:
        connection.unregister("worth")


def task_of(connection: DuckDBPyConnection, dataset_id: str, extensions: Path | None) -> Task:
    """What a stored dataset asks; `StoreError` when it is not there."""
    found = connection.execute("select kind, labels::text from datasets where dataset_id = ?", [dataset_id]).fetchone()
    if found is None:
        raise StoreError(f"the store has no dataset {dataset_id}; run something on it first")
    return task_said(str(found[0]), str(found[1]), extensions)


def complete(connection: DuckDBPyConnection, extensions: Path | None = None) -> None:
    """Give every stored answer its credit that has none: those of an older harness, or stored before their dataset.

    Those of a kind that is not there any more stay without.
    """
    for (kind,) in connection.execute("select distinct kind from datasets where is_binary is null").fetchall():
        connection.execute(
            "update datasets set is_binary = ? where kind = ? and is_binary is null", [binary(kind, extensions), kind]
        )
    tasks: dict[str, Task | None] = {}
    worth = []
    for dataset_id, kind, labels, gold, label in connection.execute(PAIRS).fetchall():
        if dataset_id not in tasks:
            tasks[dataset_id] = task_said(kind, labels, extensions) if binary(kind, extensions) is not None else None
        task = tasks[dataset_id]
        if task is not None:
            worth.append((dataset_id, gold, label, task.credit(gold, label)))
    if not worth:
        return
    with _worth(connection, worth):
        connection.execute(FILL)


def binary(kind: str, extensions: Path | None) -> bool | None:
    """Whether an answer of that kind is right or wrong; None where the kind is not there."""
    try:
        return task_said(kind, "[]", extensions).rules.IS_BINARY
    except ConfigError:
        return None


def task_said(kind: str, labels: str, extensions: Path | None) -> Task:
    """What a dataset of that kind and those labels (JSON) asks, in a workspace with extensions of its own there."""
    name = kind if extensions is None else Located(kind, extensions)
    return Task(name, tuple(label["name"] for label in json.loads(labels)))
