"""The one retry layer: which errors, how long to wait, when to give up, every attempt kept.

The SDKs' own retries are off, so nothing multiplies. A pause that the server names is obeyed up to
the item's deadline; without one the wait doubles, with jitter, so that workers do not return in
step.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from harness.errors import ProviderError
from harness.types import Attempt

if TYPE_CHECKING:
    from random import Random

    from harness.clock import Clock
    from harness.types import Provider, Request, Response


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an item is tried for: attempts, seconds in all, and the waits between."""

    attempts: int = 6
    deadline_s: float = 120.0
    first_wait_s: float = 0.5
    longest_wait_s: float = 20.0


class Retrying:
    """A provider that is asked again after an outage. `rng` draws the jitter."""

    def __init__(self, provider: Provider, clock: Clock, rng: Random, patience: Patience | None = None) -> None:
        self._provider = provider
        self._clock = clock
        self._rng = rng
        self._patience = patience or Patience()

    async def send(self, request: Request) -> Response:
        """The reply, with all attempts; or the last error, with all attempts."""
        tries = _Tries(self._clock)
        retrying = AsyncRetrying(
            sleep=self._clock.sleep,
            retry=retry_if_exception(lambda error: isinstance(error, ProviderError) and error.retryable),
            wait=self._wait_s,
            stop=lambda state: self._is_over(state, tries),
            reraise=True,
        )
        try:
            response: Response = await retrying(tries.send, self._provider, request)
        except ProviderError as error:
            error.attempts = tuple(tries.made)
            raise
        return replace(response, attempts=(*tries.made, Attempt(200, response.latency_s)))

    def _wait_s(self, state: RetryCallState) -> float:
        asked_s: float | None = getattr(_error(state), "retry_after_s", None)
        # A server that says 0 has still said "too fast": the usual wait is the least.
        doubled_s = self._patience.first_wait_s * 2 ** (state.attempt_number - 1)
        usual_s: float = min(doubled_s, self._patience.longest_wait_s) * self._rng.uniform(0.75, 1.25)
        return max(usual_s, asked_s or 0.0)

    def _is_over(self, state: RetryCallState, tries: _Tries) -> bool:
        """True when there are no attempts left, or no time for the next one."""
        next_at_s = tries.elapsed_s() + self._wait_s(state)
        return state.attempt_number >= self._patience.attempts or next_at_s >= self._patience.deadline_s


@dataclass(slots=True)
class _Tries:
    """The failed attempts at one request, each with its own duration."""

    clock: Clock
    made: list[Attempt] = field(default_factory=list)
    start_s: float = -1.0

    async def send(self, provider: Provider, request: Request) -> Response:
        began_s = self.clock.monotonic()
        self.start_s = began_s if self.start_s < 0 else self.start_s
        try:
            return await provider.send(request)
        except ProviderError as error:
            self.made.append(Attempt(error.status, self.clock.monotonic() - began_s, str(error)))
            raise

    def elapsed_s(self) -> float:
        return self.clock.monotonic() - self.start_s


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None
