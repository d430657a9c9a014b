"""Comparisons by estimates from few labels: what `harness estimate` says, corrected for as many pairs as ever."""

import numpy as np
import pytest

from harness.analysis import comparison
from harness.analysis.estimated_panel import panel_of
from tests.analysis.test_estimation import estimation, world

ARMS = ("good", "fair", "poor")


@pytest.fixture(scope="module")
def made():
    truth, answered = world()
    return estimation(80, truth, answered)


@pytest.fixture(scope="module")
def together(made):
    return panel_of(made)


def test_a_pair_by_itself_has_the_interval_of_the_estimate(made, together):
    """Two arms that were named beforehand differ by what `harness estimate` says, to the last shown digit."""
    for pair in ((0, 1), (0, 2), (2, 1)):
        (one,) = comparison.compare_pairs(together, [pair])
        expected = made.difference(*(ARMS[arm] for arm in pair)).estimate
        assert one.difference.method == expected.method
        assert (one.difference.value, one.difference.low, one.difference.high) == pytest.approx(
            (expected.value, expected.low, expected.high), abs=1e-9
        )
        assert one.n == expected.n == 80


def test_all_pairs_hold_together(together):
    """Corrected intervals hold the pair's own, and leave 0 out exactly where the corrected p shows a difference."""
    for one in comparison.compare_all(together):
        own, wide = one.difference, one.together
        assert wide.low <= own.low <= own.high <= wide.high or one.is_shown
        assert one.adjusted_p >= one.p_value
        assert one.is_shown == (wide.low >= 0 or wide.high <= 0)
        assert wide.method == f"{own.method}, 3 pairs together"


def test_the_same_pair_the_other_way_round(together):
    """a minus b is minus b minus a, at its ends too."""
    there, back = comparison.compare_pairs(together, [(0, 2)])[0], comparison.compare_pairs(together, [(2, 0)])[0]
    assert (there.difference.value, there.difference.low) == pytest.approx(
        (-back.difference.value, -back.difference.high), abs=1e-9
    )
    assert there.p_value == pytest.approx(back.p_value, abs=1e-12)


def test_some_of_the_arms_in_another_order(together):
    """The panel of some arms says of them what the whole said."""
    part = together.taken([2, 0])
    assert part.names == ("poor", "good")
    assert part.few.found[0][1] == together.few.found[2][0]
    assert part.pairs().difference[0, 1] == together.pairs().difference[2, 0]
    assert part.shares().mean[1] == together.shares().mean[0]


def test_failed_calls_at_their_worst():
    """Pairs at their worst hold what the lead would be with every failed call against the first arm; means likewise."""
    failed = np.zeros((600, 3), dtype=bool)
    failed[::6, 0] = True
    truth, answered = world(failed=failed)
    few = panel_of(estimation(120, truth, answered)).few
    assert few.failed.tolist() == [[100, 100, 100], [100, 0, 0], [100, 0, 0]]
    low, high = few.worst.limits(0.025)
    right = answered.answers == truth[:, None]
    for a, b in ((0, 1), (1, 0), (0, 2), (2, 0), (1, 2)):
        lead = (np.where(failed, 0, right)[:, a] - np.where(failed, 1, right)[:, b]).mean()
        assert low[a, b] <= lead <= high[a, b], (a, b)
    assert few.worst.difference[0, 2] < few.pairs.difference[0, 2]
    assert few.worst.difference[1, 2] == pytest.approx(few.pairs.difference[1, 2])
    for means, lost in ((few.means.wrong, 0), (few.means.right, 1)):
        ends = means.limits()
        assert ends[0][0] <= np.where(failed, lost, right)[:, 0].mean() <= ends[1][0]


def test_failed_calls_keep_a_difference_open():
    """Where the replies to failed calls might turn it, nothing is shown, however clear the others are."""
    failed = np.zeros((600, 3), dtype=bool)
    failed[: 600 * 2 // 3, 0] = True
    truth, answered = world(failed=failed)
    rng = np.random.default_rng(3)
    order = rng.permutation(600)
    shuffled = type(answered)(
        answered.names, answered.items, answered.vocabulary, answered.answers[order], answered.scores, failed[order]
    )
    made = comparison.compare_all(panel_of(estimation(200, truth[order], shuffled)))
    first = next(one for one in made if (one.a, one.b) == ("good", "poor"))
    assert first.failed == 400
    assert first.bounded_p > 0.05
    assert not first.is_shown


def test_without_labels_nothing_is_compared():
    """Before the first label no pair has a difference, and none is shown."""
    truth, answered = world()
    together = panel_of(estimation(0, truth, answered))
    assert np.isnan(together.pairs().difference).all()


def test_recall_at_its_bounds(made):
    """The recall of a label, with failed calls as misses and as hits, is that of the estimate where none failed."""
    few = panel_of(made, ["b"]).few
    expected = next(one for one in made.arms() if one.name == "fair").recall["b"].estimate
    assert few.recalls["b"].seen.mean[1] == pytest.approx(expected.value)
    assert few.recalls["b"].wrong.mean[1] == few.recalls["b"].right.mean[1] == few.recalls["b"].seen.mean[1]
