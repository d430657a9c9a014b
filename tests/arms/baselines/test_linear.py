"""The linear classifiers of our own classes against scikit-learn's."""

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC

from harness.arms.baselines._one_against_rest import OneAgainstRest
from harness.arms.baselines._svm import LinearMargins


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


@pytest.mark.parametrize("n_labels", [2, 4])
def test_one_against_rest_scores_as_scikit_learn_does(n_labels):
    """One product of all weights gives what OneVsRestClassifier gives from one call a label; pickled too."""
    rng = np.random.default_rng(0)
    labels = np.array([f"label {i}" for i in np.arange(60) % n_labels])
    rows = csr_matrix(rng.random((60, 40)) * (rng.random((60, 40)) < 0.3))
    ours = OneAgainstRest(c=0.5, seed=3).fit(rows, labels)
    one = LogisticRegression(C=0.5, solver="liblinear", dual=True, tol=0.01, random_state=3)
    theirs = OneVsRestClassifier(one).fit(rows, labels)
    assert ours.classes_.tolist() == theirs.classes_.tolist()
    assert ours.predict_proba(rows) == pytest.approx(theirs.predict_proba(rows))
    assert ours.predict(rows).tolist() == theirs.predict(rows).tolist()
    again = pickle.loads(pickle.dumps(ours))
    assert (again.predict_proba(rows) == ours.predict_proba(rows)).all()
