"""A cap on what an account may cost: the worst case is reserved before a call, and settled after it.

Because every call under way is counted at its worst case, the cap holds however many are under way
at once, in however many processes. What turns out cheaper is given back, so near the cap calls wait
for those before them rather than give up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.errors import BudgetExceeded, Interrupted, ProviderError
from harness.ground.ids import request_id
from harness.ground.waiting import pause

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.ground.clock import Clock
    from harness.models.ledger import Ledger
    from harness.types import Provider, Request, Response

LOOK_AGAIN_S = 0.1


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that an account may be billed, in nano-dollars, over all its runs and processes; None is no limit.

    A call waits for those under way that keep it from fitting at most `longest_wait_s`.
    """

    account: str
    nano: int | None
    longest_wait_s: float = 120.0


class Budgeted:
    """A provider that is asked only when the budget holds the call's worst case.

    `worst_nano` gives that worst case. The reservation ends when the ledger records the answer.
    """

    def __init__(
        self, provider: Provider, ledger: Ledger, clock: Clock, budget: Budget, worst_nano: Callable[[Request], int]
    ) -> None:
        self._provider = provider
        self._ledger = ledger
        self._clock = clock
        self._budget = budget
        self._worst_nano = worst_nano

    async def send(self, request: Request) -> Response:
        """The provider's reply; `BudgetExceeded` before anything is sent."""
        if self._budget.nano is None:
            return await self._send_unlimited(request)
        held = await self._reserve(request, self._budget.nano)
        try:
            return await self._provider.send(request)
        except ProviderError as error:
            await (self._ledger.keep(held) if error.may_be_billed else self._ledger.release(held))
            raise
        except Interrupted:  # while it waited for its turn
            await self._ledger.release(held)
            raise
        except Exception:  # a mistake of ours: nobody knows how far it came
            await self._ledger.keep(held)
            raise

    async def _send_unlimited(self, request: Request) -> Response:
        """The reply. What may have been billed is noted all the same: a later run may have a budget."""
        try:
            response = await self._provider.send(request)
        except ProviderError as error:
            if error.may_be_billed:
                await self._owe(request)
            raise
        if response.usage is None:
            await self._owe(request)
        return response

    async def _owe(self, request: Request) -> None:
        await self._ledger.owe(self._budget.account, request_id(request), self._worst_nano(request))

    async def _reserve(self, request: Request, budget_nano: int) -> int:
        key, worst_nano = request_id(request), self._worst_nano(request)
        since_s = self._clock.monotonic()
        while True:
            try:
                return await self._ledger.reserve(self._budget.account, key, worst_nano, budget_nano)
            except BudgetExceeded as refused:
                if not refused.may_fit_later or self._clock.monotonic() - since_s > self._budget.longest_wait_s:
                    raise
            await pause(self._clock, LOOK_AGAIN_S)
