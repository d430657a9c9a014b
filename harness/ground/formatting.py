"""How a number is printed: shares, durations, dollars, counts, intervals. Pure text, no tables.

One place decides significant digits, so terminal, Markdown, HTML and figures agree. Unknown is
`unknown`, never 0.
"""

from __future__ import annotations

from collections.abc import Sized
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.types import Estimate

UNKNOWN = "unknown"


def is_missing(value: object) -> bool:
    """Whether a cell of a table is empty: None, or the NaN that a frame has for it."""
    return value is None or (not isinstance(value, Sized) and bool(value != value))  # noqa: PLR0124  (NaN is not itself)


def cut(text: str, longest: int) -> str:
    """The text, or its beginning and an ellipsis where it has more than `longest` characters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def one_line(text: str, longest: int) -> str:
    """The text on one line of at most `longest` characters."""
    return cut(" ".join(text.split()), longest)


def share(value: float | None, digits: int = 3) -> str:
    """A number between -1 and 1, as papers print it: `.865`, `-.042`, `1.000`."""
    if value is None:
        return UNKNOWN
    text = f"{value:.{digits}f}"
    if float(text) == 0.0:
        text = text.lstrip("-")
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def interval(estimate: Estimate) -> str:
    """The interval alone: `.821 to .899`."""
    if estimate.low is None or estimate.high is None:
        return UNKNOWN
    return f"{share(estimate.low)} to {share(estimate.high)}"


def span(estimate: Estimate) -> str:
    """The interval of a share, short enough for a table: `.821–.899`."""
    if estimate.low is None or estimate.high is None:
        return UNKNOWN
    return f"{share(estimate.low)}–{share(estimate.high)}"


def with_interval(estimate: Estimate) -> str:
    """A value with its interval: `.865 (.821 to .899)`."""
    if estimate.value is None:
        return UNKNOWN
    return f"{share(estimate.value)} ({interval(estimate)})"


def between(estimate: Estimate, printed: Callable[[float | None], str]) -> str:
    """A value with its interval, each printed in its unit: `-$0.016 (-$0.018 to -$0.014)`; once if all print alike."""
    value, low, high = (printed(one) for one in (estimate.value, estimate.low, estimate.high))
    if estimate.low is None or estimate.high is None or value == low == high:
        return value
    return f"{value} ({low} to {high})"


def p_value(p: float | None) -> str:
    """A p-value: `.035`, `< .001`; never 0."""
    if p is None:
        return UNKNOWN
    return "< .001" if p < 0.001 else share(p)


def duration(seconds: float | None) -> str:
    """A time span in the unit a reader expects: `340 µs`, `4.2 ms`, `455 ms`, `2.1 s`, `3 min 20 s`."""
    if seconds is None:
        return UNKNOWN
    if seconds < 0:
        return f"-{duration(-seconds)}"
    for limit, scale, unit in ((0.0009995, 1e6, "µs"), (0.9995, 1e3, "ms"), (59.95, 1.0, "s")):
        if seconds < limit:
            return f"{_three_digits(seconds * scale)} {unit}"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def dollars(usd: float | None) -> str:
    """An amount of money with two significant digits below a cent, cents above: `$0.00042`, `$12.40`."""
    if usd is None:
        return UNKNOWN
    if usd == 0:
        return "$0"
    if usd < 0:
        return f"-{dollars(-usd)}".replace("-<", ">-")
    if usd < 0.00001:
        return "<$0.00001"
    if usd >= 0.995:
        return f"${usd:,.2f}"
    text = f"{usd:.2g}"
    return f"${float(text):.10f}".rstrip("0") if "e" in text else f"${text}"


def count(value: int | None) -> str:
    """A whole number with thousands marked: `13,083`."""
    return UNKNOWN if value is None else f"{value:,}"


def plural(value: int, noun: str) -> str:
    """A count with its noun: `1 item`, `296 items`, `2 batches`."""
    return f"{value:,} {noun}" + ("" if value == 1 else "es" if noun.endswith(("s", "ch", "sh", "x")) else "s")


def _three_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 99.5 else f"{value:.2g}" if value < 9.95 else f"{value:.0f}"
