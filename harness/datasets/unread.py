"""Why a reply was not read as a label, in words: it was cut off, it was empty, or it is none. Pure, no IO."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from harness.datasets.replies import without_thinking

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.types import Response

SHOWN = 60  # characters of a reply
COMPARED = 200  # characters of it that are compared with the labels
MOST_LABELS = 1000


def reason(reply: Response, max_tokens: int) -> str | None:
    """Why there is no answer in a reply that holds none, as `Prediction.error` keeps it; None where it says something.

    A reply that ends while the model is still thinking, or that the server says was reasoning, is all reasoning.
    """
    is_silent = not without_thinking(reply.text).strip()
    has_thought = bool(reply.text.strip()) or bool(reply.usage and reply.usage.reasoning)
    aside = ", all of it reasoning" if is_silent and has_thought else ""
    if reply.finish == "length":
        return f"cut off at max_tokens {max_tokens}{aside}"
    return f"empty{aside}" if is_silent else None


def sentence(n: int, of: int, why: str | None, reply: str | None, labels: Iterable[str]) -> str:
    """How many replies came without an answer and why, with one of them ("30 of 30 replies were empty")."""
    verb = ("is" if n == 1 else "are") if why is None else ("was" if n == 1 else "were")
    shown = "" if reply is None or not reply.strip() else f"; the first: {sample(reply, labels)}"
    return f"{n:,} of {of:,} replies {verb} {why or 'no label'}{shown}."


def sample(reply: str, labels: Iterable[str]) -> str:
    """The beginning of a reply, on one line, and the label that is nearest to it, where one is near."""
    text = " ".join(reply[: 10 * SHOWN].split())
    near = nearest(text, tuple(labels))
    shown = text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
    return repr(shown) + (f" (nearest label {near!r})" if near is not None else "")


def nearest(text: str, labels: Sequence[str]) -> str | None:
    """The label that is spelled most like a text; None where none is near, or there are too many to compare."""
    folded = {label.casefold(): label for label in labels[:MOST_LABELS]}
    near = get_close_matches(text[:COMPARED].casefold(), folded, n=1)
    return folded[near[0]] if near else None


def answer(label: str | None, reply: str | None) -> str:
    """What an arm answered, as a table shows it: the label, or without one the reply as it was."""
    if label is not None:
        return label
    return "(none)" if reply is None or not reply.strip() else f"(none: {sample(reply, ())})"
