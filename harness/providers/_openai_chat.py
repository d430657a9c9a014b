"""The wire of OpenAI's chat models: a request as the SDK takes it, a reply as the engine knows it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import openai

from harness.providers import _shapes, _transport
from harness.providers._logprobs import option_scores
from harness.providers._openai_batches import OpenAIBatches
from harness.providers._sdk import Wire
from harness.redaction import credentials, secrets_in
from harness.types import Response

if TYPE_CHECKING:
    from harness.providers._shapes import Table
    from harness.types import Model, Request

KEY = "OPENAI_API_KEY"
MOST_LOGPROBS = 20


def connected(model: Model, address: str, key: str, timeout_s: float, key_variable: str = KEY) -> Wire:
    """A connection by OpenAI's SDK. A user and a password in the address take the key's place."""
    bare, basic = credentials(address)
    client = openai.AsyncOpenAI(
        api_key=key or "none",  # a server of one's own may need no key, and the SDK insists on one
        base_url=bare,
        timeout=_transport.timeouts(timeout_s),
        max_retries=0,
        default_headers={"Authorization": basic} if basic else None,
        http_client=_transport.bounded(openai.DefaultAioHttpClient, timeout_s),
    )
    return Wire(openai, client, model, key_variable, (key, *secrets_in(address)))


class Chat:
    """A connection to a chat model."""

    def __init__(self, model: Model, address: str, key: str, timeout_s: float, key_variable: str = KEY) -> None:
        self.model = model
        self._wire = connected(model, address, key, timeout_s, key_variable)

    async def send(self, request: Request) -> Response:
        """The model's reply, its usage in disjoint buckets, and how long this one call took."""
        response, latency_s = await self._wire.ask(
            "/chat/completions", _parameters(request), lambda payload, name: self._response(payload, request, name)
        )
        return replace(response, latency_s=latency_s)

    def batches(self) -> OpenAIBatches:
        """The provider's batch API, for the same model."""
        return OpenAIBatches(self._wire, _parameters, self._response)

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.client.close()

    def _response(self, payload: Table, request: Request | None, request_id: str | None) -> Response:
        choice = _shapes.first(payload.get("choices"), "choices")
        message = _shapes.table(choice.get("message"), "the message")
        text, refusal = _shapes.text_of(message.get("content")), _shapes.text_of(message.get("refusal"), "the refusal")
        reason, usage = choice.get("finish_reason"), payload.get("usage")
        refused = bool(refusal) or reason == "content_filter"
        wants_scores = request is not None and request.reply.mode == "choice"
        return Response(
            text=self._wire.hide(refusal or text),
            finish="refusal" if refused else "length" if reason == "length" else "stop",
            usage=_shapes.openai_usage(usage, "prompt", "completion"),
            raw_usage=_shapes.kept(usage),
            latency_s=None,
            answered_by=_shapes.name_of(payload.get("model"), self.model.name),
            request_id=request_id,
            scores=option_scores(choice, request.reply.options) if request and wants_scores else None,
        )


def models_at(address: str, timeout_s: float) -> list[str]:
    """The chat models that a server lists; none where it is something else than a model server."""
    with openai.OpenAI(api_key="none", base_url=address, timeout=timeout_s, max_retries=0) as client:
        try:
            listed = client.models.list().data
        except (openai.APIError, ValueError, RecursionError):
            return []
    names = [getattr(model, "id", None) for model in listed] if isinstance(listed, list) else []
    return [name for name in names if isinstance(name, str) and "embed" not in name]


def _parameters(request: Request) -> dict[str, Any]:
    settings, reply = request.settings, request.reply
    # Servers of one's own often know only the older name of this limit.
    limit = "max_tokens" if request.model.endpoint else "max_completion_tokens"
    parameters: dict[str, Any] = {
        "model": request.model.name,
        "messages": [{"role": m.role, "content": m.content} for m in request.messages],
        limit: settings.max_tokens,
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "seed": settings.seed,
        "stop": list(settings.stop) or None,
        "reasoning_effort": settings.reasoning_effort,
    }
    if reply.mode == "json" and reply.schema:
        schema = {"name": "answer", "strict": True, "schema": json.loads(reply.schema)}
        parameters["response_format"] = {"type": "json_schema", "json_schema": schema}
    if reply.mode == "choice":
        parameters |= {"logprobs": True, "top_logprobs": MOST_LOGPROBS}
    return {name: value for name, value in parameters.items() if value is not None}
