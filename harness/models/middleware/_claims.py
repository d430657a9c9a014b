"""The claim that a call is made on: whoever claims notes it, and whoever sends looks at it."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Claim:
    """A request that is claimed, since when (in seconds since 1970), and whether another's answer to it would do."""

    key: str
    since_s: float
    is_served: bool


claimed: ContextVar[Claim | None] = ContextVar("claimed", default=None)
