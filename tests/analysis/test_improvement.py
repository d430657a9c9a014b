"""What a search has shown in the end: by the paired test alone, whatever was tried before."""

import numpy as np
import pytest

from harness.analysis.comparison import Comparison
from harness.analysis.improvement import Gain
from harness.app.commands._improving import verdict
from harness.stats import margins, paired, power
from harness.stats.paired import Table2x2


class Named:
    """As much of a setting as the words need."""

    test, to, margin = "test", "v2", 0.02

    class parent:
        version = "v1"


def gain(both, fixed, broken, neither, *, margin=None, tokens=(50.0, 100.0), failed=0):
    """The version's gain from a 2x2 table."""
    table = Table2x2(both, fixed, broken, neither)
    scores = np.repeat([0.0, 1.0, -1.0], [both + neither, fixed, broken])
    difference = margins.evidence(scores, np.arange(table.n)).difference
    p_value = paired.mcnemar_mid_p(table)
    return Gain(Comparison("a", "b", table.n, table, difference, p_value, None, "", None, failed, 0), tokens, margin)


@pytest.mark.parametrize(
    ("table", "shown"),
    [
        ((60, 20, 3, 17), "better"),
        ((60, 3, 20, 17), "worse"),
        ((60, 12, 8, 20), "nothing"),
        ((80, 0, 0, 20), "nothing"),
    ],
)
def test_better_is_said_where_the_paired_test_shows_it(table, shown):
    """The sign of the difference, once its p is below .05; no difference at all is nothing."""
    found = gain(*table)
    assert found.shown == shown
    assert found.is_win == (shown == "better")


def test_shorter_is_said_where_the_loss_is_shown_to_be_small():
    """Fewer tokens and a lower end above minus the margin; not with more tokens, not where calls failed."""
    assert gain(700, 2, 2, 296, margin=0.02).shown == "shorter"
    assert gain(700, 2, 2, 296, margin=0.02, tokens=(100.0, 100.0)).shown == "nothing"
    assert gain(700, 2, 2, 296, margin=0.02, failed=1).shown == "nothing"
    assert gain(70, 2, 2, 26, margin=0.02).shown == "nothing"


def test_what_more_labels_would_show_is_what_power_names():
    """The n for the difference seen at the disagreement seen, one more item for either side; none for a loss."""
    assert gain(60, 12, 8, 20).needed_n == pytest.approx(power.needed_n(21 / 102, 0.04), abs=1)
    assert gain(60, 8, 12, 20).needed_n is None
    assert gain(70, 2, 2, 26, margin=0.02).needed_n == pytest.approx(power.needed_n_within(5 / 102, 0.02), abs=1)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (gain(60, 20, 3, 17), "prompt:v2 is better than prompt:v1: about 50 tokens for an item, 100 before"),
        (gain(60, 12, 8, 20), "prompt:v2 is not shown to be better than prompt:v1: about 1,"),
        (gain(60, 8, 12, 20), "it is no better on these 100 items; a larger --budget tries more variants"),
        (gain(700, 2, 2, 296, margin=0.02), "prompt:v2 is shorter and shown to lose less than .020 to prompt:v1"),
        (gain(70, 2, 2, 26, margin=0.02), "prompt:v2 is not shown to lose less than .020 to prompt:v1: about"),
    ],
)
def test_the_verdict_in_words(found, said):
    """Better, shorter, or not shown, with what would show it."""
    assert said in verdict(found, Named())
