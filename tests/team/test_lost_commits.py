"""A commit in a lake whose end nobody heard of: what was written is not done again, what was not is."""

import subprocess
import sys
from dataclasses import replace

import pytest

from harness import datasets
from tests import processes
from tests.store.contract import RUN, answered
from tests.team import lakes
from tests.team.severing import severing

ENDING = """
import sys
from harness.ground.clock import SystemClock
from harness.store import Store
from harness.store.lake.address import LakeAddress
conninfo, run_id = sys.argv[1:]
store = Store(LakeAddress(conninfo), SystemClock(), wait_s=60)
store.tag_run(run_id, "before")  # connected, and its tables known
print("ready", flush=True)
sys.stdin.readline()
store.finish_run(run_id, status="done", wall_s=1.0, fit_s=None)
store.close()
"""


@pytest.mark.parametrize(
    "is_written",
    [pytest.param(True, id="the answer is lost"), pytest.param(False, id="the order is lost")],
)
def test_a_connection_that_breaks_in_a_commit_does_nothing_twice(postgres, root, is_written):
    """The seconds of a run add up: those of one end are added once."""
    conninfo = postgres.database(host="127.0.0.1")
    store = lakes.opened(conninfo, root)
    dataset = datasets.load(root, "tickets@v1")
    run = replace(RUN, dataset_id=dataset.id)
    store.add_dataset(dataset)
    store.start_run(run, dataset=dataset.ref, code_version="0")
    store.append(run.id, answered(dataset))
    with severing(postgres.port) as cut:
        through = conninfo.replace(f"port={postgres.port}", f"port={cut.port}")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen([sys.executable, "-c", ENDING, through, run.id], **pipes) as ending:
            assert ending.stdout.readline() == "ready\n"
            cut.at(b"COMMIT", is_delivered=is_written)
            _, err = ending.communicate("\n", timeout=processes.HANGS_S)
        assert (ending.returncode, cut.times) == (0, 1), err
    (row,) = store.runs().to_dict("records")
    assert (row["wall_s"], row["n"], row["status"]) == (1.0, 5, "done")
    assert store.verify() == []
    store.close()
