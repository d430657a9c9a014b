"""No more requests and tokens per minute than the account's tier allows, spread evenly.

Each request takes its share of the minute and the next one waits for its end, so that no minute,
wherever it starts, sees more than was allowed (the leaky bucket of a single place). Tokens are
estimated before a call and put right after it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harness.ground.waiting import go_on, pause

if TYPE_CHECKING:
    from harness.ground.clock import Clock
    from harness.types import Provider, Request, Response

MINUTE_S = 60.0
BYTES_PER_TOKEN = 4  # of English text


class Paced:
    """A provider that is asked at most so often. None is no limit."""

    def __init__(
        self,
        provider: Provider,
        clock: Clock,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
    ) -> None:
        self._provider = provider
        self._clock = clock
        self._s_per_request = MINUTE_S / requests_per_minute if requests_per_minute else 0.0
        self._s_per_token = MINUTE_S / tokens_per_minute if tokens_per_minute else 0.0
        self._next_request_s = self._next_token_s = clock.monotonic()
        self._line = asyncio.Lock()

    async def send(self, request: Request) -> Response:
        """The provider's reply, once it is this request's turn."""
        guess = likely_tokens(request)
        await self._turn(guess)
        response = await self._provider.send(request)
        if response.usage is not None:
            self._next_token_s += (response.usage.total - guess) * self._s_per_token
        return response

    async def _turn(self, tokens: int) -> None:
        # One at a time, so that what a call turns out to have used moves everybody behind it.
        async with self._line:
            while (wait_s := max(self._next_request_s, self._next_token_s) - self._clock.monotonic()) > 0:
                await pause(self._clock, wait_s)
            go_on()  # those behind whom the run was stopped
            now_s = self._clock.monotonic()
            self._next_request_s = now_s + self._s_per_request
            self._next_token_s = now_s + tokens * self._s_per_token


def likely_tokens(request: Request) -> int:
    """About how many tokens a request will use: its text at four bytes a token, and a full reply."""
    content = sum(len(message.content.encode("utf-8", "surrogatepass")) for message in request.messages)
    return content // BYTES_PER_TOKEN + request.settings.max_tokens
