"""The store keeps its promises in a file and in a lake alike."""

from dataclasses import replace

import duckdb
import pytest

from harness.errors import ConfigError, StoreError
from harness.ground.clock import SystemClock
from harness.ground.traces import Traces
from harness.store import Erasure, Store, copying
from tests.store.contract import StoreContract, answered
from tests.team import lakes


@pytest.fixture(params=["file", "lake"])
def store(request, root, postgres):
    if request.param == "file":
        yield Store(root / "results" / "harness.duckdb", SystemClock(), wait_s=20)
    else:
        made = lakes.opened(postgres.database(), root)
        yield made
        made.close()


class TestStore(StoreContract):
    """All of it, in both."""


def test_an_exported_run_comes_back_as_it_was(store, run, dataset, tmp_path):
    """Out as a file, removed, and in again: the same rows, by their hash."""
    store.append(run.id, answered(dataset, raw="b"))
    store.finish_run(run.id, status="done", wall_s=1.0, fit_s=None)
    before = store.runs().loc[0, "content_hash"]
    store.export([run.id], tmp_path / "run.parquet")
    store.remove_run(run.id)
    assert store.restore(tmp_path / "run.parquet") == [run.id]
    assert store.restore(tmp_path / "run.parquet") == [run.id]
    assert store.runs()["content_hash"].tolist() == [before]
    assert store.verify() == []


def test_work_that_fails_leaves_nothing_and_raises(store, run, dataset):
    """After an INSERT that failed nothing of its transaction is there, also of what went before it; it is raised."""

    def work(connection):
        connection.execute("insert into prompts (id) values ('s1:half')")
        connection.execute("insert into runs (run_id, seed) select 's1:half', 'no number'")

    with pytest.raises((StoreError, duckdb.Error)):
        store.database.write(work)
    assert store.query("select count(*) n from prompts")["n"].tolist() == [0]
    store.append(run.id, answered(dataset))
    assert len(store.done(run.id)) == 5


@pytest.mark.parametrize(
    "sql",
    [
        "from read_text('/etc/passwd')",
        "select * from '/etc/passwd'",
        "copy runs to '/tmp/never.csv'",
        "insert into runs (run_id) values ('x')",
        "create table memory.x as select 1",
        "attach '/tmp/never.duckdb'",
        "set threads = 1",
        "select 1; select 2",
    ],
)
def test_a_query_reaches_nothing_but_the_store(store, run, sql):
    """No file of the machine is read or written, nothing is changed or set; one statement at a time."""
    with pytest.raises(ConfigError):
        store.query(sql)
    assert store.query("select count(*) n from runs")["n"].tolist() == [1]


def test_what_is_forgotten_is_counted_and_gone(store, run, dataset):
    """An item's rows go with its text, wherever else it stands; hashes and counts are those of what is left."""
    gone, kept = dataset.in_split("test")[:2]
    said = Traces([gone.item.text])
    store.add_prompt("s1:p", "tickets", "v1", f"as in: {gone.item.text}")
    store.append(run.id, answered(dataset, 5, raw=f"you said {gone.item.text}"))
    store.finish_run(run.id, status="done", wall_s=1.0, fit_s=None)
    erasure = Erasure({dataset.id: frozenset({gone.item.id})}, {dataset.id: "s1:shorter"}, said)
    expected = {"examples": 1, "predictions": 1, "texts in prompts": 1, "texts in predictions": 4}
    assert store.erase(erasure, dry_run=True) == expected
    assert len(store.done(run.id)) == 5
    assert store.erase(erasure) == expected
    assert store.done(run.id) == {one.item_id for one in answered(dataset)} - {gone.item.id}
    (row,) = store.runs().to_dict("records")
    assert (row["n"], row["dataset_id"]) == (4, "s1:shorter")
    assert store.verify() == []
    assert store.prompts(["s1:p"])["content"].str.contains(gone.item.text, regex=False).tolist() == [False]
    assert store.query("select n from datasets")["n"].tolist() == [len(dataset.examples) - 1]
    assert kept.item.id in store.done(run.id)


def test_a_copy_has_every_run_and_starts_no_second_one(store, run, dataset, root, postgres):
    """Into a file and into a lake: the same rows by their hash; copied again nothing changes."""
    store.add_prompt("s1:p", "tickets", "v1", "say it")
    store.append(run.id, answered(dataset, raw="b"))
    store.finish_run(run.id, status="done", wall_s=1.0, fit_s=None)
    store.tag_run(run.id, "pinned")
    open_run = replace(run, id="s1:aaaaaaaaaaaaaacc")
    store.start_run(open_run, dataset=dataset.ref, code_version="0")
    store.append(open_run.id, answered(dataset, 2))
    other = lakes.opened(postgres.database(), root / "other")
    for target in (Store(root / "copy.duckdb", SystemClock()), other):
        assert copying.copy(store.database, target.database, lambda *_: None) == copying.Copied(1, 1, 2, 7, 0)
        assert copying.copy(store.database, target.database, lambda *_: None) == copying.Copied(0, 0, 0, 0, 2)
        assert target.verify() == []
        assert target.runs().astype(str).equals(store.runs().astype(str))
        assert target.stored(open_run.id) == store.stored(open_run.id)
        query = "from scorecard('tickets@v1', 'test')"
        assert target.query(query).astype(str).equals(store.query(query).astype(str))
        assert target.looks(dataset.id, "test") == store.looks(dataset.id, "test")
        target.remove_run(run.id)
        target.start_run(run, dataset=dataset.ref, code_version="0")
        with pytest.raises(StoreError, match="has not ended there; nothing was copied"):
            copying.copy(store.database, target.database, lambda *_: None)
    other.close()
