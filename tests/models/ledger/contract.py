"""What must hold of a ledger wherever its tables are: a class of tests, and two of them give it a `place`."""

import asyncio
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harness.errors import BudgetExceeded, StoreBusy, StoreError, TransientError
from harness.ground.ids import request_id, request_text
from harness.ground.traces import Traces
from harness.models.ledger import Asked, Batch, Ledger, Spent, erase, leases, place_of
from harness.models.ledger.ledger import opener
from harness.models.ledger.writing import Writer
from harness.types import Attempt, Message, Model, Request, Response, Usage
from tests.processes import HANGS_S

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

WRITER = """
import asyncio, sys
from datetime import datetime, UTC
from harness.ground.ids import request_id, request_text
from harness.models.ledger import Asked, Ledger, place_of
from harness.types import Message, Model, Request, Response
async def go(ledger):
    for i in range(int(sys.argv[3])):
        asked = Request(Model("openai", "m"), (Message("user", f"{sys.argv[2]} {i}"),))
        entry = Asked(request_id(asked), request_text(asked), datetime.now(UTC))
        await ledger.put(entry, Response("a", "stop", None, None, 0.1, "m"))
        print(i, flush=True)
with Ledger(place_of(sys.argv[1])) as ledger:
    asyncio.run(go(ledger))
"""
OWNER = """
import asyncio, sys
from datetime import datetime, UTC
from harness.models.ledger import Ledger, place_of
async def go(ledger):
    assert await ledger.claim("k", datetime.now(UTC))
    await ledger.reserve("a", "k", 10, 100)
    print("ready", flush=True)
    sys.stdin.read()
with Ledger(place_of(sys.argv[1])) as ledger:
    asyncio.run(go(ledger))
"""


def request(text="hi"):
    return Request(Model("openai", "m"), (Message("user", text),))


def entry(asked, account=""):
    return Asked(request_id(asked), request_text(asked), AT, account, "table 1")


def put(ledger, asked, response, billed_nano=None, account=""):
    asyncio.run(ledger.put(entry(asked, account), response, billed_nano))


def batch(mark="m", account="a"):
    return Batch(mark, account, None, (), 0, AT.timestamp(), is_orphan=False)


def rows(place, statement, *values):
    """What a statement gives on the place's own tables."""
    tables = opener(place)()
    try:
        return tables.read(lambda open_one: open_one.execute(statement, values).fetchall())
    finally:
        tables.close()


class LedgerContract:
    """A subclass has a fixture `place`: a path, or an address, where there is no ledger yet."""

    def test_an_answer_comes_back_whole(self, place):
        """Usage, raw usage, scores, attempts, latency: as paid, and marked as cached."""
        with Ledger(place) as ledger:
            put(ledger, request(), REPLY)
            assert ledger.get(request_id(request())) == replace(REPLY, cached=True)
            assert asyncio.run(ledger.find(request_id(request()))) == replace(REPLY, cached=True)
            assert ledger.get(request_id(request("other"))) is None

    def test_the_newest_answer_wins(self, place):
        """A deliberate re-ask replaces the one before; both stay on record."""
        with Ledger(place) as ledger:
            put(ledger, request(), REPLY)
            put(ledger, request(), replace(REPLY, text="ham"))
            assert ledger.get(request_id(request())).text == "ham"
        assert [*map(tuple, rows(place, "select count(*) from calls"))] == [(2,)]

    def test_failures_and_empty_replies_are_recorded_and_never_served(self, place):
        """The next time, they are asked again; a refusal is an answer."""
        with Ledger(place) as ledger:
            put(ledger, request("empty"), replace(REPLY, text=""))
            asyncio.run(ledger.put_failure(entry(request("down")), (Attempt(500, 0.1, "x"),)))
            put(ledger, request("refused"), replace(REPLY, text="", finish="refusal"))
            assert ledger.get(request_id(request("empty"))) is None
            assert ledger.get(request_id(request("down"))) is None
            assert ledger.get(request_id(request("refused"))).finish == "refusal"
        assert [*map(tuple, rows(place, "select count(*) from calls"))] == [(3,)]

    @pytest.mark.parametrize("text", ["\ud800", "a\x00b", "🙂", "'; drop table calls; --", "100 % of %s?"])
    def test_any_text_is_kept(self, place, text):
        """Lone surrogates, NUL, quotes: what the model said is what is served."""
        with Ledger(place) as ledger:
            put(ledger, request(text), replace(REPLY, text=text))
            assert ledger.get(request_id(request(text))).text == text

    def test_many_at_once_are_all_durable_when_awaited(self, place):
        """A thousand puts together: each is there for everybody when its own await returns."""

        async def go(ledger):
            looking = opener(place)()

            async def one(i):
                asked = request(str(i))
                await ledger.put(entry(asked), REPLY)
                statement = "select count(*) from calls where key = ?"
                return looking.read(lambda tables: tables.execute(statement, [request_id(asked)]).fetchone()[0])

            try:
                return await asyncio.gather(*(one(i) for i in range(1000)))
            finally:
                looking.close()

        with Ledger(place) as ledger:
            assert asyncio.run(go(ledger)) == [1] * 1000

    def test_several_processes_write_at_once(self, place):
        """All answers of all are there, also where they all begin with no tables."""
        command = [sys.executable, "-c", WRITER, str(place)]
        writers = [subprocess.Popen([*command, name, "50"], stdout=subprocess.DEVNULL) for name in "abc"]
        assert [writer.wait(HANGS_S) for writer in writers] == [0, 0, 0]
        with Ledger(place) as ledger:
            for name in "abc":
                assert all(ledger.get(request_id(request(f"{name} {i}"))) for i in range(50))

    def test_kill_9_loses_no_acknowledged_answer(self, place):
        """What was said to be written is there after the kill, for another process."""
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(place), "k", "100000"], stdout=subprocess.PIPE, text=True
        ) as writer:
            for line in writer.stdout:
                if int(line) == 40:
                    writer.kill()
                    break
        with Ledger(place) as ledger:
            assert all(ledger.get(request_id(request(f"k {i}"))) for i in range(41))

    def test_what_a_killed_process_held_is_free_as_soon_as_it_is_gone(self, place):
        """While it lives its claim and its reservation hold; once it is killed the claim is free, the money owed."""
        with Ledger(place) as ledger:
            process = subprocess.Popen(
                [sys.executable, "-c", OWNER, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            with process:
                assert process.stdout.readline() == "ready\n"
                assert not asyncio.run(ledger.claim("k", AT))
                assert ledger.spent("a") == Spent(in_flight=10)
                process.kill()
            assert asyncio.run(ledger.claim("k", AT))
            assert ledger.spent("a") == Spent(unknown=10, n_unknown=1)

    @pytest.mark.parametrize("bad", [10**30, object(), "text"], ids=["beyond 64 bits", "no value", "no number"])
    def test_what_cannot_be_written_ends_the_call_and_hangs_nobody(self, place, bad):
        """The one call is told why; those that were written beside it, and later ones, are there."""

        async def go(ledger):
            calls = [ledger.put(entry(request(str(i)), "a"), REPLY, bad if i == 3 else 5) for i in range(6)]
            return await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 30)

        with Ledger(place) as ledger:
            told = asyncio.run(go(ledger))
            assert [type(each) for each in told if each is not None] in ([StoreError], [])
            put(ledger, request("later"), REPLY)
            assert all(ledger.get(request_id(request(text))) for text in ("0", "5", "later"))
            assert ledger.spent("a").billed in (25, 30)

    def test_an_error_of_the_writing_thread_is_told_to_everybody(self, place, monkeypatch):
        """Whatever ends the thread: calls that wait and calls that come are errors, and nobody hangs."""

        def explode(self, tables, group):
            raise StoreError("planted")

        async def go(ledger):
            calls = [ledger.put(entry(request(str(i))), REPLY) for i in range(3)]
            return await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 30)

        with Ledger(place) as ledger:
            monkeypatch.setattr(Writer, "_results", explode)
            for _ in range(2):
                told = asyncio.run(go(ledger))
                assert {type(each) for each in told} == {StoreError}
                assert "planted" in str(told[0])

    def test_a_budget_counts_what_was_billed_reserved_and_is_owed(self, place):
        """A reservation ends with its answer, is given back, or stands for good; the budget is never passed."""

        async def go(ledger):
            first, second, third = [await ledger.reserve("a", key, 30, 100) for key in "123"]
            with pytest.raises(BudgetExceeded) as refused:
                await ledger.reserve("a", "4", 11, 100)
            assert refused.value.may_fit_later
            await ledger.reserve("another", "4", 100, 100)
            await ledger.release(first)
            await ledger.keep(second)
            assert ledger.spent("a") == Spent(in_flight=30, unknown=30, n_unknown=1)
            await ledger.put(replace(entry(request(), "a"), key="3"), REPLY, 20)
            await ledger.owe("a", "5", 7)
            assert ledger.spent("a") == Spent(billed=20, unknown=37, n_unknown=2)
            with pytest.raises(BudgetExceeded, match=r"2 calls whose bill is unknown") as refused:
                await ledger.reserve("a", "6", 44, 100)
            assert not refused.value.may_fit_later
            await ledger.reserve("a", "6", 43, 100)
            return third

        with Ledger(place) as ledger:
            assert asyncio.run(go(ledger)) > 0
            assert ledger.billed("a", ["3", "4"]) == 20
            assert ledger.billed("b", ["3"]) == ledger.billed("a", []) == 0

    def test_a_batch_is_noted_named_and_ended_once(self, place):
        """Its keys and its worst case are its own while it is open; its end is recorded by whoever is first."""

        async def go(ledger):
            noted = await ledger.note_batch(batch(), [("1", 30), ("2", 30), ("3", 50)], 100)
            assert (noted.keys, noted.nano) == (("1", "2"), 60)
            with pytest.raises(BudgetExceeded) as refused:
                await ledger.note_batch(batch("n"), [("1", 30), ("3", 50)], 100)
            assert refused.value.may_fit_later
            assert ledger.spent("a").in_flight == 60
            await ledger.name_batch("m", "b-1")
            await ledger.drop_batch("m")  # it has a name, so it stays
            (open_one,) = ledger.open_batches("a")
            assert (open_one.batch_id, open_one.keys) == ("b-1", ("1", "2"))
            one, two = (replace(entry(request(key), "a"), key=key) for key in "12")
            lost = TransientError("expired")
            lost.may_be_billed = True
            results = [(one, REPLY, 20, 30), (two, lost, None, 30)]
            return [await ledger.finish_batch("m", results) for _ in range(2)]

        with Ledger(place) as ledger:
            assert asyncio.run(go(ledger)) == [True, False]
            assert ledger.open_batches("a") == []
            assert ledger.spent("a") == Spent(billed=20, unknown=30, n_unknown=1)
            assert ledger.get("1") is not None
            assert ledger.get("2") is None

    def test_what_was_erased_says_nothing_and_keeps_its_price(self, place):
        """Calls that hold a text, or have its provider's id, are emptied; others stay; what was billed stays."""
        text = "Ångström's own words, at length"
        with Ledger(place) as ledger:
            put(ledger, request(f"please sort: {text}"), replace(REPLY, request_id="r1"), 5, "a")
            put(ledger, request("other"), replace(REPLY, text=text, request_id="r2"), 5, "a")
            put(ledger, request("by its id"), replace(REPLY, request_id="r3", text="a\x00b"), 5, "a")
            put(ledger, request("kept"), replace(REPLY, request_id="r4", text="\ud800"), 5, "a")
            with pytest.raises(StoreBusy, match=r"another run uses the ledger"):
                erase(place, Traces([text]), {"r3"})
        assert erase(place, Traces([text]), {"r3"}, dry_run=True) == 3
        assert erase(place, Traces([text]), {"r3"}) == 3
        assert erase(place, Traces([text]), {"r3"}) == 0
        with Ledger(place) as ledger:
            assert ledger.spent("a").billed == 20
            assert [ledger.get(request_id(request(text))) is None for text in ("other", "by its id", "kept")] == [
                *(True, True, False)
            ]
        said = [" ".join(map(str, row)) for row in rows(place, "select request, response, attempts from calls")]
        assert len(said) == 4
        assert not any("ngstr" in one or '"r3"' in one for one in said)

    def test_a_claim_ends_with_its_lease(self, place, monkeypatch):
        """Of a process on another machine nothing is seen: its claim holds while it renews its lease, and no longer."""
        with Ledger(place) as theirs:
            monkeypatch.setattr(leases, "_place", lambda: "elsewhere")
            assert asyncio.run(theirs.claim("k", AT))
            with Ledger(place) as ours:
                ours._owner = ours._owner.replace("elsewhere", "here")
                assert not asyncio.run(ours.claim("k", AT))
                monkeypatch.setattr(leases, "LEASE_S", 0.0)
                monkeypatch.setattr(leases, "_place", lambda: "here")
                assert asyncio.run(ours.claim("k", AT))

    def test_a_place_is_written_as_people_write_it(self, place):
        """What `place_of` makes of a written place is that place."""
        assert place_of(str(place)) == place
