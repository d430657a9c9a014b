"""Ctrl-C and kill -9: nothing that was answered is lost, nothing is asked twice."""

import json
import os
import signal
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from tests.hostile import hostile
from tests.loopback import serve


def start(root, server):
    command = ["eval", "--prompt", "v1", "--model", "openai/m", "--base-url", server.openai_url, "--concurrency", "2"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(root)}
    return subprocess.Popen(
        [sys.executable, "-m", "harness", *command, "--json"],
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(server, n):
    for _ in range(2000):
        if len(server.requests) >= n:
            return
        threading.Event().wait(0.01)
    pytest.fail(f"the server was asked {len(server.requests)} times")


def said(server):
    return [body["messages"][-1]["content"] for body in server.requests]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_ctrl_c_finishes_what_is_in_flight_and_resumes(root, number):
    """Exit code 3, one line that says how far it came; the same command asks only the rest."""
    with serve(lambda text: "bug", latency_s=0.1) as server:
        process = start(root, server)
        wait_for(server, 6)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 3
        assert "stopped with" in err
        assert "Traceback" not in err
        first = said(server)
        again = start(root, server)
        out, _ = again.communicate(timeout=60)
    result = json.loads(out)
    assert again.returncode == 0
    assert len(said(server)) == len(set(said(server))) == result["n"]
    assert result["calls"] == {"sent": result["n"] - len(first), "cached": len(first), "retried": 0}


def test_a_second_ctrl_c_drops_replies_without_end(root):
    """A server that sends a byte now and then holds nobody: the first one waits, the second one ends it."""
    with hostile() as server:
        address = f"{server.url}/slow%20body/v1"
        process = start(root, SimpleNamespace(openai_url=address))
        while not server.requests["slow body"]:
            threading.Event().wait(0.01)
        process.send_signal(signal.SIGINT)
        assert "once more drops them" in process.stderr.readline() + process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "stopped at once" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("after", [3, 11, 20])
def test_kill_9_loses_only_what_was_in_flight(root, after):
    """What was answered before the kill is never asked again, and the result is an uninterrupted run's."""
    with serve(lambda text: "bug", latency_s=0.03) as server:
        process = start(root, server)
        wait_for(server, after)
        process.kill()
        process.communicate()
        threading.Event().wait(0.1)
        in_flight = 2
        out, _ = start(root, server).communicate(timeout=60)
        result = json.loads(out)
        asked = said(server)
        assert len(asked) - len(set(asked)) <= in_flight
        assert len(set(asked)) == result["n"]
        before = len(asked)
        again = json.loads(start(root, server).communicate(timeout=60)[0])
        assert len(said(server)) == before
    for key in ("run_id", "n", "accuracy", "macro_f1", "outcomes", "tokens"):
        assert again[key] == result[key]


def test_a_disk_that_takes_no_more_is_one_line(root):
    """No traceback and nothing half-written: exit code 3, and with room the same command goes on."""
    shell = f"ulimit -f 8; exec {sys.executable} -m harness baselines --arm majority"
    environment = {"PATH": os.environ["PATH"], "HOME": str(root)}
    done = subprocess.run(["bash", "-c", shell], cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("Traceback")) == (3, 0)
    assert "File too large" in done.stderr
    assert [path.name for path in (root / "results").glob(".*")] == []
