"""Answers by recipe, for tests and demonstrations; says so in every report. No model is asked.

`fake/first` replies with the first permitted option, `fake/uniform` with one drawn by the hash
of the request. `fake/PATH.toml` reads a recipe: `[answers]` maps a piece of the last message to
the reply, `default` replies otherwise, `latency_s` passes on the clock.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConfigError
from harness.ground.clock import SystemClock
from harness.ground.ids import content_id, request_id, unit_interval
from harness.ground.validation import validated
from harness.types import Model, Response, Usage

if TYPE_CHECKING:
    from harness.ground.clock import Clock
    from harness.types import Connection, Request

DEFAULT_MODEL = "first"
MODELS = ("first", "uniform")
RUNS_HERE = False
GIVES_SCORES = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a fake model replies. The longest matching piece of the last message decides."""

    answers: dict[str, str] = field(default_factory=dict)
    default: str = ""
    latency_s: float = 0.0


def available() -> str | None:
    """None: a recipe can always be followed."""
    return None


def connect(model: str, base_url: str | None = None) -> Connection:
    """A fake model: `first`, `uniform`, or the path of a recipe."""
    if base_url is not None:
        raise ConfigError("fake/ asks no server; leave --base-url out")
    if model in MODELS:
        return _Fake(Model("fake", model), None, SystemClock())
    path = Path(model)
    if path.suffix != ".toml" or not path.is_file():
        raise ConfigError(f"unknown model fake/{model}; expected fake/first, fake/uniform or fake/PATH.toml")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    return _Fake(Model("fake", path.stem, content_id(content)), validated(Recipe, content, str(path)), SystemClock())


class _Fake:
    def __init__(self, model: Model, recipe: Recipe | None, clock: Clock) -> None:
        self.model = model
        self._recipe = recipe
        self._clock = clock

    async def send(self, request: Request) -> Response:
        """The recipe's reply; usage counts words."""
        text, latency_s = self._reply(request)
        await self._clock.sleep(latency_s)
        words = sum(len(message.content.split()) for message in request.messages)
        usage = Usage(input_fresh=words, output_visible=len(text.split()))
        return Response(
            text=text,
            finish="stop",
            usage=usage,
            raw_usage={"words_in": words, "words_out": usage.output_visible},
            latency_s=latency_s,
            answered_by=f"{self.model} (answers by recipe)",
        )

    async def close(self) -> None:
        """Nothing is held."""

    def _reply(self, request: Request) -> tuple[str, float]:
        options = request.reply.options or ("",)
        if self._recipe is None:
            place = unit_interval(request_id(request)) if self.model.name == "uniform" else 0.0
            return options[int(place * len(options))], 0.0
        last = request.messages[-1].content if request.messages else ""
        matching = [piece for piece in self._recipe.answers if piece in last]
        reply = self._recipe.answers[max(matching, key=len)] if matching else self._recipe.default
        return reply, self._recipe.latency_s
