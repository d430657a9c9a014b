import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.svm import LinearSVC

from harness.baselines._svm import LinearMargins


@pytest.mark.parametrize("n_labels", [2, 4])
def test_scores_are_the_softmax_of_the_margins(n_labels):
    """The margins are LinearSVC's own; many labels take their softmax, two the logistic of the one margin."""
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(60, 5)), np.arange(60) % n_labels
    ours = LinearMargins(random_state=0).fit(rows, labels)
    margins = LinearSVC(random_state=0).fit(rows, labels).decision_function(rows)
    expected = softmax(margins, axis=1) if n_labels > 2 else np.column_stack([expit(-margins), expit(margins)])
    assert ours.predict_proba(rows) == pytest.approx(expected)
    assert (ours.classes_[ours.predict_proba(rows).argmax(axis=1)] == ours.predict(rows)).all()
