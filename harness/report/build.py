"""A whole report from results: the page, its Markdown twin and the figures, as bytes by file name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from harness.ground import plugins
from harness.report import front, html, markdown
from harness.report.blocks import Figure, Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.analysis.results import Results
    from harness.report.drawings import Drawn

FOLDER = "sections"


def sections(results: Results, drawn: Sequence[Drawn] = ()) -> list[Section]:
    """The sections that have something to say of this kind of task, in their order.

    Where arms are estimated from few labels these are the ones with `FEW_LABELS`: others count gold alone.

    A figure stands at the top of the section that it belongs to; without one it makes its own.
    """
    task = results.split.task
    loaded = [plugins.load(FOLDER, name, task.at) for name in plugins.names(FOLDER, task.at)]
    modules = [module for module in loaded if task.meets(module)]
    if results.estimation is not None:
        modules = [module for module in modules if getattr(module, "FEW_LABELS", False)]
    told = [(module.ORDER, section) for module in modules if (section := module.section(results)) is not None]
    placed: dict[str, tuple[int, Section]] = {section.title: (order, section) for order, section in told}
    for figure in drawn:
        order, section = placed.get(figure.place, (figure.order, Section(figure.title, ())))
        block = Figure(figure.name, figure.alt, figure.caption, figure.sql)
        placed[figure.place] = (order, Section(section.title, (block, *section.blocks)))
    return [section for _, section in sorted(placed.values(), key=lambda pair: pair[0])]


def section(name: str, results: Results) -> Section | None:
    """One section alone, for whoever shows no whole report; None where it has nothing to say."""
    shown: Section | None = plugins.load(FOLDER, name, results.split.task.at).section(results)
    return shown


def build(results: Results, drawn: Sequence[Drawn] | None = None) -> dict[str, bytes]:
    """The report's files; the same results give the same bytes. `drawn` are its figures, if they are drawn already."""
    title = f"{results.split.dataset}: which tool should serve it?"
    drawn = _drawn(results) if drawn is None else drawn
    told = sections(results, drawn)
    page = html.render(title, told, {figure.name: (figure.inline, figure.narrow) for figure in drawn})
    twin = markdown.render(title, told)
    made = {"report.html": page.encode(), "report.md": twin.encode(), front.SUMMARY: front.summary(results, told)}
    for figure in drawn:
        made |= {f"{figure.name}.svg": figure.svg, f"{figure.name}.csv": figure.table}
    return made


def _drawn(results: Results) -> list[Drawn]:
    # Drawing takes half a second to import, so it comes with the first figure: many commands show none.
    drawings = import_module("harness.report.drawings")
    return drawings.drawn(results)  # type: ignore[no-any-return]
