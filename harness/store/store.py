"""Everything that is written to and read from the store, one short opening at a time."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd

from harness.errors import ConfigError, StoreError
from harness.ground import private
from harness.ground.ids import canonical_json
from harness.store import crediting, macros, rows, run_parquet, schema, statements
from harness.store.opening import copying, reading, writing
from harness.store.querying import LONGEST_QUERY_S, QUERY_S, interruptible
from harness.store.selection import Selection
from harness.store.stored import DECIDED_EARLY, stored_runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray

    from harness.datasets.task import Task
    from harness.ground.clock import SystemClock
    from harness.store.run_parquet import Contents
    from harness.types import JSON, Dataset, Prediction, Run

Select = Callable[..., list[dict[str, object]]]
WAIT_S = 15.0
WRITER_WAIT_S = LONGEST_QUERY_S + 60.0  # longer than any reader may hold the file
VECTORS = 8  # of 2,048 rows, read at once


class Store:
    """One DuckDB file of runs. Every method opens it for a moment; a `types.Sink`. `tell` hears who is waited for."""

    def __init__(
        self, path: Path, clock: SystemClock, wait_s: float | None = None, extensions: Path | None = None
    ) -> None:
        """`extensions` is where a workspace keeps kinds of its own, which say what an answer is worth."""
        self.path, self.extensions, self._clock = path, extensions, clock
        self.wait_s = WAIT_S if wait_s is None else wait_s
        self.write_wait_s = WRITER_WAIT_S if wait_s is None else wait_s
        self.tell: Callable[[str], None] = lambda _: None
        # One process may not hold the file for reading and for writing at once.
        self._turn = threading.RLock()
        self._there: set[str] = set()  # datasets and prompts that were seen in it; they stay

    # -- writing ---------------------------------------------------------------------------------

    def add_dataset(self, dataset: Dataset) -> None:
        """Store a dataset's rows, once."""
        if self._has("datasets", "dataset_id", dataset.id):
            return
        frame = rows.of_examples(dataset)
        fields = (
            dataset.id,
            dataset.name,
            dataset.version,
            dataset.kind,
            dataset.description,
            canonical_json([asdict(label) for label in dataset.labels]),
            canonical_json(dict(dataset.source)),
            len(dataset.examples),
            self._clock.now(),
            crediting.binary(dataset.kind, self.extensions),
        )
        with self._turn, writing(self.path, self._clock, self.write_wait_s, self.tell) as connection:
            connection.execute("begin")
            statements.insert_frame(connection, "examples", frame)
            connection.execute(f"insert into datasets values ({_marks(fields)}) on conflict do nothing", list(fields))
            crediting.complete(connection, self.extensions)
            connection.execute("commit")

    def add_prompt(self, prompt_id: str, task: str, version: str, content: str) -> None:
        """Store a prompt's text, once."""
        if self._has("prompts", "id", prompt_id):
            return
        fields = (prompt_id, task, version, rows.storable(content), self._clock.now())
        with self._turn, writing(self.path, self._clock, self.write_wait_s, self.tell) as connection:
            connection.execute(f"insert into prompts values ({_marks(fields)}) on conflict do nothing", list(fields))

    def start_run(self, run: Run, dataset: str, code_version: str, prices_as_of: str | None = None) -> set[str]:
        """Enter a run as running; a run that is resumed keeps its first start and its tag.

        The ids of the items that it need not ask again, as `done`: opening the file once more would take 25 ms.
        """
        fields = {
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
            "started_at": self._clock.now(),
            "code_version": code_version,
            "prices_as_of": prices_as_of,
        }
        names = ", ".join(fields)
        with self._turn, writing(self.path, self._clock, self.write_wait_s, self.tell) as connection:
            connection.execute(
                f"insert into runs ({names}) values ({_marks(fields)}) "
                "on conflict (run_id) do update set status = 'running', purpose = excluded.purpose",
                list(fields.values()),
            )
            return statements.done(connection, run.id)

    def append(self, run_id: str, predictions: Sequence[Prediction]) -> None:
        """Store predictions; a stored one stays, unless it had failed: then the new one replaces it."""
        frame = rows.of_predictions(run_id, predictions)
        with self._turn, writing(self.path, self._clock, self.write_wait_s, self.tell) as connection:
            connection.execute("begin")
            connection.execute(
                "delete from predictions where run_id = ? and outcome = 'failed' and example_id in (select unnest(?))",
                [run_id, frame["example_id"].tolist()],
            )
            credit = crediting.of_rows(connection, run_id, frame, self.extensions)
            statements.insert_frame(connection, "predictions", frame.assign(credit=pd.Series(credit, dtype="Float64")))
            connection.execute("commit")

    def finish_run(
        self, run_id: str, status: str, wall_s: float, fit_s: float | None, facts: Mapping[str, JSON] | None = None
    ) -> None:
        """Close a run: its state, its time, its row count and the hash of its rows.

        The times of a run that was resumed add up. A finished run on a split is a look at it; the points
        of an arm's learning curve are one look together. Of `facts`, `limits` (the history of how many
        calls were under way at once) and `batch_latency_s` have columns of their own. A run that found out
        nothing new keeps what it had.
        """
        rest = dict(facts or {})
        limits, batch_latency_s = rest.pop("limits", None), rest.pop("batch_latency_s", None)
        written = [canonical_json(part) if part else None for part in (limits, rest)]
        with self._turn, writing(self.path, self._clock, self.write_wait_s, self.tell) as connection:
            digest, n = statements.content(connection, run_id)
            ended = (status, status == DECIDED_EARLY, self._clock.now())
            connection.execute(
                "update runs set status = $1, purpose = if($2, 'limited', purpose), finished_at = $3, "
                "wall_s = coalesce(wall_s, 0) + $4, fit_s = coalesce($5, fit_s), limits = coalesce($6, limits), "
                "facts = coalesce($7, facts), batch_latency_s = coalesce($8, batch_latency_s), n = $9, "
                "content_hash = $10, n_failed = (select count(*) from predictions where run_id = $11 and "
                "outcome = 'failed') where run_id = $11",
                [*ended, wall_s, fit_s, *written, batch_latency_s, n, digest, run_id],
            )
            if n:
                connection.execute(statements.LOOK, [self._clock.now(), run_id])
            macros.enter(connection, macros.places(connection, [run_id]))

    @contextmanager
    def written(self) -> Iterator[DuckDBPyConnection]:
        """The store open for writing, for the modules of this room."""
        with self._turn, writing(self.path, self._clock, self.write_wait_s, self.tell) as connection:
            yield connection

    def tag_run(self, run_id: str, tag: str) -> None:
        """Give a run a tag; the tag leaves the run that had it."""
        with self._turn, writing(self.path, self._clock, self.write_wait_s, self.tell) as connection:
            connection.execute("update runs set tag = null where tag = ?", [tag])
            connection.execute("update runs set tag = ? where run_id = ?", [tag, run_id])

    def remove_run(self, run_id: str) -> None:
        """Remove a run and its predictions. That its split was looked at stays on record."""
        with self._turn, writing(self.path, self._clock, self.write_wait_s, self.tell) as connection:
            connection.execute("begin")
            places = macros.places(connection, [run_id])
            connection.execute("delete from predictions where run_id = ?", [run_id])
            connection.execute("delete from runs where run_id = ?", [run_id])
            macros.enter(connection, places)
            connection.execute("commit")

    def restore(self, path: Path) -> list[str]:
        """Enter the runs of an exported file; the run ids. One that is here with the same rows stays as it is.

        Raises `StoreError` when the file was changed, or when a run is here with other rows.
        """
        told = run_parquet.contents(path)
        if told is None:
            raise StoreError(f"{path} is not a file of runs; harness runs export writes one")
        with self._turn, writing(self.path, self._clock, self.write_wait_s, self.tell) as connection:
            connection.execute("begin")
            here = {run.run_id: run.content_hash for run in run_parquet.records(connection, _ids(told))}
            for run in told.runs:
                if here.get(run.run_id, run.content_hash) != run.content_hash:
                    raise StoreError(
                        f"{path}: run {run.run_id} is in the store already, with other rows; to take the file's, "
                        f"remove it first: harness runs rm {run.run_id}"
                    )
            if len(here) < len(told.runs):
                fresh = tuple(run for run in told.runs if run.run_id not in here)
                run_parquet.restore(connection, path, told, fresh)
                schema.complete_runs(connection)
                crediting.complete(connection, self.extensions)
                for run in fresh:
                    if statements.content(connection, run.run_id) != (run.content_hash, run.n):
                        raise StoreError(f"{path}: the rows of run {run.run_id} are not those it had; export it again")
                    connection.execute(statements.LOOKED, [self._clock.now(), run.run_id])
                macros.enter(connection, macros.places(connection, [run.run_id for run in fresh]))
            connection.execute("commit")
        return _ids(told)

    # -- reading ---------------------------------------------------------------------------------

    def done(self, run_id: str) -> set[str]:
        """The items of a run that need not be asked again: all but the failed ones."""
        if not self.path.exists():
            return set()
        with self._turn, reading(self.path, self._clock, self.wait_s, self.tell) as connection:
            return statements.done(connection, run_id)

    def runs(self, dataset_id: str | None = None, split: str | None = None) -> pd.DataFrame:
        """The runs, oldest first, columns as in the table `runs`."""
        return self._frame(
            "select * from runs where ($1 is null or dataset_id = $1) and ($2 is null or split = $2) "
            "order by started_at, run_id",
            [dataset_id, split],
        )

    def predictions(self, run_ids: Sequence[str], *, of_all: bool = False) -> pd.DataFrame:
        """What analysis reads of some runs, by run and item: columns as in the view `scored`.

        `answered_by` is the arm that was asked last: of a cascade or a router, the member whose answer stands. Text,
        tags and reply are there for rows that were not right: of 100,000 right ones they would be most of the memory.
        Items without a label are left out, except `of_all`: their gold and credit are none.
        """
        with self._turn, reading(self.path, self._clock, self.wait_s, self.tell) as connection, _quiet():
            result = connection.execute(statements.ANALYSED, [list(run_ids), of_all])
            # Part by part, so that the database's copy and pandas' are not both there in whole.
            words: dict[object, object] = {}
            parts = [rows.shared(result.fetch_df_chunk(VECTORS), words)]
            while not (part := result.fetch_df_chunk(VECTORS)).empty:
                parts.append(rows.shared(part, words))
        return pd.concat(parts, ignore_index=True)

    def scores(self, runs: Sequence[tuple[int, str]]) -> tuple[pd.DataFrame, dict[str, NDArray[Any]]]:
        """The credit of every answer of many runs at once: the items, and columns of numbers.

        `runs` are pairs of an arm's number and a run id. The frame has a row per item: example_id, group.
        The columns have an entry per prediction: arm, item (the row in the frame), score (its credit, nan:
        failed), answered. A hundred runs of a hundred thousand items take 200 MB.
        """
        arms, run_ids = [arm for arm, _ in runs], [run_id for _, run_id in runs]
        with self._turn, reading(self.path, self._clock, self.wait_s, self.tell) as connection, _quiet():
            items = connection.execute(statements.ITEMS, [run_ids]).df()
            columns = connection.execute(statements.SCORES, [run_ids, arms]).fetchnumpy()
        return items, columns

    def guessed(self, run_ids: Sequence[str]) -> pd.DataFrame:
        """Every answer of some runs (see `statements.GUESSED`), those to items without a label too: gold is None."""
        return self._frame(statements.GUESSED, [list(run_ids)])

    def set_sizes(self, thresholds: Mapping[str, float]) -> pd.DataFrame:
        """How many labels of each item have a score of at least the run's threshold: run_id, example_id, size."""
        frame = self._frame(statements.SET_SIZES, [list(thresholds), list(thresholds.values())])
        return frame.assign(size=frame["size"].fillna(0).astype(int))

    def items(self, run_id: str) -> pd.DataFrame:
        """The items of a run, by id: example_id, text, tags, fields (JSON), gold, group."""
        return self._frame(
            'select e.example_id, e.text, e.tags, e.fields, e.gold, e."group" from predictions p '
            "join runs r using (run_id) join examples e on e.dataset_id = r.dataset_id and e.example_id = p.example_id "
            "where p.run_id = $1 and e.gold is not null order by e.example_id",
            [run_id],
        )

    def prompts(self, ids: Sequence[str]) -> pd.DataFrame:
        """Prompts by id: id, task, version, content."""
        return self._frame(
            "select id, task, version, content from prompts where id in (select unnest($1))", [list(ids)]
        )

    def stored(self, run_id: str) -> dict[str, Prediction]:
        """Everything that a run has stored, by item id."""
        query = "select * from predictions where run_id = ?"
        with self._turn, reading(self.path, self._clock, self.wait_s, self.tell) as connection:
            result = connection.execute(query, [run_id])
            names = [column[0] for column in result.description or ()]
            found = (rows.to_prediction(dict(zip(names, row, strict=True))) for row in result.fetchall())
            return {prediction.item_id: prediction for prediction in found}

    def export(self, run_ids: Sequence[str], path: Path) -> Contents:
        """Write runs into a Parquet file that travels (see `run_parquet`); what it says of itself."""
        with self._turn, copying(self.path, self._clock, self.wait_s, self.tell) as connection:
            found = run_parquet.records(connection, list(run_ids))
            unfinished = [run.run_id for run in found if run.content_hash is None]
            if unfinished:
                raise StoreError(f"run {unfinished[0]} has not ended; run its command again before it is exported")
            looks = connection.execute(statements.LOOKS, [found[0].dataset_id, found[0].split]).fetchone()
            with private.files():
                return run_parquet.write(connection, found, int(looks[0]) if looks else 0, path)

    def examples(self, dataset_id: str) -> pd.DataFrame:
        """What a dataset's items say, by id: text, tags and gold."""
        return self._frame("select example_id, text, tags, gold from examples where dataset_id = ?", [dataset_id])

    def task(self, dataset_id: str) -> Task:
        """What a stored dataset asks; `StoreError` when it is not there."""
        with self._turn, reading(self.path, self._clock, self.wait_s) as connection:
            return crediting.task_of(connection, dataset_id, self.extensions)

    def looks(self, dataset_id: str, split: str) -> int:
        """How many runs have been scored on a split, removed ones included."""
        with self._turn, reading(self.path, self._clock, self.wait_s, self.tell) as connection:
            found = connection.execute(statements.LOOKS, [dataset_id, split]).fetchone()
        return int(found[0]) if found else 0

    def selection(self) -> Selection:
        """Which runs a name means, over all that the store holds now."""
        with self.reader() as select:
            return Selection(stored_runs(select))

    def verify(self) -> list[str]:
        """What is not as it was stored: runs whose row count or content hash has changed."""
        problems = []
        with self._turn, reading(self.path, self._clock, self.wait_s, self.tell) as connection:
            finished = connection.execute(
                "select run_id, arm, n, content_hash from runs where content_hash is not null"
            ).fetchall()
            for run_id, arm, n, stored in finished:
                digest, count = statements.content(connection, run_id)
                if (digest, count) != (stored, n):
                    problems.append(f"run {run_id} ({arm}) has {count} rows that differ from the {n} it stored")
        return problems

    def query(self, sql: str, limit: int = 1000, timeout_s: float = QUERY_S) -> pd.DataFrame:
        """The first rows of one SQL statement; it can reach nothing but this store, and only read.

        `ConfigError` when it is mistaken or takes longer than `timeout_s`: while it runs, nobody can write.
        """
        with self._turn, reading(self.path, self._clock, self.wait_s, self.tell) as connection:
            try:
                statements = connection.extract_statements(sql)
                if len(statements) != 1:
                    raise ConfigError(f"found {len(statements)} statements; expected one")
                names, found = interruptible(connection, statements[0], limit, timeout_s)
                return pd.DataFrame(found, columns=names)
            except duckdb.Error as error:
                raise ConfigError(f"SQL: {' '.join(str(error).split())}") from None

    @contextmanager
    def reader(self) -> Iterator[Select]:
        """A function that answers queries of ours, its values bound, null as None; the file is open meanwhile."""
        with self._turn, reading(self.path, self._clock, self.wait_s, self.tell) as connection:

            def select(sql: str, values: Sequence[object] = ()) -> list[dict[str, object]]:
                result = connection.execute(sql, list(values))
                names = [column[0] for column in result.description or ()]
                return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

            yield select

    def _frame(self, sql: str, values: list[object]) -> pd.DataFrame:
        with self._turn, reading(self.path, self._clock, self.wait_s, self.tell) as connection, _quiet():
            return connection.execute(sql, values).df()

    def _has(self, table: str, column: str, value: str) -> bool:
        if not self.path.exists():
            self._there.clear()
            return False
        if value in self._there:
            return True
        with self._turn, reading(self.path, self._clock, self.wait_s, self.tell) as connection:
            query = f"select 1 from {table} where {column} = ?"  # both names are ours
            is_there = connection.execute(query, [value]).fetchone() is not None
        self._there |= {value} if is_there else set()
        return is_there


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warning that duckdb calls pandas in a way that pandas 4 will not know."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _ids(told: Contents) -> list[str]:
    return [run.run_id for run in told.runs]


def _marks(values: object) -> str:
    return ", ".join("?" * len(values))  # type: ignore[arg-type]  # anything with a length
