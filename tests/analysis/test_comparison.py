"""Comparisons from small frames: pairing, outages, unanswered items, repeats, groups."""

import numpy as np
import pandas as pd
import pytest

from harness.analysis import comparison, panel
from harness.analysis.comparison import Answers
from harness.errors import ConfigError
from harness.stats.paired import Table2x2


def answers(name, said, gold="aaaaaaaa", ids=None, run="r", group=None):
    """Rows of one run: `said` has a letter per item, `-` for no answer and `!` for a failed call."""
    labels = [None if letter in "-!" else letter for letter in said]
    credit = [
        np.nan if letter == "!" else float(label == g) for letter, label, g in zip(said, labels, gold, strict=False)
    ]
    frame = {
        "run_id": f"{name}{run}",
        "example_id": ids or [f"i{i}" for i in range(len(said))],
        "gold": list(gold[: len(said)]),
        "label": labels,
        "credit": credit,
    }
    return Answers(name, pd.DataFrame(frame | ({"group": group} if group else {})))


def compare(a, b):
    return comparison.compare(a, b, np.random.default_rng(0))


def test_items_are_paired_whatever_their_order():
    """Both, only a, only b, neither; the items on which they differ are named with what was said."""
    a = answers("a", "aaab")
    b = answers("b", "abba"[::-1], ids=["i3", "i2", "i1", "i0"])
    found = compare(a, b)
    assert (found.n, found.table) == (4, Table2x2(1, 2, 1, 0))
    assert found.difference.value == pytest.approx(1 / 4)
    assert [(c.example_id, c.a, c.b, c.right) for c in found.changed] == [
        ("i1", "a", "b", "a"),
        ("i2", "a", "b", "a"),
        ("i3", "b", "a", "b"),
    ]


def test_the_other_way_round_is_the_mirror_image():
    """Difference and interval change their sign, p does not."""
    a, b = answers("a", "aaaaaabb"), answers("b", "aabbbbaa")
    one, other = compare(a, b), compare(b, a)
    assert one.difference.value == -other.difference.value
    assert (one.difference.low, one.difference.high) == pytest.approx((-other.difference.high, -other.difference.low))
    assert one.p_value == other.p_value


def test_an_outage_is_left_out_and_counted():
    """A failed call is no wrong answer: the pair is dropped, and the comparison says how many."""
    found = compare(answers("a", "aa!a"), answers("b", "abab"))
    assert (found.n, found.failed, found.table) == (3, 1, Table2x2(1, 2, 0, 0))


def test_both_readings_of_unanswered_items():
    """Wrong in the headline; beside it the same comparison on what both answered."""
    found = compare(answers("a", "aaaa"), answers("b", "aa-b"))
    assert found.table == Table2x2(2, 2, 0, 0)
    assert (found.answered.n, found.answered.table) == (3, Table2x2(2, 1, 0, 0))
    assert compare(answers("a", "aaaa"), answers("b", "aabb")).answered is None


def test_items_of_one_arm_only_are_counted():
    """Pairs are the shared items; none at all is an error."""
    found = compare(answers("a", "aaaa"), answers("b", "aab", ids=["i2", "i3", "x"]))
    assert (found.n, found.unshared) == (2, 3)
    with pytest.raises(ConfigError, match="a and b have no item in common"):
        compare(answers("a", "a"), answers("b", "a", ids=["y"]))


def test_repeats_are_averaged_and_do_not_count_as_items():
    """Three repeats of eight items are eight items; their mean scores are compared, with clusters' methods."""
    repeats = [answers("a", said, run=str(i)).rows for i, said in enumerate(["aaaaaaaa", "aaaaaabb", "aaaabbbb"])]
    a = Answers("a", pd.concat(repeats))
    found = compare(a, answers("b", "aabbbbbb"))
    assert found.n == 8
    assert found.difference.value == pytest.approx((4 + 2 * 2 / 3 + 2 * 1 / 3) / 8 - 2 / 8)
    assert "clusters" in found.method
    assert found.table == Table2x2(2, 4, 0, 2)


def test_items_of_a_group_are_one_observation():
    """The same eight answers in two groups carry less than eight items: a wider interval and a larger p."""
    a, b = "aaaaaaaa", "bbbbbbaa"
    apart = compare(answers("a", a), answers("b", b))
    together = compare(answers("a", a, group=["g1"] * 4 + ["g2"] * 4), answers("b", b, group=["g1"] * 4 + ["g2"] * 4))
    assert together.difference.value == apart.difference.value
    assert together.p_value > 0.4  # two clusters, one degree of freedom
    assert apart.p_value < 0.05
    assert together.difference.high - together.difference.low > apart.difference.high - apart.difference.low
    singles = compare(answers("a", a, group=[f"g{i}" for i in range(8)]), answers("b", b))
    assert singles.method == apart.method


def test_all_pairs_are_corrected_together():
    """Three arms, three comparisons; Holm's p is never smaller, and against one arm there are only two."""
    arms = [answers("a", "aaaaaaaa"), answers("b", "aaaabbbb"), answers("c", "bbbbbbbb")]
    made = comparison.compare_all(panel.of(arms))
    assert [(one.a, one.b) for one in made] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert all(one.adjusted_p >= one.p_value for one in made)
    assert made[1].adjusted_p == pytest.approx(3 * made[1].p_value)
    two = comparison.against(arms[0], arms[1:])
    assert two[1].adjusted_p == pytest.approx(2 * two[1].p_value)


@pytest.mark.parametrize(("a", "b"), [("aaaa", "aaaa"), ("bbbb", "bbbb"), ("a", "b"), ("----", "----")])
def test_degenerate_comparisons_have_a_stated_result(a, b):
    """All right, all wrong, one item, no answer: an interval and a p, no warning, never a point."""
    found = compare(answers("a", a), answers("b", b))
    assert found.difference.low < found.difference.high
    assert 0 < found.p_value <= 1
    assert (found.mde is None) or found.mde > 0


def test_nothing_but_outages():
    """No pair is left: no number, and the count says why."""
    found = compare(answers("a", "!!"), answers("b", "aa"))
    assert (found.n, found.failed, found.difference.value, found.p_value) == (0, 2, None, None)
