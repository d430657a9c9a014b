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

from harness.ground.redaction import secrets_in
from harness.models.providers import _sdk, _shapes
from harness.models.providers._anthropic_batches import AnthropicBatches
from harness.types import Response, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.models.providers._sdk import AnthropicClient
    from harness.models.providers._shapes import Table
    from harness.types import Model, Request

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

    def __init__(self, model: Model, address: str, secrets: Sequence[str], timeout_s: float) -> None:
        self.model = model
        client = self._client(address, secrets, timeout_s)
        self._wire = _sdk.Wire(anthropic, client, model, self.key, (*secrets, *secrets_in(address)))
        self._last_system = ""

    async def send(self, request: Request) -> Response:
        """The model's reply, its usage in disjoint buckets, and how long this one call took."""
        body = _parameters(request)
        self._mark(body)
        response, latency_s = await self._wire.ask("/v1/messages", body, self._response)
        return replace(response, latency_s=latency_s)

    def batches(self) -> AnthropicBatches | None:
        """The provider's batch API, for the same model."""
        return AnthropicBatches(self._wire, _parameters, self._response)

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.client.close()

    def _mark(self, body: dict[str, Any]) -> None:
        """Ask for the system message to be cached, from its second use on, where it is long enough.

        Writing to the cache costs more than reading plainly, so a prefix that is not repeated is not marked.
        """
        system = body.get("system", "")
        is_repeated, self._last_system = system == self._last_system, system
        if is_repeated and len(system.encode()) / BYTES_PER_TOKEN >= shortest_cached(self.model.name):
            body["system"] = [{"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}]

    def _client(self, address: str, secrets: Sequence[str], timeout_s: float) -> AnthropicClient:
        key, token = secrets
        by_token = bool(token and not key)
        return anthropic.AsyncAnthropic(
            api_key=None if by_token else key or "none",
            auth_token=token if by_token else None,
            **_sdk.options(anthropic, address, timeout_s),
        )

    def _response(self, payload: Table, request_id: str | None) -> Response:
        if "content" not in payload or payload["content"] is None:
            raise _shapes.UnreadableError("the reply has no content")
        reason, usage = payload.get("stop_reason"), payload.get("usage")
        text = _shapes.text_of(payload["content"])
        return Response(
            text=self._wire.hide(text),
            finish="refusal" if reason == "refusal" else "length" if reason == "max_tokens" else "stop",
            usage=_shapes.plausible(usage_of(usage), text),
            raw_usage=_shapes.kept(usage),
            latency_s=None,
            answered_by=_shapes.name_of(payload.get("model"), self.model.name),
            request_id=request_id,
        )


def usage_of(usage: object) -> Usage | None:
    """Disjoint buckets: `input_tokens` excludes cache reads and writes, `output_tokens` includes thinking.

    None where it is no usage.
    """
    fresh, output = (_shapes.count(usage, name, is_required=True) for name in ("input_tokens", "output_tokens"))
    read, write = (_shapes.count(usage, f"cache_{what}_input_tokens") for what in ("read", "creation"))
    thinking = _shapes.count(usage, "output_tokens_details", "thinking_tokens")
    if output is None or thinking is None:
        return None
    return _shapes.buckets(fresh, read, write, output - thinking, thinking)


def shortest_cached(model: str) -> int:
    """The shortest prefix that a model caches, in tokens."""
    # A dated name, such as claude-haiku-4-5-20251001, is the same model; claude-sonnet-5-5 is not claude-sonnet-5.
    return SHORTEST_CACHED.get(re.sub(r"-\d{8}$", "", model), NEWER_SHORTEST)


def _supported(schema: Any) -> Any:  # noqa: ANN401  (plain JSON)
    """The schema without the ends of a range, which this API refuses in a schema; a description says them instead."""
    if isinstance(schema, list):
        return [_supported(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: _supported(part) for name, part in schema.items() if name not in ("minimum", "maximum")}
    if len(kept) < len(schema) and "type" in schema:
        kept["description"] = f"a number from {schema.get('minimum'):g} to {schema.get('maximum'):g}"
    return kept


def _parameters(request: Request) -> dict[str, Any]:
    settings, reply = request.settings, request.reply
    output: dict[str, Any] = {}
    if settings.reasoning_effort:
        output["effort"] = settings.reasoning_effort
    if reply.mode == "json" and reply.schema:
        output["format"] = {"type": "json_schema", "schema": _supported(json.loads(reply.schema))}
    parameters = {
        "model": request.model.name,
        "max_tokens": settings.max_tokens,
        "system": "\n\n".join(m.content for m in request.messages if m.role == "system") or None,
        "messages": [{"role": m.role, "content": m.content} for m in request.messages if m.role != "system"],
        "stop_sequences": list(settings.stop) or None,
        "output_config": output or None,
    }
    return {name: value for name, value in parameters.items() if value is not None}
