"""Files and streams that are gone while a command runs: one line and exit code 3, and the same command goes on."""

import sqlite3
from contextlib import closing

import pytest

from harness.ground import sqlite
from tests import processes
from tests.loopback import serve
from tests.soak import sound

AT_ONCE = 2
ASKED = 6


def asking(url):
    return ["eval", "--prompt", "v1", "--model", "openai/m", "--base-url", url, "--json"]


def said(server):
    return [body["messages"][-1]["content"] for body in server.requests]


def interrupted(root, server, spoil):
    """What an evaluation says, where `spoil` happens while its calls are under way."""
    process = processes.harness(root, *asking(server.openai_url), "--concurrency", str(AT_ONCE))
    processes.until(lambda: len(server.requests) == ASKED + AT_ONCE, process)
    spoil()
    server.released.set()
    _, err = process.communicate(timeout=processes.HANGS_S)
    sound.one_line(process.returncode, err)
    return process.returncode, err


def test_a_ledger_that_is_moved_while_it_is_used_ends_the_run(root):
    """No further request is sent; what was paid stands in it, and is served once it is put back."""
    here, away = root / "results" / "calls.sqlite", root / "away.sqlite"
    with serve(lambda text: "bug", held_from=ASKED) as server:
        code, err = interrupted(root, server, lambda: here.rename(away))
        assert (code, len(server.requests)) == (3, ASKED + AT_ONCE)
        assert "calls.sqlite: the ledger was moved or removed while it was in use" in err
        assert not here.exists()
        away.rename(here)
        processes.printed(processes.harness(root, *asking(server.openai_url)))
        asked = said(server)
    assert len(asked) == len(set(asked))


def test_a_store_that_is_removed_while_it_is_used_is_told(root):
    """What was there is the user's to remove; what was paid is served again, and the run ends whole."""
    store = root / "results" / "harness.duckdb"
    processes.printed(processes.harness(root, "baselines", "--arm", "majority"))
    with serve(lambda text: "bug", held_from=ASKED) as server:
        code, err = interrupted(root, server, store.unlink)
        assert (code, "is not in the store any more" in err) == (3, True)
        processes.printed(processes.harness(root, *asking(server.openai_url)))
        asked = said(server)
    assert len(asked) == len(set(asked))


def test_paid_answers_that_a_neighbour_keeps_from_being_written_are_counted(root, monkeypatch, harness):
    """A program that holds the file for longer than anybody waits: exit code 3, who must let go, and how many."""
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.5)
    ledger = root / "results" / "calls.sqlite"
    with serve(lambda text: "bug") as server:
        held = []

        def answer(_):
            if len(server.requests) == ASKED:
                held.append(sqlite3.connect(ledger, isolation_level=None, check_same_thread=False))
                held[0].execute("begin immediate")
            return "bug"

        server.answer = answer
        ended = harness(*asking(server.openai_url), "--concurrency", "1")
        with closing(held[0]):
            held[0].execute("rollback")
        assert ended.code == 3
        assert "locked by another program; once it has let go" in ended.err
        assert "could not be written down: 1; " in ended.err
        assert harness(*asking(server.openai_url)).code == 0
        asked = said(server)
    assert len(asked) - len(set(asked)) == 1


ALL_CLOSED = "exec 0<&- 1>&- 2>&-"
SOAKED = [("exec 1>&-", 0), ("exec 1>&- 2>&-", 0), ("exec 2>/dev/full", 3)]


@pytest.mark.parametrize(
    ("before", "code"),
    [(ALL_CLOSED, 0), ("exec 1>/dev/full", 3), *(pytest.param(*one, marks=pytest.mark.soak) for one in SOAKED)],
)
def test_streams_that_are_closed_or_full(root, before, code):
    """A closed one hears nothing, and no file takes its number; a full one ends the command like a full disk."""
    process = processes.start_shell(root, before, "baselines", "--arm", "majority")
    _, err = process.communicate(timeout=processes.HANGS_S)
    sound.one_line(process.returncode, err or "harness: nothing can be read")
    assert process.returncode == code, err
    sound.check(root, set())
