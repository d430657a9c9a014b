"""Sections as one self-contained HTML page: nothing is loaded, everything is escaped.

One script of ours may run, allowed by its hash; the items lie beside it as JSON, which no browser
executes and in which nothing can end the element it stands in.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from harness.report import blocks, queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.report.blocks import Section

HERE = Path(__file__).parent
PAGE, SCRIPT = HERE / "page.html.j2", HERE / "explorer.js"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action {form}{script}"
KINDS = {
    "text": blocks.Text,
    "table": blocks.Table,
    "figure": blocks.Figure,
    "code": blocks.Code,
    "items": blocks.Items,
    "links": blocks.Links,
    "fields": blocks.Form,
}
UNSAFE = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})


def render(
    title: str, sections: Sequence[Section], drawings: Mapping[str, tuple[str, str]], *, form: str = "'none'"
) -> str:
    """The page; `drawings` are the figures' SVG by name, for a window and for a phone, put in as we drew them.

    `form` is where forms may lead, in the words of a content security policy.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    for name, kind in KINDS.items():
        environment.tests[name] = lambda block, kind=kind: isinstance(block, kind)
    environment.filters["command"] = queries.command
    environment.filters["embedded"] = embedded
    template = environment.from_string(PAGE.read_text(encoding="utf-8"))
    has_items = any(isinstance(block, blocks.Items) for section in sections for block in section.blocks)
    script = SCRIPT.read_text(encoding="utf-8") if has_items else ""
    return template.render(
        title=title,
        sections=sections,
        # Markup: our own drawings; the words inside were drawn as paths.
        drawings={name: tuple(map(Markup, both)) for name, both in drawings.items()},
        script=Markup(script),
        policy=POLICY.format(form=form, script=f"; script-src '{_hash(script)}'" if script else ""),
    )


def embedded(value: object) -> Markup:
    """JSON that can stand in a script element: no character of it can begin a tag or an entity."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(UNSAFE))


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
