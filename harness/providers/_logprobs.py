"""From the log-probabilities of a reply's first token to a probability per permitted option."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def option_scores(choice: Mapping[str, Any], options: Sequence[str]) -> dict[str, float] | None:
    """Probability per option, renormalised over the options; None when there is nothing to go by.

    `choice` is a choice of a chat completion. An option has the mass of every alternative of the
    first token that is the option but for blanks: " A" and "A" are different tokens.
    """
    tokens = (choice.get("logprobs") or {}).get("content") or []
    if not tokens or not options:
        return None
    mass = dict.fromkeys(options, 0.0)
    for alternative in tokens[0].get("top_logprobs") or []:
        option = str(alternative.get("token", "")).strip()
        if option in mass:
            mass[option] += math.exp(alternative["logprob"])
    total = sum(mass.values())
    return {option: share / total for option, share in mass.items()} if total > 0 else None
