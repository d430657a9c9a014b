"""Many processes on one lake: each row once, nothing acknowledged lost, whoever is killed and whatever restarts."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness import datasets
from harness.store import Store
from harness.types import Run
from tests.team import lakes
from tests.team.faults import Team

RUN = Run("s1:aaaaaaaaaaaaaaaa", "", "test", "arm", "s1:arm")
WRITER = """
import sys
from harness.ground.clock import SystemClock
from harness.store import Store
from harness.store.lake.address import LakeAddress
from harness.types import Outcome, Prediction, Run
conninfo, data, run_id, dataset_id, who, batches, rows = sys.argv[1:]
store = Store(LakeAddress(conninfo, data), SystemClock(), wait_s=120)
run = Run(run_id, dataset_id, "test", "arm " + run_id[-2:], "s1:" + run_id[-2:])
store.start_run(run, dataset="tickets@v1", code_version="0")
for batch in range(int(batches)):
    ids = [f"{who}-{batch}-{i}" for i in range(int(rows))]
    store.append(run_id, [Prediction(one, Outcome.ANSWERED, "bug", raw="a reply") for one in ids])
    print(batch, flush=True)
store.finish_run(run_id, status="done", wall_s=1.0, fit_s=None)
"""


@pytest.fixture
def lake(postgres, root):
    """A lake with the tickets, and where it is."""
    conninfo = postgres.database()
    store = lakes.opened(conninfo, root, wait_s=120.0)
    dataset = datasets.load(root, "tickets@v1")
    store.add_dataset(dataset)
    yield store, (conninfo, f"{root / 'lake'}/"), dataset.id
    store.close()


def start(place, run_id, dataset_id, who, batches, rows=20):
    command = [sys.executable, "-c", WRITER, *place, run_id, dataset_id, who, str(batches), str(rows)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def counted(store, table="predictions"):
    return store.query(f"select count(*) n from {table}")["n"].tolist()[0]


@pytest.mark.quick
def test_two_writers_that_replay_one_run_leave_each_row_once(lake):
    """The same rows from two processes at a time, some of few rows and some of many: each is there once."""
    store, place, dataset_id = lake
    for rows in (3, 30):
        Team(*[start(place, RUN.id, dataset_id, f"same{rows}", 4, rows) for _ in range(2)]).finish()
    assert counted(store) == 4 * 3 + 4 * 30
    assert store.query("select count(*) n from predictions group by run_id, example_id having count(*) > 1").empty
    assert (counted(store, "runs"), counted(store, "looks")) == (1, 1)
    assert store.verify() == []


@pytest.mark.soak
def test_eight_processes_write_at_once(lake):
    """Four runs by two processes each, each with rows of its own: what is there is the sum."""
    store, place, dataset_id = lake
    runs = [f"s1:aaaaaaaaaaaaaa{i:02d}" for i in range(4)]
    Team(*[start(place, run_id, dataset_id, who, 6, 25) for run_id in runs for who in ("one", "two")]).finish()
    assert counted(store) == 4 * 2 * 6 * 25
    assert [counted(store, table) for table in ("runs", "looks")] == [4, 4]
    assert store.verify() == []


@pytest.mark.soak
@pytest.mark.parametrize("after", [0, 2, 5])
def test_kill_9_loses_no_acknowledged_batch_and_holds_up_nobody(lake, after):
    """What was acknowledged is there, whole; its lease has ended with it: the same command goes on at once."""
    store, place, dataset_id = lake
    with start(place, RUN.id, dataset_id, "k", 500) as writer:
        for line in writer.stdout:
            if int(line) == after:
                writer.kill()
                break
    there = store.query("select example_id from predictions", limit=100_000)["example_id"].tolist()
    assert len(there) == len(set(there))
    assert {f"k-{batch}-{i}" for batch in range(after + 1) for i in range(20)} <= set(there)
    assert len(there) % 20 == 0, "a batch is there whole or not at all"
    Team(*[start(place, RUN.id, dataset_id, "k", after + 3)]).finish()
    assert store.verify() == []


@pytest.mark.soak
@pytest.mark.parametrize("how", [signal.SIGQUIT, signal.SIGINT, None], ids=["crash", "shutdown", "one killed"])
def test_a_restart_of_the_server_in_the_middle_loses_nothing(lake, postgres, how):
    """Two writers go on by themselves when the server is back: every batch is there, once."""
    store, place, dataset_id = lake
    writers = [start(place, RUN.id, dataset_id, who, 12) for who in ("one", "two")]
    for _ in range(2):
        assert writers[0].stdout.readline()
        postgres.restart(how) if how else postgres.kill_one()
    Team(*writers).finish()
    assert counted(store) == 2 * 12 * 20
    assert store.verify() == []


@pytest.mark.soak
def test_a_copy_that_is_killed_goes_on(lake, postgres, root):
    """Killed in the middle it leaves whole runs alone; the same command copies the rest."""
    store, place, dataset_id = lake
    runs = [f"s1:aaaaaaaaaaaaaa{i:02d}" for i in range(5)]
    for run_id in runs:
        Team(*[start(place, run_id, dataset_id, "k", 1)]).finish()
    command = [sys.executable, "-m", "harness", "store", "copy", store.name, str(root / "copy.duckdb")]
    with subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as copying:
        for line in copying.stderr:
            if line.startswith("run 2"):
                copying.kill()
                break
    copy = Store(Path(root / "copy.duckdb"), store._clock)
    half = set(copy.runs()["run_id"])
    assert 2 <= len(half) <= 5
    assert copy.verify() == []
    assert "counts and content hashes as stored" in lakes.harness(root, *command[3:])
    assert set(copy.runs()["run_id"]) == set(runs)
    assert copy.verify() == []
