"""What a search may still spend. What the end needs is kept back, so that a search never ends without its answer.

It reckons with what the ledger has billed for the questions asked so far, in their order, never with the account's
whole: so a search that begins again decides as it did before.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum
from typing import TYPE_CHECKING

from harness.models.pricing import NANO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.models.stack import Stack

MARGIN = 1.2  # over what questions have cost on the average: later prompts are longer


@dataclass(frozen=True, slots=True)
class Outlook:
    """Likely costs of one question and of one proposal, and worst cases; 0 for what has no price.

    `most_asks` and `most_proposals` bound the calls, `worst_usd` what they can cost; None without a price.
    `spare_usd` is the worst case of the dearest call as it will probably be.
    """

    ask_usd: float
    proposal_usd: float
    first_asks: int
    end_asks: int
    most_asks: int
    most_proposals: int
    worst_usd: float | None
    spare_usd: float


class LedgerPurse:
    """One budget for questions and proposals; without one everything fits in.

    What one costs is as in the outlook until it is known. The budget has to hold the worst case of a call before it is
    made.
    """

    def __init__(self, model: Stack, budget_usd: float | None, outlook: Outlook) -> None:
        self._model, self._budget_usd, self._outlook = model, budget_usd, outlook
        self._seen: set[str] = set()
        self._spent_nano = self._proposed_nano = 0
        self._asks_usd: list[float] = []
        self._proposals = 0

    @property
    def spent_usd(self) -> float:
        """What was billed so far."""
        return self._spent_nano / NANO

    def note_asks(self, keys: Sequence[str], costs_usd: Sequence[float | None]) -> None:
        """Questions were asked: their requests, and what the answers cost at list price."""
        self._note(keys)
        self._asks_usd += [cost for cost in costs_usd if cost is not None]

    def note_proposal(self, key: str) -> None:
        """A proposal was asked for."""
        self._proposed_nano += self._note([key])
        self._proposals += 1

    def holds(self, asks: int, proposals: int) -> bool:
        """Whether so many more fit in, with what the end needs."""
        return self._budget_usd is None or self.likely_usd(asks, proposals) <= self._budget_usd

    def likely_usd(self, asks: int, proposals: int) -> float:
        """What will have been spent after so many more, and the end."""
        outlook = self._outlook
        ask_usd = fsum(self._asks_usd) / len(self._asks_usd) if self._asks_usd else outlook.ask_usd
        billed = self._proposed_nano / NANO / self._proposals if self._proposals else 0.0
        more = (asks + outlook.end_asks) * ask_usd + proposals * (billed or outlook.proposal_usd)
        return self.spent_usd + MARGIN * more + outlook.spare_usd

    def _note(self, keys: Sequence[str]) -> int:
        new = [key for key in dict.fromkeys(keys) if key not in self._seen]
        self._seen.update(new)
        nano = self._model.billed_for(new)
        self._spent_nano += nano
        return nano
