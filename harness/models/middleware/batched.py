"""Requests through a provider's batch API: half the price, within a day, resumable after a kill.

All requests of a run are submitted ahead, in batches as large as the provider takes. Each batch is
noted in the ledger before it is sent, so whoever comes next, after a kill or in another process,
waits for it instead of paying again. Results are matched by the request's own hash, written into the
ledger, and served from there. A request that expired is submitted anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from harness.errors import BudgetExceeded, ContentRefused, ProviderError, RequestRejected, SetupRejected, TransientError
from harness.ground.ids import request_text, text_id
from harness.models.ledger import Asked, Batch
from harness.models.middleware._refusals import refusal
from harness.types import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.ground.clock import Clock
    from harness.models.ledger import Ledger
    from harness.types import Request

    Keyed = tuple[str, Request]

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
MOST_ROUNDS = 3
MOST_OUTAGES = 8


class BatchApi(Protocol):
    """A provider's batch API. Requests go by the hash that is their key, without its scheme."""

    @property
    def most_requests(self) -> int:
        """How many requests a batch may hold."""
        ...

    @property
    def most_bytes(self) -> int:
        """How large a batch may be."""
        ...

    def size(self, key: str, request: Request) -> int:
        """How many bytes of a batch a request takes."""
        ...

    async def submit(self, requests: Sequence[Keyed], mark: str) -> str:
        """The provider's id of a new batch; `mark` is kept with it where the provider can."""
        ...

    async def find(self, mark: str, since_s: float, size: int) -> str | None:
        """The id of a batch of that size, submitted since then (seconds since 1970) without our learning its name.

        None when it never was.
        """
        ...

    async def has_ended(self, batch_id: str) -> bool:
        """Whether all its results are there."""
        ...

    async def results(self, batch_id: str, requests: Mapping[str, Request]) -> Mapping[str, Response | ProviderError]:
        """What came of each request, by key; one that is missing has expired. `requests` are ours, by key."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """On whose account a batch is, at which prices, and within which budget (nano-dollars)."""

    account: str
    prices_as_of: str
    worst_nano: Callable[[Request], int | None]
    billed_nano: Callable[[Response], int | None]
    budget_nano: int | None = None


class Batched:
    """A provider that answers what `ask_all` has asked ahead. `tell` hears how the batches stand."""

    def __init__(self, api: BatchApi, ledger: Ledger, clock: Clock, terms: Terms, tell: Callable[[str], None]) -> None:
        self._api, self._ledger, self._clock, self._terms, self._tell = api, ledger, clock, terms, tell
        self._bought: set[str] = set()
        self._aside: dict[str, Response] = {}  # answers of this run that the ledger does not serve
        self._failed: dict[str, ProviderError] = {}
        self._rounds: dict[str, int] = {}
        self._refused: BudgetExceeded | None = None

    async def send(self, request: Request) -> Response:
        """The answer that `ask_all` got for a request; raises what became of it otherwise."""
        key = text_id(request_text(request))
        if key in self._failed:
            raise self._failed[key]
        stored = self._aside.get(key) or self._ledger.get(key)
        if stored is None:
            raise self._refused or TransientError(f"{request.model}: the batch brought no answer to this request")
        return replace(stored, cached=key not in self._bought)

    async def ask_all(self, requests: Sequence[Request]) -> None:
        """Have every request answered that the ledger does not answer yet; returns when all have ended."""
        texts = {text_id(text): (text, request) for request in requests for text in [request_text(request)]}
        pause_s, outages = FIRST_PAUSE_S, 0
        while wanted := self._unanswered(texts):
            try:
                is_submitted = await self._submit(wanted)
                if await self._collect(texts) or is_submitted:
                    outages = 0  # to find that a batch was never made is no sign that the next one will be
            except ProviderError as error:
                outages += 1
                if not error.retryable or outages >= MOST_OUTAGES:
                    raise
                self._tell(f"batch: {error}; trying again")
            if self._refused is not None and not self._ledger.open_batches(self._terms.account):
                return
            if self._unanswered(texts):
                await self._clock.sleep(pause_s)
                pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)

    def _unanswered(self, texts: Mapping[str, tuple[str, Request]]) -> dict[str, Request]:
        return {
            key: request
            for key, (_, request) in texts.items()
            if key not in self._failed and key not in self._aside and self._ledger.get(key) is None
        }

    async def _submit(self, wanted: Mapping[str, Request]) -> bool:
        """Whether a batch was taken by the provider."""
        is_submitted = False
        taken = {key for batch in self._ledger.open_batches(self._terms.account) for key in batch.keys}
        for part in self._parts([(key, request) for key, request in wanted.items() if key not in taken]):
            worst = [(key, self._terms.worst_nano(request) or 0) for key, request in part]
            fresh = Batch(uuid4().hex, self._terms.account, None, (), 0, self._clock.now().timestamp(), is_orphan=False)
            try:
                batch = await self._ledger.note_batch(fresh, worst, self._terms.budget_nano)
            except BudgetExceeded as refused:
                self._refused = refused
                return is_submitted
            if batch.keys:
                batch_id = await self._api.submit([(_bare(key), wanted[key]) for key in batch.keys], batch.mark)
                await self._ledger.name_batch(batch.mark, batch_id)
                self._tell(f"batch {batch_id}: {len(batch.keys):,} requests submitted; Ctrl-C is safe, it goes on")
                is_submitted = True
        return is_submitted

    def _parts(self, requests: Sequence[Keyed]) -> Iterator[list[Keyed]]:
        part: list[Keyed] = []
        size = 0
        for key, request in requests:
            more = self._api.size(_bare(key), request)
            if part and (len(part) >= self._api.most_requests or size + more > self._api.most_bytes):
                yield part
                part, size = [], 0
            part.append((key, request))
            size += more
        if part:
            yield part

    async def _collect(self, texts: Mapping[str, tuple[str, Request]]) -> bool:
        """Whether the provider told of a batch."""
        is_known = False
        for batch in self._ledger.open_batches(self._terms.account):
            if batch.batch_id is None:
                is_known |= await self._adopt(batch)
            elif not texts.keys().isdisjoint(batch.keys):
                await self._look_at(batch, batch.batch_id, texts)
                is_known = True
        return is_known

    async def _look_at(self, batch: Batch, batch_id: str, texts: Mapping[str, tuple[str, Request]]) -> None:
        requests = {_bare(key): texts[key][1] for key in batch.keys if key in texts}
        try:
            if not await self._api.has_ended(batch_id):
                return
            outcomes = await self._api.results(batch_id, requests)
            if len(requests) < len(batch.keys) and any(one.reply.mode == "choice" for one in requests.values()):
                self._read_ours(batch, outcomes, texts)
            else:
                await self._finish(batch, outcomes, texts)
        except (RequestRejected, SetupRejected) as error:
            # Refused as a whole, or not there any more: it will never end, so it is closed, and whoever asks is told.
            error.may_be_billed = isinstance(error, SetupRejected)
            await self._finish(batch, dict.fromkeys(map(_bare, batch.keys), error), texts)
            raise

    def _read_ours(
        self,
        batch: Batch,
        outcomes: Mapping[str, Response | ProviderError],
        texts: Mapping[str, tuple[str, Request]],
    ) -> None:
        """Take this run's answers, and leave the batch to the larger run that has submitted it.

        What the other replies chose among is not known here, so that their scores would be lost.
        """
        for key in batch.keys:
            if key in texts:
                outcome = outcomes.get(_bare(key)) or self._expired(batch)
                if isinstance(outcome, ContentRefused):
                    outcome = refusal(outcome, texts[key][1], batch=True)
                if isinstance(outcome, ProviderError):
                    self._sort(key, outcome)
                else:
                    self._aside[key] = outcome

    async def _adopt(self, batch: Batch) -> bool:
        """Whether a batch whose submission nobody saw through is there at the provider; else it is forgotten."""
        if not batch.is_orphan:
            return False  # another process is submitting it just now
        batch_id = await self._api.find(batch.mark, batch.at_s, len(batch.keys))
        if batch_id is None:
            await self._ledger.drop_batch(batch.mark)
            return False
        await self._ledger.name_batch(batch.mark, batch_id)
        self._tell(f"batch {batch_id}: found again, {len(batch.keys):,} requests")
        return True

    async def _finish(
        self,
        batch: Batch,
        outcomes: Mapping[str, Response | ProviderError],
        texts: Mapping[str, tuple[str, Request]],
    ) -> None:
        now = self._clock.now()
        results = []
        ours = {_bare(key) for key in batch.keys}
        # A line whose key cannot be read is the answer to one of the requests that have no line.
        strays = [each for key, each in outcomes.items() if key not in ours and isinstance(each, ProviderError)]
        for key in batch.keys:
            text, request = texts.get(key, ("{}", None))  # another run's, of other items
            outcome = outcomes.get(_bare(key)) or (strays.pop() if strays else self._expired(batch))
            if isinstance(outcome, ContentRefused):
                outcome = refusal(outcome, request, batch=True)
            asked = Asked(key, text, now, batch.account, self._terms.prices_as_of)
            billed = None if isinstance(outcome, ProviderError) else self._terms.billed_nano(outcome)
            worst = batch.nano // len(batch.keys) if request is None else self._terms.worst_nano(request)
            results.append((asked, outcome, billed, worst))
        if await self._ledger.finish_batch(batch.mark, results):
            for asked, outcome, _, _ in results:
                self._sort(asked.key, outcome)
            answered = sum(not isinstance(outcome, ProviderError) for _, outcome, _, _ in results)
            self._tell(f"batch {batch.batch_id}: ended, {answered:,} of {len(results):,} answered")

    def _expired(self, batch: Batch) -> TransientError:
        return TransientError(f"batch {batch.batch_id}: the request expired")

    def _sort(self, key: str, outcome: Response | ProviderError) -> None:
        if not isinstance(outcome, ProviderError):
            self._bought.add(key)
            if not outcome.text and outcome.finish != "refusal":
                self._aside[key] = outcome
            return
        self._rounds[key] = self._rounds.get(key, 0) + 1
        if not outcome.retryable or self._rounds[key] >= MOST_ROUNDS:
            self._failed[key] = outcome


def _bare(key: str) -> str:
    """The key without its scheme: 64 characters, all that a `custom_id` may have."""
    return key.rpartition(":")[2]
