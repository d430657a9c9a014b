"""How vendors depart from OpenAI's chat wire: names of parameters, what is not taken, how tokens are counted.

Data, and pure functions on plain JSON; nothing here sends anything. docs/models.md says where each fact is from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from harness.types import Request

Body = dict[str, Any]
Usage = Mapping[str, object]

# These think before they answer. They know only the newer name of the limit, which their thoughts count
# towards, and no sampling parameters and no log-probabilities unless they are told not to think.
THINKS = re.compile(r"(?:ft:)?(?:o\d|gpt-(?:[5-9]|\d\d))(?!.*chat)")
SAMPLING = ("temperature", "top_p")
LOGPROBS = ("logprobs", "top_logprobs")


def as_openai_counts(usage: Usage) -> Usage:
    """The usage in OpenAI's shape, where a vendor's other habits can be told by the numbers themselves.

    Cached tokens may stand at the top level (DeepSeek's `prompt_cache_hit_tokens`), and reasoning may not be a
    part of the completion tokens (xAI): then prompt, completion and reasoning add up to the total.
    """
    found = dict(usage)
    details, hits = usage.get("prompt_tokens_details"), usage.get("prompt_cache_hit_tokens")
    if hits is not None and not (isinstance(details, dict) and details.get("cached_tokens")):
        found["prompt_tokens_details"] = {**(details if isinstance(details, dict) else {}), "cached_tokens": hits}
    reasoning = _reasoning(usage)
    counts = _counts(usage) if reasoning else None
    if counts is not None and counts.prompt + counts.completion + reasoning == counts.total:
        found["completion_tokens"] = counts.completion + reasoning
    return found


def thoughts_outside(usage: Usage) -> Usage:
    """The usage in OpenAI's shape, of a vendor whose total counts thoughts that stand nowhere else (Gemini)."""
    counts = _counts(usage)
    if counts is None or _reasoning(usage) or counts.total <= counts.prompt + counts.completion:
        return as_openai_counts(usage)
    details = usage.get("completion_tokens_details")
    thoughts = counts.total - counts.prompt - counts.completion
    return as_openai_counts(
        {
            **usage,
            "completion_tokens": counts.completion + thoughts,
            "completion_tokens_details": {
                **(details if isinstance(details, dict) else {}),
                "reasoning_tokens": thoughts,
            },
        }
    )


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one vendor's chat wire is like.

    `key` is the variable of its key, named when the key is refused. `limit` and `seed` are what it calls the
    longest reply and the seed (None: it takes no seed). `logprobs` is the number of alternatives it gives of
    a reply's first token, 0 for none. `schema`: JSON by a schema; else it takes only the word that JSON is
    wanted. `is_openai`: its models that think take fewer parameters. `counts` puts its usage into OpenAI's
    shape, `extra` is what else a request's body holds. `has_batches`: its Batch API is OpenAI's.
    """

    key: str
    limit: str = "max_tokens"
    seed: str | None = "seed"
    logprobs: int = 20
    schema: bool = True
    is_openai: bool = False
    has_batches: bool = False
    counts: Callable[[Usage], Usage] = as_openai_counts
    extra: Callable[[Request, Body], Body] = lambda request, body: body  # noqa: ARG005

    def body(self, parameters: Body, request: Request) -> Body:
        """OpenAI's parameters as this vendor takes them."""
        sent = dict(parameters)
        may_think = self.thinks(request.model.name)
        thinks = may_think and request.settings.reasoning_effort != "none"
        limit = "max_completion_tokens" if may_think else self.limit
        sent[limit] = sent.pop("max_completion_tokens")
        if "seed" in sent and self.seed != "seed":
            sent |= {self.seed: sent.pop("seed")} if self.seed else {}
            sent.pop("seed", None)
        for name in (*(SAMPLING if thinks else ()), *(LOGPROBS if thinks or not self.logprobs else ())):
            sent.pop(name, None)
        if "top_logprobs" in sent:
            sent["top_logprobs"] = self.logprobs
        if "response_format" in sent and not self.schema:
            sent["response_format"] = {"type": "json_object"}
        return self.extra(request, sent)

    def thinks(self, model: str) -> bool:
        """Whether it is one of OpenAI's models that think before they answer."""
        return self.is_openai and THINKS.match(model) is not None

    def gives_scores(self, model: str) -> bool:
        """Whether a model gives the probabilities of a reply's first token."""
        return bool(self.logprobs) and not self.thinks(model)


OPENAI = Dialect("OPENAI_API_KEY", limit="max_completion_tokens", is_openai=True, has_batches=True)
# Servers of one's own often know only the older name of the limit.
OWN_SERVER = Dialect("OPENAI_API_KEY", is_openai=True, has_batches=True)


class _Counts(NamedTuple):
    prompt: int
    completion: int
    total: int


def _counts(usage: Usage) -> _Counts | None:
    """The three counts of a call; None where one is missing or can be none."""
    values = [usage.get(f"{what}_tokens") for what in _Counts._fields]
    return _Counts(*values) if all(type(value) is int and value >= 0 for value in values) else None  # type: ignore[arg-type]


def _reasoning(usage: Usage) -> int:
    details = usage.get("completion_tokens_details")
    value = details.get("reasoning_tokens") if isinstance(details, dict) else None
    return value if type(value) is int and value > 0 else 0
