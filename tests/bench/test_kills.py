"""Twenty kills at random moments: nothing that was acknowledged is lost, nothing is asked twice."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from random import Random

import pytest

from tests.bench.conftest import environment, measured, workspace
from tests.loopback import serve

pytestmark = pytest.mark.bench
ITEMS, KILLS = 600, 20
COUNT = "select count(*) as n, count(distinct example_id) as items from predictions"
BY_KEY = "select example_id, outcome, label, raw from predictions where run_id = '{}' order by example_id"
BY_SCAN = "select example_id, outcome, label, raw from predictions order by example_id"


def command(url):
    return ["-m", "harness", "eval", "--prompt", "v1", "--model", "openai/m", "--base-url", url, "--concurrency", "4"]


def acknowledged(root) -> set[str]:
    """The texts whose answers are in the ledger."""
    ledger = root / "results" / "calls.sqlite"
    if not ledger.exists():
        return set()
    with closing(sqlite3.connect(ledger)) as connection:
        try:
            found = connection.execute("select request from calls where servable").fetchall()
        except sqlite3.OperationalError:  # killed before there was a table
            return set()
    return {json.loads(request)["messages"][-1]["content"] for (request,) in found}


def rows(root, query):
    done = measured(root, "-m", "harness", "sql", query, "--json", "--limit", "100000")
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_twenty_kills(tmp_path, table):
    """Each time the run goes on from the ledger; in the end its rows are those of a run that nobody killed."""
    (tmp_path / "killed").mkdir()
    (tmp_path / "whole").mkdir()
    killed, whole = workspace(tmp_path / "killed", ITEMS), workspace(tmp_path / "whole", ITEMS)
    moments, lost_in_flight = Random(1), 0
    with serve(lambda said: said.split()[2], latency_s=0.05) as server:
        for kill in range(KILLS):
            before, asked_before = acknowledged(killed), len(server.requests)
            process = subprocess.Popen(
                [sys.executable, *command(server.openai_url)],
                cwd=killed,
                env=environment(killed),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            # Every other kill waits for the first call: else a slow machine would only be killed starting up.
            while kill % 2 and len(server.requests) == asked_before and process.poll() is None:
                threading.Event().wait(0.01)
            threading.Event().wait(moments.uniform(0.0, 1.0) if kill % 2 else moments.uniform(0.3, 2.2))
            process.kill()
            process.wait()
            after = acknowledged(killed)
            assert before <= after, "an acknowledged answer was lost"
            asked = [body["messages"][-1]["content"] for body in server.requests[asked_before:]]
            assert not before & set(asked), "an acknowledged answer was asked again"
            lost_in_flight += len(set(asked) - after)
        survived = len(acknowledged(killed))
        resumed = measured(killed, *command(server.openai_url), "--json")
        total = len(server.requests)
        unharmed = measured(whole, *command(server.openai_url), "--json")
    assert (resumed.code, unharmed.code) == (0, 0), resumed.err + unharmed.err
    one, other = json.loads(resumed.out), json.loads(unharmed.out)
    assert {key: one[key] for key in ("n", "accuracy", "macro_f1", "outcomes", "tokens")} == {
        key: other[key] for key in ("n", "accuracy", "macro_f1", "outcomes", "tokens")
    }
    assert rows(killed, COUNT) == rows(whole, COUNT)
    by_key = rows(killed, BY_KEY.format(one["run_id"]))
    assert by_key == rows(killed, BY_SCAN) == rows(whole, BY_SCAN)
    assert total - ITEMS == lost_in_flight <= KILLS * 4
    assert 0 < survived < ITEMS
    table(
        f"{KILLS} kills over {ITEMS} items: {survived} answers had survived them, {lost_in_flight} calls "
        f"were in flight and asked again (at most {KILLS * 4} could be), rows and metrics as in an unharmed run"
    )
    assert os.listdir(killed / "results")
