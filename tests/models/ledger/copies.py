"""What must hold of a copy of a ledger, wherever the two are: a class of tests, for every pair of places."""

import asyncio
import subprocess
import sys
from dataclasses import replace

import pytest

from harness.errors import StoreBusy, StoreError
from harness.ground.ids import request_id
from harness.ground.traces import Traces
from harness.models.ledger import Ledger, Spent, copy, erase
from harness.models.ledger.copying import COPYING, Copied
from harness.types import Attempt
from tests.models.ledger.contract import AT, REPLY, batch, entry, put, request, rows
from tests.processes import HANGS_S

CALLS = (
    "select key, request, response, usage, attempts, prices_as_of, servable, at, account, billed_nano "
    "from calls order by id"
)
SUMS = "select account, cast(sum(billed_nano) as bigint) from calls where billed_nano > 0 group by account order by 1"
ACCOUNTS = "select account, billed_nano from accounts order by 1"


def copied(source, target):
    return copy(source, target, lambda done, n: None)


def fill(place, name="", bill=5):
    """A ledger with everything that one can hold: answers, a re-ask, failures, debts, batches, two accounts."""

    async def go(ledger):
        for i, text in enumerate(("one", "\ud800", "a\x00b", "🙂 ' ; --")):
            await ledger.put(entry(request(text), f"{name}{i % 2}"), replace(REPLY, text=text), bill)
        await ledger.put(entry(request("one"), f"{name}1"), replace(REPLY, text="again"), bill)
        await ledger.put(entry(request("one"), f"{name}1"), replace(REPLY, text=""), None)
        await ledger.put_failure(entry(request("down"), f"{name}0"), (Attempt(500, 0.1, "x"),))
        for _ in range(2):
            await ledger.owe(f"{name}0", "lost", 7)
        await ledger.note_batch(batch(f"{name}open", f"{name}1"), [("b1", 30), ("b2", 30)], None)
        await ledger.name_batch(f"{name}open", "batch-1")
        await ledger.note_batch(batch(f"{name}ended", f"{name}1"), [("b3", 30)], None)
        await ledger.finish_batch(f"{name}ended", [(replace(entry(request(), f"{name}1"), key="b3"), REPLY, bill, 30)])

    with Ledger(place) as ledger:
        asyncio.run(go(ledger))


class CopyContract:
    """A subclass has fixtures `source` and `target`: two places where there is no ledger yet."""

    def test_everything_is_there_once_however_often_it_is_copied(self, source, target):
        """Calls to the letter and in their order, accounts, debts, batches; a second copy brings nothing."""
        fill(source)
        came = copied(source, target)
        assert came == Copied(8, 0, 0, 0, 30, 2, 2, 1, 0)
        assert [*map(tuple, rows(target, CALLS))] == [*map(tuple, rows(source, CALLS))]
        assert copied(source, target) == Copied(0, 8, 0, 0, 0, 0, 0, 1, 0)
        assert copied(target, source) == Copied(0, 8, 0, 0, 0, 0, 0, 1, 0)
        for place in (source, target):
            assert [*map(tuple, rows(place, ACCOUNTS))] == [*map(tuple, rows(place, SUMS))] == [("0", 10), ("1", 20)]
            with Ledger(place) as ledger:
                assert ledger.get(request_id(request("one"))).text == "again"
                assert ledger.spent("0") == Spent(billed=10, unknown=14, n_unknown=2)
                assert ledger.spent("1") == Spent(billed=20, in_flight=60)
                (under_way,) = ledger.open_batches("1")
                assert (under_way.batch_id, under_way.keys, under_way.nano) == ("batch-1", ("b1", "b2"), 60)

    def test_two_ledgers_are_added_up(self, source, target):
        """Money billed is the sum; where both answer a request the one there goes on, and both are billed."""
        fill(source, "s")
        fill(target, "t", bill=3)
        with Ledger(source) as ledger:
            put(ledger, request("both"), replace(REPLY, text="of the source"), 11, "a")
        with Ledger(target) as ledger:
            put(ledger, request("both"), replace(REPLY, text="of the target"), 13, "a")
        came = copied(source, target)
        assert (came.calls, came.had, came.beside, came.billed_nano) == (9, 0, 7, 41)
        assert copied(source, target).calls == 0
        expected = [("a", 24), ("s0", 10), ("s1", 20), ("t0", 6), ("t1", 12)]
        assert [*map(tuple, rows(target, ACCOUNTS))] == [*map(tuple, rows(target, SUMS))] == expected
        back = copied(target, source)
        assert (back.calls, back.had, back.beside) == (9, 9, 7)
        for place, text in ((source, "of the source"), (target, "of the target")):
            with Ledger(place) as ledger:
                assert ledger.get(request_id(request("both"))).text == text
        assert [*map(tuple, rows(source, ACCOUNTS))] == expected

    def test_a_later_answer_of_the_source_takes_the_place_of_its_earlier_one(self, source, target):
        """What was asked anew is served after the next copy; an earlier one that comes late is not."""
        fill(source)
        copied(source, target)
        with Ledger(source) as ledger:
            put(ledger, request("one"), replace(REPLY, text="a third time"), 5, "1")
        assert copied(source, target).calls == 1
        with Ledger(target) as ledger:
            assert ledger.get(request_id(request("one"))).text == "a third time"
        rows(target, "delete from calls where response like ? returning 1", "%again%")
        assert copied(source, target).calls == 1
        with Ledger(target) as ledger:
            assert ledger.get(request_id(request("one"))).text == "a third time"

    def test_what_was_erased_does_not_come_back(self, source, target):
        """It is the same call, whose bill counts once, in whichever of the two it was erased."""
        text = "somebody's own words"
        with Ledger(source) as ledger:
            put(ledger, request("other"), REPLY, 5, "a")
            put(ledger, request(text), REPLY, 6, "a")
        copied(source, target)
        assert erase(target, Traces([text]), set()) == 1
        came = copied(source, target)
        assert (came.calls, came.had, came.erased) == (0, 2, 1)
        assert copied(target, source).calls == 0
        assert [*map(tuple, rows(target, ACCOUNTS))] == [("a", 11)]
        assert not any(text in one[0] for one in rows(target, "select request from calls"))

    def test_a_batch_that_ended_in_one_is_not_waited_for_in_the_other(self, source, target):
        """Its answers come, and it ends; one that ended there stays so."""
        fill(source)
        copied(source, target)
        results = [(replace(entry(request(), "1"), key=key), REPLY, 9, 30) for key in ("b1", "b2")]
        with Ledger(source) as ledger:
            assert asyncio.run(ledger.finish_batch("open", results))
        came = copied(source, target)
        assert (came.calls, came.billed_nano, came.batches, came.open_batches) == (2, 18, 0, 0)
        with Ledger(target) as ledger:
            assert ledger.open_batches("1") == []
            assert ledger.spent("1") == Spent(billed=38)

    def test_what_a_living_process_has_under_way_stays_behind(self, source, target):
        """Claims, reservations, and a batch that is being submitted are its own; what comes of them comes next time."""

        async def go(ledger):
            assert await ledger.claim("k", AT)
            first = await ledger.reserve("a", "k", 10, 100)
            await ledger.note_batch(batch("new", "a"), [("b", 30)], None)
            came = await asyncio.to_thread(copied, source, target)
            assert (came.busy, came.owed, came.batches) == (1, 0, 0)
            await ledger.keep(first)

        with Ledger(source) as ledger:
            asyncio.run(go(ledger))
        with Ledger(target) as ledger:
            assert ledger.spent("a") == Spent()
            assert asyncio.run(ledger.claim("k", AT))
        came = copied(source, target)
        assert (came.busy, came.owed, came.batches, came.open_batches) == (0, 1, 1, 1)
        with Ledger(target) as ledger:
            (noted,) = ledger.open_batches("a")
            assert (noted.batch_id, noted.is_orphan) == (None, True)

    def test_one_copies_at_a_time(self, source, target):
        """Two that copy the same at once would write it twice: the second is told to wait."""
        fill(source)
        with Ledger(target) as ledger:
            assert asyncio.run(ledger.claim(COPYING, AT))
            with pytest.raises(StoreBusy, match=r"another copy into it is under way"):
                copied(source, target)
        assert copied(source, target).calls == 8

    def test_rows_that_come_otherwise_than_they_were_sent_are_told(self, source, target, monkeypatch):
        """Every call is read again, and every account added up."""
        fill(source)
        whole = "harness.models.ledger.copied_rows.write_calls"
        monkeypatch.setattr(whole, lambda sent, bills, tables: None)
        with pytest.raises(StoreError, match=r"8 calls are not there as they were sent"):
            copied(source, target)

    def test_a_copy_that_was_stopped_goes_on(self, source, target):
        """Between two blocks: what came is billed, and the next copy brings the rest, once."""
        fill(source)
        lengthen(source)

        def stop(done, n):
            assert done < n
            raise StoreError("stopped")

        with pytest.raises(StoreError, match="stopped"):
            copy(source, target, stop)
        assert_goes_on(source, target)


def lengthen(place):
    """Five hundred calls more, of the account `a`."""
    columns = "key, request, attempts, servable, at, account, billed_nano"
    one = "('{}', '{{}}', '[]', {}, '{}', 'a', 1)"
    values = ", ".join(one.format(f"k{i}", "false", i) for i in range(500))
    rows(place, f"insert into calls ({columns}) values {values} returning 1")
    rows(place, "insert into accounts values ('a', 500) returning 1")


def assert_goes_on(source, target):
    """A part of the lengthened ledger is there, with its bill; the rest comes, and the two are alike."""
    assert [*map(tuple, rows(target, ACCOUNTS))] == [*map(tuple, rows(target, SUMS))]
    there = rows(target, "select count(*) from calls")[0][0]
    assert 0 < there < 508
    came = copied(source, target)
    assert (came.calls, came.had) == (508 - there, there)
    for statement in (CALLS, ACCOUNTS):
        assert [*map(tuple, rows(target, statement))] == [*map(tuple, rows(source, statement))]


KILLED = """
import os, signal, sys
from harness.models.ledger import copy, place_of
source, target = map(place_of, sys.argv[1:])
copy(source, target, lambda done, n: done < n and os.kill(os.getpid(), signal.SIGKILL))
"""


def kill_in_the_middle(source, target):
    """A copy in a process of its own, which is killed after a block."""
    command = [sys.executable, "-c", KILLED, str(source), str(target)]
    assert subprocess.run(command, check=False, timeout=HANGS_S).returncode == -9
