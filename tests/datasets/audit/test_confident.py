"""Confident learning against the paper's formula written out by hand, and against planted noise."""

import numpy as np

from harness.datasets.audit import confident


def by_the_paper(labels, probabilities):
    """Equations 1 and 2, one row and one label at a time."""
    n_labels = probabilities.shape[1]
    thresholds = [probabilities[labels == j, j].mean() if (labels == j).any() else np.inf for j in range(n_labels)]
    found = []
    for row in probabilities:
        above = [j for j in range(n_labels) if row[j] >= thresholds[j]]
        found.append(max(above, key=lambda j: row[j]) if above else -1)
    return np.array(found)


def test_it_is_the_papers_formula():
    """Two hundred random tables give the labels that the equations give, labels without rows among them."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        n_labels = int(rng.integers(2, 6))
        labels = rng.integers(0, n_labels, 30)
        probabilities = rng.dirichlet(np.ones(n_labels), 30)
        assert (confident.likely_labels(labels, probabilities) == by_the_paper(labels, probabilities)).all()


def test_flipped_labels_are_the_suspects():
    """With probabilities that know the truth, the suspects are the flipped rows, the surest first."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 300)
    probabilities = np.full((300, 3), 0.1)
    probabilities[np.arange(300), truth] = 0.8
    labels = truth.copy()
    flipped = rng.choice(300, 20, replace=False)
    labels[flipped] = (truth[flipped] + 1) % 3
    likely = confident.likely_labels(labels, probabilities)
    assert set(np.flatnonzero(likely != labels)) == set(flipped)
    assert (likely[flipped] == truth[flipped]).all()
    assert np.allclose(confident.margins(labels, probabilities)[flipped], -0.7)
    assert confident.margins(labels, probabilities).max() < 0.71
