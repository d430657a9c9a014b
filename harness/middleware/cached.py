"""Answers from the ledger: what was paid for once is never paid for again.

Identical requests that are under way at the same time share one call. An answer is durable
before it is returned, so a crash can lose only what was in flight.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.errors import ProviderError
from harness.ids import request_id
from harness.types import Attempt

if TYPE_CHECKING:
    from harness.clock import Clock
    from harness.ledger import Ledger
    from harness.types import Provider, Request, Response


class Cached:
    """A provider whose answers are kept. `fresh` asks each request once more, deliberately."""

    def __init__(
        self, provider: Provider, ledger: Ledger, clock: Clock, prices_as_of: str = "", *, fresh: bool = False
    ) -> None:
        self._provider = provider
        self._ledger = ledger
        self._clock = clock
        self._prices_as_of = prices_as_of
        self._fresh = fresh
        self._asked: set[str] = set()
        self._in_flight: dict[str, asyncio.Task[Response]] = {}

    async def send(self, request: Request) -> Response:
        """The stored answer, or the provider's, recorded before it is returned."""
        key = request_id(request)
        if key in self._in_flight:
            return replace(await asyncio.shield(self._in_flight[key]), cached=True)
        stored = None if self._fresh and key not in self._asked else self._ledger.get(key)
        if stored is not None:
            return stored
        task = asyncio.create_task(self._ask(key, request))
        self._in_flight[key] = task
        try:
            # Shielded: the call may be paid for already, so its answer is kept whoever gives up.
            return await asyncio.shield(task)
        finally:
            if task.done():
                self._in_flight.pop(key, None)
            else:
                task.add_done_callback(lambda _: self._in_flight.pop(key, None))

    async def _ask(self, key: str, request: Request) -> Response:
        self._asked.add(key)
        try:
            response = await self._provider.send(request)
        except ProviderError as error:
            attempts = error.attempts or (Attempt(error.status, 0.0, str(error)),)
            await self._ledger.put_failure(key, request, attempts, self._clock.now())
            raise
        await self._ledger.put(key, request, response, self._clock.now(), self._prices_as_of)
        return response
