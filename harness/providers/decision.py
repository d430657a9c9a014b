"""Decision endpoints: the model is asked to choose among options, and returns a probability for each.

`decision/gpt-6-luna` goes through OpenAI's official SDK (`/decisions`), with the same key and address
variables as `openai/`. A prompt's labels are the options; its system message is the instruction
and the other messages are the input. A refusal is an outcome, not an error.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import openai

from harness.clock import SystemClock
from harness.errors import AuthError, ConfigError, TransientError
from harness.providers import _sdk
from harness.redaction import Redactor, public_address
from harness.types import Model, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.clock import Clock
    from harness.types import Connection, Request

OFFICIAL = "https://api.openai.com/v1"
KEY, ADDRESS = "OPENAI_API_KEY", "OPENAI_BASE_URL"
DEFAULT_MODEL = "gpt-6-luna"
MODELS = (DEFAULT_MODEL,)
RUNS_HERE = False
GIVES_SCORES = True
TIMEOUT_S = 60.0
FEWEST_OPTIONS, MOST_OPTIONS = 2, 255


def available() -> str | None:
    """Why the endpoint cannot be called here, or None."""
    return None if os.environ.get(KEY) else f"{KEY} is not set"


def connect(model: str, base_url: str | None = None, timeout_s: float = TIMEOUT_S) -> Connection:
    """A connection to a decision model; `AuthError` before anything is sent when there is no key."""
    address = base_url or os.environ.get(ADDRESS) or OFFICIAL
    endpoint = public_address(address, OFFICIAL)
    key = os.environ.get(KEY) or ""
    if not key and not endpoint:
        raise AuthError(f"no key for decision/{model}: set {KEY}, or choose --model local/gemma3-270m")
    client = openai.AsyncOpenAI(
        api_key=key or "none",
        base_url=address,
        timeout=timeout_s,
        max_retries=0,
        http_client=openai.DefaultAioHttpClient(timeout=timeout_s),
    )
    return _Decisions(Model("decision", model, endpoint), client, Redactor([key]), SystemClock())


class _Decisions:
    def __init__(self, model: Model, client: openai.AsyncOpenAI, hide: Redactor, clock: Clock) -> None:
        self.model = model
        self._client = client
        self._hide = hide
        self._clock = clock

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
        "choices": [{"value": option} for option in options],
    }
    return {
        "model": request.model.name,
        "input": "\n\n".join(m.content for m in request.messages if m.role != "system"),
        "questions": [question],
    }
