"""The one retry layer: which errors, how long to wait, when to give up, every attempt kept.

The SDKs' own retries are off, so nothing multiplies. A pause that the server names is obeyed up to
the item's deadline; without one it doubles, with jitter, so that workers do not return in
step.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from harness.errors import Interrupted, ProviderError
from harness.ground.waiting import pause
from harness.types import Attempt

if TYPE_CHECKING:
    from random import Random

    from harness.ground.clock import Clock
    from harness.types import Provider, Request, Response

TOO_FAST = 429


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an item is tried for: outages, seconds in all, and the pauses between."""

    attempts: int = 6
    deadline_s: float = 120.0
    first_pause_s: float = 0.5
    longest_pause_s: float = 20.0


class Retrying:
    """A provider that is asked again after an outage. `rng` draws the jitter."""

    def __init__(self, provider: Provider, clock: Clock, rng: Random, patience: Patience | None = None) -> None:
        self._provider = provider
        self._clock = clock
        self._rng = rng
        self._patience = patience or Patience()

    async def send(self, request: Request) -> Response:
        """The reply, with all attempts; or the last error, with all attempts."""
        tries = _Tries(self._clock, self._clock.monotonic())
        try:
            response = await self._ask_until_answered(tries, request)
        except ProviderError as error:
            error.attempts = tuple(tries.made)
            raise
        waited_s = tries.elapsed_s() - (response.latency_s or 0.0)
        return replace(response, attempts=(*tries.made, Attempt(200, response.latency_s)), waited_s=max(waited_s, 0.0))

    async def _ask_until_answered(self, tries: _Tries, request: Request) -> Response:
        while True:
            try:
                return await tries.send(self._provider, request)
            except ProviderError as error:
                pause_s = self._pause_s(len(tries.made), error)
                if not error.retryable or self._is_last(tries, pause_s):
                    raise
                try:
                    await pause(self._clock, pause_s)
                except Interrupted:  # what came of the tries so far is more than that somebody stopped
                    raise error from None

    def _is_last(self, tries: _Tries, pause_s: float) -> bool:
        """True when there are no attempts left, or no time for the next one.

        A 429 says that we were too fast, not that this item cannot be answered: only time limits those.
        """
        is_late = tries.elapsed_s() + pause_s >= self._patience.deadline_s
        outages = sum(attempt.status != TOO_FAST for attempt in tries.made)
        return is_late or outages >= self._patience.attempts

    def _pause_s(self, failures: int, error: ProviderError) -> float:
        asked_s: float | None = getattr(error, "retry_after_s", None)
        # A server that says 0 has still said "too fast": the usual pause is the least.
        doubled_s = self._patience.first_pause_s * 2 ** (failures - 1)
        usual_s: float = min(doubled_s, self._patience.longest_pause_s) * self._rng.uniform(0.75, 1.25)
        return max(usual_s, asked_s or 0.0)


@dataclass(slots=True)
class _Tries:
    """The failed attempts at one request, each with its own duration."""

    clock: Clock
    start_s: float
    made: list[Attempt] = field(default_factory=list)

    async def send(self, provider: Provider, request: Request) -> Response:
        began_s = self.clock.monotonic()
        try:
            return await provider.send(request)
        except ProviderError as error:
            self.made.append(Attempt(error.status, self.clock.monotonic() - began_s, str(error), error.reply))
            raise

    def elapsed_s(self) -> float:
        return self.clock.monotonic() - self.start_s
