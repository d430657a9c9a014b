"""The store keeps what each answer is worth, whenever its row and its dataset came."""

from pathlib import Path

import duckdb
import pandas as pd
import pytest

from harness.ground.clock import SystemClock
from harness.ground.located import Located
from harness.store import Store, crediting
from harness.types import Dataset, Example, Item, Label, Outcome, Prediction, Run

KIND = """
from harness.datasets.kinds.single import METRICS, parse, read_gold, reply_format

IS_BINARY = False
HAS_CLASSES = False


def credit(gold, answer, labels):
    return 1.0 if gold == answer else 0.25
"""
PREDICTIONS = [
    Prediction("i0", Outcome.ANSWERED, "a"),
    Prediction("i1", Outcome.ANSWERED, "a"),
    Prediction("i2", Outcome.UNPARSED, raw="?"),
    Prediction("i3", Outcome.FAILED, error="TransientError: gone"),
]
RUN = Run("s1:00000000000000aa", "s1:d", "test", "arm", "s1:a")


def dataset(kind="single"):
    examples = tuple(Example(Item(f"i{i}", "text"), "ab"[i % 2], "test") for i in range(4))
    return Dataset("d", "v1", "s1:d", kind, (Label("a"), Label("b")), examples)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "extensions" / "kinds").mkdir(parents=True)
    (tmp_path / "extensions" / "kinds" / "quarters.py").write_text(KIND)
    return tmp_path


def opened(root: Path) -> Store:
    return Store(root / "harness.duckdb", SystemClock(), extensions=root / "extensions")


def fill(store, kind="single", *, late=False):
    for step in ("run", "dataset") if late else ("dataset", "run"):
        if step == "dataset":
            store.add_dataset(dataset(kind))
        else:
            store.start_run(RUN, dataset="d@v1", code_version="0")
            store.append(RUN.id, PREDICTIONS)
    return list(
        store.query("select credit, correct from scored order by example_id").itertuples(index=False, name=None)
    )


@pytest.mark.parametrize("late", [False, True])
def test_a_row_has_its_credit(root, late):
    """Right 1, wrong 0, no answer 0, failed null, also where the dataset came after the run."""
    assert [(None if pd.isna(a) else a, b) for a, b in fill(opened(root), late=late)] == [
        (1.0, True),
        (0.0, False),
        (0.0, False),
        (None, None),
    ]


@pytest.mark.parametrize("kind", ["single", "quarters"])
def test_rows_on_their_way_have_the_credit_of_stored_ones(root, kind):
    """A failed call has none, also beside an item of the same label that was answered by nothing that is a label."""
    store = opened(root)
    store.add_dataset(dataset(kind if kind == "single" else Located(kind, root / "extensions")))
    store.start_run(RUN, dataset="d@v1", code_version="0")
    store.append(RUN.id, [PREDICTIONS[0], Prediction("i1", Outcome.UNPARSED, raw="?"), *PREDICTIONS[2:]])

    def credits(connection):
        rows = "select * exclude (credit) from predictions"
        with crediting.added(connection, "s1:d", rows, root / "extensions") as credited:
            return connection.execute(f"select example_id, credit from ({credited}) order by example_id").fetchall()

    stored = store.query("select example_id, credit from predictions order by example_id")
    found = store.database.write(credits)
    assert [one for one in found if one[1] is None] == [("i3", None)]
    assert found[:3] == list(stored.itertuples(index=False, name=None))[:3]


@pytest.mark.parametrize("late", [False, True])
def test_of_degrees_nothing_is_right_or_wrong(root, late):
    """A workspace's kind gives its own credit, and `correct` is null."""
    kind = Located("quarters", root / "extensions")
    found = fill(opened(root), kind, late=late)
    assert [None if pd.isna(a) else a for a, _ in found] == [1.0, 0.25, 0.0, None]
    assert {b for _, b in found} == {None}
    assert opened(root).task("s1:d").credit("a", "b") == 0.25


def test_an_answer_of_an_older_store_gets_its_credit(root):
    """When it is first opened, and its hash stays what it was."""
    store = opened(root)
    fill(store)
    store.finish_run(RUN.id, "done", 0.0, None)
    with duckdb.connect(str(store.database.path)) as connection:
        connection.execute("drop view scored")
        connection.execute("alter table predictions drop column credit")
        connection.execute("alter table datasets drop column is_binary")
        connection.execute("drop table members")
        connection.execute("delete from schema_versions where version >= 5")
    kept = store.query("select example_id, credit from predictions where credit is not null order by example_id")
    assert kept.to_dict("list") == {"example_id": ["i0", "i1", "i2"], "credit": [1.0, 0.0, 0.0]}
    assert store.verify() == []
