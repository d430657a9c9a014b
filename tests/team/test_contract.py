"""The store keeps its promises in a file and in a lake alike."""

from dataclasses import replace

import duckdb
import pytest

from harness import datasets
from harness.errors import ConfigError, StoreError
from harness.ground.clock import SystemClock
from harness.ground.traces import Traces
from harness.store import Erasure, Store, copying
from harness.types import Outcome, Prediction, Run, Usage
from tests.team import lakes

RUN = Run("s1:aaaaaaaaaaaaaaaa", "s1:data", "test", "arm", "s1:arm", model="openai/m", params={"k": 1}, n_train=7)


@pytest.fixture
def dataset(root):
    return datasets.load(root, "tickets@v1")


@pytest.fixture(params=["file", "lake"])
def store(request, root, postgres):
    if request.param == "file":
        yield Store(root / "results" / "harness.duckdb", SystemClock(), wait_s=20)
    else:
        made = lakes.opened(postgres.database(), root)
        yield made
        made.close()


@pytest.fixture
def run(store, dataset):
    store.add_dataset(dataset)
    made = replace(RUN, dataset_id=dataset.id)
    store.start_run(made, dataset=dataset.ref, code_version="0")
    return made


def answered(dataset, n=5, **more):
    examples = dataset.in_split("test")[:n]
    return [Prediction(e.item.id, Outcome.ANSWERED, label="billing", score=0.5, **more) for e in examples]


def test_what_goes_in_comes_out(store, run, dataset):
    """Every field of a prediction is read back as it was, joined with gold label and text."""
    (item,) = dataset.in_split("test")[:1]
    full = Prediction(
        item.item.id,
        Outcome.ANSWERED,
        label="billing",
        score=0.75,
        scores={"billing": 0.75, "bug": 0.25},
        raw=" Billing\x00",
        usage=Usage(1, 2, 3, 4, 5),
        cost_usd=0.001,
        billed_usd=0.0,
        latency_s=0.2,
        cached=True,
        attempts=3,
        request_id="r",
        path=("a", "b"),
    )
    store.append(run.id, [full])
    assert store.stored(run.id) == {item.item.id: full}
    (row,) = store.query("select gold, text, arm, credit, correct from scored").to_dict("records")
    assert (row["gold"], row["text"], row["arm"]) == (item.label, item.item.text, "arm")
    assert (row["credit"], row["correct"]) == (float(item.label == "billing"), item.label == "billing")


def test_a_failed_item_is_asked_again_and_a_good_one_stays(store, run, dataset):
    """The next prediction replaces a failed one, and no other."""
    (first, second) = answered(dataset, 2)
    store.append(run.id, [Prediction(first.item_id, Outcome.FAILED, error="TransientError: down"), second])
    assert store.done(run.id) == {second.item_id}
    store.append(run.id, [first, replace(second, label="bug")])
    assert {one.item_id: one.label for one in store.stored(run.id).values()} == {
        first.item_id: "billing",
        second.item_id: "billing",
    }


@pytest.mark.quick
def test_storing_twice_changes_nothing(store, run, dataset):
    """Datasets, prompts, starts, predictions, ends and looks: what is done again leaves each row once."""
    for _ in range(2):
        store.add_dataset(dataset)
        store.add_prompt("s1:p", "tickets", "v1", "say it")
        store.start_run(run, dataset=dataset.ref, code_version="0")
        store.append(run.id, [*answered(dataset), *answered(dataset)])
        store.finish_run(run.id, status="done", wall_s=1.0, fit_s=None)
    sizes = {table: len(dataset.examples) if table == "examples" else 1 for table in ("datasets", "prompts", "looks")}
    sizes |= {"examples": len(dataset.examples), "runs": 1, "predictions": 5, "members": 1}
    for table, n in sizes.items():
        assert store.query(f"select count(*) n from {table}")["n"].tolist() == [n], table
    assert store.verify() == []


def test_a_finished_run_is_counted_hashed_and_looked_at(store, run, dataset):
    """Rows, content hash and the look at the split; the times of a resumed run add up, the macro shows it."""
    store.append(run.id, answered(dataset))
    for wall_s, fit_s in ((2.0, 1.0), (3.0, None)):
        store.start_run(run, dataset=dataset.ref, code_version="0")
        store.finish_run(run.id, status="done", wall_s=wall_s, fit_s=fit_s)
    (row,) = store.runs().to_dict("records")
    assert (row["n"], row["wall_s"], row["fit_s"], row["status"]) == (5, 5.0, 1.0, "done")
    assert store.looks(dataset.id, "test") == 1
    (shown,) = store.query("from scorecard('tickets@v1', 'test')").to_dict("records")
    assert (shown["run_id"], shown["items"]) == (run.id, 5)


def test_runs_that_are_entered_together_are_there_once(store, run, dataset):
    """Several whole runs in one transaction, again and in another order: each row once, all as they were stored."""
    others = [replace(run, id=f"s1:{digit * 16}", purpose="part") for digit in "bcd"]
    for runs in (others, others[::-1]):
        store.add_runs([(one, answered(dataset)) for one in runs], dataset.ref, "0")
    assert store.query("select count(*) n, count(distinct run_id) runs from predictions").to_dict("list") == {
        "n": [15],
        "runs": [3],
    }
    assert store.looks(dataset.id, "test") == 1
    assert store.verify() == []


def test_a_tag_belongs_to_one_run_and_a_removed_run_was_looked_at(store, run, dataset):
    """A tag moves; a run that is removed takes its rows with it, and the look at the split stays."""
    later = replace(run, id="s1:aaaaaaaaaaaaaabb")
    for one in (run, later):
        store.start_run(one, dataset=dataset.ref, code_version="0")
        store.append(one.id, answered(dataset))
        store.finish_run(one.id, status="done", wall_s=1.0, fit_s=None)
        store.tag_run(one.id, "pinned")
    assert [one.tag for one in store.selection().runs] == [None, "pinned"]
    store.remove_run(run.id)
    assert [one.run_id for one in store.selection().runs] == [later.id]
    assert store.done(run.id) == set()
    assert store.looks(dataset.id, "test") == 2


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
