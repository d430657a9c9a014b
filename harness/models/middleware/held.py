"""Nothing is sent on a claim that another process has taken over meanwhile.

A process that was stopped for longer than its lease (a container that is frozen, a laptop that is shut) looks dead to
the others: they ask what it had claimed. When it goes on, what it sent before comes back, and is kept; what still
waited for its turn must not be sent any more. A claim that is younger than a lease needs no look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import Overtaken
from harness.models.ledger import leases
from harness.models.middleware._claims import claimed

if TYPE_CHECKING:
    from harness.ground.clock import Clock
    from harness.models.ledger import Ledger
    from harness.models.middleware._claims import Claim
    from harness.types import Provider, Request, Response

SURE_S = leases.LEASE_S - 2 * leases.BEAT_S


class Held:
    """A provider that is asked only what this process still has a claim to; `Overtaken` otherwise."""

    def __init__(self, provider: Provider, ledger: Ledger, clock: Clock) -> None:
        self._provider = provider
        self._ledger = ledger
        self._clock = clock

    async def send(self, request: Request) -> Response:
        """The provider's reply; before anything is sent, a claim that may have run out is made anew."""
        claim = claimed.get()
        if claim is not None and abs(self._clock.now().timestamp() - claim.since_s) > SURE_S:
            await self._renew(claim)
        return await self._provider.send(request)

    async def _renew(self, claim: Claim) -> None:
        now = self._clock.now()
        if not await self._ledger.claim(claim.key, now):
            raise Overtaken("another process is asking the same")
        if claim.is_served and await self._ledger.find(claim.key) is not None:
            raise Overtaken("another process has been answered")
        claim.since_s = now.timestamp()
