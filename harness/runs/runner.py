"""Runs one arm over items: batches, workers, resume, flush, stop. Knows arms and sinks, not what they are.

What is asked is a set difference: the run's items less those the sink holds. Predictions reach
the sink by the thousand or every few seconds, whichever comes first, and always before the run
ends, however it ends.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from harness.errors import Interrupted, RequestRejected, SetupRejected, TransientError
from harness.ground.waiting import stopping
from harness.runs.failures import Failures
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence, Set

    from harness.ground.clock import Clock
    from harness.runs.early import EarlyStop
    from harness.runs.job import Job
    from harness.types import Arm, Item, Prediction

FLUSH_ROWS = 10_000  # a flush opens and closes the store, which takes longer the more there is in it
FLUSH_SECONDS = 2.0
FAILURES_IN_A_ROW = 25
REJECTED_AT_FIRST = 3
PREPARING = "preparing"
REJECTED = f"{RequestRejected.__name__}: "


@dataclass(slots=True)
class Progress:
    """How far a run is, for whoever shows it; sums are over this invocation."""

    total: int
    already: int
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    billed_usd: float | None = 0.0
    sent: int = 0
    cached: int = 0
    retried: int = 0
    failures: Failures = field(default_factory=Failures)
    stage: str = ""  # what is done before the first item is asked

    @property
    def done(self) -> int:
        """Items with a prediction, stored ones included."""
        return self.already + self.outcomes.total()

    @property
    def failed(self) -> int:
        """Items whose call failed in this invocation."""
        return self.outcomes[Outcome.FAILED]

    def count(self, prediction: Prediction) -> None:
        """Add one prediction."""
        self.outcomes[prediction.outcome] += 1
        self.cached += prediction.cached
        if not prediction.cached:
            self.sent += prediction.attempts
            self.retried += max(prediction.attempts - 1, 0)
        if prediction.outcome is Outcome.FAILED:
            self.failures.add(prediction.error)
        else:
            known = self.billed_usd is not None and prediction.billed_usd is not None
            self.billed_usd = self.billed_usd + prediction.billed_usd if known else None  # type: ignore[operator]


class Sink(Protocol):
    """Where predictions go."""

    def done(self, run_id: str) -> set[str]:
        """The ids of the items this run has stored already."""
        ...

    def append(self, run_id: str, predictions: Sequence[Prediction]) -> None:
        """Store predictions; storing one twice changes nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Runner:
    """Carries jobs out. `watch` is told of every step; setting `stop` ends a run after what is in flight."""

    sink: Sink
    clock: Clock
    stop: asyncio.Event
    watch: Callable[[Progress], None]

    async def run(self, job: Job, stored: Set[str] | None = None) -> Progress:
        """The progress of the finished run; all predictions are in the sink when this returns or raises.

        `stored` are the ids of the items that the sink has answers of; None: it is asked.
        Raises `Interrupted` when stopped, and whatever ended the run: a refused key, a spent budget,
        a template's mistake, `FAILURES_IN_A_ROW` outages in a row, or the same rejection for each of the
        first `REJECTED_AT_FIRST` items. Cancelled, it stores what was answered before it goes.
        A job with an early stop also ends, in good order, once no more answers are needed.
        """
        stopping.set(self.stop)
        if stored is None:
            stored = await asyncio.to_thread(self.sink.done, job.run.id)
        todo = [item for item in job.items if item.id not in stored]
        progress = Progress(total=len(job.items), already=len(job.items) - len(todo))
        progress.stage = PREPARING if todo else ""
        self.watch(progress)
        if todo and not _has_enough(job.early) and await self._prepare(job.arm, todo):
            progress.stage = ""
            await self._ask(job, todo, progress)
        if progress.done < progress.total and not _has_enough(job.early):
            raise Interrupted(
                f"stopped with {progress.done} of {progress.total} items stored; the same command goes on from there"
            )
        return progress

    async def _prepare(self, arm: Arm, todo: list[Item]) -> bool:
        """Whether the arm got ready before somebody asked to stop; a batch may take a day."""
        preparing = asyncio.ensure_future(arm.prepare(todo))
        stopping = asyncio.ensure_future(self.stop.wait())
        await asyncio.wait({preparing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (preparing, stopping):
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        if preparing.cancelled():
            return False
        preparing.result()  # raises what went wrong
        return True

    async def _ask(self, job: Job, todo: list[Item], progress: Progress) -> None:
        arm, early = job.arm, job.early
        buffer = _Buffer(self.sink, job.run.id, self.clock)
        ending = _Ending(self.stop)
        # One iterator shared by all workers: a straggler holds one worker, never a chunk.
        batches = (todo[start : start + arm.batch_size] for start in range(0, len(todo), arm.batch_size))

        async def work() -> None:
            for batch in batches:
                try:
                    predictions = await arm.predict(batch)
                except Interrupted:
                    return  # it was not asked yet when somebody asked to stop
                except Exception as error:  # noqa: BLE001  (the batch boundary: whatever went wrong, what
                    ending.because(error)  # other workers are being answered is awaited and stored first)
                    return
                for prediction in predictions:
                    progress.count(prediction)
                    ending.notice(prediction)
                    if early is not None:
                        early.notice(prediction)
                self.watch(progress)
                await buffer.add(predictions)
                if ending.is_near or _has_enough(early):
                    return

        try:
            await asyncio.gather(*(work() for _ in range(min(job.workers, len(todo)))))
        finally:
            await buffer.flush()
        ending.raise_error()


def _has_enough(early: EarlyStop | None) -> bool:
    return early is not None and early.is_over


class _Buffer:
    """Predictions on their way to the sink, which is opened only for moments."""

    def __init__(self, sink: Sink, run_id: str, clock: Clock) -> None:
        self._sink, self._run_id, self._clock = sink, run_id, clock
        self._rows: list[Prediction] = []
        self._flushed_at_s = clock.monotonic()
        self._one_at_a_time = asyncio.Lock()

    async def add(self, rows: Sequence[Prediction]) -> None:
        self._rows.extend(rows)
        waited_s = self._clock.monotonic() - self._flushed_at_s
        if len(self._rows) >= FLUSH_ROWS or waited_s >= FLUSH_SECONDS:
            await self.flush()

    async def flush(self) -> None:
        async with self._one_at_a_time:
            rows, self._rows = self._rows, []
            self._flushed_at_s = self._clock.monotonic()
            if rows:
                await asyncio.to_thread(self._sink.append, self._run_id, rows)


class _Ending:
    """Why a run should end before its items do: somebody asked, an error, or too many outages."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop
        self._error: Exception | None = None
        self._outages_in_a_row = 0
        self._seen: Counter[str | None] = Counter()  # outcomes, by the error of those that failed

    @property
    def is_near(self) -> bool:
        return self._stop.is_set() or self._error is not None

    def because(self, error: Exception) -> None:
        self._error = self._error or error

    def notice(self, prediction: Prediction) -> None:
        failed = prediction.outcome is Outcome.FAILED
        self._outages_in_a_row = self._outages_in_a_row + 1 if failed else 0
        self._seen[prediction.error if failed else None] += 1
        if self._outages_in_a_row >= FAILURES_IN_A_ROW:
            in_a_row = f"{self._outages_in_a_row} requests in a row failed"
            self.because(TransientError(f"{in_a_row}, the last with: {prediction.error}"))
        elif failed and self._is_the_only_answer(str(prediction.error)):
            said = str(prediction.error).partition(": ")[2]
            self.because(SetupRejected(f"the first {REJECTED_AT_FIRST} requests were all rejected: {said}"))

    def _is_the_only_answer(self, error: str) -> bool:
        """Whether nothing but this rejection has come of the run, so that it is not for what one item says."""
        return error.startswith(REJECTED) and len(self._seen) == 1 and self._seen[error] >= REJECTED_AT_FIRST

    def raise_error(self) -> None:
        if self._error is not None:
            raise self._error
