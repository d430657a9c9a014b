"""The wire of OpenAI's decision endpoint: options and their descriptions out, a choice and probabilities back."""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigError
from harness.models.providers import _shapes
from harness.models.providers._openai_chat import client_for, connected
from harness.types import Response

if TYPE_CHECKING:
    from harness.models.providers._shapes import Table
    from harness.types import Model, Request

KEY = "OPENAI_API_KEY"
FEWEST_OPTIONS, MOST_OPTIONS = 2, 255


class Decisions:
    """A connection to a decision model."""

    def __init__(self, model: Model, address: str, key: str, timeout_s: float) -> None:
        self.model = model
        self._wire = connected(client_for(address, key, timeout_s), model, address, (KEY, key))

    async def send(self, request: Request) -> Response:
        """The chosen option, with the probability of every option as `scores`."""
        response, latency_s = await self._wire.ask("/decisions", _parameters(request), self._response)
        return replace(response, latency_s=latency_s)

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.client.close()

    def _response(self, payload: Table, request_id: str | None) -> Response:
        answer, usage = _shapes.first(payload.get("answers"), "answers"), payload.get("usage")
        kind, choice = answer.get("type"), answer.get("choice")
        refused = kind == "refusal"
        if not refused and (kind != "choice" or not isinstance(choice, str)):
            raise _shapes.UnreadableError("the reply holds no choice and no refusal")
        return Response(
            text="" if refused else self._wire.hide(str(choice)),
            finish="refusal" if refused else "stop",
            usage=_shapes.plausible(_shapes.openai_usage(usage, "input", "output"), ""),
            raw_usage=_shapes.kept(usage),
            latency_s=None,
            answered_by=_shapes.name_of(payload.get("model"), self.model.name),
            request_id=request_id,
            scores=None if refused else _shapes.shares(answer.get("probabilities")),
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
