"""Every arm's worth from few gold labels and all predictions."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness.analysis import panel
from harness.analysis.estimation import Answered, Estimation, Gold
from harness.analysis.panel import Answers

LABELS = ("a", "b", "c")
ARMS = ("good", "fair", "poor")


def credit(gold, answer):
    return float(gold == answer)


def world(n=600, seed=1, failed=None, accuracies=(0.9, 0.7, 0.4)):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    said = [np.where(rng.random(n) < a, truth, (truth + rng.integers(1, 3, n)) % 3) for a in accuracies]
    answers = np.column_stack(said)
    lost = np.zeros(answers.shape, dtype=bool) if failed is None else failed
    items = tuple(f"i{i}" for i in range(n))
    return truth, Answered(ARMS, items, LABELS, np.where(lost, -1, answers), answers * np.nan, lost)


def estimation(labelled, truth, answered, **more):
    return Estimation(answered, Gold({f"i{i}": LABELS[truth[i]] for i in range(labelled)}, credit, LABELS, **more))


def test_every_arm_and_the_leader():
    """From sixty labels each arm's interval holds its accuracy on all items, and the best one leads."""
    truth, answered = world()
    made = estimation(60, truth, answered)
    for place, arm in enumerate(("good", "fair", "poor")):
        one = made.arms()[place]
        right = float((answered.answers[:, place] == truth).mean())
        assert one.name == arm
        assert one.accuracy.estimate.low <= right <= one.accuracy.estimate.high
        assert one.accuracy.estimate.n == 60
        assert set(one.recall) == set(LABELS)
    assert made.leader()[0] == "good"


def test_differences():
    """The lead of one arm is its interval's distance from another's, and turns its sign with them."""
    truth, answered = world()
    made = estimation(80, truth, answered)
    lead, back = made.difference("good", "poor").estimate, made.difference("poor", "good").estimate
    assert lead.low > 0
    assert (lead.value, lead.low, lead.high) == pytest.approx((-back.value, -back.high, -back.low), abs=1e-9)


def test_what_further_labels_are_worth():
    """None where two arms answer the same; none is needed where the lead is shown; else a number, alike both ways."""
    truth, answered = world()
    shown = estimation(80, truth, answered)
    assert shown.further_labels("good", "poor") == shown.further_labels("poor", "good") == 0
    few = estimation(12, truth, answered)
    assert few.further_labels("good", "fair") == few.further_labels("fair", "good") > 0
    same = replace(answered, answers=answered.answers[:, [0, 0, 2]])
    assert estimation(80, truth, same).further_labels("good", "fair") is None
    assert estimation(0, truth, answered).further_labels("good", "fair") is None


@pytest.mark.sims
def test_so_many_further_labels_show_it():
    """Where the lead is what it seemed, so many labels show it about as often as said: .8 on average over pilots."""
    truth, answered = world(n=1500, accuracies=(0.9, 0.83, 0.4))
    rng, true = np.random.default_rng(0), float(np.diff((answered.answers[:, :2] == truth[:, None]).mean(axis=0))[0])

    def drawn(n):
        return Estimation(
            answered, Gold({f"i{i}": LABELS[truth[i]] for i in rng.choice(1500, n, False)}, credit, LABELS)
        )

    powers = []
    for _ in range(400):
        pilot = drawn(30)
        further = pilot.further_labels("good", "fair")
        if further and abs(pilot.difference("good", "fair").estimate.value + true) < 0.015:
            shown = [drawn(30 + further).difference("good", "fair").estimate.low > 0 for _ in range(40)]
            powers.append(np.mean(shown))
    assert len(powers) >= 10
    assert 0.7 <= np.mean(powers) <= 0.9


def test_failed_calls_are_left_out_of_their_arm():
    """An item whose call failed counts neither for nor against that arm; the others keep it."""
    failed = np.zeros((600, 3), dtype=bool)
    failed[:20, 0] = True
    truth, answered = world(failed=failed)
    by_name = {one.name: one.accuracy.estimate.n for one in estimation(60, truth, answered).arms()}
    assert by_name == {"good": 40, "fair": 60, "poor": 60}


def test_without_labels_there_is_no_value():
    """Nothing is said of an arm before the first label."""
    truth, answered = world()
    made = estimation(0, truth, answered)
    assert made.leader() is None
    assert all(one.accuracy.estimate.value is None for one in made.arms())


def test_degrees():
    """Where answers are worth a part, the expected credit is that of the candidates, and the mean is of credits."""
    truth, answered = world()
    near = {("a", "b"): 0.5, ("b", "a"): 0.5}
    made = Estimation(
        answered,
        Gold(
            {f"i{i}": LABELS[truth[i]] for i in range(60)},
            lambda gold, answer: 1.0 if gold == answer else near.get((gold, answer), 0.0),
            is_binary=False,
        ),
    )
    one = next(arm for arm in made.arms() if arm.name == "fair")
    expected = [
        1.0 if g == a else near.get((LABELS[g], LABELS[a]), 0.0)
        for g, a in zip(truth, answered.answers[:, 1], strict=True)
    ]
    assert one.accuracy.estimate.low <= np.mean(expected) <= one.accuracy.estimate.high
    assert one.macro_f1 is None


def asked_often(n=300, fits=3, repeats=2, spread=0.0, seed=4):
    """Three arms, of which `good` was fitted and asked several times, some calls failing; and the gold codes."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    accuracies = [[0.9 + spread * (fit - 1)] * repeats for fit in range(fits)]
    columns = [a for of_fit in accuracies for a in of_fit] + [0.7, 0.4]
    said = np.column_stack([np.where(rng.random(n) < a, truth, (truth + rng.integers(1, 3, n)) % 3) for a in columns])
    failed = np.zeros(said.shape, dtype=bool)
    failed[:40, 1] = failed[:10, : fits * repeats] = True
    several = tuple(tuple(range(fit * repeats, (fit + 1) * repeats)) for fit in range(fits))
    runs = (several, ((fits * repeats,),), ((fits * repeats + 1,),))
    items = tuple(f"i{i}" for i in range(n))
    return truth, Answered(ARMS, items, LABELS, np.where(failed, -1, said), said * np.nan, failed, runs=runs)


def panel_of(truth, answered):
    """The scorecard's way with the same answers: rows with credits, of all runs of an arm together."""
    made = []
    for arm, name in enumerate(answered.names):
        frames = [
            pd.DataFrame(
                {
                    "example_id": answered.items,
                    "credit": pd.Series((answered.answers[:, column] == truth).astype(float)).mask(
                        answered.failed[:, column]
                    ),
                    "label": "said",
                    "fit": fit,
                }
            )
            for fit, columns in enumerate(answered.fits(arm))
            for column in columns
        ]
        made.append(Answers(name, pd.concat(frames)))
    return panel.of(made).with_fits(made)


def test_repeats_and_fits_are_scored_as_on_full_labels():
    """With a label on every item an arm's credit is the scorecard's: an item's mean over calls that did not fail."""
    truth, answered = asked_often()
    made = estimation(300, truth, answered)
    shares, by_name = panel_of(truth, answered).shares(), {one.name: one for one in made.arms()}
    for place, name in enumerate(ARMS):
        assert by_name[name].accuracy.estimate.value == pytest.approx(shares.mean[place], abs=1e-9)
    assert by_name["good"].accuracy.estimate.n == 290
    assert "3 fits" in by_name["good"].accuracy.estimate.method
    assert "fits" not in by_name["fair"].accuracy.estimate.method
    known = ~answered.lost[:, 0]
    lead = np.nanmean((made.credits()[:, 0] - made.credits()[:, 1])[known])
    assert made.difference("good", "fair").estimate.value == pytest.approx(lead, abs=1e-9)
    assert by_name["good"].recall["a"].estimate.value == pytest.approx(
        np.nanmean(made.credits()[(truth == 0) & known, 0]), abs=1e-9
    )


def test_fits_that_lie_apart_widen_the_interval_as_in_a_verdict():
    """With all labels the interval of an arm with several fits is the verdict's, within a tenth; one fit's is less."""
    truth, answered = asked_often(fits=3, repeats=1, spread=0.06)
    made = estimation(300, truth, answered)
    found = made.accuracy("good").gold_alone
    low, high = (ends[0] for ends in panel_of(truth, answered).shares().limits())
    assert found.high - found.low == pytest.approx(high - low, rel=0.1)
    one = replace(answered, runs=(((0, 1, 2),), *answered.runs[1:]))
    alone = estimation(300, truth, one).accuracy("good").gold_alone
    assert alone.value == pytest.approx(found.value)
    assert alone.high - alone.low < 0.9 * (found.high - found.low)
    wide, narrow = (of.difference("good", "fair").estimate for of in (made, estimation(300, truth, one)))
    assert wide.high - wide.low > narrow.high - narrow.low


def test_labels_do_not_make_the_spread_of_fits_smaller():
    """Where fits lie so far apart that no label can show the lead, no number of labels is promised."""
    truth, answered = asked_often(fits=2, repeats=1, spread=0.3)
    once = replace(answered, runs=(((0, 1),), *answered.runs[1:]))
    assert estimation(150, truth, answered).further_labels("good", "poor") is None
    assert estimation(150, truth, once).further_labels("good", "poor") == 0
