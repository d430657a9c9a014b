"""A search for a better prompt in the report: its sentence and its figure, from the facts of a run."""

import pytest

from harness.analysis.improvement import stored_search
from harness.report import drawings
from harness.report.figures import _style, search
from harness.report.sections import prompts
from tests.report.conftest import STORY, made, with_search


def drawn(results):
    with drawings._theme(_style.LIGHT):
        return search.draw(results)


def test_a_search_is_drawn_by_dollars_and_told():
    """Each step is a row with its dollars; the words have both ends and how many variants were paid for."""
    results = with_search(made(), STORY)
    drawing = drawn(results)
    assert [row[3:] for row in drawing.rows] == [(0.1, 0.5, 60), (0.1, 0.6, 60), (0.5, 0.7, 60)]
    assert "prompt:v3 goes from .500 to .700 (60 items) for $0.5" in drawing.alt
    (told,) = prompts._searches([one for one in results.runs if one.run.arm == "prompt:v3"])
    assert "of 12 variants of v1 that openai/m proposed, 9 of them tried, for $0.8" in told.text
    assert "from .500 to .700" in told.text


@pytest.mark.parametrize(
    "story", [None, [], {}, {**STORY, "levels": [[1]]}, {**STORY, "levels": 3}, {**STORY, "spent_usd": "much"}]
)
def test_facts_that_are_none_of_ours_are_no_search(story):
    """What a file of runs says is not believed: neither drawn nor told, and no error."""
    results = with_search(made(), story)
    assert all(stored_search(one) is None for one in results.runs)
    assert drawn(results) is None


def test_a_search_without_a_look_on_dev_draws_nothing():
    """No level, no figure, no sentence."""
    results = with_search(made(), {**STORY, "levels": []})
    assert drawn(results) is None
    assert list(prompts._searches(results.runs)) == []
