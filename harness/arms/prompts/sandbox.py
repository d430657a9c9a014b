"""Jinja's immutable sandbox, in which no expression makes more than a block may hold: refused before it is made."""

from __future__ import annotations

import re
from typing import Any

from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_BLOCK_CHARS = 1_000_000
MOST_BITS = 4_096  # of a whole number
WIDE = re.compile(r"\d{7,}")
BOUNDED_FILTERS = ("center", "format", "indent", "replace", "truncate", "wordwrap")


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """The sandbox with bounded products, powers, formats and calls."""

    intercepted_binops = frozenset(("*", "**", "+", "%"))

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  (jinja2's signature)
        super().__init__(**options)
        for name in BOUNDED_FILTERS:
            self.filters[name] = _bounded(self.filters[name])

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401  (as above)
        """The operation, unless what it makes would be too large."""
        size = {"*": _product, "**": _power, "+": _sum, "%": _formatted}[operator](left, right)
        if size > MAX_BLOCK_CHARS:
            raise SecurityError(f"what {operator!r} makes here would be longer than {MAX_BLOCK_CHARS:,} characters")
        return super().call_binop(context, operator, left, right)

    def call(self, context: Context, called: Any, *given: Any, **named: Any) -> Any:  # noqa: ANN401  (as above)
        """The call, unless a number or a text that it is given would make too much."""
        owner = getattr(called, "__self__", None)
        if isinstance(owner, str):
            _check(owner, *given, *named.values())
        return super().call(context, called, *given, **named)


def _bounded(function: Any) -> Any:  # noqa: ANN401  (a filter takes and gives anything)
    def bounded(*given: Any, **named: Any) -> Any:  # noqa: ANN401  (as above)
        _check(*(part for part in (*given, *named.values()) if isinstance(part, str | int)))
        return function(*given, **named)

    bounded.__dict__.update(function.__dict__)  # whether it takes the context or the environment
    return bounded


def _check(*parts: object) -> None:
    texts = [part for part in parts if isinstance(part, str)]
    size = 1
    for text in texts:
        size *= max(len(text), 1)
    numbers = [abs(part) for part in parts if isinstance(part, int)]
    is_wide = any(WIDE.search(text) for text in texts[:1])
    if max(numbers, default=0) > MAX_BLOCK_CHARS or is_wide or (len(texts) > 2 and size > MAX_BLOCK_CHARS):
        raise SecurityError(f"what this makes would be longer than {MAX_BLOCK_CHARS:,} characters")


def _product(left: object, right: object) -> int:
    if isinstance(left, int) and isinstance(right, int):
        return _too_many_bits(left.bit_length() + right.bit_length())
    sequence, times = (left, right) if isinstance(right, int) else (right, left)
    return len(sequence) * max(times, 0) if isinstance(times, int) and hasattr(sequence, "__len__") else 0


def _power(left: object, right: object) -> int:
    both = isinstance(left, int) and isinstance(right, int)
    return _too_many_bits(left.bit_length() * right) if both and right > 0 else 0  # type: ignore[attr-defined, operator]


def _sum(left: object, right: object) -> int:
    return sum(len(side) for side in (left, right) if isinstance(side, str | list | tuple))


def _formatted(left: object, _: object) -> int:
    is_wide = isinstance(left, str) and ("*" in left or WIDE.search(left))
    return MAX_BLOCK_CHARS + 1 if is_wide else 0


def _too_many_bits(bits: int) -> int:
    return MAX_BLOCK_CHARS + 1 if bits > MOST_BITS else 0
