"""The wire of OpenAI's chat models: a request as the SDK takes it, a reply as the engine knows it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import openai

from harness.ground.redaction import credentials, secrets_in
from harness.models.providers import _dialect, _sdk, _shapes, _transport
from harness.models.providers._logprobs import option_scores
from harness.models.providers._openai_batches import OpenAIBatches
from harness.types import Response

if TYPE_CHECKING:
    from harness.models.providers._dialect import Dialect
    from harness.models.providers._sdk import Wire
    from harness.models.providers._shapes import Table
    from harness.types import Model, Request

MOST_LOGPROBS = 20


def client_for(address: str, key: str, timeout_s: float, most_bytes: int = _transport.MOST_BYTES) -> openai.AsyncOpenAI:
    """OpenAI's client. A server of one's own may need no key, and the SDK insists on one."""
    return openai.AsyncOpenAI(api_key=key or "none", **_sdk.options(openai, address, timeout_s, most_bytes))


def connected(client: openai.AsyncOpenAI, model: Model, address: str, key: tuple[str, str]) -> Wire:
    """The boundary around a client; `key` is the name of its variable and what it holds."""
    variable, secret = key
    if variable != _dialect.OPENAI.key:
        _keep_to_itself(client, address)
    return _sdk.Wire(openai, client, model, variable, (secret, *secrets_in(address)))


class Chat:
    """A connection to a chat model, in a vendor's dialect of the wire."""

    def __init__(
        self, model: Model, address: str, key: str, timeout_s: float, dialect: Dialect = _dialect.OPENAI
    ) -> None:
        self.model = model
        self._dialect = dialect
        self._wire = connected(self._client(address, key, timeout_s), model, address, (dialect.key, key))

    async def send(self, request: Request) -> Response:
        """The model's reply, its usage in disjoint buckets, and how long this one call took."""
        response, latency_s = await self._wire.ask(
            "/chat/completions", self._body(request), lambda payload, name: self._response(payload, request, name)
        )
        return replace(response, latency_s=latency_s)

    def batches(self) -> OpenAIBatches | None:
        """The provider's batch API, for the same model; None where it has none on this wire."""
        return OpenAIBatches(self._wire, self._body, self._response) if self._dialect.has_batches else None

    @property
    def gives_scores(self) -> bool:
        """Whether this model gives the probabilities of a reply's first token."""
        return self._dialect.gives_scores(self.model.name)

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.client.close()

    def _client(self, address: str, key: str, timeout_s: float) -> openai.AsyncOpenAI:
        return client_for(address, key, timeout_s)

    def _body(self, request: Request) -> dict[str, Any]:
        return self._dialect.body(_parameters(request), request)

    def _response(self, payload: Table, request: Request | None, request_id: str | None) -> Response:
        choice = _shapes.first(payload.get("choices"), "choices")
        message = _shapes.table(choice.get("message"), "the message")
        text, refusal = _shapes.text_of(message.get("content")), _shapes.text_of(message.get("refusal"), "the refusal")
        reason, usage = choice.get("finish_reason"), payload.get("usage")
        refused = bool(refusal) or reason == "content_filter"
        wants_scores = request is not None and request.reply.mode == "choice"
        counts = self._dialect.counts(usage) if isinstance(usage, dict) else usage
        return Response(
            text=self._wire.hide(refusal or text),
            finish="refusal" if refused else "length" if reason == "length" else "stop",
            usage=_shapes.plausible(_shapes.openai_usage(counts, "prompt", "completion"), refusal or text),
            raw_usage=_shapes.kept(usage),
            latency_s=None,
            answered_by=_shapes.name_of(payload.get("model"), self.model.name),
            request_id=request_id,
            scores=option_scores(choice, request.reply.options) if request and wants_scores else None,
        )


def _keep_to_itself(client: openai.AsyncOpenAI, address: str) -> None:
    """Let go of what the SDK read from OpenAI's own variables: organisation, project and further headers.

    They are for OpenAI, and may hold a key; another vendor never sees them.
    """
    client.organization = client.project = None
    basic = credentials(address)[1]
    client._custom_headers = {"Authorization": basic} if basic else {}


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
    parameters: dict[str, Any] = {
        "model": request.model.name,
        "messages": [{"role": m.role, "content": m.content} for m in request.messages],
        "max_completion_tokens": settings.max_tokens,
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
