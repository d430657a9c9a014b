"""The wire of OpenAI's decision endpoint: options and their descriptions out, a choice and probabilities back."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import openai

from harness.clock import SystemClock
from harness.errors import ConfigError, TransientError
from harness.providers import _sdk
from harness.redaction import Redactor
from harness.types import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.types import Model, Request

KEY = "OPENAI_API_KEY"
FEWEST_OPTIONS, MOST_OPTIONS = 2, 255


class Decisions:
    """A connection to a decision model."""

    def __init__(self, model: Model, address: str, key: str, timeout_s: float) -> None:
        self.model = model
        self._client = openai.AsyncOpenAI(
            api_key=key or "none",
            base_url=address,
            timeout=timeout_s,
            max_retries=0,
            http_client=openai.DefaultAioHttpClient(timeout=timeout_s),
        )
        self._hide = Redactor([key])
        self._clock = SystemClock()

    async def send(self, request: Request) -> Response:
        """The chosen option, with the probability of every option as `scores`."""
        body = _parameters(request)
        start_s = self._clock.monotonic()
        try:
            reply = await _sdk.post(self._client, "/decisions", body)
        except openai.APIError as error:
            raise _sdk.translated(error, openai, str(self.model), KEY, self._hide, self._clock) from None
        latency_s = self._clock.monotonic() - start_s
        payload = _sdk.payload(reply, str(self.model))
        return self._response(payload, latency_s, reply.headers.get("x-request-id"))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _response(self, payload: Mapping[str, Any], latency_s: float, request_id: str | None) -> Response:
        answers, usage = payload.get("answers") or [], payload.get("usage")
        if not answers or answers[0].get("type") not in ("choice", "refusal"):
            raise TransientError(f"{self.model}: the reply holds no choice and no refusal", status=200)
        answer = answers[0]
        refused = answer["type"] == "refusal"
        shares = {str(share["value"]): float(share["probability"]) for share in answer.get("probabilities") or []}
        return Response(
            text="" if refused else self._hide(str(answer["choice"])),
            finish="refusal" if refused else "stop",
            usage=None if not usage else _sdk.openai_usage(usage, "input", "output"),
            raw_usage=usage,
            latency_s=latency_s,
            answered_by=str(payload.get("model") or self.model.name),
            request_id=request_id,
            scores=shares or None,
        )


def _parameters(request: Request) -> dict[str, Any]:
    options = request.reply.options
    if not FEWEST_OPTIONS <= len(options) <= MOST_OPTIONS:
        raise ConfigError(
            f"{request.model} chooses among {FEWEST_OPTIONS} to {MOST_OPTIONS} options and this prompt has "
            f"{len(options)}; use `output: label` or `output: choice` and a dataset with that many labels"
        )
    instruction = "\n\n".join(m.content for m in request.messages if m.role == "system")
    question = {
        "type": "choice",
        "instructions": instruction or "Choose the label of the input.",
        "choices": [
            {"value": option} | ({"description": text} if text else {})
            for option, text in zip_longest(options, request.reply.descriptions)
        ],
    }
    return {
        "model": request.model.name,
        "input": "\n\n".join(m.content for m in request.messages if m.role != "system"),
        "questions": [question],
    }
