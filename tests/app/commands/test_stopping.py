"""Ctrl-C and kill -9: nothing that was answered is lost, nothing is asked twice."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests import processes
from tests.hostile import hostile
from tests.loopback import serve

AT_ONCE = 2


def start(root, server):
    return start_at(root, server.openai_url)


def start_at(root, address):
    command = ["eval", "--prompt", "v1", "--model", "openai/m", "--base-url", address, "--json"]
    return processes.harness(root, *command, "--concurrency", str(AT_ONCE))


def stopped_after(server, process, n):
    """Wait until `n` requests have been answered and the next ones are under way: the server holds them."""
    processes.until(lambda: len(server.requests) == n + AT_ONCE, process)


def said(server):
    return [body["messages"][-1]["content"] for body in server.requests]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["ctrl-c", "sigterm", "hangup"])
def test_ctrl_c_finishes_what_is_in_flight_and_resumes(root, number):
    """Exit code 3, one line that says how far it came; the same command asks only the rest."""
    if signal.getsignal(number) == signal.SIG_IGN:
        pytest.skip("these tests run under nohup, which silences the hang-up for every process of theirs")
    with serve(lambda text: "bug", held_from=4) as server:
        process = start(root, server)
        stopped_after(server, process, 4)
        process.send_signal(number)
        server.released.set()
        _, err = process.communicate(timeout=processes.HANGS_S)
        assert process.returncode == 3
        assert "stopped with" in err
        assert "Traceback" not in err
        first = said(server)
        result = json.loads(processes.printed(start(root, server)))
    assert len(first) < result["n"]
    assert len(said(server)) == len(set(said(server))) == result["n"]
    assert result["calls"] == {"sent": result["n"] - len(first), "cached": len(first), "retried": 0}


def test_a_second_ctrl_c_drops_replies_without_end(root):
    """A server that sends a byte now and then holds nobody: the first one waits, the second one ends it."""
    with hostile() as server:
        process = start_at(root, f"{server.url}/slow%20body/v1")
        processes.until(lambda: server.requests["slow body"], process)
        process.send_signal(signal.SIGINT)
        assert any("once more drops them" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=processes.HANGS_S)
    assert process.returncode == 3
    assert "stopped at once" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("after", [3, *(pytest.param(n, marks=pytest.mark.soak) for n in (11, 20))])
def test_kill_9_loses_only_what_was_in_flight(root, after):
    """What was answered before the kill is never asked again, and the result is an uninterrupted run's."""
    with serve(lambda text: "bug", held_from=after) as server:
        process = start(root, server)
        stopped_after(server, process, after)
        process.kill()
        process.communicate()
        server.released.set()
        result = json.loads(processes.printed(start(root, server)))
        asked = said(server)
        assert len(asked) - len(set(asked)) == AT_ONCE
        assert len(set(asked)) == result["n"]
        before = len(asked)
        again = json.loads(processes.printed(start(root, server)))
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


def test_a_reader_that_has_gone_is_no_error(root):
    """As in `harness ... | head`: exit code 0 and not a word, however much was still to be printed."""
    with processes.harness(root, "dataset", "list") as process:
        process.stdout.close()
        assert (process.wait(timeout=processes.HANGS_S), process.stderr.read()) == (0, "")


BOMB_MB, MOST_MB = 400, 300


@pytest.mark.soak  # the peak of a child counts what its parent held when it was forked
def test_a_packed_reply_is_not_unpacked_beyond_its_cap(root):
    """400 MB in a few hundred kilobytes: the item fails, and the process never holds them."""
    (root / "harness.toml").write_text('dataset = "tickets@v1"\ndeadline_s = 1.0\n')
    with hostile() as server:
        command = ["eval", "--prompt", "v1", "--model", "openai/m", "--limit", "1", "--base-url"]
        process = processes.harness(root, *command, f"{server.url}/bomb:{BOMB_MB}/v1")
        err = process.stderr.read()
        process.stdout.close()
        process.stderr.close()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 3, err
    assert "larger" in err or "bytes" in err or "MiB" in err
    assert used.ru_maxrss / 1024 < MOST_MB
    assert (root / "results" / "calls.sqlite").stat().st_size < 4 << 20
