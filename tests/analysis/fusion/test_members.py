import numpy as np
import pytest

from harness.analysis.comparison import Answers
from harness.analysis.fusion.members import members
from harness.errors import ConfigError


def test_arms_share_their_items(made):
    """Items that only one arm was asked are left out and counted; the order of rows says nothing."""
    _, both = made(30, cheap={"right": 0.7, "cost": 0.001}, dear={"right": 0.9, "cost": 0.1})
    cheap, dear = (
        both.answers_of(arm).rows.assign(outcome="answered", score=0.5, cost_usd=1.0, latency_s=1.0)
        for arm in both.arms
    )
    found = members([Answers("cheap", cheap.iloc[::-1]), Answers("dear", dear.iloc[5:])])
    assert (found.n, found.unshared) == (25, 5)
    assert list(found.arms[0].labels) == list(both.arms[0].labels[5:])
    with pytest.raises(ConfigError, match="cheap and dear have no item in common"):
        members([Answers("cheap", cheap.iloc[:5]), Answers("dear", dear.iloc[5:])])


def test_what_counts_as_sure(made):
    """An answer without a score counts as 1; no answer is below every threshold."""
    _, found = made(60, seed=3, arm={"right": 0.7, "cost": 0.001, "silent": 0.5, "scored": False})
    (arm,) = found.arms
    answered = np.array([label is not None for label in arm.labels])
    assert set(arm.confidence[answered]) == {1.0}
    assert set(arm.confidence[~answered]) == {-np.inf}
    assert not arm.credit[~answered].any()


def test_failed_items_are_in_no_accuracy(made):
    """An outage is not a wrong answer."""
    _, found = made(200, arm={"right": 1.0, "cost": 0.001, "failed": 0.3})
    assert found.arms[0].failed.sum() > 30
    assert found.arms[0].accuracy == 1.0
    assert found.whole().n == 200 - found.arms[0].failed.sum()
