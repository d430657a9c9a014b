"""Every figure: the same bytes, its origin inside it, safe tables, colours and sizes that people can read."""

import csv
import io
import re
from itertools import combinations
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest

from harness.datasets.task import SINGLE
from harness.ground import plugins
from harness.ground.spreadsheets import STARTS
from harness.report import drawings
from harness.report.figures import _style
from tests.report.conftest import made, whole, with_cascade, with_curves

FIGURES = [name for name in plugins.names("report/figures") if SINGLE.meets(plugins.load("report/figures", name))]
# Machado, Oliveira and Fernandes 2009, severity 1: what a protanope and a deuteranope see of linear RGB.
PROTAN = np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]])
DEUTAN = np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]])
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = TO_XYZ.sum(axis=1)


def linear(color):
    rgb = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    f = np.cbrt(TO_XYZ @ np.clip(rgb, 0, 1) / WHITE)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(a, b):
    dark, light = sorted(float(TO_XYZ[1] @ linear(color)) for color in (a, b))
    return (light + 0.05) / (dark + 0.05)


@pytest.fixture(scope="module")
def files():
    """The files of the ordinary results, drawn once for all tests."""
    return drawings.files(whole())


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_comes_in_five_files(files, name):
    """SVG and PNG, light and dark, and the table behind them; all of them whole."""
    for suffix in ("", "-dark"):
        ElementTree.fromstring(files[f"{name}{suffix}.svg"])
        assert files[f"{name}{suffix}.png"].startswith(b"\x89PNG")
    assert files[f"{name}.svg"] != files[f"{name}-dark.svg"]
    rows = list(csv.DictReader(io.StringIO(files[f"{name}.csv"].decode())))
    assert rows
    assert {"arm", "run_id"} <= set(rows[0])


def test_the_same_results_are_the_same_files(files):
    """Every byte of every file, drawn twice."""
    assert drawings.files(whole()) == files


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_carries_its_origin(files, name):
    """Dataset, n, interval method, runs, price date and code version are in the metadata of each file."""
    for file in (f"{name}.svg", f"{name}.png", f"{name}-dark.svg", f"{name}-dark.png"):
        for fact in (b"tickets@v1 (s1:data)", b"n = 60", b"intervals: ", b"prices as of: table 1", b"harness: 0.1.0"):
            assert fact in files[file], (file, fact)
        assert b"minilm-lr s1:" in files[file]


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("palette", [_style.LIGHT, _style.DARK], ids=["light", "dark"])
def test_every_figure_says_its_origin_and_can_be_read(name, palette):
    """The same facts stand under the figure; no word is smaller than 9 points but those; they have contrast."""
    results, module = whole(), plugins.load("report/figures", name)
    with mpl.rc_context(_style.settings(palette)):
        drawing = module.draw(results)
        figure = drawings._finished(drawing, results, module.TITLE)
        words = [text for text in figure.findobj(mpl.text.Text) if text.get_text().strip()]
        footer = max(words, key=lambda text: len(text.get_text()))
        joined = footer.get_text().replace("\n", " ")
        for fact in ("tickets@v1", "n = 60", "intervals:", "prices as of: table 1", "harness: 0.1.0", "s1:0000"):
            assert fact in joined
        assert figure.get_figwidth() == _style.WIDTH
        assert min(text.get_fontsize() for text in words if text is not footer) >= 9
        assert footer.get_fontsize() >= 7
    assert len(drawing.alt) > 40
    assert drawing.caption
    assert all(len(row) == len(drawing.columns) for row in drawing.rows)


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_stands_any_results(name, hostile):
    """Hostile names, one item, and 77 and 150 labels are drawn, or there is nothing to draw."""
    module = plugins.load("report/figures", name)
    assert isinstance(module.ORDER, int)
    one = made(n=1, arms={"majority": {"right": 1.0}})
    arms = {"minilm-lr": {"right": 0.8}, "prompt:v1": {"right": 0.7, "model": "openai/m"}}
    many = [made(labels=[f"label number {i}" for i in range(n)], n=2 * n, arms=arms) for n in (77, 150)]
    for results in (hostile, with_cascade(with_curves(hostile)), one, with_curves(one), *many):
        with drawings._theme(_style.LIGHT):
            drawing = module.draw(results)
            if drawing is not None:
                svg = drawings._saved(drawings._finished(drawing, results, module.TITLE), "about", "svg")
                ElementTree.fromstring(svg)
                assert len(svg) < 500_000


def test_what_a_page_takes_follows_its_colours(results):
    """No colour of ours is left in the inline SVG, no anchor is shared by two figures, no metadata is repeated."""
    drawn = drawings.drawn(results)
    for figure in drawn:
        colors = set(re.findall(r"#[0-9a-f]{6}\b", figure.inline))
        assert not colors & {*_style.LIGHT.marks, _style.LIGHT.ink, _style.LIGHT.paper}
        assert "<metadata>" not in figure.inline
    anchors = [set(re.findall(r'id="([^"]+)"', figure.inline)) for figure in drawn]
    assert all(not a & b for a, b in combinations(anchors, 2))
    for figure, own in zip(drawn, anchors, strict=True):
        assert set(re.findall(r'href="#([^"]+)"', figure.inline)) <= own


@pytest.mark.parametrize("palette", [_style.LIGHT, _style.DARK], ids=["light", "dark"])
def test_colours_are_told_apart_by_everybody(palette):
    """Marks have a contrast of 3 with the paper, ink of 7; any two marks differ, for colour-blind readers too."""
    assert contrast(palette.ink, palette.paper) >= 7
    for mark in palette.marks:
        assert contrast(mark, palette.paper) >= 3, mark
    for seen in (np.eye(3), PROTAN, DEUTAN):
        for a, b in combinations(palette.marks, 2):
            assert np.linalg.norm(lab(seen @ linear(a)) - lab(seen @ linear(b))) >= 15, (a, b)


def test_the_table_behind_a_figure_is_safe_and_exact(hostile):
    """A cell that a spreadsheet would run is quoted; numbers are left alone."""
    files = drawings.files(hostile)
    rows = list(csv.DictReader(io.StringIO(files["accuracy-cost.csv"].decode())))
    assert "'=1+1" in [row["arm"] for row in rows]
    by_arm = {row["arm"].lstrip("'"): row for row in rows}
    for result in hostile.runs:
        assert float(by_arm[result.run.arm]["accuracy"]) == result.headline.value
    for name, content in files.items():
        if name.endswith(".csv"):
            cells = [cell for row in csv.reader(io.StringIO(content.decode())) for cell in row]
            assert not [c for c in cells if c.startswith(tuple(STARTS)) and not re.fullmatch(r"-[\d.e-]+", c)]


def test_the_front_is_what_nobody_beats(results):
    """In the table an arm is on the front exactly when no other is as good and as cheap."""
    text = drawings.files(results)["accuracy-cost.csv"].decode()
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["cost_per_1000_usd"]]
    found = [(row["on_front"], float(row["accuracy"]), float(row["cost_per_1000_usd"])) for row in rows]
    for is_on, accuracy, cost in found:
        beaten = any(a >= accuracy and c <= cost and (a, c) != (accuracy, cost) for _, a, c in found)
        assert is_on == str(int(not beaten))
