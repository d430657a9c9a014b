"""The ledger of paid answers: durable before used, newest wins, failures never served."""

import asyncio
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harness.errors import StoreError
from harness.ground.ids import request_id, request_text
from harness.models.ledger import Asked, Ledger, leases
from harness.models.ledger.writing import Writer
from harness.types import Attempt, Message, Model, Request, Response, Usage

AT = datetime(2026, 1, 1, tzinfo=UTC)
REPLY = Response(
    "spam",
    "stop",
    Usage(1, 2, 3, 4, 5),
    {"prompt_tokens": 6},
    0.25,
    "m-1",
    request_id="r",
    scores={"spam": 0.9},
    attempts=(Attempt(429, 0.1, "slow"), Attempt(200, 0.25)),
)


def request(text="hi"):
    return Request(Model("openai", "m"), (Message("user", text),))


def entry(asked, account=""):
    return Asked(request_id(asked), request_text(asked), AT, account, "table 1")


def put(ledger, asked, response, billed_nano=None, account=""):
    asyncio.run(ledger.put(entry(asked, account), response, billed_nano))


def test_an_answer_comes_back_whole(tmp_path):
    """Usage, raw usage, scores, attempts, latency: as paid, and marked as cached."""
    with Ledger(tmp_path / "l.sqlite") as ledger:
        put(ledger, request(), REPLY)
        assert ledger.get(request_id(request())) == replace(REPLY, cached=True)
        assert ledger.get(request_id(request("other"))) is None


def test_the_newest_answer_wins(tmp_path):
    """A deliberate re-ask replaces the one before; both stay on record."""
    with Ledger(tmp_path / "l.sqlite") as ledger:
        put(ledger, request(), REPLY)
        put(ledger, request(), replace(REPLY, text="ham"))
        assert ledger.get(request_id(request())).text == "ham"
    with sqlite3.connect(tmp_path / "l.sqlite") as connection:
        assert connection.execute("select count(*) from calls").fetchone() == (2,)


def test_failures_and_empty_replies_are_recorded_and_never_served(tmp_path):
    """The next time, they are asked again; a refusal is an answer."""
    with Ledger(tmp_path / "l.sqlite") as ledger:
        put(ledger, request("empty"), replace(REPLY, text=""))
        asyncio.run(ledger.put_failure(entry(request("down")), (Attempt(500, 0.1, "x"),)))
        put(ledger, request("refused"), replace(REPLY, text="", finish="refusal"))
        assert ledger.get(request_id(request("empty"))) is None
        assert ledger.get(request_id(request("down"))) is None
        assert ledger.get(request_id(request("refused"))).finish == "refusal"
    with sqlite3.connect(tmp_path / "l.sqlite") as connection:
        assert connection.execute("select count(*) from calls").fetchone() == (3,)


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "🙂", "'; drop table calls; --"])
def test_any_text_is_kept(tmp_path, text):
    """Lone surrogates, NUL, quotes: what the model said is what is served."""
    with Ledger(tmp_path / "l.sqlite") as ledger:
        put(ledger, request(text), replace(REPLY, text=text))
        assert ledger.get(request_id(request(text))).text == text


def test_many_at_once_are_all_durable_when_awaited(tmp_path):
    """A thousand puts together: each is in the file when its own await returns."""
    path = tmp_path / "l.sqlite"

    async def one(ledger, i):
        asked = request(str(i))
        await ledger.put(entry(asked), REPLY)
        with sqlite3.connect(path) as connection:
            return connection.execute("select count(*) from calls where key = ?", [request_id(asked)]).fetchone()[0]

    async def go(ledger):
        return await asyncio.gather(*(one(ledger, i) for i in range(1000)))

    with Ledger(path) as ledger:
        assert asyncio.run(go(ledger)) == [1] * 1000


WRITER = """
import asyncio, sys
from datetime import datetime, UTC
from pathlib import Path
from harness.ground.ids import request_id, request_text
from harness.models.ledger import Asked, Ledger, leases
from harness.types import Message, Model, Request, Response
async def go(ledger):
    for i in range(int(sys.argv[3])):
        asked = Request(Model("openai", "m"), (Message("user", f"{sys.argv[2]} {i}"),))
        entry = Asked(request_id(asked), request_text(asked), datetime.now(UTC))
        await ledger.put(entry, Response("a", "stop", None, None, 0.1, "m"))
        print(i, flush=True)
with Ledger(Path(sys.argv[1])) as ledger:
    asyncio.run(go(ledger))
"""


def test_several_processes_write_at_once(tmp_path):
    """All answers of all are there."""
    path = tmp_path / "l.sqlite"
    command = [sys.executable, "-c", WRITER, str(path)]
    writers = [subprocess.Popen([*command, name, "50"], stdout=subprocess.DEVNULL) for name in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    with Ledger(path) as ledger:
        for name in "abc":
            assert all(ledger.get(request_id(request(f"{name} {i}"))) for i in range(50))


def test_kill_9_loses_no_acknowledged_answer(tmp_path):
    """What was said to be written is there after the kill, for another process."""
    path = tmp_path / "l.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), "k", "100000"], stdout=subprocess.PIPE, text=True
    ) as writer:
        for line in writer.stdout:
            if int(line) == 40:
                writer.kill()
                break
    with Ledger(path) as ledger:
        assert all(ledger.get(request_id(request(f"k {i}"))) for i in range(41))


def test_a_file_that_is_no_ledger_is_told(tmp_path):
    """One line with the way out."""
    (tmp_path / "l.sqlite").write_bytes(b"junk" * 1000)
    with pytest.raises(StoreError, match=r"l.sqlite cannot be used as the ledger"):
        Ledger(tmp_path / "l.sqlite")


@pytest.mark.parametrize("bad", [10**30, object(), "text"], ids=["beyond 64 bits", "no value", "no number"])
def test_what_cannot_be_written_ends_the_call_and_hangs_nobody(tmp_path, bad):
    """The one call is told why; those that were written beside it, and later ones, are there."""

    async def go(ledger):
        calls = [ledger.put(entry(request(str(i)), "a"), REPLY, bad if i == 3 else 5) for i in range(6)]
        return await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 30)

    with Ledger(tmp_path / "l.sqlite") as ledger:
        told = asyncio.run(go(ledger))
        assert [type(each) for each in told if each is not None] in ([StoreError], [])
        put(ledger, request("later"), REPLY)
        assert all(ledger.get(request_id(request(text))) for text in ("0", "5", "later"))


def test_an_error_of_the_writing_thread_is_told_to_everybody(tmp_path, monkeypatch):
    """Whatever ends the thread: calls that wait and calls that come are errors, and nobody hangs."""

    def explode(self, tables, group):
        raise StoreError("planted")

    async def go(ledger):
        calls = [ledger.put(entry(request(str(i))), REPLY) for i in range(3)]
        return await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 30)

    with Ledger(tmp_path / "l.sqlite") as ledger:
        monkeypatch.setattr(Writer, "_results", explode)
        for _ in range(2):
            told = asyncio.run(go(ledger))
            assert {type(each) for each in told} == {StoreError}
            assert "planted" in str(told[0])


def test_a_claim_ends_with_its_lease(tmp_path, monkeypatch):
    """Of a process in another container nothing is seen: its claim holds while it renews its lease, and no longer."""
    with Ledger(tmp_path / "l.sqlite") as theirs:
        monkeypatch.setattr(leases, "_place", lambda: "elsewhere")
        assert asyncio.run(theirs.claim("k", AT))
        with Ledger(tmp_path / "l.sqlite") as ours:
            ours._owner = ours._owner.replace("elsewhere", "here")
            assert not asyncio.run(ours.claim("k", AT))
            monkeypatch.setattr(leases, "LEASE_S", 0.0)
            monkeypatch.setattr(leases, "_place", lambda: "here")
            assert asyncio.run(ours.claim("k", AT))


def test_the_ledger_is_its_owners_alone(tmp_path):
    """The file and those beside it hold people's texts."""
    with Ledger(tmp_path / "l.sqlite") as ledger:
        put(ledger, request(), REPLY)
        assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}
