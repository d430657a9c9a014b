"""People who labelled the same items, and how far they agree."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from harness.stats import agreement

# Krippendorff's own example of names (2011, "Computing Krippendorff's Alpha-Reliability", section D).
FOUR_PEOPLE = (
    np.array(
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
            [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
        ]
    ).T
    - 1
)


def test_krippendorffs_own_example():
    """Four people, twelve items, gaps: alpha for names is .743."""
    found = agreement.krippendorffs_alpha(FOUR_PEOPLE, np.random.default_rng(1))
    assert found.value == pytest.approx(0.743, abs=5e-4)
    assert found.low < found.value < found.high
    assert found.n == 11  # the item that one person labelled says nothing


def test_cohens_kappa_is_scikit_learns():
    """Two people's kappa is the library's."""
    rng = np.random.default_rng(2)
    a = rng.integers(0, 4, 80)
    b = np.where(rng.random(80) < 0.7, a, rng.integers(0, 4, 80))
    found = agreement.cohens_kappa(a, b, rng)
    assert found.value == pytest.approx(cohen_kappa_score(a, b))
    assert found.low < found.value < found.high


def test_perfect_and_none():
    """All alike is 1; one label everywhere says nothing beyond chance; nobody says nothing at all."""
    rng, codes = np.random.default_rng(3), np.array([0, 1, 2, 0, 1])
    assert agreement.cohens_kappa(codes, codes, rng).value == 1
    assert agreement.krippendorffs_alpha(np.column_stack([codes, codes]), rng).value == 1
    assert agreement.cohens_kappa(codes * 0, codes * 0, rng).value is None
    assert agreement.krippendorffs_alpha(np.zeros((0, 2), dtype=np.int64), rng).value is None
