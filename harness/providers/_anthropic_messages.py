"""The wire of Anthropic's models: a request as the SDK takes it, a reply as the engine knows it.

Since API version 2026-10-21 a request with `temperature` or `top_p` is rejected, whatever their
value, and the SDK has no such parameters. A prompt's own are therefore not sent here.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import anthropic

from harness.clock import SystemClock
from harness.providers import _sdk
from harness.providers._anthropic_batches import AnthropicBatches
from harness.redaction import Redactor
from harness.types import Response, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.errors import ProviderError
    from harness.types import JSON, Model, Request

# The shortest prefix that is ever cached, in tokens; whoever is not named has the newer models' minimum.
SHORTEST_CACHED = {
    "claude-haiku-4-5": 4096,
    "claude-opus-4-5": 4096,
    "claude-opus-4-6": 4096,
    "claude-opus-4-7": 2048,
    "claude-opus-4-8": 1024,
    "claude-sonnet-4-5": 1024,
    "claude-sonnet-4-6": 1024,
    "claude-sonnet-5": 1024,
}
NEWER_SHORTEST = 512
BYTES_PER_TOKEN = 3  # fewer than in English text: a mark on too short a prefix does no harm, a missing one costs


class Messages:
    """A connection to a model; `secrets` are its key and its token, either of which may be empty."""

    key = "ANTHROPIC_API_KEY"  # where its key comes from, named when it is refused

    def __init__(self, model: Model, address: str, secrets: tuple[str, str], timeout_s: float) -> None:
        self.model = model
        self._client = self._connected(address, secrets, timeout_s)
        self._hide = Redactor(secrets)
        self._clock = SystemClock()
        self._last_system = ""

    async def send(self, request: Request) -> Response:
        """The model's reply, its usage in disjoint buckets, and how long this one call took."""
        body = _parameters(request)
        self._mark(body)
        start_s = self._clock.monotonic()
        try:
            reply = await _sdk.post(self._client, "/v1/messages", body)
        except anthropic.APIError as error:
            raise self._said(error) from None
        latency_s = self._clock.monotonic() - start_s
        payload = _sdk.payload(reply, str(self.model))
        return self._response(payload, latency_s, reply.headers.get("request-id"))

    def _connected(self, address: str, secrets: tuple[str, str], timeout_s: float) -> anthropic.AsyncAnthropic:
        key, token = secrets
        by_token = bool(token and not key)
        return anthropic.AsyncAnthropic(
            api_key=None if by_token else key or "none",
            auth_token=token if by_token else None,
            base_url=address,
            timeout=timeout_s,
            max_retries=0,
            http_client=anthropic.DefaultAioHttpClient(timeout=timeout_s),
        )

    def batches(self) -> AnthropicBatches | None:
        """The provider's batch API, for the same model."""
        return AnthropicBatches(self._client, _parameters, self._batch_reply, self._said)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _mark(self, body: dict[str, Any]) -> None:
        """Ask for the system message to be cached, from its second use on, where it is long enough.

        Writing to the cache costs more than reading plainly, so a prefix that is not repeated is not marked.
        """
        system = body.get("system", "")
        is_repeated, self._last_system = system == self._last_system, system
        if is_repeated and len(system.encode()) / BYTES_PER_TOKEN >= shortest_cached(self.model.name):
            body["system"] = [{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}]

    def _said(self, error: Exception) -> ProviderError:
        return _sdk.translated(error, anthropic, str(self.model), self.key, self._hide, self._clock)

    def _batch_reply(self, payload: Mapping[str, Any], request_id: str | None, _request: Request | None) -> Response:
        return replace(self._response(payload, None, request_id), batch=True)

    def _response(self, payload: Mapping[str, Any], latency_s: float | None, request_id: str | None) -> Response:
        parts = [part.get("text", "") for part in payload.get("content") or [] if part.get("type") == "text"]
        reason, usage = payload.get("stop_reason"), payload.get("usage")
        return Response(
            text=self._hide("".join(parts)),
            finish="refusal" if reason == "refusal" else "length" if reason == "max_tokens" else "stop",
            usage=None if not usage else usage_of(usage),
            raw_usage=usage,
            latency_s=latency_s,
            answered_by=str(payload.get("model") or self.model.name),
            request_id=request_id,
        )


def usage_of(usage: Mapping[str, JSON]) -> Usage:
    """Disjoint buckets: `input_tokens` excludes cache reads and writes, `output_tokens` includes thinking."""
    thinking = _sdk.number(usage, "output_tokens_details", "thinking_tokens")
    return Usage(
        input_fresh=_sdk.number(usage, "input_tokens"),
        cache_read=_sdk.number(usage, "cache_read_input_tokens"),
        cache_write=_sdk.number(usage, "cache_creation_input_tokens"),
        output_visible=max(_sdk.number(usage, "output_tokens") - thinking, 0),
        reasoning=thinking,
    )


def shortest_cached(model: str) -> int:
    """The shortest prefix that a model caches, in tokens."""
    # A dated name, such as claude-haiku-4-5-20251001, is the same model; claude-sonnet-5-5 is not claude-sonnet-5.
    return SHORTEST_CACHED.get(re.sub(r"-\d{8}$", "", model), NEWER_SHORTEST)


def _parameters(request: Request) -> dict[str, Any]:
    settings, reply = request.settings, request.reply
    output: dict[str, Any] = {}
    if settings.reasoning_effort:
        output["effort"] = settings.reasoning_effort
    if reply.mode == "json" and reply.schema:
        output["format"] = {"type": "json_schema", "schema": json.loads(reply.schema)}
    parameters = {
        "model": request.model.name,
        "max_tokens": settings.max_tokens,
        "system": "\n\n".join(m.content for m in request.messages if m.role == "system") or None,
        "messages": [{"role": m.role, "content": m.content} for m in request.messages if m.role != "system"],
        "stop_sequences": list(settings.stop) or None,
        "output_config": output or None,
    }
    return {name: value for name, value in parameters.items() if value is not None}
