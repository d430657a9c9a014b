"""What a server sent, as JSON of known shape: bounded numbers, bounded depth, texts where texts are due. Pure.

Nothing of a reply is believed before one of these functions has looked at it. What is not of the
protocol's shape is `UnreadableError`; a number of tokens that cannot be one makes the whole usage unknown.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, cast

from harness.types import Usage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeGuard

    from harness.types import JSON

    Table = dict[str, object]

LONGEST_NUMBER = 18  # digits: whatever is shorter fits into 64 bits
MOST_TOKENS = 100_000_000  # of one kind in one call: more is a mistake, whoever says it
DEEPEST = 32  # levels of what is kept as it came
LONGEST_NAME = 200


class UnreadableError(Exception):
    """A reply that is not of the protocol's shape; the text says what was found."""


def table_of(content: bytes) -> Table:
    """The JSON object that a body is; `UnreadableError` otherwise."""
    try:
        value = _DECODER.decode(content.decode(json.detect_encoding(content), "surrogatepass"))
    except (ValueError, RecursionError):
        raise UnreadableError("the reply is not JSON") from None
    return table(value, "the reply")


def key_of(line: bytes) -> str | None:
    """The key of a line of a batch's results, or None."""
    try:
        return name_of(table_of(line).get("custom_id"), "") or None
    except UnreadableError:
        return None


def table(value: object, what: str) -> Table:
    """The value, where it is an object with names."""
    if not isinstance(value, dict):
        raise UnreadableError(f"{what} is {_kind(value)}, not an object")
    return value


def first(value: object, what: str) -> Table:
    """The first of a list of objects; `UnreadableError` where there is none."""
    if not isinstance(value, list) or not value:
        raise UnreadableError(f"the reply has no {what}")
    return table(value[0], f"the first of {what}")


def text_of(content: object, what: str = "the content") -> str:
    """A message's text: as it is, or its text parts joined. Nothing at all is the empty text."""
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        raise UnreadableError(f"{what} is {_kind(content)}, not a text")
    parts = [table(part, f"a part of {what}") for part in content]
    texts = [part.get("text") for part in parts if part.get("type") == "text"]
    if not all(isinstance(text, str) for text in texts):
        raise UnreadableError(f"a text in {what} is no text")
    return "".join(str(text) for text in texts)


def name_of(value: object, otherwise: str) -> str:
    """A short text, such as a model's name; `otherwise` where it is none."""
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_NAME else otherwise


def count(usage: object, *path: str, is_required: bool = False) -> int | None:
    """The number of tokens at a path of nested objects; None where it cannot be one.

    One that is not there is 0, or None where it `is_required`.
    """
    for name in path:
        usage = usage.get(name) if isinstance(usage, dict) else None
    if usage is None and not is_required:
        return 0
    is_whole = isinstance(usage, int) and not isinstance(usage, bool)
    return usage if is_whole and 0 <= usage <= MOST_TOKENS else None  # type: ignore[operator, return-value]


def buckets(*counts: int | None) -> Usage | None:
    """The five disjoint buckets, in order; None where one is unknown or negative."""
    known = [count for count in counts if count is not None and count >= 0]
    return Usage(*known) if len(known) == len(counts) else None


def openai_usage(usage: object, asked: str, said: str) -> Usage | None:
    """OpenAI's usage in disjoint buckets; `asked` and `said` are what an endpoint calls its two sides.

    The tokens asked include cached ones, the tokens said include reasoning. None where it is no usage.
    """
    total_in, total_out = (count(usage, f"{side}_tokens", is_required=True) for side in (asked, said))
    read = count(usage, f"{asked}_tokens_details", "cached_tokens")
    write = count(usage, f"{asked}_tokens_details", "cache_write_tokens")
    reasoning = count(usage, f"{said}_tokens_details", "reasoning_tokens")
    if total_in is None or total_out is None or read is None or write is None or reasoning is None:
        return None
    return buckets(total_in - read - write, read, write, total_out - reasoning, reasoning)


def plausible(usage: Usage | None, said: str) -> Usage | None:
    """The usage, where it counts what there is: a prompt, and a reply if one came; otherwise None.

    Some gateways fill in zeros where they do not know.
    """
    if usage is None or not usage.input_fresh + usage.cache_read + usage.cache_write:
        return None
    return usage if usage.output_visible + usage.reasoning or not said else None


def kept(value: object) -> JSON:
    """A value to be kept as it came; None where it is too deep to be written again."""
    return cast("JSON", value) if _is_flat(value, DEEPEST) else None


def is_share(value: object) -> TypeGuard[float]:
    """Whether a value is a probability."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def shares(listed: object) -> Mapping[str, float] | None:
    """Probabilities by option from a list of `value` and `probability`; None where one of them is none."""
    if not isinstance(listed, list) or not listed:
        return None
    found = {}
    for entry in listed:
        value = entry.get("value") if isinstance(entry, dict) else None
        share = entry.get("probability") if isinstance(entry, dict) else None
        if not isinstance(value, str) or not is_share(share):
            return None
        found[value] = float(share)
    return found


def logprob(value: object) -> float | None:
    """A log-probability; None where the value is none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and not math.isnan(value) and value <= 1e-6 else None  # type: ignore[arg-type, operator]


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= LONGEST_NUMBER else None


def _is_flat(value: object, levels: int) -> bool:
    if not isinstance(value, (list, dict)):
        return True
    parts = value.values() if isinstance(value, dict) else value
    return levels > 0 and all([_is_flat(part, levels - 1) for part in parts if isinstance(part, (list, dict))])


def _kind(value: object) -> str:
    names = {list: "a list", str: "a text", int: "a number", float: "a number", bool: "true or false"}
    return names.get(type(value), "null" if value is None else "an object")


# NaN and infinity are no JSON, and a number beyond 64 bits is no number of anything: both are read as null.
_DECODER = json.JSONDecoder(parse_constant=lambda _: None, parse_int=_whole)
