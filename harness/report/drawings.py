"""The files of `figures/`, drawn: SVG and PNG in light and dark, the table behind each, and SVG for a page.

The same results give the same bytes. Each figure says where it comes from, in its metadata and in a
line under it, so that a copy of it can still be defended.
"""

from __future__ import annotations

import csv
import io
import re
import textwrap
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl

from harness.ground import plugins, spreadsheets
from harness.report.figures import _style

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from harness.analysis.results import Results
    from harness.report.figures._style import Cell, Drawing, Palette

FOLDER = "report/figures"
DPI = 200
FOOTER_POINTS = 7.0
FOOTER_COLUMNS = 134
FOOTER_LINES = 4
LINE_INCHES = 0.135
TITLE_INCHES = 0.42
ANCHOR = re.compile(r'(id="|href="#|url\(#)')
METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure as a report takes it: its words, its SVG file, its table, and its SVG for a page.

    In `inline` the colours are the page's own (`--ink`, `--page`, `--mark-0` to `--mark-3`), so that
    it follows the page into the dark.
    """

    name: str
    title: str
    order: int
    alt: str
    caption: str
    sql: str
    svg: bytes
    table: bytes
    inline: str


def drawn(results: Results) -> list[Drawn]:
    """Every figure that has something to show, in its order, in light colours."""
    found = []
    for name, module in _modules(results):
        with _theme(_style.LIGHT):
            drawing = module.draw(results)
            if drawing is None:
                continue
            svg = _svg(_finished(drawing, results, module.TITLE), about(results, drawing.method))
        table = as_csv(drawing.columns, drawing.rows)
        words = (drawing.alt, drawing.caption, drawing.sql)
        found.append(Drawn(name, module.TITLE, module.ORDER, *words, svg, table, _inline(name, svg.decode())))
    return found


def files(results: Results) -> dict[str, bytes]:
    """Every figure as SVG and PNG, light and dark, and the table behind it as CSV, by file name."""
    made: dict[str, bytes] = {}
    for name, module in _modules(results):
        for suffix, palette in (("", _style.LIGHT), ("-dark", _style.DARK)):
            with _theme(palette):
                drawing = module.draw(results)
                if drawing is None:
                    break
                figure, facts = _finished(drawing, results, module.TITLE), about(results, drawing.method)
                made[f"{name}{suffix}.svg"] = _svg(figure, facts)
                made[f"{name}{suffix}.png"] = _png(figure, facts)
                made[f"{name}.csv"] = as_csv(drawing.columns, drawing.rows)
    return made


def about(results: Results, method: str) -> str:
    """Where a figure's numbers come from: dataset, split, n, interval, runs, prices, code."""
    split = results.split
    runs = ", ".join(f"{result.run.name} {result.run.run_id}" for result in results.runs)
    facts = "; ".join(f"{name}: {value}" for name, value in results.provenance.items())
    return _plain(
        f"dataset {split.dataset} ({split.dataset_id}), split {split.name}, n = {split.n}; "
        f"intervals: {method}, 95%; {facts}; runs: {runs}"
    )


def as_csv(columns: tuple[str, ...], rows: tuple[tuple[Cell, ...], ...]) -> bytes:
    """A table that no spreadsheet takes for formulas; unknown is empty."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(["" if c is None else spreadsheets.guarded(c) if isinstance(c, str) else c for c in row])
    return out.getvalue().encode("utf-8")


def _modules(results: Results) -> list[tuple[str, ModuleType]]:
    """The figures that mean something for this kind of task, in their order."""
    loaded = [(name, plugins.load(FOLDER, name)) for name in plugins.names(FOLDER)]
    loaded = [one for one in loaded if results.split.task.meets(one[1])]
    return sorted(loaded, key=lambda pair: pair[1].ORDER)


@contextmanager
def _theme(palette: Palette) -> Iterator[None]:
    with mpl.rc_context(_style.settings(palette)), warnings.catch_warnings():
        # A label in a script that the font lacks is drawn as boxes; the table has it in full.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def _finished(drawing: Drawing, results: Results, title: str) -> mpl.figure.Figure:
    """The figure with its title above and its provenance below, both outside the axes."""
    figure = drawing.figure
    lines = _footer(results, drawing.method)
    height = float(figure.get_figheight()) + LINE_INCHES * len(lines)
    figure.set_figheight(height)
    below, above = (LINE_INCHES * len(lines) + 0.14) / height, TITLE_INCHES / height
    figure.set_layout_engine("constrained", rect=(0, below, 1, 1 - below - above))
    figure.text(
        0.012, 1 - 0.09 / height, _style.said(title, 60), fontsize=11.5, fontweight="bold", va="top", gid="title"
    )
    split = results.split
    what = f"{_style.said(split.dataset, 40)}, {_style.said(split.name, 20)} split, n = {split.n:,}"
    figure.text(0.988, 1 - 0.11 / height, what, fontsize=9.5, va="top", ha="right")
    figure.text(
        0.012, 0.08 / height, "\n".join(lines), fontsize=FOOTER_POINTS, va="bottom", linespacing=1.35, alpha=0.8
    )
    # Laid out here, once: saving a figure that has a layout engine draws it twice, and does so for each file.
    if (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)
    figure.set_layout_engine(None)
    return figure


def _footer(results: Results, method: str) -> list[str]:
    lines = textwrap.wrap(about(results, method), FOOTER_COLUMNS)
    return lines if len(lines) <= FOOTER_LINES else [*lines[:FOOTER_LINES], "… (all runs: in the file's metadata)"]


def _plain(text: str) -> str:
    """The text without what XML and PNG headers cannot hold."""
    return "".join(char if char.isprintable() else " " for char in text)


def _svg(figure: mpl.figure.Figure, facts: str) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Description": facts})
    return out.getvalue()


def _png(figure: mpl.figure.Figure, facts: str) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=DPI, metadata={"Software": None, "Description": facts})
    return out.getvalue()


def _inline(name: str, svg: str) -> str:
    """The `svg` element for a page: colours of the page, anchors of its own, no XML declaration."""
    text = METADATA.sub("", svg[svg.index("<svg") :])
    palette = _style.LIGHT
    for number, color in enumerate(palette.marks):
        text = text.replace(color, f"var(--mark-{number})")
    text = text.replace(palette.ink, "var(--ink)").replace(palette.paper, "var(--page)")
    return ANCHOR.sub(lambda match: f"{match.group(1)}{name}-", text)
