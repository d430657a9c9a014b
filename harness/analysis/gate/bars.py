"""An interval as one line of plain characters, with the margin and zero marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ground import formatting

if TYPE_CHECKING:
    from harness.types import Estimate

WIDTH = 41


def bar(found: Estimate, limit: float, width: int = WIDTH) -> str:
    """`-.060 [-------!----(==|=o==)--------] .060`: the interval in brackets, what was found, the margin and 0."""
    if found.value is None or found.low is None or found.high is None:
        return formatting.UNKNOWN
    reach = 1.2 * max(abs(found.low), abs(found.high), abs(limit), 1e-9)
    reach = min(1.0, reach)

    def place(value: float) -> int:
        return round((min(max(value, -reach), reach) + reach) / (2 * reach) * (width - 1))

    cells = ["-"] * width
    low, high = place(found.low), place(found.high)
    cells[low : high + 1] = ["="] * (high + 1 - low)
    cells[low], cells[high] = "(", ")"
    for value, mark in ((0.0, "|"), (limit, "!"), (found.value, "o")):
        cells[place(value)] = mark
    return f"{formatting.share(-reach)} [{''.join(cells)}] {formatting.share(reach)}"
