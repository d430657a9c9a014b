"""OpenAI's Batch API: a file of requests up, a file of results down, half the price, within a day."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import openai

from harness.errors import ProviderError, RequestRejected, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.types import Request, Response

    Keyed = tuple[str, Request]

PATH: Final = "/v1/chat/completions"
MARK = "harness"  # the metadata key under which a batch carries our mark
ENDED = ("completed", "expired", "cancelled", "failed")
LISTED = 100


class OpenAIBatches:
    """Batches of chat completions. `body` writes a request, `read` a reply, `said` an SDK's error."""

    most_requests = 50_000
    most_bytes = 200_000_000

    def __init__(
        self,
        client: openai.AsyncOpenAI,
        body: Callable[[Request], dict[str, Any]],
        read: Callable[[Mapping[str, Any], str | None, Request | None], Response],
        said: Callable[[Exception], ProviderError],
    ) -> None:
        self._client, self._body, self._read, self._said = client, body, read, said

    def size(self, key: str, request: Request) -> int:
        """The bytes of the request's line."""
        return len(self._line(key, request))

    async def submit(self, requests: Sequence[Keyed], mark: str) -> str:
        """The new batch's id."""
        content = b"".join(self._line(key, request) for key, request in requests)
        try:
            file = await self._client.files.create(file=(f"{mark}.jsonl", content), purpose="batch")
            batch = await self._client.batches.create(
                input_file_id=file.id, endpoint=PATH, completion_window="24h", metadata={MARK: mark}
            )
        except openai.APIError as error:
            raise self._said(error) from None
        return batch.id

    async def find(self, mark: str, since_s: float, size: int) -> str | None:  # noqa: ARG002
        """The batch that carries our mark."""
        try:
            async for listed in self._client.batches.list(limit=LISTED):
                if (listed.metadata or {}).get(MARK) == mark:
                    return listed.id
                if listed.created_at < since_s - 3600:
                    return None  # newest first: what follows is older still
        except openai.APIError as error:
            raise self._said(error) from None
        return None

    async def has_ended(self, batch_id: str) -> bool:
        """Whether it is over; `RequestRejected` for a batch that failed as a whole."""
        try:
            batch = await self._client.batches.retrieve(batch_id)
        except openai.APIError as error:
            raise self._said(error) from None
        if batch.status == "failed":
            problems = [problem.message or "" for problem in (batch.errors and batch.errors.data) or []]
            raise RequestRejected(f"batch {batch_id} was refused as a whole: {'; '.join(problems)[:300]}")
        return batch.status in ENDED

    async def results(self, batch_id: str, requests: Mapping[str, Request]) -> Mapping[str, Response | ProviderError]:
        """Replies and errors by key, from the output and the error file."""
        try:
            batch = await self._client.batches.retrieve(batch_id)
            files = [name for name in (batch.output_file_id, batch.error_file_id) if name]
            contents = [(await self._client.files.content(name)).content for name in files]
        except openai.APIError as error:
            raise self._said(error) from None
        lines = [json.loads(line) for content in contents for line in content.splitlines() if line.strip()]
        return {str(line["custom_id"]): self._outcome(line, requests.get(str(line["custom_id"]))) for line in lines}

    def _line(self, key: str, request: Request) -> bytes:
        line = {"custom_id": key, "method": "POST", "url": PATH, "body": self._body(request)}
        return json.dumps(line).encode() + b"\n"

    def _outcome(self, line: Mapping[str, Any], request: Request | None) -> Response | ProviderError:
        reply, error = line.get("response") or {}, line.get("error") or {}
        status = reply.get("status_code")
        if status == 200:
            return self._read(reply.get("body") or {}, reply.get("request_id"), request)
        problem = error or (reply.get("body") or {}).get("error") or {}
        said = f"batch: {problem.get('code') or status}: {problem.get('message') or 'no reason given'}"
        is_final = isinstance(status, int) and 400 <= status < 500 and status not in (408, 409, 429)
        return (RequestRejected if is_final else TransientError)(said[:300], status=status)
