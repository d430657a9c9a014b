"""Tokens to dollars at list price, with the date and the table the price came from.

Prices come from genai-prices, whose table is part of its package and knows when prices changed. Which of
its lists is a provider's is said in the provider's file (`PRICES`), and read there without importing it.
An unknown price is None, never 0. Money is whole nano-dollars, so that sums are exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, lru_cache
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from harness.errors import ConfigError
from harness.ground import plugins
from harness.ground.validation import validated
from harness.ground.workspace import place
from harness.types import Model, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path
    from types import ModuleType

    from harness.types import JSON, ReplyFormat, Request, Response

NANO = 10**9
FRAME_TOKENS = 16  # what a chat format adds to a message, with room to spare
Dollars = Annotated[float, Field(ge=0)]
HALF_HOUR = 30  # in minutes: the finest step in which prices of the table change


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


@dataclass(frozen=True, slots=True)
class PriceList:
    """A provider's list in the price table, as its file declares it.

    `table` is what genai-prices calls the vendor (`PRICES`). `batch` is the share of the list price that
    batches cost, where the vendor's documentation says so for all its models (`BATCH_FACTOR`). With `is_open`
    (`ANY_SERVER`) others speak the same wire, so at another address the list says nothing.
    """

    table: str
    batch: float | None = None
    is_open: bool = False


def price_list(provider: str, at: Path | None = None) -> PriceList | None:
    """The list of a provider; None where its file names none. `at` is where a workspace keeps its own extensions."""
    return _declared_list(provider) if at is None else _read_list(provider, at)


def named(text: str, moment: datetime) -> Model:
    """The model that `VENDOR/MODEL` names, to price another by; `ConfigError` where no list has it."""
    vendor, _, name = text.partition("/")
    priced = [provider for provider in plugins.names("providers") if price_list(provider) is not None]
    if vendor not in priced or not name:
        known = ", ".join(f"{provider}/..." for provider in priced)
        raise ConfigError(f"priced as {text!r}: expected VENDOR/MODEL with a price list, one of {known}")
    model = Model(vendor, name)
    if price(model, Usage(input_fresh=1), moment) is None:
        raise ConfigError(f"priced as {text!r}: {table_name()} lists no price for it; see harness models")
    return model


def price(
    model: Model, usage: Usage, at: datetime, *, batch: bool = False, overrides: Mapping[str, Rates] | None = None
) -> Price | None:
    """The list price of a call at a moment; None when nobody has told us a price.

    A server of one's own (`model.endpoint` set, on an open wire) has the user's price or none: the name it
    serves a model under says nothing about what it charges. A batch has the table's own batch price, else the
    share of the list price that the vendor documents for every model, else none.
    """
    own = (overrides or {}).get(str(model))
    if own is not None:
        return Price(own.usd_nano(usage, batch=batch), "settings")
    prices = price_list(model.provider)
    if prices is None or (model.endpoint and prices.is_open):
        return None
    listed = _looked_up(prices.table, model.name, usage, at, batch=False)
    if listed is None:
        return None
    dollars, factor = listed.total_price, 1.0
    if batch:
        of_batch = _looked_up(prices.table, model.name, usage, at, batch=True)
        if of_batch.model_price != listed.model_price:
            dollars = of_batch.total_price
        elif prices.batch is None:
            return None
        else:
            factor = prices.batch
    return Price(round(dollars * NANO * Decimal(str(factor))), f"{table_name()} at {at:%Y-%m-%d}")


def unpriced(model: Model, *, batch: bool = False) -> str:
    """One line for a model without a price: why it has none, and how to give it one."""
    prices, named_in = price_list(model.provider), place(f'prices."{model}"')
    if prices is not None and prices.is_open and model.endpoint:
        why = f"{model} is asked at {model.endpoint}, which is not the vendor's own address: its price is not known"
    elif prices is None:
        why = f"no price list covers {model.provider}/, so the price of {model} is not known"
    else:
        why = f"{table_name()} lists no {'batch ' if batch else ''}price for {model}"
    return (
        f"{why}; name a model that costs the same with --priced-as VENDOR/MODEL, or set {named_in} with input_fresh "
        f"and output_visible{', and batch' if batch else ''}, in dollars per million tokens"
    )


@dataclass(frozen=True, slots=True)
class Tariff:
    """What the calls of one model cost. `cpu_usd_per_hour` is set for a model that runs on this machine.

    `overrides` holds the user's own prices: rates, or the model that another costs as much as. `priced_as` is
    that model for this run. `reported` reads what the vendor says a call cost, in dollars, out of its usage.
    """

    model: Model
    overrides: Mapping[str, Rates | Model] = field(default_factory=dict)
    cpu_usd_per_hour: float | None = None
    priced_as: Model | None = None
    reported: Callable[[JSON], float | None] | None = None

    def list_nano(self, response: Response, at: datetime) -> int | None:
        """The list price of a reply, in nano-dollars, as if it were asked at that moment; None when unknown."""
        if self.cpu_usd_per_hour is not None:
            return round((response.latency_s or 0.0) * self.cpu_usd_per_hour / 3600 * NANO)
        said = self._reported_nano(response)
        if said is not None:
            return said
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

    def per_million(self, usage: Usage, at: datetime, *, batch: bool = False) -> float | None:
        """What a million tokens like these cost, in dollars; None when it is not known."""
        nano = self._nano(usage, at, batch=batch)
        return None if nano is None else nano / usage.total / 1000

    def unpriced(self, at: datetime, *, batch: bool = False) -> str | None:
        """One line that says why calls have no price, and how to give them one; None when they have one."""
        if self.cpu_usd_per_hour is not None or self._nano(Usage(input_fresh=1), at, batch=batch) is not None:
            return None
        return unpriced(self._listed, batch=batch)

    def _nano(self, usage: Usage, at: datetime, *, batch: bool) -> int | None:
        own = self.overrides.get(str(self.model))
        if self.priced_as is None and isinstance(own, Rates):
            return own.usd_nano(usage, batch=batch)
        # Some prices change with the half hour, and looking one up takes longer than a ledger's answer.
        moment = at.replace(minute=at.minute // HALF_HOUR * HALF_HOUR, second=0, microsecond=0)
        return _listed_nano(self._listed, usage, moment, batch)

    @property
    def _listed(self) -> Model:
        """The model whose list price holds."""
        own = self.overrides.get(str(self.model))
        return self.priced_as or (own if isinstance(own, Model) else self.model)

    def _reported_nano(self, response: Response) -> int | None:
        if self.reported is None or self.priced_as is not None or str(self.model) in self.overrides:
            return None
        said = self.reported(response.raw_usage)
        return None if said is None else round(said * NANO)


def most_tokens_in(request: Request) -> int:
    """An upper bound of a request's input tokens: its bytes, and what frames each message."""
    content = sum(len(message.content.encode("utf-8", "surrogatepass")) for message in request.messages)
    frames = FRAME_TOKENS * (len(request.messages) + 1)
    return content + len((request.reply.schema or "").encode()) + _option_tokens(request.reply) + frames


def _option_tokens(reply: ReplyFormat) -> int:
    """An upper bound of what labels and their descriptions come to, where they are sent as data: each in a frame."""
    if not reply.descriptions:
        return 0
    texts = (*reply.options, *reply.descriptions)
    return sum(len(text.encode("utf-8", "surrogatepass")) + FRAME_TOKENS for text in texts)


def table_name() -> str:
    """The price table and its version."""
    return f"genai-prices {version('genai-prices')}"


def rates(settings: Mapping[str, object], where: str, moment: datetime | None = None) -> dict[str, Rates | Model]:
    """The user's own prices: `[prices."openai/m"]`, dollars per million tokens by bucket.

    Text in place of the table names a model that costs the same, looked up in the lists of that `moment`.
    """
    found: dict[str, Rates | Model] = {}
    for name, value in settings.items():
        if isinstance(value, str) and moment is not None:
            found[name] = named(value, moment)
        else:
            found[name] = validated(Rates, value, f"{where}: prices.{name}")
    return found


@lru_cache(maxsize=65536)
def _listed_nano(model: Model, usage: Usage, at: datetime, batch: bool) -> int | None:
    found = price(model, usage, at, batch=batch)
    return None if found is None else found.usd_nano


def _looked_up(table: str, name: str, usage: Usage, at: datetime, *, batch: bool) -> Any:  # noqa: ANN401
    """What the table's library says of a call; None for a model that it does not know or has no price for."""
    library = _table()
    counted = library.Usage(
        # The table counts every input token here, cached ones included, and every output token likewise.
        input_tokens=usage.input_fresh + usage.cache_read + usage.cache_write,
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write,
        output_tokens=usage.output_visible + usage.reasoning,
        output_reasoning_tokens=usage.reasoning,
    )
    context = {"processing": "batch"} if batch else None
    try:
        found = library.calc_price(
            counted, model_ref=name, provider_id=table, genai_request_timestamp=at, price_context=context
        )
    except LookupError:
        return None
    return found if found.model_price.input_mtok is not None else None


@cache
def _declared_list(provider: str) -> PriceList | None:
    return _read_list(provider, None)


def _read_list(provider: str, at: Path | None) -> PriceList | None:
    said = plugins.constants("providers", provider, at)
    table, batch = said.get("PRICES"), said.get("BATCH_FACTOR")
    if not isinstance(table, str):
        return None
    return PriceList(table, batch if isinstance(batch, float) else None, bool(said.get("ANY_SERVER")))


@cache
def _table() -> ModuleType:
    return import_module("genai_prices")  # late: it costs 150 ms, and local runs never ask


def _or(rate: float | None, otherwise: float) -> float:
    return otherwise if rate is None else rate
