"""What a run would ask and cost, before anything is asked: for `--dry-run`. Sends nothing, stores nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from harness.ground.ids import request_id
from harness.models.middleware.paced import BYTES_PER_TOKEN
from harness.models.pricing import NANO, most_tokens_in
from harness.types import Response, Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from harness.types import Item, Request


class Asking(Protocol):
    """An arm that asks a model, and can say what it would ask."""

    def choose_examples(self, items: Sequence[Item]) -> None:
        """Choose the examples that are shown for each item."""
        ...

    def requests(self, item: Item) -> Sequence[Request]:
        """The requests for one item."""
        ...


@dataclass(frozen=True, slots=True)
class Rates:
    """How requests are looked up and priced; prices are nano-dollars, None for a model without a price."""

    is_known: Callable[[str], bool]
    worst_nano: Callable[[Request], int | None]
    list_nano: Callable[[Response], int | None]


@dataclass(frozen=True, slots=True)
class Forecast:
    """The calls of a run that are still to be made, and their price. Tokens and dollars are of these calls.

    The worst case is a bound: a token per byte going in, the longest permitted reply coming out.
    `likely` takes four bytes a token and the longest label. Dollars are None without a price.
    """

    arm: str
    model: str | None
    items: int
    stored: int
    answered_before: int
    calls: int
    most_tokens_in: int
    most_tokens_out: int
    likely_usd: float | None
    worst_usd: float | None
    likely_tokens_in: int = 0
    likely_tokens_out: int = 0


def of_baseline(arm: str, items: Sequence[Item], stored: Collection[str]) -> Forecast:
    """An arm that asks no model."""
    return Forecast(arm, None, len(items), len(stored), 0, 0, 0, 0, 0.0, 0.0)


def of_prompt(
    name: tuple[str, str], arm: Asking, items: Sequence[Item], stored: Collection[str], rates: Rates
) -> Forecast:
    """An arm that asks: `name` is the arm's and the model's, `stored` the ids of the items the run has already."""
    wanted = [request for item in items if item.id not in stored for request in arm.requests(item)]
    by_key = {request_id(request): request for request in wanted}
    to_send = [request for key, request in by_key.items() if not rates.is_known(key)]
    replies = [likely(request) for request in to_send]
    usages = [reply.usage for reply in replies if reply.usage is not None]
    return Forecast(
        *name,
        items=len(items),
        stored=len(stored),
        answered_before=len(wanted) - len(to_send),
        calls=len(to_send),
        most_tokens_in=sum(most_tokens_in(request) for request in to_send),
        most_tokens_out=sum(request.settings.max_tokens for request in to_send),
        likely_usd=_usd([rates.list_nano(reply) for reply in replies]),
        worst_usd=_usd([rates.worst_nano(request) for request in to_send]),
        likely_tokens_in=sum(usage.input_fresh for usage in usages),
        likely_tokens_out=sum(usage.output_visible for usage in usages),
    )


def likely(request: Request) -> Response:
    """A reply as it will probably be: the longest of the options, or the longest permitted."""
    options = [len(option.encode()) // BYTES_PER_TOKEN + 1 for option in request.reply.options]
    tokens_out = min(max(options, default=request.settings.max_tokens), request.settings.max_tokens)
    usage = Usage(input_fresh=most_tokens_in(request) // BYTES_PER_TOKEN, output_visible=tokens_out)
    return Response("", "stop", usage, None, None, request.model.name)


def _usd(nanos: Sequence[int | None]) -> float | None:
    return None if None in nanos else sum(nano for nano in nanos if nano is not None) / NANO
