"""`[tool.harness.spread]`: where work is done that needs no model: in this process, in others, or on a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field


@dataclass(frozen=True, slots=True)
class Spread:
    """Who does the work. `executor` None: each command as it is best on one machine.

    `address` is that of a Ray cluster that runs (`HOST:PORT`, `ray://HOST:PORT`, or `auto`); `workers` how many do
    something at once (None: one a core).
    """

    executor: Literal["inline", "processes", "ray"] | None = None
    address: str | None = None
    workers: Annotated[int, Field(ge=1)] | None = None
