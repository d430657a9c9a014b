import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from harness.arms.baselines._calibrated import FOLDS, Calibrated, _folds, calibrated
from harness.stats import calibration
from harness.types import Item

LABELS = np.array(["a", "b", "c"])


class Timid(ClassifierMixin, BaseEstimator):
    """Right in 80 of 100, as drawn by the item's number, and always only .4 sure; even empty texts abstain."""

    def fit(self, items, labels):
        self.classes_ = np.unique(labels)
        return self

    def predict_proba(self, items):
        scores = np.full((len(items), len(self.classes_)), 0.6 / (len(self.classes_) - 1))
        for row, item in zip(scores, items, strict=True):
            code = int(np.searchsorted(self.classes_, item.text))
            row[code if int(item.id) % 5 else (code + 1) % len(self.classes_)] = 0.4
            row[:] *= bool(item.tags)
        return scores


def drawn(n, labels=LABELS):
    gold = [str(labels[i % len(labels)]) for i in range(n)]
    return [Item(str(i), label, ("tag",)) for i, label in enumerate(gold)], gold


def test_scores_come_to_mean_what_they_say():
    """Answers that are right in 80 of 100 and were given with .4 are given with .8, within .03."""
    items, gold = drawn(600)
    asked, truth = drawn(900)
    classifier = Calibrated(Timid()).fit(items, gold)
    scores = classifier.predict_proba(asked)
    assert scores.max(axis=1).mean() == pytest.approx(0.8, abs=0.03)
    right = LABELS[scores.argmax(axis=1)] == np.array(truth)
    assert calibration.ece(scores.max(axis=1), right, np.random.default_rng(0)).value < 0.03
    assert "fitted to 600 held-out training items" in classifier.facts_["calibration"]
    assert (classifier.facts_["held_out_n"], classifier.facts_["held_out_right"]) == (600, 480)


def test_answers_stay_as_they_were():
    """Calibration changes no answer, and leaves rows of zeros alone."""
    items, gold = drawn(300)
    asked = [*drawn(100)[0], Item("7", "a")]
    ours, raw = Calibrated(Timid()).fit(items, gold), Timid().fit(items, gold)
    assert (ours.predict_proba(asked).argmax(axis=1) == raw.predict_proba(asked).argmax(axis=1)).all()
    assert ours.predict_proba(asked)[-1].sum() == 0


def test_too_few_items_are_said():
    """Where hardly an item can be held out the scores stay as they are, and the reason is kept."""
    for items, gold in (drawn(3), drawn(12), drawn(60, np.array([f"label {i}" for i in range(60)]))):
        classifier = Calibrated(Timid()).fit(items, gold)
        assert "not calibrated" in classifier.facts_["calibration"]
        assert (classifier.predict_proba(items) == Timid().fit(items, gold).predict_proba(items)).all()


@pytest.mark.parametrize(("n", "fits"), [(18, 1), (21, 1 + FOLDS), (6_000, 3)])
def test_no_fold_is_fitted_in_vain(n, fits):
    """Too few items to hold out: one fit. Few: one a fold more. Many: as many folds as say enough."""
    Counting.fits = 0
    Calibrated(Counting()).fit(*drawn(n))
    assert Counting.fits == fits


class Counting(Timid):
    """It counts how often it is fitted, as what costs minutes would be."""

    fits = 0

    def fit(self, items, labels):
        Counting.fits += 1
        return super().fit(items, labels)


def test_folds_depend_on_ids_alone():
    """Every label is dealt out evenly, and another order of the items gives each item the same fold."""
    items, gold = drawn(90)
    folds = _folds(items, np.array(gold), 0)
    order = np.random.default_rng(1).permutation(90)
    assert (_folds([items[i] for i in order], np.array(gold)[order], 0) == folds[order]).all()
    counts = np.array([[np.sum((folds == f) & (np.array(gold) == label)) for f in range(FOLDS)] for label in LABELS])
    assert (counts == 6).all()


def test_it_can_be_left_out():
    """Without calibration no fold is fitted and the classifier's own scores are given."""
    items, gold = drawn(60)
    plain = calibrated(Timid(), 0, wanted=False).fit(items, gold)
    assert plain.predict_proba(items).max() == pytest.approx(0.4)
