"""From the log-probabilities of a reply's first token to a probability per permitted option."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harness.models.providers import _shapes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def option_scores(choice: Mapping[str, object], options: Sequence[str]) -> dict[str, float] | None:
    """Probability per option, renormalised over the options; None when there is nothing to go by.

    `choice` is a choice of a chat completion. An option has the mass of every alternative of the
    first token that is the option but for blanks: " A" and "A" are different tokens.
    """
    mass = dict.fromkeys(options, 0.0)
    for alternative in _alternatives(choice):
        option, logprob = str(alternative.get("token", "")).strip(), _shapes.logprob(alternative.get("logprob"))
        if option in mass and logprob is not None:
            mass[option] += math.exp(logprob)
    total = sum(mass.values())
    return {option: share / total for option, share in mass.items()} if total > 0 else None


def _alternatives(choice: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Those of the first token; none where the reply has them in no shape that is known."""
    logprobs = choice.get("logprobs")
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    first = tokens[0] if isinstance(tokens, list) and tokens else None
    listed = first.get("top_logprobs") if isinstance(first, dict) else None
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
