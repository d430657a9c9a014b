"""What a search for a better prompt bought: the best version's credit on dev by the dollars spent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import FuncFormatter, MaxNLocator

from harness.analysis.improvement import stored_search
from harness.ground import formatting
from harness.report.figures import _looks, _style

if TYPE_CHECKING:
    from harness.analysis.improvement import StoredSearch
    from harness.analysis.results import Results, RunResult

TITLE = "Search for a better prompt"
ORDER = 31
MARK = 5.5  # points


def draw(results: Results) -> _style.Drawing | None:
    """A staircase for each version that a search has found; nothing without one."""
    found = [(one, search) for one in results.runs if (search := stored_search(one)) is not None and search.levels]
    if not found:
        return None
    shown, known = found[: _style.SERIES], _looks.looks(results)
    figure = _style.canvas()
    axes = figure.add_subplot()
    for result, search in shown:
        usd, credit, _ = zip(*search.levels, strict=True)
        ends = [*usd, max(search.spent_usd, usd[-1])]
        look = known[result.run.arm_name]
        axes.plot(ends, [*credit, credit[-1]], drawstyle="steps-post", linewidth=1.4, color=look.color)
        axes.plot(usd, credit, linestyle="", label=_style.name_of(result), **look.drawn(MARK))
    noun = results.split.task.noun
    axes.set_xlabel("spent on the search")
    axes.set_ylabel(f"{noun} on the items that chose")
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: formatting.dollars(value)))
    _style.grid(axes)
    _style.shares(axes, y=True)
    _style.legend(axes)
    return _style.Drawing(
        figure,
        ("arm", "run_id", "parent", "spent_usd", noun, "n"),
        tuple((r.run.name, r.run.run_id, s.parent, *level) for r, s in found for level in _rows(s)),
        f"The best version's {noun} on the items that chose it, by dollars spent: "
        f"{'; '.join(_told(*one) for one in shown)}.",
        "A step: another version took the place of the best so far. It was chosen by these items, so they flatter it; "
        "what it is worth on others the scorecard says.",
        "none",
    )


def _rows(search: StoredSearch) -> list[tuple[float, float, int]]:
    return list(search.levels)


def _told(result: RunResult, search: StoredSearch) -> str:
    (_, first, _), (usd, last, n) = search.levels[0], search.levels[-1]
    return (
        f"{_style.name_of(result)} goes from {formatting.share(first)} to {formatting.share(last)} ({n:,} items) for "
        f"{formatting.dollars(usd)}"
    )
