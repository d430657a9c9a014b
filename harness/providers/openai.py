"""OpenAI's chat models through its official SDK, and every server that speaks the same protocol.

Key and address come from the SDK's own variables, OPENAI_API_KEY and OPENAI_BASE_URL. The SDK's
retries are off: one layer retries, and it is not this one.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import openai

from harness.clock import SystemClock
from harness.errors import AuthError, ProviderError
from harness.providers import _sdk
from harness.providers._logprobs import option_scores
from harness.providers._openai_batches import OpenAIBatches
from harness.redaction import Redactor
from harness.types import Model, Response, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.clock import Clock
    from harness.types import JSON, Connection, Request

OFFICIAL = "https://api.openai.com/v1"
KEY, ADDRESS = "OPENAI_API_KEY", "OPENAI_BASE_URL"
# Not a reasoning model: those reject a temperature, and spend a label's few tokens on thinking.
DEFAULT_MODEL = "gpt-4o-mini"
MODELS = ("gpt-4o-mini", "gpt-4o", "gpt-5-mini", "gpt-5")
RUNS_HERE = False
GIVES_SCORES = True
TIMEOUT_S = 60.0
MOST_LOGPROBS = 20
# Where servers of one's own listen unless told otherwise: Ollama, llama.cpp, vLLM, LM Studio.
USUAL_PORTS = (11434, 8080, 8000, 1234)
KNOCK_S = 0.5
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def available() -> str | None:
    """Why OpenAI cannot be called here, or None."""
    return None if os.environ.get(KEY) else f"{KEY} is not set"


def served_on_loopback() -> tuple[str, str] | None:
    """The address of a server on this machine and the first chat model it lists; None when there is none.

    OPENAI_BASE_URL is tried first when it names this machine. Only the list of models is asked for.
    """
    named = os.environ.get(ADDRESS) or ""
    usual = [f"http://127.0.0.1:{port}/v1" for port in USUAL_PORTS]
    for address in ([named] if urlsplit(named).hostname in LOOPBACK else []) + usual:
        with openai.OpenAI(api_key="none", base_url=address, timeout=KNOCK_S, max_retries=0) as client:
            try:
                names = [model.id for model in client.models.list().data if "embed" not in model.id]
            except (openai.APIError, AttributeError, TypeError):  # nobody there, or something else than a model server
                continue
        if names:
            return address, names[0]
    return None


def connect(model: str, base_url: str | None = None, timeout_s: float = TIMEOUT_S) -> Connection:
    """A connection to a chat model; `AuthError` before anything is sent when there is no key."""
    address = base_url or os.environ.get(ADDRESS) or OFFICIAL
    endpoint = _sdk.public_address(address, OFFICIAL)
    key = os.environ.get(KEY) or ""
    if not key and not endpoint:
        raise AuthError(f"no key for openai/{model}: set {KEY}, or choose --model local/gemma3-270m")
    # A server of one's own may need no key, and the SDK insists on one.
    client = openai.AsyncOpenAI(
        api_key=key or "none",
        base_url=address,
        timeout=timeout_s,
        max_retries=0,
        http_client=openai.DefaultAioHttpClient(timeout=timeout_s),
    )
    return _Chat(Model("openai", model, endpoint), client, Redactor([key]), SystemClock())


class _Chat:
    def __init__(self, model: Model, client: openai.AsyncOpenAI, hide: Redactor, clock: Clock) -> None:
        self.model = model
        self._client = client
        self._hide = hide
        self._clock = clock

    async def send(self, request: Request) -> Response:
        """The model's reply, its usage in disjoint buckets, and how long this one call took."""
        body = _parameters(request)
        start_s = self._clock.monotonic()
        try:
            reply = await _sdk.post(self._client, "/chat/completions", body)
        except openai.APIError as error:
            raise self._said(error) from None
        latency_s = self._clock.monotonic() - start_s
        payload = _sdk.payload(reply, str(self.model))
        return self._response(payload, request, latency_s, reply.headers.get("x-request-id"))

    def batches(self) -> OpenAIBatches:
        """The provider's batch API, for the same model."""
        return OpenAIBatches(self._client, _parameters, self._batch_reply, self._said)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _said(self, error: Exception) -> ProviderError:
        return _sdk.translated(error, openai, str(self.model), KEY, self._hide, self._clock)

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
            usage=None if not usage else usage_of(usage),
            raw_usage=usage,
            latency_s=latency_s,
            answered_by=str(payload.get("model") or self.model.name),
            request_id=request_id,
            scores=option_scores(choice, request.reply.options) if request and request.reply.mode == "choice" else None,
        )


def usage_of(usage: Mapping[str, JSON]) -> Usage:
    """Disjoint buckets: `prompt_tokens` includes cached ones, `completion_tokens` includes reasoning."""
    read = _sdk.number(usage, "prompt_tokens_details", "cached_tokens")
    write = _sdk.number(usage, "prompt_tokens_details", "cache_write_tokens")
    reasoning = _sdk.number(usage, "completion_tokens_details", "reasoning_tokens")
    return Usage(
        input_fresh=max(_sdk.number(usage, "prompt_tokens") - read - write, 0),
        cache_read=read,
        cache_write=write,
        output_visible=max(_sdk.number(usage, "completion_tokens") - reasoning, 0),
        reasoning=reasoning,
    )


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
