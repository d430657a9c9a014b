"""The files of `figures/`, drawn: SVG, PNG and PDF in light and dark, the table behind each, and SVG for a page.

The same results give the same bytes. Each figure says where it comes from, in its metadata and in a
line under it, so that a copy of it can still be defended.
"""

from __future__ import annotations

import io
import re
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

from harness.analysis import chosen_arms
from harness.ground import plugins, spreadsheets
from harness.report.figures import _frame, _style

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from harness.analysis.results import Results
    from harness.report.figures._style import Cell, Drawing, Palette

FOLDER = "figures"
DPI = 200
FORMATS = ("svg", "png", "pdf")
# What would differ from day to day is left out of a file's metadata.
TIMELESS: dict[str, dict[str, None]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
DESCRIPTION = {"svg": "Description", "png": "Description", "pdf": "Subject"}
ANCHOR = re.compile(r'(id="|href="#|url\(#)')
METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure as a report takes it: its words, its SVG file, its table, and its SVG for a page.

    In `inline` the colours are the page's own (`--ink`, `--page`, `--mark-0` to `--mark-7`), so that
    it follows the page into the dark. `narrow` is the same for a phone. `title` is the figure's own, `place` the
    title of the section that it belongs to.
    """

    name: str
    title: str
    place: str
    order: int
    alt: str
    caption: str
    sql: str
    svg: bytes
    table: bytes
    inline: str
    narrow: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which files: in which formats, in pixels of which size (None: what suits each figure), with dark ones."""

    formats: tuple[str, ...] = ("svg", "png")
    size: tuple[int, int] | None = None

    @property
    def frame(self) -> _style.Frame:
        """The size in inches: letters are as large in a small picture as in a large one."""
        return _style.PAGE if self.size is None else _style.Frame(self.size[0] / DPI, self.size[1] / DPI)


def drawn(results: Results) -> list[Drawn]:
    """Every figure that has something to show, in its order, in light colours."""
    return [one for name, module, shown in _modules(results) if (one := drawn_by(name, module, shown)) is not None]


def files(results: Results, wanted: Wanted = Wanted()) -> dict[str, bytes]:
    """Every figure in each format, light and dark, and the table behind it as CSV, by file name."""
    made: dict[str, bytes] = {}
    for name, module, shown in _modules(results):
        for suffix, palette in (("", _style.LIGHT), ("-dark", _style.DARK)):
            with _theme(palette, wanted.frame):
                drawing = module.draw(shown)
                if drawing is None:
                    break
                figure, facts = _finished(drawing, shown, module.TITLE), about(shown, drawing.method)
                for kind in wanted.formats:
                    made[f"{name}{suffix}.{kind}"] = _saved(figure, facts, kind)
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
    writer = spreadsheets.Rows(out)
    writer.write(columns)
    for row in rows:
        writer.write(["" if c is None else spreadsheets.guarded(c) if isinstance(c, str) else c for c in row])
    return out.getvalue().encode("utf-8")


def drawn_by(name: str, module: ModuleType, results: Results) -> Drawn | None:
    """One figure in light colours; None where it has nothing to show."""
    with _theme(_style.LIGHT):
        drawing = module.draw(results)
        if drawing is None:
            return None
        svg = _saved(_finished(drawing, results, module.TITLE), about(results, drawing.method), "svg")
    with _theme(_style.LIGHT, _style.PHONE):
        narrow = _saved(_finished(module.draw(results), results, module.TITLE), "", "svg")
    return Drawn(
        name,
        drawing.title or module.TITLE,
        module.TITLE,
        module.ORDER,
        drawing.alt,
        drawing.caption,
        drawing.sql,
        svg=svg,
        table=as_csv(drawing.columns, drawing.rows),
        inline=_inline(name, svg.decode()),
        narrow=_inline(f"{name}-narrow", narrow.decode()),
    )


def _modules(results: Results) -> list[tuple[str, ModuleType, Results]]:
    """The figures for this kind of task, in order, with what each shows; what shows one arm comes for each chosen.

    None where arms are estimated from few labels: the figures count gold alone.
    """
    task = results.split.task
    if results.estimation is not None:
        return []
    loaded = [(name, plugins.load(FOLDER, name, task.at)) for name in plugins.names(FOLDER, task.at)]
    loaded = [one for one in loaded if task.meets(one[1])]
    found: list[tuple[str, ModuleType, Results]] = []
    for name, module in sorted(loaded, key=lambda pair: pair[1].ORDER):
        if results.known_arms and getattr(module, "ONE_ARM", False):
            found += [(file, module, alone) for file, alone in _one_by_one(name, results)]
        else:
            found.append((name, module, results))
    return found


def _one_by_one(name: str, results: Results) -> Iterator[tuple[str, Results]]:
    taken: set[str] = set()
    for one in results.by_arm.runs:
        file = stem = f"{name}-{UNSAFE.sub('-', one.run.arm_name)[:80].strip('-')}"
        while file.lower() in taken:
            file = f"{stem}-{len(taken) + 1}"
        taken.add(file.lower())
        yield file, chosen_arms.of_arms(results, [one.run.arm_name])


@contextmanager
def _theme(palette: Palette, frame: _style.Frame = _style.PAGE) -> Iterator[None]:
    with mpl.rc_context(_style.settings(palette)), _style.framed(frame), warnings.catch_warnings():
        # A label in a script that the font lacks is drawn as boxes; the table has it in full.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def _finished(drawing: Drawing, results: Results, title: str) -> mpl.figure.Figure:
    """The figure with its title above and its provenance below, both outside the axes."""
    split = results.split
    what = f"{_style.said(split.dataset, 40)}, {_style.said(split.name, 20)} split, n = {split.n:,}"
    return _frame.finished(drawing, drawing.title or title, what, about(results, drawing.method))


def _plain(text: str) -> str:
    """The text without what XML and PNG headers cannot hold."""
    return "".join(char if char.isprintable() else " " for char in text)


def _saved(figure: mpl.figure.Figure, facts: str, kind: str) -> bytes:
    out = io.BytesIO()
    metadata: dict[str, Any] = {**TIMELESS[kind], DESCRIPTION[kind]: facts}
    figure.savefig(out, format=kind, dpi=DPI if kind == "png" else "figure", metadata=metadata)
    return out.getvalue()


def _inline(name: str, svg: str) -> str:
    """The `svg` element for a page: colours of the page, anchors of its own, no XML declaration."""
    text = METADATA.sub("", svg[svg.index("<svg") :])
    palette = _style.LIGHT
    for number, color in enumerate(palette.marks):
        text = text.replace(color, f"var(--mark-{number})")
    text = text.replace(palette.ink, "var(--ink)").replace(palette.paper, "var(--page)")
    return ANCHOR.sub(lambda match: f"{match.group(1)}{name}-", text)
