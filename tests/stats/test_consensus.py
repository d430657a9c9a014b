"""What the gold answer probably is, by how arms agree."""

import numpy as np
import pytest

from harness.stats import consensus
from harness.stats.consensus import Votes


def answers(rng, accuracies, n=2000, labels=6):
    truth = rng.integers(0, labels, n)
    said = [np.where(rng.random(n) < a, truth, (truth + rng.integers(1, labels, n)) % labels) for a in accuracies]
    return truth, Votes(np.column_stack(said), np.full((n, len(accuracies)), np.nan), labels)


def fit(votes, truth, n):
    rows = np.arange(n)
    return consensus.cross_fitted(votes, rows, truth[rows], rows % 5)


def test_probabilities():
    """Of each item the candidates' probabilities are positive, and what is left goes to answers that nobody gave."""
    truth, votes = answers(np.random.default_rng(1), (0.8, 0.6, 0.5))
    found = fit(votes, truth, 60)
    total = found.probability.sum(axis=1)
    assert np.all(total < 1)
    assert np.all(total > 0.2)
    assert np.all((found.probability > 0) == (found.candidates >= 0))


def test_calibrated():
    """Learnt from a hundred labels, an answer with probability p is right in about p of the items."""
    truth, votes = answers(np.random.default_rng(2), (0.85, 0.7, 0.55, 0.4))
    guessed = fit(votes, truth, 100).of(votes.answers[:, 1])
    right = votes.answers[:, 1] == truth
    for low, high in ((0, 0.3), (0.3, 0.7), (0.7, 1.01)):
        part = (guessed >= low) & (guessed < high)
        assert right[part].mean() == pytest.approx(guessed[part].mean(), abs=0.1)


def test_a_good_arm_outweighs_two_that_agree_by_chance():
    """Where a good arm says one thing and two poor ones another, a hundred labels tell whom to believe."""
    truth, votes = answers(np.random.default_rng(3), (0.95, 0.35, 0.35))
    found = fit(votes, truth, 100)
    apart = (votes.answers[:, 1] == votes.answers[:, 2]) & (votes.answers[:, 0] != votes.answers[:, 1])
    assert found.of(votes.answers[:, 0])[apart].mean() > found.of(votes.answers[:, 1])[apart].mean()


def test_an_item_s_own_label_is_not_seen():
    """A labelled item's guess is the same whatever its own fold's labels say."""
    truth, votes = answers(np.random.default_rng(4), (0.8, 0.7, 0.5), n=300)
    rows, folds = np.arange(50), np.arange(50) % 5
    other = truth[:50].copy()
    other[folds == 2] = (other[folds == 2] + 1) % 6
    one, two = (consensus.cross_fitted(votes, rows, gold, folds) for gold in (truth[:50], other))
    assert np.array_equal(one.probability[:50][folds == 2], two.probability[:50][folds == 2])
    assert not np.array_equal(one.probability[:50][folds == 1], two.probability[:50][folds == 1])


def test_without_answers_or_labels():
    """An item that no arm answers has no candidate; without labels arms weigh alike."""
    votes = Votes(np.array([[-1, -1], [2, 2], [1, 2]]), np.array([[np.nan] * 2] * 3), 4)
    nothing = np.array([], dtype=np.int64)
    found = consensus.cross_fitted(votes, nothing, nothing, nothing)
    assert found.of(np.array([-1, 2, 1])) == pytest.approx(
        [0.0, found.of(np.array([0, 2, 0]))[1], found.of(np.array([0, 0, 2]))[2]]
    )
