"""Floors and rates of the gate: each is called kept, and broken, falsely in no more than it promises."""

import numpy as np
import pandas as pd
import pytest
import scipy

from harness.analysis.gate import limits
from harness.analysis.gate.measured import Paired
from harness.ground.gate_settings import GateSettings

SETTINGS = GateSettings()


def floors(n, least):
    """The verdict on a floor by the number of items that are right."""
    found = []
    for right in range(n + 1):
        scores = (np.arange(n) < right).astype(float)
        pairs = Paired(pd.DataFrame({"score_a": scores}), np.arange(n), 0)
        found.append(limits._floor("accuracy", least, pairs, np.ones(n, dtype=bool), SETTINGS).verdict)
    return np.array(found)


@pytest.mark.parametrize("n", [20, 50, 300])
@pytest.mark.parametrize("least", [0.5, 0.8, 0.95])
def test_a_floor_is_falsely_kept_or_broken_in_at_most_one_of_forty(n, least):
    """Enumerated at a truth of just the floor: 2.5% to either side, and what is far from it is called."""
    verdicts = floors(n, least)
    chances = scipy.stats.binom.pmf(np.arange(n + 1), n, least)
    assert chances[verdicts == "fail"].sum() <= 0.025
    assert chances[verdicts == "pass"].sum() <= 0.025
    assert verdicts[0] == "fail"
    assert verdicts[n] == ("pass" if least**n <= 0.025 else "inconclusive")


def test_a_rate_is_falsely_kept_or_broken_in_at_most_one_of_forty():
    """The same for a largest share: 5% of 300."""
    n, most = 300, 0.05
    verdicts = np.array(
        [
            limits._share_at_most(
                "unparsed at most", most, ((np.arange(n) < k).astype(float), np.arange(n)), SETTINGS
            ).verdict
            for k in range(n + 1)
        ]
    )
    chances = scipy.stats.binom.pmf(np.arange(n + 1), n, most)
    assert chances[verdicts == "fail"].sum() <= 0.025
    assert chances[verdicts == "pass"].sum() <= 0.025
    assert (verdicts[0], verdicts[n]) == ("pass", "fail")


def test_a_limit_that_nothing_can_pass_is_kept():
    """At least 0, and at most 1, of any items."""
    assert set(floors(5, 0.0)) == {"pass"}
    given = np.ones(5), np.arange(5)
    assert limits._share_at_most("unparsed at most", 1.0, given, SETTINGS).verdict == "pass"
