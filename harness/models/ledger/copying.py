"""A ledger copied into another, file or server: paid answers, what they cost, what is owed, batches under way.

A call is the same where its content is: what is there stays, and is not billed again. Whoever is killed starts
again, and the copy goes on. Claims and leases stay behind: they say which processes are asking just now, and those
go on with the ledger that they have opened.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConfigError, StoreBusy, StoreError, StoreFull
from harness.ground.clock import SystemClock
from harness.models.ledger import bookings, copied_rows, leases
from harness.models.ledger.comparison import Comparison, ComparisonError
from harness.models.ledger.in_file import check_is_ledger
from harness.models.ledger.ledger import opener
from harness.models.ledger.writing import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from harness.models.ledger.comparison import Side
    from harness.models.ledger.copied_rows import State
    from harness.models.ledger.fingerprints import Fingerprint
    from harness.models.ledger.tables import Tables

COPYING = "harness ledger copy"  # claimed by whoever copies: no request has such a key
ROWS = 200  # of calls, with their texts, in memory at once


@dataclass(frozen=True, slots=True)
class Copied:
    """What a ledger was given. `had` calls stood there before, `erased` of them without their texts in one of the two.

    `beside` answers were paid here and there: the one there is served on, the other is on record. `billed_nano` is
    what the calls that came were billed, `owed` how many came whose bill is unknown; `batches` came, `open_batches`
    of the source are under way. `busy` processes used the source: what they have under way did not come.
    """

    calls: int
    had: int
    erased: int
    beside: int
    billed_nano: int
    owed: int
    batches: int
    open_batches: int
    busy: int


def copy(source: Path | str, target: Path | str, watch: Callable[[int, int], None]) -> Copied:
    """Copy what the target lacks; `watch` hears how many of how many calls are there.

    Raises `ConfigError` where the source is none, or is the target; `StoreBusy` while another copies into it.
    """
    _check(source, target)
    owner = leases.new_owner()
    with closing(opener(source)()) as taken, closing(opener(target)()) as given:
        writer = Writer(opener(target)(), owner)
        try:
            return asyncio.run(_Copy(taken, given, writer, owner, watch).carry_out())
        except ComparisonError as problem:
            raise StoreFull(
                f"the ledgers could not be compared: {problem}; a call takes 500 bytes of the folder for temporary "
                "files (SQLITE_TMPDIR): make room there, and repeat"
            ) from None
        finally:
            writer.close()


def _check(source: Path | str, target: Path | str) -> None:
    places = [place if isinstance(place, str) else place.resolve() for place in (source, target)]
    files = [place for place in places if isinstance(place, Path) and place.exists()]
    if places[0] == places[1] or (len(files) > 1 and files[0].samefile(files[1])):
        raise ConfigError("the same ledger was named twice; one is copied into another")
    if not isinstance(source, str) and not source.exists():
        raise ConfigError(f"there is no ledger {source}; one lies beside its store, as results/calls.sqlite")
    for place in (source, target):
        if not isinstance(place, str):
            check_is_ledger(place)
    if not isinstance(target, str):
        target.parent.mkdir(parents=True, exist_ok=True)


@dataclass(frozen=True, slots=True)
class _Copy:
    """One copy under way: the two ledgers, opened to be read, and what writes the target."""

    source: Tables
    target: Tables
    writer: Writer
    owner: str
    watch: Callable[[int, int], None]

    async def carry_out(self) -> Copied:
        """Copy, and check what came."""
        now_s = SystemClock().now().timestamp()
        if not await self.writer.carry_out(lambda tables: bookings.claim(tables, COPYING, self.owner, now_s)):
            raise StoreBusy(f"{self.target.name}: another copy into it is under way; once that has ended, repeat")
        state, drift = self.source.read(copied_rows.state), self.target.read(copied_rows.drift)
        with Comparison() as calls:
            await _enter(calls, "source", copied_rows.calls_after(self.source, 0))
            await _enter(calls, "target", copied_rows.calls_after(self.target, 0))
            calls.pair()
            n, had, erased = calls.n_lacking(), calls.n_paired(), calls.n_paired(is_erased=True)
            billed_nano, beside = await self._calls(calls, n)
            batches = [await self.writer.carry_out(partial(copied_rows.write_batch, row)) for row in state.batches]
            owed = await self._owed(state)
            await _enter(calls, "target", copied_rows.calls_after(self.target, calls.last("target")))
            calls.pair()
            self._check(calls.n_lacking(), drift)
        await self.writer.carry_out(lambda tables: bookings.disclaim(tables, COPYING, self.owner))
        came, under_way = (sum(flags) for flags in zip(*batches, strict=True)) if batches else (0, 0)
        return Copied(n, had, erased, beside, billed_nano, owed, came, under_way, len(state.living))

    async def _calls(self, calls: Comparison, n: int) -> tuple[int, int]:
        """What the calls that were lacking were billed, and how many of them stand beside another answer."""
        billed_nano = beside = done = 0
        for serves in calls.lacking(ROWS):
            bills: Counter[str] = Counter()
            rows = []
            for *row, number in copied_rows.by_id(self.source, copied_rows.CALLS, serves):
                is_answer = bool(row[copied_rows.SERVABLE])
                row[copied_rows.SERVABLE] = is_answer and serves[number]
                beside += is_answer and not serves[number]
                bills[row[copied_rows.ACCOUNT]] += row[copied_rows.BILLED] or 0
                rows.append(row)
            await self.writer.carry_out(partial(copied_rows.write_calls, rows, +bills))
            billed_nano, done = billed_nano + bills.total(), done + len(rows)
            self.watch(done, n)
        return billed_nano, beside

    async def _owed(self, state: State) -> int:
        """How many calls whose bill is unknown came: they count against the budget at their worst."""
        here, came = self.target.read(copied_rows.living), 0
        with Comparison() as debts:
            await _enter(debts, "source", copied_rows.debts(self.source, state.living))
            await _enter(debts, "target", copied_rows.debts(self.target, here))
            debts.pair()
            for lacking in debts.lacking(copied_rows.DEBTS):
                rows = copied_rows.by_id(self.source, copied_rows.OWED_BY_ID, lacking)
                await self.writer.carry_out(partial(copied_rows.write_debts, rows))
                came += len(rows)
        return came

    def _check(self, n_lacking: int, drift: Mapping[str, int]) -> None:
        """Raise `StoreError` unless every call of the source is in the target, and its accounts add up as before."""
        if n_lacking:
            raise StoreError(f"{self.target.name}: {n_lacking:,} calls are not there as they were sent; repeat")
        now = self.target.read(copied_rows.drift)
        for account in sorted(now.keys() | drift.keys()):
            if now.get(account, 0) != drift.get(account, 0):
                raise StoreError(f"{self.target.name}: the bill of account {account!r} is not the sum of its calls'")


async def _enter(comparison: Comparison, side: Side, blocks: Iterable[list[Fingerprint]]) -> None:
    for block in blocks:
        comparison.add(side, block)
        await asyncio.sleep(0)  # where Ctrl-C is heard
