"""The wire of decision models in the System One format: state and typed questions out, probabilities back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.models.providers import _shapes
from harness.models.providers._openai_chat import client_for, connected
from harness.models.providers._typed_questions import NoAnswerError, asked
from harness.types import Response

if TYPE_CHECKING:
    from harness.models.providers._shapes import Table
    from harness.models.providers._typed_questions import Asked
    from harness.types import Model, Request

PATH = "/v1/systemone"
DEFAULT_INSTRUCTIONS = "Choose what fits."


class SystemOne:
    """A connection to a decision model; `key` is the name of its variable and what it holds."""

    def __init__(self, model: Model, address: str, key: tuple[str, str], timeout_s: float) -> None:
        self.model = model
        root = address.rstrip("/").removesuffix("/v1")
        self._wire = connected(client_for(root, key[1], timeout_s), model, root, key)

    async def send(self, request: Request) -> Response:
        """The answers as a reply of the wanted format, with the probability of every option as `scores`."""
        instructions = "\n\n".join(m.content for m in request.messages if m.role == "system") or DEFAULT_INSTRUCTIONS
        wanted = asked(request.reply, instructions, str(request.model))
        body = {
            "model": request.model.name,
            "state": "\n\n".join(m.content for m in request.messages if m.role != "system"),
            "questions": wanted.questions,
        }
        response, latency_s = await self._wire.ask(
            PATH, body, lambda payload, name: self._response(payload, wanted, name)
        )
        return replace(response, latency_s=latency_s)

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.client.close()

    def _response(self, payload: Table, wanted: Asked, request_id: str | None) -> Response:
        answers, usage = _shapes.table(payload.get("answers"), "the answers"), payload.get("usage")
        try:
            text, scores = wanted.reply(answers)
        except NoAnswerError as error:
            raise _shapes.UnreadableError(str(error)) from None
        return Response(
            text=self._wire.hide(text),
            finish="stop",
            usage=_shapes.plausible(_shapes.openai_usage(usage, "input", "output"), ""),
            raw_usage=_shapes.kept(usage),
            latency_s=None,
            answered_by=_shapes.name_of(payload.get("model"), self.model.name),
            request_id=request_id,
            scores=scores,
        )
