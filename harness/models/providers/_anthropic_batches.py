"""Anthropic's Message Batches API: requests up in one call, results streamed down, half the price."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from harness.errors import ProviderError, TransientError
from harness.models.providers import _shapes
from harness.types import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.models.providers._sdk import Wire
    from harness.models.providers._shapes import Table
    from harness.types import Request

    Keyed = tuple[str, Request]

PATH = "/v1/messages/batches"
LISTED, MOST_PAGES = 100, 50
CLOCKS_APART_S = 60.0


class AnthropicBatches:
    """Batches of messages. `body` writes a request, `read` a reply."""

    most_requests = 100_000
    most_bytes = 256_000_000

    def __init__(
        self,
        wire: Wire,
        body: Callable[[Request], dict[str, Any]],
        read: Callable[[Table, str | None], Response],
    ) -> None:
        self._wire, self._body, self._read = wire, body, read

    def size(self, key: str, request: Request) -> int:
        """The bytes of the request in the batch's body."""
        return len(json.dumps(self._entry(key, request)).encode()) + 1

    async def submit(self, requests: Sequence[Keyed], mark: str) -> str:  # noqa: ARG002
        """The new batch's id. The API keeps no mark of ours."""
        made = await self._wire.post(PATH, {"requests": [self._entry(key, request) for key, request in requests]})
        return self._wire.named(made, "the batch")

    async def find(self, mark: str, since_s: float, size: int) -> str | None:  # noqa: ARG002
        """The oldest batch made since ours was noted, with as many requests.

        There is no mark to know it by. Its results are matched by key all the same: should it be
        another's, they match nothing, and the requests are submitted again.
        """
        found = None
        async for listed in self._wire.listed(PATH, LISTED, "after_id", MOST_PAGES):
            counts, made_at_s = listed.get("request_counts"), _seconds(listed.get("created_at"))
            if made_at_s is not None and made_at_s < since_s - CLOCKS_APART_S:
                break  # newest first: what follows is older still
            if isinstance(counts, dict) and sum(n for n in counts.values() if isinstance(n, int)) == size:
                found = self._wire.named(listed, "the batch")
        return found

    async def has_ended(self, batch_id: str) -> bool:
        """Whether every request has a result."""
        return (await self._wire.get(f"{PATH}/{batch_id}")).get("processing_status") == "ended"

    async def results(self, batch_id: str, requests: Mapping[str, Request]) -> Mapping[str, Response | ProviderError]:  # noqa: ARG002
        """Replies and errors by key; lines of no key by their number."""
        found: dict[str, Response | ProviderError] = {}
        async for line in self._wire.lines(f"{PATH}/{batch_id}/results"):
            if line.strip():
                found.setdefault(_shapes.key_of(line) or f"line {len(found)}", self._wire.in_batch(line, self._outcome))
        return found

    def _entry(self, key: str, request: Request) -> dict[str, Any]:
        return {"custom_id": key, "params": self._body(request)}

    def _outcome(self, entry: Table) -> Response:
        result = _shapes.table(entry.get("result"), "the result")
        kind = result.get("type")
        if kind == "succeeded":
            message = _shapes.table(result.get("message"), "the message")
            self._wire.refuse_errors(message, None)
            return replace(self._read(message, None), batch=True)
        if kind == "errored":
            raise self._wire.refused_in_batch(result.get("error"), None)
        if kind in ("expired", "canceled"):  # not billed, and worth another try
            raise TransientError(f"batch: the request {kind}")
        raise _shapes.UnreadableError("the result is of no known type")


def _seconds(date: object) -> float | None:
    try:
        return datetime.fromisoformat(date).timestamp() if isinstance(date, str) else None
    except ValueError:
        return None
