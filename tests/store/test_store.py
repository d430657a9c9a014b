"""The store on disk, for real: what goes in comes out, locks are waited for, damage is found."""

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait

import duckdb
import pytest

from harness.errors import StoreError
from harness.ground.clock import SystemClock
from harness.store import Store, stepping_aside
from harness.types import Outcome, Prediction
from tests import processes
from tests.store.contract import StoreContract, answered


@pytest.fixture
def store(root):
    return Store(root / "results" / "harness.duckdb", SystemClock(), wait_s=0.2)


class TestStoreInAFile(StoreContract):
    """Whatever holds of every store."""


def test_analysis_reads_the_texts_of_what_was_not_right(store, run, dataset):
    """A right answer comes without its text and reply, which nobody shows; a wrong one with both."""
    right, wrong = dataset.in_split("test")[:2]
    labels = {right.item.id: right.label, wrong.item.id: "no label at all"}
    store.append(run.id, [Prediction(i, Outcome.ANSWERED, label=label, raw=label) for i, label in labels.items()])
    rows = store.predictions([run.id]).set_index("example_id")
    assert [rows.loc[i, "credit"] == 1 for i in labels] == [True, False]
    assert rows.loc[wrong.item.id, "text"] == wrong.item.text
    assert rows.loc[right.item.id, ["text", "raw"]].isna().all()


def test_unknown_stays_null(store, run, dataset):
    """No usage, no cost, no latency: null, never 0."""
    store.append(run.id, answered(dataset, 1))
    (row,) = store.query("select * from predictions").to_dict("records")
    assert {row[key] for key in ("cost_usd", "billed_usd", "latency_s", "input_fresh", "raw", "scores")} == {None}


@pytest.mark.parametrize(
    "damage",
    [
        "update predictions set label = 'bug' where example_id = (select min(example_id) from predictions)",
        "update predictions set score = 0.51 where example_id = (select min(example_id) from predictions)",
        "delete from predictions where example_id = (select min(example_id) from predictions)",
    ],
)
def test_changed_rows_are_found(store, run, dataset, damage):
    """DuckDB's checksums cannot know what we stored; our own hash does."""
    store.append(run.id, answered(dataset))
    store.finish_run(run.id, status="done", wall_s=1.0, fit_s=None)
    with duckdb.connect(str(store.database.path)) as connection:
        connection.execute(damage)
    (problem,) = store.verify()
    assert run.id in problem


def hold(path, statement="select 1"):
    """Another process with the store open for writing."""
    opening = f"import duckdb, sys; c = duckdb.connect({str(path)!r}); c.execute({statement!r})"
    code = f"{opening}; print(1, flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "1\n"
    return holder


def test_a_held_store_names_its_holder_and_is_usable_again(store, run, dataset):
    """The wait ends with a line that names the process; nothing is lost by it."""
    with hold(store.database.path) as holder:
        with pytest.raises(StoreError, match=f"held by process {holder.pid}"):
            store.append(run.id, answered(dataset))
        holder.communicate("")
    store.append(run.id, answered(dataset))
    assert len(store.done(run.id)) == 5


def read_elsewhere(path):
    """Another process with the store open for reading, as a notebook has it; a line on stdin and it counts rows."""
    code = (
        f"import duckdb, sys; c = duckdb.connect({str(path)!r}, read_only=True)\n"
        "print(1, flush=True)\n"
        "for _ in sys.stdin: print(c.execute('select count(*) from predictions').fetchone()[0], flush=True)"
    )
    reader = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert reader.stdout.readline() == "1\n"
    return reader


def counted(reader):
    reader.stdin.write("\n")
    reader.stdin.flush()
    return int(reader.stdout.readline())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows renames nothing over an open file")
def test_a_store_that_is_read_for_hours_is_written_all_the_same(store, run, dataset):
    """Two readers keep what they read and never fail the writer; who opens the store later sees everything, once."""
    patient = Store(store.database.path, SystemClock(), wait_s=60)
    patient.append(run.id, answered(dataset)[:2])
    with read_elsewhere(store.database.path) as one:
        patient.append(run.id, answered(dataset)[:4])
        with read_elsewhere(store.database.path) as two:
            patient.append(run.id, answered(dataset))
            assert [counted(one), counted(two)] == [2, 4]
            assert len(patient.done(run.id)) == 5
            two.communicate("")
        one.communicate("")
    patient.finish_run(run.id, status="done", wall_s=1.0, fit_s=None)
    assert patient.verify() == []
    assert list(store.database.path.parent.glob(".harness*")) == []
    assert stat.S_IMODE(store.database.path.stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="Windows renames nothing over an open file")
def test_nobody_opens_a_store_while_its_name_goes_to_a_copy(store, run, dataset):
    """Who had opened the old file would find the new one's log beside it, and mix both."""
    store.append(run.id, answered(dataset)[:2])
    with ThreadPoolExecutor(2) as others:
        with stepping_aside.in_place(store.database.path, is_moved=True) as is_ours:
            assert is_ours
            readers = [others.submit(store.done, run.id), others.submit(store.append, run.id, answered(dataset))]
            assert not wait(readers, timeout=0.3).done
        for one in readers:
            one.result(timeout=processes.HANGS_S)
        with stepping_aside.in_place(store.database.path):  # who opens it holds up a copy, and nobody else
            assert len(store.done(run.id)) == 5
            moving = others.submit(stepping_aside.step_aside, store.database.path)
            assert not wait([moving], timeout=0.3).done
        assert moving.result(timeout=processes.HANGS_S)
    assert len(store.done(run.id)) == 5


def test_a_connection_of_the_same_process_is_named(store, run, dataset):
    """A notebook that holds the store itself is told so at once, and what to close."""
    with (
        duckdb.connect(str(store.database.path), read_only=True),
        pytest.raises(StoreError, match="in this very process"),
    ):
        store.append(run.id, answered(dataset))


def test_a_lock_is_waited_for(root, run, dataset, store):
    """Another process's moment with the file is no error."""
    patient = Store(store.database.path, SystemClock(), wait_s=20)
    with hold(store.database.path) as holder:
        holder.stdin.close()
        patient.append(run.id, answered(dataset))
    assert len(patient.done(run.id)) == 5


@pytest.mark.parametrize("content", [b"", b"junk" * 5000], ids=["empty", "junk"])
def test_a_file_that_is_no_store_is_told(root, content):
    """What it is, and the way out; paid answers are elsewhere."""
    path = root / "x.duckdb"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="x.duckdb cannot be opened as a store.*paid answers stay"):
        Store(path, SystemClock(), wait_s=0.1).runs()


def test_a_newer_store_is_refused(store, run):
    """It is left alone, and the line says what to do."""
    with duckdb.connect(str(store.database.path)) as connection:
        connection.execute("insert into schema_versions values (99)")
    with pytest.raises(StoreError, match=r"newer harness \(schema 99, this one knows 6\); upgrade"):
        store.runs()
    with pytest.raises(StoreError, match="newer harness"):
        store.start_run(run, dataset="d@v1", code_version="0")


def test_no_secondary_index_is_ever_made(store, run):
    """In DuckDB 1.5 one loses rows after a crash, silently."""
    assert store.query("select count(*) n from duckdb_indexes()")["n"].tolist() == [0]


def test_the_file_can_be_read_by_the_older_format(store, run):
    """Written for 1.5, so that tools on either line open it."""
    with duckdb.connect(str(store.database.path), read_only=True) as connection:
        (tags,) = connection.execute("select tags from duckdb_databases() where path is not null").fetchone()
    assert tags["storage_version"].startswith("v1.5.0")


WRITER = """
import sys
from pathlib import Path
from harness.ground.clock import SystemClock
from harness.store import Store, stepping_aside
from harness.types import Outcome, Prediction
store = Store(Path(sys.argv[1]), SystemClock(), wait_s=60)
for batch in range(int(sys.argv[4])):
    store.append(sys.argv[2], [Prediction(f"{sys.argv[3]}-{batch}-{i}", Outcome.ANSWERED, "a") for i in range(20)])
    print(batch, flush=True)
"""


def test_two_processes_write_at_once(store, run):
    """Both finish, every row is there once, and a reader beside them is served."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(store.database.path), run.id, name, "8"], stdout=subprocess.DEVNULL
        )
        for name in ("one", "two")
    ]
    patient = Store(store.database.path, SystemClock(), wait_s=60)
    while any(writer.poll() is None for writer in writers):
        patient.done(run.id)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert len(store.done(run.id)) == 2 * 8 * 20


@pytest.mark.parametrize("after", [0, 1, 3, 6])
def test_kill_9_loses_no_acknowledged_batch(store, run, after):
    """Every batch that was acknowledged is there, whole, by key and by scan, seen from another process."""
    command = [sys.executable, "-c", WRITER, str(store.database.path), run.id, "k", "500"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        for line in writer.stdout:
            if int(line) == after:
                writer.kill()
                break
        acknowledged = after
    rows = store.query("select example_id from predictions", limit=100_000)["example_id"].tolist()
    assert len(rows) == len(set(rows))
    assert len(rows) % 20 == 0
    for batch in range(acknowledged + 1):
        keys = ", ".join(f"'k-{batch}-{i}'" for i in range(20))
        found = store.query(f"select count(*) n from predictions where run_id = '{run.id}' and example_id in ({keys})")
        assert found["n"].tolist() == [20]
