"""Everything that is written to and read from the store, one short opening at a time."""

from __future__ import annotations

import threading
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import duckdb
import pandas as pd

from harness.errors import ConfigError, StoreError
from harness.ground import private
from harness.ground.ids import canonical_json
from harness.store import crediting, rows, run_parquet, statements, writes
from harness.store.database import Waits
from harness.store.database_file import DatabaseFile
from harness.store.lake.address import LakeAddress
from harness.store.lake.lake import Lake
from harness.store.querying import LONGEST_QUERY_S, QUERY_S, interruptible
from harness.store.reading import Reading
from harness.store.selection import Selection
from harness.store.stored import DECIDED_EARLY, stored_runs

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.datasets.task import Task
    from harness.ground.clock import SystemClock
    from harness.store.database import Database, T, Work
    from harness.store.erasing import Erasure
    from harness.store.run_parquet import Contents
    from harness.types import JSON, Dataset, Prediction, Run

WAIT_S = 15.0
WRITER_WAIT_S = LONGEST_QUERY_S + 60.0  # longer than any reader may hold the file


class Store(Reading):
    """The runs of a workspace, in a file or a lake, opened for a moment by every method; a `runner.Sink`."""

    def __init__(
        self, db: Path | LakeAddress, clock: SystemClock, wait_s: float | None = None, extensions: Path | None = None
    ) -> None:
        """`extensions` is where a workspace keeps kinds of its own, which say what an answer is worth."""
        self._waits = Waits(WAIT_S if wait_s is None else wait_s, WRITER_WAIT_S if wait_s is None else wait_s)
        self.database: Database = (
            Lake(db, clock, self._waits) if isinstance(db, LakeAddress) else DatabaseFile(db, clock, self._waits)
        )
        self.extensions, self._clock = extensions, clock
        # One process may not hold the file for reading and for writing at once.
        self._turn = threading.RLock()
        self._there: set[str] = set()  # datasets and prompts that were seen in it; they stay

    @property
    def name(self) -> str:
        """What a user calls it: a path, or the address of a lake."""
        return self.database.name

    @property
    def short(self) -> str:
        """The same without the folders of a path."""
        return self.name.rpartition("/")[2] if isinstance(self.database, DatabaseFile) else self.name

    def exists(self) -> bool:
        """Whether there is a store yet; the first run makes it."""
        with self._turn:
            return self.database.exists()

    def close(self) -> None:
        """Let go of a server that a lake is kept by; a file is open only for moments."""
        with self._turn:
            self.database.close()

    def snapshot(self) -> int | None:
        """The number of the state that is read now; None where only the newest is kept, as in a file."""
        with self._turn:
            return self.database.snapshot()

    def pin(self) -> None:
        """Read one snapshot from now on, for a page that is made of many readings; in a file there is but one."""
        self.database.pin()

    def be_patient(self) -> None:
        """Wait as long to read as to write: for who writes in between, and must not fail at that."""
        self._waits.reader_s = self._waits.writer_s

    # -- writing ---------------------------------------------------------------------------------

    def add_dataset(self, dataset: Dataset) -> None:
        """Store a dataset's rows, once: it is there when all of them are."""
        if self._has("datasets", "dataset_id", dataset.id):
            return
        fields = {
            "dataset_id": dataset.id,
            "name": dataset.name,
            "version": dataset.version,
            "kind": dataset.kind,
            "description": dataset.description,
            "labels": canonical_json([asdict(label) for label in dataset.labels]),
            "source": canonical_json(dict(dataset.source)),
            "n": len(dataset.examples),
            "added_at": self._clock.now(),
            "is_binary": crediting.binary(dataset.kind, self.extensions),
        }
        waiting = pd.DataFrame()
        for frame in rows.of_examples(dataset):
            if not waiting.empty:  # a transaction of millions of rows would not fit into memory
                self._write(partial(writes.examples, frame=waiting))
            waiting = frame
        self._write(lambda connection: writes.dataset(connection, fields, waiting, self.extensions))

    def add_prompt(self, prompt_id: str, task: str, version: str, content: str) -> None:
        """Store a prompt's text, once."""
        if self._has("prompts", "id", prompt_id):
            return
        fields = {
            "id": prompt_id,
            "task": task,
            "version": version,
            "content": rows.storable(content),
            "added_at": self._clock.now(),
        }
        self._write(lambda connection: statements.insert_row(connection, "prompts", fields))

    def start_run(self, run: Run, dataset: str, code_version: str, prices_as_of: str | None = None) -> set[str]:
        """Enter a run as running; a run that is resumed keeps its first start and its tag.

        The ids of the items that it need not ask again, as `done`: opening the file once more would take 25 ms.
        """
        fields = rows.of_run(run, dataset, code_version, prices_as_of, self._clock.now())
        return self._write(lambda connection: writes.start(connection, fields), run.id)

    def append(self, run_id: str, predictions: Sequence[Prediction]) -> None:
        """Store predictions; a stored one stays, unless it had failed: then the new one replaces it."""
        frame = rows.of_predictions([(run_id, predictions)])
        self._write(lambda connection: writes.predictions(connection, frame, self.extensions), run_id)

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
        now = self._clock.now()
        values = [status, status == DECIDED_EARLY, now, wall_s, fit_s, *written, batch_latency_s]
        self._write(lambda connection: writes.finish(connection, run_id, values, now), run_id, "members")

    def add_runs(self, runs: Sequence[tuple[Run, Sequence[Prediction]]], dataset: str, code_version: str) -> None:
        """Enter runs that are done with their predictions: all of them or, where it ends meanwhile, none.

        For many short runs, of which nothing was timed: one opening of the file instead of three for each.
        """
        now = self._clock.now()
        entered = [rows.of_run(run, dataset, code_version, None, now) for run, _ in runs]
        frame = rows.of_predictions((run.id, predictions) for run, predictions in runs)
        ids = sorted(run.id for run, _ in runs)  # whoever wants several leases takes them in one order
        self._write(
            lambda connection: writes.whole_runs(connection, entered, frame, now, self.extensions), *ids, "members"
        )

    def tag_run(self, run_id: str, tag: str) -> None:
        """Give a run a tag; the tag leaves the run that had it."""
        self._write(lambda connection: writes.tag(connection, run_id, tag))

    def remove_run(self, run_id: str) -> None:
        """Remove a run and its predictions. That its split was looked at stays on record."""
        self._write(lambda connection: writes.remove(connection, run_id))

    def restore(self, path: Path) -> list[str]:
        """Enter the runs of an exported file; the run ids. One that is here with the same rows stays as it is.

        Raises `StoreError` when the file was changed, or when a run is here with other rows.
        """
        told = run_parquet.contents(path)
        if told is None:
            raise StoreError(f"{path} is not a file of runs; harness runs export writes one")
        now = self._clock.now()
        return self._write(lambda connection: writes.restore(connection, path, told, now, self.extensions))

    def erase(self, erasure: Erasure, *, dry_run: bool = False) -> Counter[str]:
        """Take a person's items out; how many items, predictions and other texts went."""
        with self._turn:
            return self.database.erase(erasure, dry_run=dry_run)

    # -- reading ---------------------------------------------------------------------------------

    def done(self, run_id: str) -> set[str]:
        """The items of a run that need not be asked again: all but the failed ones."""
        if not self.exists():
            return set()
        with self._reading() as connection:
            return statements.done(connection, run_id)

    def export(self, run_ids: Sequence[str], path: Path) -> Contents:
        """Write runs into a Parquet file that travels (see `run_parquet`); what it says of itself."""
        with self._turn, self.database.copying() as connection:
            found = run_parquet.records(connection, list(run_ids))
            unfinished = [run.run_id for run in found if run.content_hash is None]
            if unfinished:
                raise StoreError(f"run {unfinished[0]} has not ended; run its command again before it is exported")
            looks = connection.execute(statements.LOOKS, [found[0].dataset_id, found[0].split]).fetchone()
            with private.files():
                return run_parquet.write(connection, found, int(looks[0]) if looks else 0, path)

    def task(self, dataset_id: str) -> Task:
        """What a stored dataset asks; `StoreError` when it is not there."""
        with self._reading() as connection:
            return crediting.task_of(connection, dataset_id, self.extensions)

    def looks(self, dataset_id: str, split: str) -> int:
        """How many runs have been scored on a split, removed ones included."""
        with self._reading() as connection:
            found = connection.execute(statements.LOOKS, [dataset_id, split]).fetchone()
        return int(found[0]) if found else 0

    def selection(self) -> Selection:
        """Which runs a name means, over all that the store holds now."""
        with self.reader() as select:
            return Selection(stored_runs(select))

    def verify(self) -> list[str]:
        """What is not as it was stored: runs whose row count or content hash has changed."""
        problems = []
        with self._reading() as connection:
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
        with self._turn, self.database.asking(sql) as connection:
            try:
                statements = connection.extract_statements(sql)
                if len(statements) != 1:
                    raise ConfigError(f"found {len(statements)} statements; expected one")
                names, found = interruptible(connection, statements[0], limit, timeout_s)
                return pd.DataFrame(found, columns=names)
            except duckdb.Error as error:
                raise ConfigError(f"SQL: {' '.join(str(error).split())}") from None

    def _write(self, work: Work[T], *parts: str) -> T:
        with self._turn:
            return self.database.write(work, *parts)

    def _has(self, table: str, column: str, value: str) -> bool:
        if not self.exists():
            self._there.clear()
            return False
        if value in self._there:
            return True
        with self._reading() as connection:
            query = f"select 1 from {table} where {column} = ?"  # both names are ours
            is_there = connection.execute(query, [value]).fetchone() is not None
        self._there |= {value} if is_there else set()
        return is_there
