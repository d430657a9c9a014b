"""Answers from the ledger: what was paid for once is never paid for again.

Identical requests that are under way at the same time share one call: within this process at once,
and between processes by a claim in the ledger. An answer is durable before it is returned, so a
crash can lose only what was in flight.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.errors import ContentRefused, Overtaken, ProviderError, TransientError
from harness.ground.ids import request_text, text_id
from harness.ground.waiting import pause
from harness.models.ledger import Asked
from harness.models.middleware._claims import Claim, claimed
from harness.models.middleware._refusals import refusal
from harness.types import Attempt

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.ground.clock import Clock
    from harness.models.ledger import Ledger
    from harness.types import Provider, Request, Response

LOOK_AGAIN_S = 0.2


@dataclass(frozen=True, slots=True)
class Books:
    """How calls are written into the ledger: on whose account, at whose prices.

    `billed_nano` gives what a reply costs, in nano-dollars, or None when nobody knows. Another process that asks
    the same is waited for at most `longest_wait_s`.
    """

    account: str = ""
    prices_as_of: str = ""
    billed_nano: Callable[[Response], int | None] = lambda _: None
    longest_wait_s: float = 120.0


class Cached:
    """A provider whose answers are kept. `fresh` asks each request once more, deliberately."""

    def __init__(
        self, provider: Provider, ledger: Ledger, clock: Clock, books: Books | None = None, *, fresh: bool = False
    ) -> None:
        self._provider = provider
        self._ledger = ledger
        self._clock = clock
        self._books = books or Books()
        self._fresh = fresh
        self._asked: set[str] = set()
        self._in_flight: dict[str, asyncio.Task[Response]] = {}

    async def send(self, request: Request) -> Response:
        """The stored answer, or the provider's, recorded before it is returned."""
        text = request_text(request)
        key = text_id(text)
        if key in self._in_flight:
            return replace(await asyncio.shield(self._in_flight[key]), cached=True)
        stored = await self._stored(key)
        if stored is not None:
            return stored
        task = asyncio.create_task(self._ask(key, text, request))
        self._in_flight[key] = task
        try:
            # Shielded: the call may be paid for already, so its answer is kept whoever gives up.
            return await asyncio.shield(task)
        finally:
            if task.done():
                self._in_flight.pop(key, None)
            else:
                task.add_done_callback(lambda _: self._in_flight.pop(key, None))

    async def _stored(self, key: str) -> Response | None:
        return None if self._fresh and key not in self._asked else await self._ledger.find(key)

    async def _ask(self, key: str, text: str, request: Request) -> Response:
        while True:
            await self._claim(key)
            # It may have been answered between our look and our claim.
            stored = await self._stored(key)
            if stored is not None:
                await self._ledger.disclaim(key)
                return stored
            try:
                return await self._bought(key, text, request)
            except Overtaken:  # while it waited for its turn: that other one's answer is waited for
                self._asked.discard(key)

    async def _bought(self, key: str, text: str, request: Request) -> Response:
        if self._fresh:
            self._asked.add(key)
        claimed.set(Claim(key, self._clock.now().timestamp(), is_served=not self._fresh))
        try:
            response = await self._provider.send(request)
        except Overtaken:
            raise
        except ContentRefused as error:
            response = refusal(error, request)  # an answer, for good: it is kept and never asked again
        except ProviderError as error:
            attempts = error.attempts or (Attempt(error.status, 0.0, str(error), error.reply),)
            await self._ledger.put_failure(self._entry(key, text), attempts)
            raise
        except Exception:  # a budget's end, a stop or a mistake of ours: nobody asks it any more
            await self._ledger.disclaim(key)
            raise
        await self._ledger.put(self._entry(key, text), response, self._books.billed_nano(response))
        return response

    async def _claim(self, key: str) -> None:
        """Wait until no other process asks the same."""
        since_s = self._clock.monotonic()
        while not await self._ledger.claim(key, self._clock.now()):
            if (waited_s := self._clock.monotonic() - since_s) > self._books.longest_wait_s:
                raise TransientError(
                    f"another process has been asking the same for {waited_s:.0f} s; "
                    "the same command again serves its answer, or asks"
                )
            await pause(self._clock, LOOK_AGAIN_S)

    def _entry(self, key: str, text: str) -> Asked:
        return Asked(key, text, self._clock.now(), self._books.account, self._books.prices_as_of)
