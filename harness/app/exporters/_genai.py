"""A run and its predictions in the words of OpenTelemetry's semantic conventions for generative AI. Pure.

The names are those of semantic-conventions-genai (development status, November 2026); what they have no name
for is called `harness.`. Unknown is left out. Texts and replies are in it only where `with_content`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from harness.types import Outcome, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.app.parcel import Parcel

    Value = str | bool | int | float
    Row = Mapping[str, object]

OURS = "harness."
EVENT = "gen_ai.evaluation.result"
# The conventions know `chat` and `text_completion`: weights that run here complete a text.
OPERATIONS = {"local": "text_completion"}
IN_PROCESS = ("local", "fake")
PORTS = {"https": 443, "http": 80}
ERROR = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
UNNAMED_ERROR = "_OTHER"
KEPT = (
    *("example_id", "outcome", "correct", "credit", "score", "cost_usd", "billed_usd"),
    *("waited_s", "cached", "attempts", "request_id"),
)


@dataclass(frozen=True, slots=True)
class Told:
    """What a span says: its name, whether another process was called, its attributes, the class of its error."""

    name: str
    is_call: bool
    attributes: dict[str, Value]
    error: str | None = None


def of_run(parcel: Parcel) -> Told:
    """The span over all predictions: which run it is, and what it measured."""
    said = {**parcel.identity(), **parcel.origin(), **parcel.measures()}
    attributes = {OURS + name: cast("Value", value) for name, value in said.items()}
    return Told(f"harness.evaluate {parcel.record.arm}", is_call=False, attributes=attributes)


def of_prediction(parcel: Parcel, row: Row, *, with_content: bool) -> Told:
    """The span of one prediction: a call of a model, or an arm's own work."""
    own = {OURS + name: row[name] for name in KEPT}
    # A label of the closed set is no text of anybody's; anything else might be.
    own[OURS + "label"] = row["label"] if row["label"] in parcel.labels else None
    error = _error(row)
    if parcel.record.model is None:
        return Told(f"harness.predict {parcel.record.arm}", is_call=False, attributes=_known(own), error=error)
    provider, _, model = parcel.record.model.partition("/")
    operation = OPERATIONS.get(provider, "chat")
    said = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        "gen_ai.output.type": "text",
        "error.type": error,
        **_prompt(parcel),
        **_server(parcel),
        **_usage(row),
        **(_content(row) if with_content else {}),
        **own,
    }
    return Told(f"{operation} {model}", provider not in IN_PROCESS, _known(said), error)


def evaluation(parcel: Parcel, row: Row) -> dict[str, Value] | None:
    """The attributes of the event that says what a model's answer was worth; a failed call was not evaluated."""
    if parcel.record.model is None or row["credit"] is None:
        return None
    if row["correct"] is None:
        return {"gen_ai.evaluation.name": "credit", "gen_ai.evaluation.score.value": float(str(row["credit"]))}
    is_right = bool(row["correct"])
    return {
        "gen_ai.evaluation.name": "correct",
        "gen_ai.evaluation.score.value": float(is_right),
        "gen_ai.evaluation.score.label": "correct" if is_right else "incorrect",
    }


def _error(row: Row) -> str | None:
    """The class of a failed call's error. Its text stays here: it may quote the request."""
    if row["outcome"] != Outcome.FAILED.value:
        return None
    name = str(row["error"] or "").partition(":")[0]
    return name if ERROR.fullmatch(name) else UNNAMED_ERROR


def _prompt(parcel: Parcel) -> dict[str, object]:
    if parcel.prompt is None:
        return {}
    return {"gen_ai.prompt.name": parcel.prompt.task, "gen_ai.prompt.version": parcel.prompt.version}


def _server(parcel: Parcel) -> dict[str, object]:
    """Where the model was asked, if that is not the provider's own address."""
    address = urlsplit(str(json.loads(parcel.record.params).get("endpoint") or ""))
    if address.scheme not in PORTS:
        return {}
    return {"server.address": address.hostname, "server.port": address.port or PORTS[address.scheme]}


def _usage(row: Row) -> dict[str, object]:
    """Tokens: the conventions count what was cached and what was thought into the totals."""
    buckets = [row[bucket] for bucket in Usage.__slots__]
    if None in buckets:
        return {}
    usage = Usage(*cast("list[int]", buckets))
    return {
        "gen_ai.usage.input_tokens": usage.input_fresh + usage.cache_read + usage.cache_write,
        "gen_ai.usage.output_tokens": usage.output_visible + usage.reasoning,
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read or None,
        "gen_ai.usage.cache_write.input_tokens": usage.cache_write or None,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning or None,
    }


def _content(row: Row) -> dict[str, object]:
    said: dict[str, object] = {"gen_ai.prompt.variable.text": row["text"]}
    if row["raw"] is not None:
        reply = {"role": "assistant", "parts": [{"type": "text", "content": row["raw"]}]}
        said["gen_ai.output.messages"] = json.dumps([reply], ensure_ascii=False)
    return said


def _known(said: Mapping[str, object]) -> dict[str, Value]:
    return {name: cast("Value", value) for name, value in said.items() if value is not None}
