"""Decision endpoints: the model is asked to choose among options, and returns a probability for each.

`decision/gpt-6-luna` goes through OpenAI's official SDK (`/decisions`), with the same key and address
variables as `openai/`. A prompt's labels are the options; its system message is the instruction
and the other messages are the input. A refusal is an outcome, not an error.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.errors import AuthError, ConfigError
from harness.providers import _keys, _shapes
from harness.providers._openai_chat import connected
from harness.redaction import public_address
from harness.types import Model, Response

if TYPE_CHECKING:
    from harness.providers._sdk import Wire
    from harness.providers._shapes import Table
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
    return _keys.missing(KEY)


def connect(model: str, base_url: str | None = None, timeout_s: float = TIMEOUT_S) -> Connection:
    """A connection to a decision model; `AuthError` before anything is sent when there is no key."""
    address = base_url or os.environ.get(ADDRESS) or OFFICIAL
    endpoint = public_address(address, OFFICIAL)
    key = _keys.key_in(KEY)
    if not key and not endpoint:
        raise AuthError(f"no key for decision/{model}: set {KEY}, or choose --model local/gemma3-270m")
    served = Model("decision", model, endpoint)
    return _Decisions(served, connected(served, address, key, timeout_s))


class _Decisions:
    def __init__(self, model: Model, wire: Wire) -> None:
        self.model = model
        self._wire = wire

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
            usage=_shapes.openai_usage(usage, "input", "output"),
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
        "choices": [{"value": option} for option in options],
    }
    return {
        "model": request.model.name,
        "input": "\n\n".join(m.content for m in request.messages if m.role != "system"),
        "questions": [question],
    }
