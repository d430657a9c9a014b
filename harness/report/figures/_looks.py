"""Which arm looks how: a colour and a marker of its own, the same in every figure, page and report.

An arm's name decides, so that a new arm beside it changes nothing but what it must: two names that ask for the
same look get the next free one. The first eight arms have eight colours and eight markers between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D

from harness.report.figures import _style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.analysis.results import Results, RunResult

MARKERS = ("o", "D", "s", "^", "v", "P", "X", "*")
SIZES = {"o": 1.0, "D": 0.9, "s": 0.95, "^": 1.1, "v": 1.1, "P": 1.2, "X": 1.2, "*": 1.55}  # equally large to the eye
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1)), (0, (8, 2)), (0, (1, 2)), (0, (4, 1, 1, 1, 1, 1)))
COLOURS = len(_style.LIGHT.marks)


@dataclass(frozen=True, slots=True)
class Look:
    """A colour by its number, a marker, and whether the marker is filled: open ones are prompts to a model."""

    number: int
    marker: str
    is_filled: bool = True

    @property
    def color(self) -> str:
        """The colour under the theme in force."""
        return _style.mark(self.number)

    @property
    def dashes(self) -> Any:  # noqa: ANN401  (what matplotlib takes for a line style)
        """The line's pattern."""
        return DASHES[MARKERS.index(self.marker)]

    def size(self, points: float) -> float:
        """The marker's size, for markers that look as large as a circle of so many points."""
        return points * SIZES[self.marker]

    def drawn(self, points: float = 6.5) -> dict[str, Any]:
        """How matplotlib draws the marker."""
        return {
            "color": self.color,
            "marker": self.marker,
            "markersize": self.size(points),
            "markerfacecolor": self.color if self.is_filled else _style.paper(),
            "markeredgewidth": 1.0 if self.is_filled else 1.5,
        }

    def entry(self, name: str) -> Line2D:
        """The arm's line of a legend."""
        return Line2D([], [], linestyle="", label=name, **self.drawn())


def looks(results: Results) -> Mapping[str, Look]:
    """The look of each arm of the split, chosen for this figure or not, by `arm_name`."""
    asked = {one.run.arm_name: bool(one.run.model) for one in results.runs}
    learnt = () if results.curves is None else [curve.arm for curve in results.curves.learnt]
    names = sorted({*results.known_arms, *asked, *learnt})
    return {
        name: Look(place % COLOURS, MARKERS[(place + place // COLOURS) % len(MARKERS)], not asked.get(name, False))
        for name, place in _places(names).items()
    }


def look_of(results: Results, result: RunResult) -> Look:
    """The look of one arm."""
    return looks(results)[result.run.arm_name]


def _places(names: Sequence[str]) -> dict[str, int]:
    """A number for each name: its hash's, or the next that is free among the first eight, the next eight, ..."""
    found: dict[str, int] = {}
    taken: set[int] = set()
    for name in names:
        block, wanted = len(found) // COLOURS * COLOURS, sha256(name.encode("utf-8", "surrogatepass")).digest()[0]
        free = (block + (wanted + step) % COLOURS for step in range(COLOURS))
        found[name] = next(place for place in free if place not in taken)
        taken.add(found[name])
    return found
