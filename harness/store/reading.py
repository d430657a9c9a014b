"""What is read from the store to be analysed: frames of the rows of some runs, of all their items or of some."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pandas as pd

from harness.store import rows, statements, subsample

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping, Sequence

    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray

    from harness.store.database import Database
    from harness.store.subsample import Subsample
    from harness.types import Prediction

Select = Callable[..., list[dict[str, object]]]
VECTORS = 8  # of 2,048 rows, read at once


class Reading:
    """The readers of a store; each opens it for a moment."""

    database: Database
    _turn: threading.RLock

    def runs(self, dataset_id: str | None = None, split: str | None = None) -> pd.DataFrame:
        """The runs, oldest first, columns as in the table `runs`."""
        return self._frame(
            "select * from runs where ($1 is null or dataset_id = $1) and ($2 is null or split = $2) "
            "order by started_at, run_id",
            [dataset_id, split],
        )

    def subsample(self, run_ids: Sequence[str], most: int) -> Subsample | None:
        """Which items analysis looks at, of the largest of some runs; None where those are not more than `most`."""
        with self._reading() as connection:
            return subsample.of_runs(connection, run_ids, most)

    def predictions(
        self, run_ids: Sequence[str], *, of_all: bool = False, only: Subsample | None = None
    ) -> pd.DataFrame:
        """What analysis reads of some runs, by run and item: columns as in the view `scored`.

        `answered_by` is the arm that was asked last: of a cascade or a router, the member whose answer stands. Text,
        tags and reply are there for rows that were not right: of 100,000 right ones they would be most of the memory.
        Items without a label are left out, except `of_all`: their gold and credit are none. `only` leaves most out.
        """
        query = statements.ANALYSED.format(looked_at=subsample.condition(only))
        with self._reading() as connection, _quiet():
            result = connection.execute(query, [list(run_ids), of_all])
            # Part by part, so that the database's copy and pandas' are not both there in whole.
            words: dict[object, object] = {}
            parts = [rows.shared(result.fetch_df_chunk(VECTORS), words)]
            while not (part := result.fetch_df_chunk(VECTORS)).empty:
                parts.append(rows.shared(part, words))
        return pd.concat(parts, ignore_index=True)

    def totals(self, run_ids: Sequence[str], leading: str) -> list[dict[str, object]]:
        """Counts, sums and quantiles of the times of runs, over all items that the run `leading` has."""
        values = [list(run_ids), leading]
        with self.reader() as select:
            (leads,) = select(statements.LEADS, values)
            query = statements.TOTALS.format(among="$2 is not null" if leads["is_simple"] else statements.LED)
            return select(query, values)

    def scores(
        self, runs: Sequence[tuple[int, str]], only: Subsample | None = None
    ) -> tuple[pd.DataFrame, dict[str, NDArray[Any]]]:
        """The credit of every answer of many runs at once: the items, and columns of numbers.

        `runs` are pairs of an arm's number and a run id. The frame has a row per item: example_id, group.
        The columns have an entry per prediction: arm, item (the row in the frame), score (its credit, nan:
        failed), answered. A hundred runs of a hundred thousand items take 200 MB.
        """
        arms, run_ids = [arm for arm, _ in runs], [run_id for _, run_id in runs]
        looked_at = subsample.condition(only)
        with self._reading() as connection, _quiet():
            items = connection.execute(statements.ITEMS.format(looked_at=looked_at), [run_ids]).df()
            columns = connection.execute(statements.SCORES.format(looked_at=looked_at), [run_ids, arms]).fetchnumpy()
        return items, columns

    def guessed(self, run_ids: Sequence[str]) -> pd.DataFrame:
        """Every answer of some runs (see `statements.GUESSED`), those to items without a label too: gold is None."""
        return self._frame(statements.GUESSED, [list(run_ids)])

    def set_sizes(self, thresholds: Mapping[str, float], only: Subsample | None = None) -> pd.DataFrame:
        """How many labels of each item have a score of at least the run's threshold: run_id, example_id, size."""
        query = statements.SET_SIZES.format(looked_at=subsample.condition(only))
        frame = self._frame(query, [list(thresholds), list(thresholds.values())])
        return frame.assign(size=frame["size"].fillna(0).astype(int))

    def items(self, run_id: str, only: Subsample | None = None) -> pd.DataFrame:
        """The items of a run, by id: example_id, text, tags, fields (JSON), gold, group."""
        return self._frame(
            'select e.example_id, e.text, e.tags, e.fields, e.gold, e."group" from predictions p '
            "join runs r using (run_id) join examples e on e.dataset_id = r.dataset_id and e.example_id = p.example_id "
            f"where p.run_id = $1 and e.gold is not null and {subsample.condition(only, 'p.example_id')} "
            "order by e.example_id",
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
        with self._reading() as connection:
            result = connection.execute(query, [run_id])
            names = [column[0] for column in result.description or ()]
            found = (rows.to_prediction(dict(zip(names, row, strict=True))) for row in result.fetchall())
            return {prediction.item_id: prediction for prediction in found}

    def examples(self, dataset_id: str) -> pd.DataFrame:
        """What a dataset's items say, by id: text, tags and gold."""
        return self._frame("select example_id, text, tags, gold from examples where dataset_id = ?", [dataset_id])

    @contextmanager
    def reader(self) -> Iterator[Select]:
        """A function that answers queries of ours, its values bound, null as None; the file is open meanwhile."""
        with self._reading() as connection:

            def select(sql: str, values: Sequence[object] = ()) -> list[dict[str, object]]:
                result = connection.execute(sql, list(values))
                names = [column[0] for column in result.description or ()]
                return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

            yield select

    @contextmanager
    def _reading(self) -> Iterator[DuckDBPyConnection]:
        with self._turn, self.database.reading() as connection:
            yield connection

    def _frame(self, sql: str, values: list[object]) -> pd.DataFrame:
        with self._reading() as connection, _quiet():
            return connection.execute(sql, values).df()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warning that duckdb calls pandas in a way that pandas 4 will not know."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
