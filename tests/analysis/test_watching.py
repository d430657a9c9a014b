"""Streams with planted changes: which alarms they raise, and which they leave quiet."""

from dataclasses import replace

import numpy as np
import pytest

from harness.analysis.watching import NOTHING, TESTS, Observed, watched
from harness.stats import label_shift

LABELS = np.array(list("abcdefghijklmnopqrst"), dtype=object)
RECALL = np.array([0.95, 0.9, 0.85, 0.6])
EVEN, SHIFTED = np.full(4, 0.25), np.array([0.1, 0.1, 0.2, 0.6])
SKEWED = 0.8 ** np.arange(20) / (0.8 ** np.arange(20)).sum()
"""Twenty labels, of which the rarest has one item of 350."""


def stream(n, mix, rng, recall=RECALL, moved=0.0):
    """Items whose accuracy per label is known, with scores and vectors that go with them."""
    codes = rng.choice(len(mix), n, p=mix)
    is_right = rng.random(n) < recall[codes]
    answers = np.where(is_right, codes, (codes + rng.integers(1, len(mix), n)) % len(mix))
    vectors = rng.normal(size=(n, 8)) + moved
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = np.where(is_right, rng.beta(8, 2, n), rng.beta(4, 4, n))
    return Observed(LABELS[answers], scores, LABELS[codes], vectors.astype(np.float32))


def alarms(found):
    return {one.test for one in found.alarms if one.at is not None}


def look(reference, log, rng, promised=None):
    return watched(reference, log, 0.05, promised, rng)


def test_the_tests_share_the_rate():
    """Five tests, each at a fifth of the rate; of one whose promise is the reference's own, half is for the promise."""
    rng = np.random.default_rng(0)
    reference, log = stream(400, EVEN, rng), stream(50, EVEN, rng)
    own = {one.test: one.alpha for one in look(reference, log, rng).alarms}
    given = {one.test: one.alpha for one in look(reference, log, rng, promised=0.8).alarms}
    halves = {"accuracy", "accuracy_reweighted"}
    assert own == {name: 0.05 / 5 / (1 + (name in halves)) for name in TESTS}
    assert given == own | {"accuracy": 0.05 / 5}


def test_no_more_is_promised_of_rare_labels_than_was_seen():
    """Of many labels that have an item or two, and are worse than others: what is promised of all is what was seen."""
    rng = np.random.default_rng(8)
    recall = np.linspace(0.98, 0.6, 20)
    first = [
        [one.at for one in found.alarms if one.test == "accuracy_reweighted"]
        for found in (
            look(replace(stream(200, SKEWED, rng, recall), vectors=None), stream(4_000, SKEWED, rng, recall), rng)
            for _ in range(40)
        )
    ]
    assert first.count([None]) >= 39


def test_a_shift_of_labels_is_no_fall():
    """Answers raise their alarm, the reweighted accuracy does not, and the estimate of the mix follows the shift."""
    rng = np.random.default_rng(1)
    found = look(stream(4_000, EVEN, rng), stream(4_000, SHIFTED, rng), rng)
    assert "answers" in alarms(found)
    assert "accuracy_reweighted" not in alarms(found)
    assert [one.estimated for one in found.mix] == pytest.approx(SHIFTED.tolist(), abs=0.05)
    assert found.expected.value == pytest.approx(SHIFTED @ RECALL, abs=0.03)
    assert found.accuracy.value == pytest.approx(SHIFTED @ RECALL, abs=0.03)


def test_a_fall_under_the_same_mix():
    """Ten points less of every label raise both alarms of accuracy, and not that of inputs."""
    rng = np.random.default_rng(2)
    found = look(stream(4_000, EVEN, rng), stream(3_000, EVEN, rng, RECALL - 0.1), rng)
    assert {"accuracy", "accuracy_reweighted"} <= alarms(found)
    assert "inputs" not in alarms(found)


def test_other_inputs():
    """Vectors that moved raise the alarm of inputs."""
    rng = np.random.default_rng(3)
    assert "inputs" in alarms(look(stream(800, EVEN, rng), stream(400, EVEN, rng, moved=0.7), rng))


def test_answers_alone_turn_the_errors_around():
    """The mix that makes the answers most likely is the true one, for any number of items; one label is one."""
    confusion = np.vstack([np.diag(RECALL * 1_000), np.zeros(4)])
    confusion[[1, 2, 3, 0], [0, 1, 2, 3]] += (1 - RECALL) * 1_000
    answered = confusion / 1_000 @ SHIFTED
    assert label_shift.mix(confusion, answered * 500) == pytest.approx(SHIFTED, abs=0.01)
    assert label_shift.mix(np.array([[5.0], [1.0]]), np.array([3.0, 1.0])) == pytest.approx([1.0])


def test_a_label_that_the_reference_has_not():
    """New labels, items without an answer and an empty log are no errors."""
    rng = np.random.default_rng(4)
    reference = stream(100, EVEN, rng)
    log = Observed(
        np.array(["e", NOTHING, "a"], dtype=object), np.full(3, np.nan), np.array(["e", "a", None], dtype=object)
    )
    assert look(reference, log, rng).n_gold == 2
    none = Observed(*(np.array([], dtype=kind) for kind in (object, float, object)))
    assert alarms(look(reference, none, rng)) == set()


@pytest.mark.sims
@pytest.mark.parametrize(
    ("n_reference", "mix", "recall"),
    [(1_000, EVEN, RECALL), (3_080, EVEN, RECALL), (600, SKEWED, np.linspace(0.98, 0.6, 20))],
)
def test_no_drift_gives_few_alarms(n_reference, mix, recall):
    """Watches of 20,000 items that change in nothing, looked at after each: at most one of twenty has an alarm."""
    rng = np.random.default_rng(5)
    found = [
        alarms(look(stream(n_reference, mix, rng, recall), stream(20_000, mix, rng, recall), rng)) for _ in range(120)
    ]
    assert np.mean([bool(one) for one in found]) <= 0.05


@pytest.mark.sims
@pytest.mark.parametrize("n_reference", [400, 1_000, 3_080])
def test_shifts_of_labels_are_told_from_falls(n_reference):
    """The shift is found in 1,000 items, the reweighted accuracy stays quiet, and the mix and its accuracy follow."""
    rng = np.random.default_rng(6)
    found = [look(stream(n_reference, EVEN, rng), stream(1_000, SHIFTED, rng), rng) for _ in range(100)]
    errors = [max(abs(one.estimated - true) for one, true in zip(f.mix, SHIFTED, strict=True)) for f in found]
    covered = np.mean([f.expected.low <= SHIFTED @ RECALL <= f.expected.high for f in found])
    assert np.mean(["answers" in alarms(f) for f in found]) >= 0.85
    assert np.mean(["accuracy_reweighted" in alarms(f) for f in found]) <= 0.02
    assert np.median(errors) <= 0.06
    assert covered >= 0.9
