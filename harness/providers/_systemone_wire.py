"""The wire of decision models in the System One format: state and typed questions out, probabilities back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai

from harness.clock import SystemClock
from harness.errors import TransientError
from harness.providers import _sdk
from harness.providers._openai_chat import keep_to_itself
from harness.providers._typed_questions import NoAnswerError, asked
from harness.redaction import Redactor
from harness.types import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.providers._typed_questions import Asked
    from harness.types import Model, Request

PATH = "/v1/systemone"
DEFAULT_INSTRUCTIONS = "Choose what fits."


class SystemOne:
    """A connection to a decision model; `key` is the name of its variable and what it holds."""

    def __init__(self, model: Model, address: str, key: tuple[str, str], timeout_s: float) -> None:
        self.model = model
        self._variable, secret = key
        self._client = openai.AsyncOpenAI(
            api_key=secret or "none",
            base_url=address.rstrip("/").removesuffix("/v1"),
            timeout=timeout_s,
            max_retries=0,
            http_client=openai.DefaultAioHttpClient(timeout=timeout_s),
        )
        keep_to_itself(self._client)
        self._hide = Redactor([secret])
        self._clock = SystemClock()

    async def send(self, request: Request) -> Response:
        """The answers as a reply of the wanted format, with the probability of every option as `scores`."""
        instructions = "\n\n".join(m.content for m in request.messages if m.role == "system") or DEFAULT_INSTRUCTIONS
        wanted = asked(request.reply, instructions, str(request.model))
        body = {
            "model": request.model.name,
            "state": "\n\n".join(m.content for m in request.messages if m.role != "system"),
            "questions": wanted.questions,
        }
        start_s = self._clock.monotonic()
        try:
            reply = await _sdk.post(self._client, PATH, body)
        except openai.APIError as error:
            raise _sdk.translated(error, openai, str(self.model), self._variable, self._hide, self._clock) from None
        latency_s = self._clock.monotonic() - start_s
        payload = _sdk.payload(reply, str(self.model))
        return self._response(payload, wanted, latency_s, reply.headers.get("x-request-id"))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _response(
        self, payload: Mapping[str, Any], wanted: Asked, latency_s: float, request_id: str | None
    ) -> Response:
        answers, usage = payload.get("answers"), payload.get("usage")
        try:
            text, scores = wanted.reply(answers if isinstance(answers, dict) else {})
        except NoAnswerError as error:
            raise TransientError(f"{self.model}: {self._hide(str(error))}", status=200, may_be_billed=True) from None
        return Response(
            text=self._hide(text),
            finish="stop",
            usage=_sdk.openai_usage(usage, "input", "output") if isinstance(usage, dict) and usage else None,
            raw_usage=usage,
            latency_s=latency_s,
            answered_by=str(payload.get("model") or self.model.name),
            request_id=request_id,
            scores=scores,
        )
