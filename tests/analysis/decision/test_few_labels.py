"""How many more labels would decide a verdict from few of them: the rule itself, on what may be estimated then."""

from dataclasses import replace

import numpy as np
import pytest

from harness.analysis.decision.assurance import Question, assurance
from harness.analysis.decision.choosing import Terms
from harness.analysis.estimated_panel import panel_of
from tests.analysis.test_estimation import estimation, world
from tests.sims.few_label_arms import drawn

FREE = Terms(np.zeros(3), 1.0)


def question(made, margin=0.05, terms=FREE):
    return Question(panel_of(made), (), terms, margin, np.ones(len(terms.bills), dtype=bool))


@pytest.fixture(scope="module")
def close():
    """Two arms of .9 and .84 and a poor one, on 600 items."""
    return world(accuracies=(0.9, 0.84, 0.4), seed=5)


def test_more_labels_decide_more(close):
    """The probability grows with the labels; what is promised is at most a label for every item, and the rule's."""
    asked = question(estimation(25, *close))
    assert not asked.decided()[1]
    found = assurance(asked, np.random.default_rng(0))
    assert (found.most, found.of_all) == (575, True)
    assert found.labels is not None
    assert 0 < found.labels <= 575
    assert 0.8 <= found.probability <= 1
    assert max(found.arms, key=found.arms.get) == "good"
    few = asked.together.few
    shares = [
        replace(asked, together=replace(asked.together, few=few.after(more, 400, np.random.default_rng(1))))
        .decided()[1]
        .mean()
        for more in (10, 100, 575)
    ]
    assert shares[0] < shares[1] <= shares[2] + 0.05


def test_with_a_label_on_every_item_none_is_left(close):
    """Nothing more can be labelled, and it says so."""
    truth, answered = close
    same = replace(answered, answers=answered.answers[:, [0, 0, 2]])
    asked = question(estimation(600, truth, same), terms=Terms(np.array([5.0, 0.0, 0.0]), 1.0))
    found = assurance(asked, np.random.default_rng(0))
    assert (found.labels, found.probability, found.most) == (None, 0.0, 0)


def test_steps_have_the_variance_that_labels_take_away(close):
    """What an arm and a pair may be estimated at later varies by today's variance less that of then."""
    few = panel_of(estimation(60, *close)).few
    later = few.after(60, 20_000, np.random.default_rng(2))
    moved = later.means.seen.mean[:, 1] - few.means.seen.mean[1]
    growth = later.means.seen.worth[0, 1] / few.means.seen.worth[1]
    assert 1.5 < growth <= 2
    assert np.var(moved) == pytest.approx(few.means.variance[1] * (1 - 1 / growth), rel=0.1)
    apart = later.pairs.difference[:, 0, 1] - few.pairs.difference[0, 1]
    assert np.allclose(apart, -(later.pairs.difference[:, 1, 0] - few.pairs.difference[1, 0]))
    held = few._between[0, 1] * (1 - few.pairs.n[0, 1] / later.pairs.n[0, 0, 1])
    assert np.var(apart) == pytest.approx(held, rel=0.25)


@pytest.mark.sims
def test_the_probability_comes_true():
    """Over worlds with accuracies of all sorts a verdict is decided as often as was said before the labels came."""
    rng, said, came = np.random.default_rng(5), [], []
    for number in range(120):
        n, more = [(30, 60), (40, 200), (60, 100)][number % 3]
        whole, _ = drawn(
            tuple(rng.uniform(0.6, 0.95, 4)), n + more, "random", np.random.default_rng(int(rng.integers(1e9)))
        )
        first = rng.permutation(list(whole.gold.of))[:n]
        made = [
            type(whole)(whole.answered, replace(whole.gold, of=of, weights={}))
            for of in ({item: whole.gold.of[item] for item in first}, whole.gold.of)
        ]
        pilot, later = (question(one, terms=Terms(np.array([10.0, 5.0, 1.0, 0.0]), 1.0)) for one in made)
        if not pilot.decided()[1]:
            few = pilot.together.few.after(made[1].n - n, 300, np.random.default_rng(0))
            said.append(replace(pilot, together=replace(pilot.together, few=few)).decided()[1].mean())
            came.append(bool(later.decided()[1]))
    print(f"said {np.mean(said):.2f}, came {np.mean(came):.2f} of {len(said)}")
    assert abs(np.mean(said) - np.mean(came)) < 0.12
