"""The wire of OpenAI's chat models: a request as the SDK takes it, a reply as the engine knows it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import openai

from harness.clock import SystemClock
from harness.providers import _dialect, _sdk
from harness.providers._logprobs import option_scores
from harness.providers._openai_batches import OpenAIBatches
from harness.redaction import Redactor
from harness.types import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.errors import ProviderError
    from harness.providers._dialect import Dialect
    from harness.types import Model, Request

MOST_LOGPROBS = 20


class Chat:
    """A connection to a chat model, in a vendor's dialect of the wire."""

    def __init__(
        self, model: Model, address: str, key: str, timeout_s: float, dialect: Dialect = _dialect.OPENAI
    ) -> None:
        self.model = model
        self._dialect = dialect
        self._client = self._connected(address, key, timeout_s)
        if dialect.key != _dialect.OPENAI.key:
            keep_to_itself(self._client)
        self._hide = Redactor([key])
        self._clock = SystemClock()

    async def send(self, request: Request) -> Response:
        """The model's reply, its usage in disjoint buckets, and how long this one call took."""
        body = self._body(request)
        start_s = self._clock.monotonic()
        try:
            reply = await _sdk.post(self._client, "/chat/completions", body)
        except openai.APIError as error:
            raise self._said(error) from None
        latency_s = self._clock.monotonic() - start_s
        payload = _sdk.payload(reply, str(self.model))
        return self._response(payload, request, latency_s, reply.headers.get("x-request-id"))

    def batches(self) -> OpenAIBatches | None:
        """The provider's batch API, for the same model; None where it has none on this wire."""
        if not self._dialect.has_batches:
            return None
        return OpenAIBatches(self._client, self._body, self._batch_reply, self._said)

    def _connected(self, address: str, key: str, timeout_s: float) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(
            api_key=key or "none",  # a server of one's own may need no key, and the SDK insists on one
            base_url=address,
            timeout=timeout_s,
            max_retries=0,
            http_client=openai.DefaultAioHttpClient(timeout=timeout_s),
        )

    @property
    def gives_scores(self) -> bool:
        """Whether this model gives the probabilities of a reply's first token."""
        return self._dialect.gives_scores(self.model.name)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _body(self, request: Request) -> dict[str, Any]:
        return self._dialect.body(_parameters(request), request)

    def _said(self, error: Exception) -> ProviderError:
        return _sdk.translated(error, openai, str(self.model), self._dialect.key, self._hide, self._clock)

    def _batch_reply(self, payload: Mapping[str, Any], request_id: str | None, request: Request | None) -> Response:
        return replace(self._response(payload, request, None, request_id), batch=True)

    def _response(
        self, payload: Mapping[str, Any], request: Request | None, latency_s: float | None, request_id: str | None
    ) -> Response:
        choice = (payload.get("choices") or [{}])[0]
        message = choice.get("message") or {}
        refused = bool(message.get("refusal")) or choice.get("finish_reason") == "content_filter"
        usage = payload.get("usage")
        return Response(
            text=self._hide(message.get("refusal") or message.get("content") or ""),
            finish="refusal" if refused else "length" if choice.get("finish_reason") == "length" else "stop",
            usage=None if not usage else _sdk.openai_usage(self._dialect.counts(usage), "prompt", "completion"),
            raw_usage=usage,
            latency_s=latency_s,
            answered_by=str(payload.get("model") or self.model.name),
            request_id=request_id,
            scores=option_scores(choice, request.reply.options) if request and request.reply.mode == "choice" else None,
        )


def keep_to_itself(client: openai.AsyncOpenAI) -> None:
    """Let go of what the SDK read from OpenAI's own variables: organisation, project and further headers.

    They are for OpenAI, and may hold a key; another vendor never sees them.
    """
    client.organization = client.project = None
    client._custom_headers = {}


def models_at(address: str, timeout_s: float) -> list[str]:
    """The chat models that a server lists; none where it is something else than a model server."""
    with openai.OpenAI(api_key="none", base_url=address, timeout=timeout_s, max_retries=0) as client:
        try:
            return [model.id for model in client.models.list().data if "embed" not in model.id]
        except (openai.APIError, AttributeError, TypeError):
            return []


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
