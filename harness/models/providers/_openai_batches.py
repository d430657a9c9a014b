"""OpenAI's Batch API: a file of requests up, a file of results down, half the price, within a day."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from harness.errors import ProviderError, RequestRejected, TransientError
from harness.models.providers import _shapes
from harness.types import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import openai

    from harness.models.providers._sdk import Wire
    from harness.models.providers._shapes import Table
    from harness.types import Request

    Keyed = tuple[str, Request]

PATH: Final = "/v1/chat/completions"
MARK = "harness"  # the metadata key under which a batch carries our mark
ENDED = ("completed", "expired", "cancelled", "failed")
LISTED, MOST_PAGES = 100, 50


class OpenAIBatches:
    """Batches of chat completions. `body` writes a request, `read` a reply."""

    most_requests = 50_000
    most_bytes = 200_000_000

    def __init__(
        self,
        wire: Wire,
        body: Callable[[Request], dict[str, Any]],
        read: Callable[[Table, Request | None, str | None], Response],
    ) -> None:
        self._wire, self._body, self._read = wire, body, read

    def size(self, key: str, request: Request) -> int:
        """The bytes of the request's line."""
        return len(self._line(key, request))

    async def submit(self, requests: Sequence[Keyed], mark: str) -> str:
        """The new batch's id."""
        content = b"".join(self._line(key, request) for key, request in requests)
        client = cast("openai.AsyncOpenAI", self._wire.client)
        sending = client.files.with_raw_response.create(file=(f"{mark}.jsonl", content), purpose="batch")
        file = await self._wire.sent(sending)
        made = await self._wire.post(
            "/batches",
            {
                "input_file_id": self._wire.named(file, "the file of requests"),
                "endpoint": PATH,
                "completion_window": "24h",
                "metadata": {MARK: mark},
            },
        )
        return self._wire.named(made, "the batch")

    async def find(self, mark: str, since_s: float, size: int) -> str | None:  # noqa: ARG002
        """The batch that carries our mark."""
        async for listed in self._wire.listed("/batches", LISTED, "after", MOST_PAGES):
            metadata, made_at_s = listed.get("metadata"), listed.get("created_at")
            if isinstance(metadata, dict) and metadata.get(MARK) == mark:
                return self._wire.named(listed, "the batch")
            if isinstance(made_at_s, int) and made_at_s < since_s - 3600:
                return None  # newest first: what follows is older still
        return None

    async def has_ended(self, batch_id: str) -> bool:
        """Whether it is over; `RequestRejected` for a batch that failed as a whole."""
        batch = await self._wire.get(f"/batches/{batch_id}")
        if batch.get("status") == "failed":
            errors = batch.get("errors")
            listed = errors.get("data") if isinstance(errors, dict) else None
            problems = [each.get("message") for each in listed or [] if isinstance(each, dict)]
            said = "; ".join(str(problem) for problem in problems if problem)[:300] or "no reason given"
            raise RequestRejected(self._wire.hide(f"batch {batch_id} was refused as a whole: {said}"))
        return batch.get("status") in ENDED

    async def results(self, batch_id: str, requests: Mapping[str, Request]) -> Mapping[str, Response | ProviderError]:
        """Replies and errors by key, from the output and the error file; lines of no key by their number."""
        batch = await self._wire.get(f"/batches/{batch_id}")
        found: dict[str, Response | ProviderError] = {}
        for name in (batch.get("output_file_id"), batch.get("error_file_id")):
            if isinstance(name, str) and name:
                async for line in self._wire.lines(f"/files/{name}/content"):
                    if line.strip():
                        key = _shapes.key_of(line) or f"line {len(found)}"
                        found.setdefault(key, self._outcome(line, requests.get(key)))
        return found

    def _line(self, key: str, request: Request) -> bytes:
        line = {"custom_id": key, "method": "POST", "url": PATH, "body": self._body(request)}
        return json.dumps(line).encode() + b"\n"

    def _outcome(self, line: bytes, request: Request | None) -> Response | ProviderError:
        def read(entry: Table) -> Response:
            error, reply = entry.get("error"), entry.get("response")
            if not isinstance(reply, dict):
                if isinstance(error, dict) and error.get("code") == "batch_expired":
                    raise TransientError("batch: the request expired")  # not billed, and worth another try
                raise self._wire.refused_in_batch(error if error else "no reply and no reason", None)
            status = reply.get("status_code")
            if status != 200:
                raise self._wire.refused_in_batch(reply.get("body"), status if isinstance(status, int) else None)
            body = _shapes.table(reply.get("body"), "the reply")
            self._wire.refuse_errors(body, None)
            return replace(self._read(body, request, _shapes.name_of(reply.get("request_id"), "") or None), batch=True)

        return self._wire.in_batch(line, read)
