"""Sections as one self-contained HTML page: no script, nothing loaded, everything escaped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from harness.report.blocks import Figure, Table, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.report.blocks import Section

PAGE = Path(__file__).with_name("page.html.j2")


def render(title: str, sections: Sequence[Section], drawings: Mapping[str, str]) -> str:
    """The page; `drawings` are the figures' SVG by name, drawn by us and put in as they are."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.tests["text"] = lambda block: isinstance(block, Text)
    environment.tests["table"] = lambda block: isinstance(block, Table)
    environment.tests["figure"] = lambda block: isinstance(block, Figure)
    template = environment.from_string(PAGE.read_text(encoding="utf-8"))
    # Markup: our own drawings; the labels inside were escaped when they were drawn.
    inline = {name: Markup(svg) for name, svg in drawings.items()}
    return template.render(title=title, sections=sections, drawings=inline)
