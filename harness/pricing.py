"""Tokens to dollars at list price, with the date and the table the price came from.

Prices come from genai-prices, whose table is part of its package and knows when prices changed.
An unknown price is None, never 0. Money is whole nano-dollars, so that sums are exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from harness.types import Usage
from harness.validation import validated

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from types import ModuleType

    from harness.types import Model, Request, Response

NANO = 10**9
FRAME_TOKENS = 16  # what a chat format adds to a message, with room to spare
Dollars = Annotated[float, Field(ge=0)]
TABLES = {"openai": "openai", "anthropic": "anthropic", "decision": "openai-decisions"}
"""Our provider names, and what the price table calls them."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a call costs at list price, and as of when by which table."""

    usd_nano: int
    as_of: str

    @property
    def usd(self) -> float:
        """Dollars."""
        return self.usd_nano / NANO


@dataclass(frozen=True, slots=True)
class Rates:
    """Dollars per million tokens by bucket, from the user's settings. Cache buckets default to the input rate."""

    input_fresh: Dollars
    output_visible: Dollars
    cache_read: Dollars | None = None
    cache_write: Dollars | None = None
    reasoning: Dollars | None = None
    batch: Dollars = 1.0

    def usd_nano(self, usage: Usage, *, batch: bool) -> int:
        """What the tokens cost; `batch` applies the batch factor."""
        per_million = (
            usage.input_fresh * self.input_fresh
            + usage.output_visible * self.output_visible
            + usage.cache_read * _or(self.cache_read, self.input_fresh)
            + usage.cache_write * _or(self.cache_write, self.input_fresh)
            + usage.reasoning * _or(self.reasoning, self.output_visible)
        )
        return round(per_million * (self.batch if batch else 1.0) * NANO / 1e6)


def price(
    model: Model, usage: Usage, at: datetime, *, batch: bool = False, overrides: Mapping[str, Rates] | None = None
) -> Price | None:
    """The list price of a call at a moment; None when nobody has told us a price.

    A server of one's own (`model.endpoint` set) has the user's price or none: the name it serves
    a model under says nothing about what it charges.
    """
    own = (overrides or {}).get(str(model))
    if own is not None:
        return Price(own.usd_nano(usage, batch=batch), "settings")
    if model.endpoint or model.provider not in TABLES:
        return None
    table = _table()
    counted = table.Usage(
        # The table counts every input token here, cached ones included.
        input_tokens=usage.input_fresh + usage.cache_read + usage.cache_write,
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write,
        output_tokens=usage.output_visible + usage.reasoning,
    )
    try:
        found = table.calc_price(
            counted,
            model_ref=model.name,
            provider_id=TABLES[model.provider],
            genai_request_timestamp=at,
            price_context={"processing": "batch"} if batch else None,
        )
    except LookupError:
        return None
    return Price(round(found.total_price * NANO), f"{table_name()} at {at:%Y-%m-%d}")


@dataclass(frozen=True, slots=True)
class Tariff:
    """What the calls of one model cost. `cpu_usd_per_hour` is set for a model that runs on this machine."""

    model: Model
    overrides: Mapping[str, Rates] = field(default_factory=dict)
    cpu_usd_per_hour: float | None = None

    def list_nano(self, response: Response, at: datetime) -> int | None:
        """The list price of a reply, in nano-dollars, as if it were asked at that moment; None when unknown."""
        if self.cpu_usd_per_hour is not None:
            return round((response.latency_s or 0.0) * self.cpu_usd_per_hour / 3600 * NANO)
        return None if response.usage is None else self._nano(response.usage, at, batch=False)

    def billed_nano(self, response: Response, at: datetime) -> int | None:
        """What the provider charges for a reply: the list price, or the batch price of a batch's reply."""
        if not response.batch or response.usage is None:
            return self.list_nano(response, at)
        return self._nano(response.usage, at, batch=True)

    def worst_nano(self, request: Request, at: datetime, *, batch: bool = False) -> int | None:
        """The most that a request can cost; None when the model has no price.

        No token is shorter than a byte, and no reply (thoughts included) longer than `max_tokens`.
        """
        if self.cpu_usd_per_hour is not None:
            return 0  # nobody sends a bill for this machine
        most_in, most_out = most_tokens_in(request), request.settings.max_tokens
        kinds = (Usage(input_fresh=most_in, output_visible=most_out), Usage(cache_write=most_in, reasoning=most_out))
        costs = [self._nano(usage, at, batch=batch) for usage in kinds]
        return None if None in costs else max(cost for cost in costs if cost is not None)

    def _nano(self, usage: Usage, at: datetime, *, batch: bool) -> int | None:
        own = self.overrides.get(str(self.model))
        if own is not None:
            return own.usd_nano(usage, batch=batch)
        # Prices change with the day, not with the minute, and looking one up takes longer than a ledger's answer.
        return _listed_nano(self.model, usage, at.replace(minute=0, second=0, microsecond=0), batch)


def most_tokens_in(request: Request) -> int:
    """An upper bound of a request's input tokens: its bytes, and what frames each message."""
    content = sum(len(message.content.encode("utf-8", "surrogatepass")) for message in request.messages)
    return content + len((request.reply.schema or "").encode()) + FRAME_TOKENS * (len(request.messages) + 1)


def table_name() -> str:
    """The price table and its version."""
    return f"genai-prices {version('genai-prices')}"


def rates(settings: Mapping[str, object], where: str) -> dict[str, Rates]:
    """The user's own prices: `[tool.harness.prices."openai/m"]`, dollars per million tokens by bucket."""
    return {name: validated(Rates, table, f"{where}: prices.{name}") for name, table in settings.items()}


@lru_cache(maxsize=65536)
def _listed_nano(model: Model, usage: Usage, at: datetime, batch: bool) -> int | None:
    found = price(model, usage, at, batch=batch)
    return None if found is None else found.usd_nano


@cache
def _table() -> ModuleType:
    return import_module("genai_prices")  # late: it costs 150 ms, and local runs never ask


def _or(rate: float | None, otherwise: float) -> float:
    return otherwise if rate is None else rate
