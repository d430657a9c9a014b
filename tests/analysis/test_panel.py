"""Arms side by side: repeats, outages, groups, and the store's own columns."""

import numpy as np
import pandas as pd
import pytest

from harness.analysis import comparison, panel
from harness.analysis.panel import Answers, Rows


def rows(ids, correct, labels=None, group=None):
    frame = {
        "example_id": ids,
        "credit": np.array(correct, dtype=float),
        "label": labels or ["x"] * len(ids),
        "gold": ["x"] * len(ids),
    }
    return pd.DataFrame(frame | ({"group": group} if group else {}))


def test_an_arm_that_was_not_asked_has_no_score():
    """Items of any arm are rows; what an arm was not asked, or failed on, is nan."""
    found = panel.of([Answers("a", rows(["i", "j"], [True, None])), Answers("b", rows(["k"], [False]))])
    assert list(found.items) == ["i", "j", "k"]
    np.testing.assert_array_equal(found.scores, [[1, np.nan], [np.nan, np.nan], [np.nan, 0]])
    np.testing.assert_array_equal(found.asked, [[1, 0], [1, 0], [0, 1]])


def test_repeats_are_means_of_what_was_answered():
    """Two right, one failed: 1; one right of two: a half; and the panel is no longer single."""
    found = panel.of([Answers("a", rows(["i", "i", "i", "j", "j"], [True, None, True, True, False]))])
    np.testing.assert_array_equal(found.scores, [[1.0], [0.5]])
    assert not found.is_single


@pytest.mark.parametrize(
    ("groups", "codes"),
    [
        ([None, None, None], None),
        (["g", "h", "i"], None),
        (["g", "g", None], [0, 0, 1]),
        (["g", None, "g"], [0, 1, 0]),
        ([None, "g", "g"], [1, 0, 0]),
    ],
)
def test_clusters(groups, codes):
    """A group of one is an item like any other."""
    found = panel.clusters_of(np.array(groups, dtype=object))
    assert found is None if codes is None else list(found) == codes


def test_columns_and_frames_give_the_same_panel():
    """However the rows come, scores and masks are the same."""
    rng = np.random.default_rng(0)
    ids = np.array([f"i{i:03}" for i in range(50)], dtype=object)
    right = rng.random((50, 3)) < 0.7
    frames = [Answers(f"a{k}", rows(list(ids), list(right[:, k]))) for k in range(3)]
    item, arm = np.divmod(np.arange(150), 3)
    columns = Rows(arm, item, right.ravel().astype(float), np.ones(150, dtype=bool))
    one, other = panel.of(frames), panel.of_rows(["a0", "a1", "a2"], ids, np.full(50, None, dtype=object), columns)
    np.testing.assert_array_equal(one.scores, other.scores)
    np.testing.assert_array_equal(one.answered, other.answered)
    assert one.is_single
    assert other.is_single


def test_all_pairs_at_once_are_each_pair_alone():
    """The tables by matrix products are those of the pairs compared one by one, unanswered and failed included."""
    rng = np.random.default_rng(1)
    arms = []
    for k in range(4):
        outcome = rng.choice(["right", "wrong", "none", "failed"], size=80, p=[0.6, 0.25, 0.1, 0.05])
        said = [None if one in ("none", "failed") else "x" if one == "right" else "y" for one in outcome]
        correct = [None if one == "failed" else one == "right" for one in outcome]
        arms.append(Answers(f"a{k}", rows([f"i{i}" for i in range(80)], correct, said)))
    together = comparison.compare_all(panel.of(arms))
    for made in together:
        alone = comparison.compare(arms[int(made.a[1])], arms[int(made.b[1])], np.random.default_rng(0))
        assert (made.table, made.n, made.failed) == (alone.table, alone.n, alone.failed)
        assert made.answered.table == alone.answered.table
        assert (made.p_value, made.difference) == (alone.p_value, alone.difference)
        assert len(alone.changed) == alone.table.discordant
