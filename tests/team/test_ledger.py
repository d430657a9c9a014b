"""The ledger on a server: all that holds of one in a file, and what only a server can do to it."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import psycopg
import pytest

from harness.errors import ConfigError, StoreError, StoreGone
from harness.ground import postgres as door
from harness.models.ledger import Ledger, Spent, leases, on_server
from harness.models.ledger.ledger import opener
from harness.models.ledger.tables import Disconnected
from tests import processes
from tests.loopback import serve
from tests.models.ledger.contract import AT, OWNER, REPLY, LedgerContract, entry, put, request, rows
from tests.team.server import GUARDED, PASSWORD
from tests.team.severing import severing

FAR_AWAY = "from harness.models.ledger import leases; leases._place = lambda: 'elsewhere'\n"


@pytest.fixture
def place(postgres):
    return f"postgres:{postgres.database()}"


class TestLedgerOnAServer(LedgerContract):
    @pytest.fixture
    def place(self, postgres):
        return f"postgres:{postgres.database()}"


@pytest.fixture
def neighbour(place):
    """A process on another machine that has claimed `k` and reserved for it."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", FAR_AWAY + OWNER, place], **pipes) as process:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_what_a_process_elsewhere_held_is_free_when_its_connection_ends(place, neighbour):
    """Nobody sees the process; the server sees its connection, and no lease must run out."""
    with Ledger(place) as ledger:
        assert not asyncio.run(ledger.claim("k", AT))
        neighbour.kill()
        neighbour.wait(processes.HANGS_S)
        processes.until(lambda: asyncio.run(ledger.claim("k", AT)), neighbour_of_itself())
        assert ledger.spent("a") == Spent(unknown=10, n_unknown=1)


def neighbour_of_itself():
    """A process that does not end, for whoever waits for something that no process does."""
    return type("Running", (), {"poll": staticmethod(lambda: None), "kill": staticmethod(lambda: None)})


def test_whoever_does_not_renew_its_lease_loses_it_although_it_is_connected(place, neighbour, monkeypatch):
    """A machine that is cut off, or a process that is stopped."""
    os.kill(neighbour.pid, signal.SIGSTOP)
    with Ledger(place) as ledger:
        assert not asyncio.run(ledger.claim("k", AT))
        monkeypatch.setattr(leases, "LEASE_S", 0.0)
        assert asyncio.run(ledger.claim("k", AT))


@pytest.mark.parametrize("how", ["restart", "kill_one"])
def test_a_restart_of_the_server_frees_nothing_of_whoever_comes_back(postgres, place, neighbour, how):
    """Between the server's return and its own a process is waited for as long as its lease would have lasted.

    Also where one of the server's processes was killed alone: then it restarts without having been ended.
    """
    with Ledger(place) as ledger:
        os.kill(neighbour.pid, signal.SIGSTOP)  # it has not come back
        getattr(postgres, how)()
        assert not asyncio.run(ledger.claim("k", AT))
        assert ledger.spent("a") == Spent(in_flight=10)


def test_answers_of_before_and_during_a_crash_of_the_server_are_there_once(postgres, place):
    """Whatever was under way when the server crashed is written afterwards, once, and billed once."""

    async def go(ledger):
        await ledger.put(entry(request("before"), "a"), REPLY, 5)
        calls = [asyncio.ensure_future(ledger.put(entry(request(str(i)), "a"), REPLY, 5)) for i in range(300)]
        await asyncio.to_thread(postgres.restart)
        await asyncio.wait_for(asyncio.gather(*calls), processes.HANGS_S)

    with Ledger(place) as ledger:
        asyncio.run(go(ledger))
        assert ledger.spent("a") == Spent(billed=301 * 5)
    assert rows(place, "select count(*), count(distinct key) from calls") == [(301, 301)]


@pytest.mark.parametrize("is_written", [True, False], ids=["the answer is lost", "the order is lost"])
def test_a_connection_that_breaks_in_a_commit_writes_nothing_twice(postgres, is_written):
    """The server is asked afterwards whether it was written; only if it was not, it is written again."""
    with severing(postgres.port) as cut:
        place = f"postgres:{postgres.database(host='127.0.0.1')}".replace(f"port={postgres.port}", f"port={cut.port}")
        with Ledger(place) as ledger:
            put(ledger, request("first"), REPLY, 5, "a")
            cut.at(b"COMMIT", is_delivered=is_written)
            put(ledger, request("second"), REPLY, 5, "a")
            assert cut.times == 1
            put(ledger, request("third"), REPLY, 5, "a")
            assert ledger.spent("a") == Spent(billed=15)
        assert rows(place, "select count(*), count(distinct key) from calls") == [(3, 3)]


def test_what_a_crash_took_back_is_written_again_whoever_wrote_meanwhile(postgres):
    """The server gives the numbers of transactions that it lost in a crash to the next ones: theirs is not ours."""
    with severing(postgres.port) as cut:
        there = postgres.database(host="127.0.0.1")
        place = f"postgres:{there}".replace(f"port={postgres.port}", f"port={cut.port}")
        ours, statement = opener(place)(), "insert into accounts values (?, 5)"
        with ours.transaction():
            ours.execute(statement, ["before"])
        cut.at(b"COMMIT", is_delivered=False)
        with pytest.raises(Disconnected), ours.transaction():
            ours.execute(statement, ["ours"])
        postgres.restart()
        theirs = opener(f"postgres:{there}")()
        for number in range(20):
            with theirs.transaction():
                theirs.execute(statement, [f"theirs {number}"])
        assert not ours.regain()
        assert not ours.read(lambda tables: tables.execute("select 1 from accounts where account = 'ours'").fetchall())
        for one in (ours, theirs):
            one.close()


@pytest.mark.parametrize("how", [signal.SIGQUIT, signal.SIGSTOP], ids=["ended", "stopped"])
def test_a_server_that_stays_away_ends_the_run_and_what_was_paid_is_counted(postgres, place, how, monkeypatch):
    """Within a bound everybody is told, exit code 3, with the number of answers that could not be written down."""
    monkeypatch.setattr(on_server, "REGAIN_S", 0.5)
    monkeypatch.setattr(door, "ANSWER_WAIT_S", 1.0)
    monkeypatch.setitem(door.PATIENCE, "connect_timeout", "2")

    async def go(ledger):
        calls = [ledger.put(entry(request(str(i)), "a"), REPLY, 5) for i in range(3)]
        replies = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), processes.HANGS_S)
        assert {type(reply) for reply in replies} == {StoreGone}
        with pytest.raises(StoreGone):
            await ledger.claim("later", AT)
        raise replies[0]

    def run():
        with Ledger(place) as ledger:
            put(ledger, request("before"), REPLY, 5, "a")
            with Away(postgres, how):
                asyncio.run(go(ledger))

    with pytest.raises(StoreGone, match=r"could not be written down: 3; ") as gone:
        run()
    assert gone.value.exit_code == 3
    assert "\n" not in str(gone.value)
    with Ledger(place) as ledger:
        assert ledger.get(entry(request("before")).key) == replace(REPLY, cached=True)


class Away:
    """The server ended, or stopped with all its processes, for a while."""

    def __init__(self, postgres, how):
        self.postgres, self.how = postgres, how
        self.pids = [int(pid) for pid in postgres.sql("select pid from pg_stat_activity").split()]
        self.pids.append(postgres.process.pid)

    def __enter__(self):
        if self.how is signal.SIGQUIT:
            self.postgres.stop(self.how)
        else:
            self.signal(signal.SIGSTOP)

    def __exit__(self, *exc_info):
        if self.how is signal.SIGQUIT:
            self.postgres.start()
        else:
            self.signal(signal.SIGCONT)

    def signal(self, which):
        for pid in self.pids:
            try:
                os.kill(pid, which)
            except ProcessLookupError:
                continue


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("the database system is starting up", "gone"),
        ("the database system is in recovery mode", "gone"),
        ("terminating connection due to administrator command", "gone"),
        ("sorry, too many clients already", "gone"),
        ("remaining connection slots are reserved for non-replication superuser connections", "gone"),
        ('database "x" does not exist', "other"),
        ('password authentication failed for user "x"', "other"),
    ],
)
def test_a_connection_that_is_refused_for_now_is_tried_again(line, kind):
    """What the server says while it comes, goes or is full passes; any other refusal is told at once."""
    assert door.kind(psycopg.OperationalError(f"connection failed: FATAL:  {line}"), None) == kind


@pytest.mark.parametrize("password", [None, "wrong and not shown", PASSWORD])
def test_a_password_comes_from_the_environment_and_is_never_shown(postgres, monkeypatch, password):
    """Without the right one: one line that holds none."""
    if password is not None:
        monkeypatch.setenv("PGPASSWORD", password)
    place = f"postgres:{postgres.database(user=GUARDED, host='127.0.0.1')}"
    if password == PASSWORD:
        with Ledger(place) as ledger:
            assert PASSWORD not in ledger.name
        return
    with pytest.raises(StoreError, match=r"cannot be used as the ledger: .*password") as refused:
        Ledger(place)
    assert "\n" not in str(refused.value)
    assert "not shown" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "postgres:dbname=x password=not-shown",
        "postgresql://user:not-shown@127.0.0.1/x",
        "postgres://127.0.0.1/x?password=not-shown",
        "postgres:dbname=x sslpassword='not-shown'",
        "postgres:dbname=x not-shown",
        "postgres://127.0.0.1/x?not-shown=%zz",
        "mysql://user:not-shown@127.0.0.1/x",
    ],
)
def test_an_address_with_a_password_is_refused_and_not_shown(text):
    """One line that says where a password may stand; what cannot be read is not shown either."""
    with pytest.raises(ConfigError) as refused:
        Ledger(text)
    assert "not-shown" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_ledger_of_a_newer_program_is_not_touched(place):
    """One line that says what to do."""
    with Ledger(place):
        pass
    rows_of_versions = "insert into versions values (99) returning number"
    assert rows(place, rows_of_versions) == [(99,)]
    with pytest.raises(StoreError, match=r"version 99 is newer .* upgrade it"):
        Ledger(place)


@pytest.mark.quick
def test_a_command_pays_once_on_a_server(root, postgres):
    """Two evals at once of the same ask each item once."""
    settings = f'ledger = "postgres:{postgres.database()}"\n'
    (root / "harness.toml").write_text(settings + (root / "harness.toml").read_text())
    with serve(lambda said: "bug", latency_s=0.02) as server:
        command = ["eval", "--prompt", "v1", "--model", "openai/m", "--json", "--base-url", server.openai_url]
        both = [processes.harness(root, *command, "--db", f"{name}.duckdb") for name in "ab"]
        for process in both:
            processes.printed(process)
        asked = [body["messages"][-1]["content"] for body in server.requests]
        assert len(asked) == len(set(asked)) > 10
    assert not list(root.rglob("calls.sqlite"))


def test_a_command_whose_server_is_not_there_says_so_in_one_line(root):
    """Exit code 3, as with any outage: the address, and what is wrong with it."""
    (root / "harness.toml").write_text(
        'ledger = "postgres:host=127.0.0.1 port=9 dbname=x"\n' + (root / "harness.toml").read_text()
    )
    process = processes.harness(root, "eval", "--prompt", "v1")
    _, err = process.communicate(timeout=processes.HANGS_S)
    assert process.returncode == 3
    (line,) = err.strip().splitlines()
    assert line.startswith("harness: postgres:host=127.0.0.1 port=9 dbname=x: the ledger's server cannot be reached")


def test_readers_in_many_threads_share_one_connection(place):
    """Looks that are made at once while calls are under way are each answered."""
    with Ledger(place) as ledger:
        put(ledger, request(), REPLY, 5, "a")
        seen = []

        def look():
            seen.append((ledger.get(entry(request()).key).text, ledger.spent("a").billed))

        threads = [threading.Thread(target=look) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(processes.HANGS_S)
        assert seen == [("spam", 5)] * 16
