"""A whole report from results: the page, its Markdown twin and the figures, as bytes by file name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import plugins
from harness.report import figures, html, markdown

if TYPE_CHECKING:
    from harness.analysis import Results
    from harness.report.blocks import Section

FOLDER = "report/sections"


def sections(results: Results) -> list[Section]:
    """The sections that have something to say, in their order."""
    modules = sorted((plugins.load(FOLDER, name) for name in plugins.names(FOLDER)), key=lambda module: module.ORDER)
    made = (module.section(results) for module in modules)
    return [section for section in made if section is not None]


def build(results: Results) -> dict[str, bytes]:
    """The report's files; the same results give the same bytes."""
    title = f"{results.split.dataset}: which tool should serve it?"
    drawn = figures.files(results)
    svgs = {name.removesuffix(".svg"): svg.decode() for name, svg in drawn.items() if name.endswith(".svg")}
    told = sections(results)
    page, twin = html.render(title, told, svgs), markdown.render(title, told)
    return {"report.html": page.encode(), "report.md": twin.encode(), **drawn}
