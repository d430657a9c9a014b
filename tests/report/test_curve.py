"""Learning curves in the report's own words and figure."""

import re
from dataclasses import replace

import numpy as np

from harness.report import drawings
from harness.report.figures import _style, learning_curve
from harness.report.sections import curve
from tests.report.conftest import made, with_curves


def test_nothing_is_drawn_without_a_curve():
    """No stored curve: no section and no figure."""
    results = made()
    assert curve.section(results) is None
    assert learning_curve.draw(results) is None


def test_intervals_stay_between_0_and_1():
    """Arms that are always right, or never, have no interval beyond; the printed shares say so."""
    results = with_curves(made())
    perfect = tuple(replace(one, credit=np.ones_like(one.credit)) for one in results.curves.learnt)
    never = tuple(replace(one, credit=np.zeros_like(one.credit)) for one in results.curves.learnt)
    for learnt in (perfect, never):
        found = replace(results, curves=replace(results.curves, learnt=learnt))
        for drawn in found.curves.drawn:
            for point in drawn.points:
                assert 0 <= point.estimate.low <= point.estimate.value <= point.estimate.high <= 1
        for row in curve.section(found).blocks[-2].rows:
            assert all(0 <= float(end) <= 1 for end in re.findall(r"[\d.]+", row[3]))


def test_the_figure_says_where_the_curves_cross():
    """Every arm with its ends and its crossing in the alternative text; prompts are levels in the table behind it."""
    results = with_curves(made())
    with drawings._theme(_style.LIGHT):
        drawing = learning_curve.draw(results)
    for drawn in results.curves.drawn:
        assert f"{drawn.arm} goes from" in drawing.alt
    assert "meets prompt:v3 with" in drawing.alt
    levels = [row for row in drawing.rows if row[2] is None]
    assert [row[0] for row in levels] == ["prompt:v3", "prompt:v1"]
    assert len(drawing.rows) == len(results.curves.fits) + len(levels)
