"""Anthropic's Message Batches API: requests up in one call, results streamed down, half the price."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anthropic

from harness.errors import ProviderError, RequestRejected, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.types import Request, Response

    Keyed = tuple[str, Request]

LISTED = 100
CLOCKS_APART_S = 60.0
FINAL = ("invalid_request_error", "not_found_error", "permission_error", "request_too_large")


class AnthropicBatches:
    """Batches of messages. `body` writes a request, `read` a reply, `said` an SDK's error."""

    most_requests = 100_000
    most_bytes = 256_000_000

    def __init__(
        self,
        client: anthropic.AsyncAnthropic,
        body: Callable[[Request], dict[str, Any]],
        read: Callable[[Mapping[str, Any], str | None, Request | None], Response],
        said: Callable[[Exception], ProviderError],
    ) -> None:
        self._client, self._body, self._read, self._said = client, body, read, said

    def size(self, key: str, request: Request) -> int:
        """The bytes of the request in the batch's body."""
        return len(json.dumps(self._entry(key, request)).encode()) + 1

    async def submit(self, requests: Sequence[Keyed], mark: str) -> str:  # noqa: ARG002
        """The new batch's id. The API keeps no mark of ours."""
        entries: list[Any] = [self._entry(key, request) for key, request in requests]
        try:
            batch = await self._client.messages.batches.create(requests=entries)
        except anthropic.APIError as error:
            raise self._said(error) from None
        return batch.id

    async def find(self, mark: str, since_s: float, size: int) -> str | None:  # noqa: ARG002
        """The oldest batch made since ours was noted, with as many requests.

        There is no mark to know it by. Its results are matched by key all the same: should it be
        another's, they match nothing, and the requests are submitted again.
        """
        found = None
        try:
            async for listed in self._client.messages.batches.list(limit=LISTED):
                if listed.created_at.timestamp() < since_s - CLOCKS_APART_S:
                    break  # newest first: what follows is older still
                if sum(count for count in listed.request_counts.model_dump().values() if count) == size:
                    found = listed.id
        except anthropic.APIError as error:
            raise self._said(error) from None
        return found

    async def has_ended(self, batch_id: str) -> bool:
        """Whether every request has a result."""
        try:
            batch = await self._client.messages.batches.retrieve(batch_id)
        except anthropic.APIError as error:
            raise self._said(error) from None
        return batch.processing_status == "ended"

    async def results(self, batch_id: str, requests: Mapping[str, Request]) -> Mapping[str, Response | ProviderError]:
        """Replies and errors by key."""
        try:
            stream = await self._client.messages.batches.results(batch_id)
            return {
                entry.custom_id: self._outcome(entry.result.model_dump(mode="json"), requests.get(entry.custom_id))
                async for entry in stream
            }
        except anthropic.APIError as error:
            raise self._said(error) from None

    def _entry(self, key: str, request: Request) -> dict[str, Any]:
        return {"custom_id": key, "params": self._body(request)}

    def _outcome(self, result: Mapping[str, Any], request: Request | None) -> Response | ProviderError:
        if result["type"] == "succeeded":
            return self._read(result["message"], None, request)
        if result["type"] != "errored":  # expired or canceled: not billed, and worth another try
            return TransientError(f"batch: the request {result['type']}")
        error = (result.get("error") or {}).get("error") or {}
        said = f"batch: {error.get('type')}: {error.get('message')}"[:300]
        return RequestRejected(said) if error.get("type") in FINAL else TransientError(said)
