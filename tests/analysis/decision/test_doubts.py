"""What a verdict takes for granted: gold labels that an audit suspects, and a split that was scored often."""

from dataclasses import replace

import numpy as np
import pytest

from harness.analysis import decision
from harness.analysis.decision import doubts
from harness.datasets.audit.equality import Defects
from harness.ground.constraints import Constraints
from harness.stats.looks import optimism
from tests.sims import worlds

DEAR = [5.0, 0.001]


def results(first, second, prices=None):
    """Two arms that are right (1) or wrong (0) on each item; a wrong answer is `b`, gold is `a`."""
    found = worlds.results(np.column_stack([first, second]).astype(float), prices=prices)
    rows = found.predictions
    return replace(found, predictions=rows.assign(text=rows["example_id"], tags=None))


def suspected(found, items, torn=()):
    return replace(found, defects=Defects(frozenset(), frozenset(), 0.9, frozenset(items), frozenset(torn)))


def ids(*numbers):
    return [f"i{number:06}" for number in numbers]


def decide(found, **constraints):
    return decision.decide(found, Constraints(**constraints))


def reasons(found, **constraints):
    return "\n".join(decide(found, **constraints).reasons)


AHEAD = np.r_[np.ones(380), np.zeros(20)]  # .95
BEHIND = np.r_[np.ones(340), np.zeros(60)]  # .85: 40 items only the first got right


def test_without_an_audit_nothing_is_said_of_labels():
    """No record, or one that suspects nothing that was scored."""
    found = results(AHEAD, BEHIND)
    for one in (found, suspected(found, []), suspected(found, ["elsewhere"])):
        assert decide(one).label_noise is None
        assert "gold label" not in reasons(one)


def test_the_ceiling_is_that_of_an_arm_that_is_always_right():
    """12 suspects of 400: .970, whatever the arms said."""
    said = reasons(suspected(results(AHEAD, BEHIND), ids(*range(12))))
    assert "suspects the gold label of 12 of 400 items" in said
    assert "an arm that is always right would score .970" in said
    assert "Have them read" not in said


def test_equal_texts_under_different_labels_bound_every_arm():
    """Three equal texts with two labels cost at least one; an equal text elsewhere with the same label none."""
    found = results(AHEAD, BEHIND)
    rows = found.predictions
    texts = rows["text"].replace(dict.fromkeys(ids(0, 1, 2), "Same") | dict.fromkeys(ids(3, 4), "other"))
    gold = rows["gold"].mask(rows["example_id"].isin(ids(0)), "b")
    found = replace(found, predictions=rows.assign(text=texts, gold=gold))
    noise = decide(suspected(found, [], ids(0, 1, 2, 3, 4))).label_noise
    assert (noise.suspects, noise.torn, noise.lost, noise.highest) == (5, 3, 1, 399 / 400)
    assert "3 items are equal texts under different labels" in reasons(suspected(found, [], ids(0, 1, 2)))


def test_a_verdict_that_relabelling_could_turn_says_so():
    """40 items only the first got right: were 30 of their labels wrong, the second would be ahead by 20."""
    found = suspected(results(AHEAD, BEHIND), ids(*range(340, 370)))
    made = decide(found)
    assert (made.recommendation, made.verdict) == ("arm00", "decided")
    assert made.label_noise.turned == {"arm01": "arm01"}
    said = reasons(found)
    assert "Suspected labels could turn the verdict: arm00 and arm01 answer 30 of them differently" in said
    assert "it would be arm01" in said
    assert "harness dataset sample d@v1 --split test --how discordant --n 30 --out relabel.csv" in said


def test_a_verdict_that_relabelling_would_only_open():
    """With 18 of the 40 turned the first is still ahead, by 4 of 400, which no longer decides."""
    found = suspected(results(AHEAD, BEHIND), ids(*range(340, 358)))
    assert decide(found).label_noise.turned == {"arm01": "open"}
    assert "it could not be told" in reasons(found)


def test_a_verdict_that_relabelling_cannot_turn_says_that():
    """Suspects on which both say the same move both alike; three of 40 are too few."""
    same = suspected(results(AHEAD, BEHIND), ids(*range(60)))
    assert decide(same).label_noise.differing == {}
    assert "turn the verdict" not in reasons(same)
    few = suspected(results(AHEAD, BEHIND), ids(340, 341, 342))
    assert decide(few).label_noise.turned == {}
    assert "Suspected labels cannot turn the verdict" in reasons(few)
    assert "arm00 would be served all the same, decided" in reasons(few)


def test_what_is_bounded_is_what_a_reader_could_find():
    """Whatever share of the suspects is wrong, and in whose favour, the lead stays within the bound."""
    rng = np.random.default_rng(5)
    found = suspected(results(AHEAD, BEHIND), ids(*range(340, 370)))
    rows = found.predictions
    differing = decide(found).label_noise.differing["arm01"]
    for _ in range(20):
        wrong = rng.choice(ids(*range(340, 370)), size=rng.integers(0, 31), replace=False)
        gold = rows["gold"].mask(rows["example_id"].isin(wrong), "b")
        right = (rows["label"] == gold).groupby(rows["run_id"]).sum()
        assert 40 - 2 * differing <= right["arm00"] - right["arm01"] <= 40


def test_an_arm_without_an_answer_cannot_become_right():
    """Another label gives the runner-up nothing where it has no answer: the chosen arm loses 30 and is 10 ahead."""
    found = suspected(results(AHEAD, BEHIND), ids(*range(340, 370)))
    rows = found.predictions
    gone = (rows["run_id"] == "arm01") & rows["example_id"].isin(ids(*range(340, 370)))
    silent = replace(found, predictions=rows.assign(label=rows["label"].mask(gone, None)))
    assert decide(silent).label_noise.differing == {"arm01": 30}
    assert decide(silent).label_noise.turned == {}


def looked(found, times):
    return replace(found, split=replace(found.split, looks=times))


def test_looks_are_counted_that_nobody_sees():
    """Runs on the table are corrected for already; five others are borne, six are said."""
    found = results(AHEAD, BEHIND)
    assert "was scored" not in reasons(looked(found, 7))
    said = reasons(looked(found, 8))
    assert "The split was scored 8 times, 6 of them for tries that are not shown here" in said
    assert "up to .051 less accurate" in said
    assert "harness dataset new-version d@v1 --to v1-confirm --fresh test" in said
    assert "was scored" not in reasons(looked(found, 8), looks=6)


def test_repeats_and_curves_are_no_hidden_tries():
    """Five repeats of an arm that are pooled on the table, and the points of a curve that is shown, are seen."""
    found = looked(results(AHEAD, BEHIND), 9)
    assert doubts.unshown_looks(found) == 7
    spread = type("Spread", (), {"name": "arm00", "values": (0.9,) * 5})
    assert doubts.unshown_looks(replace(found, spreads=(spread,))) == 3
    drawn = type("Curves", (), {"fits": (1, 2, 3)})
    assert doubts.unshown_looks(replace(found, spreads=(spread,), curves=drawn)) == 0


@pytest.mark.parametrize("correlation", [0.0, 0.5])
@pytest.mark.parametrize("tries", [2, 6, 30])
def test_the_bound_on_the_optimism_holds(tries, correlation):
    """The best of so many equal tries flatters itself by less, on the average of 400 experiments."""
    rng = np.random.default_rng(0)
    world = worlds.World((0.5,) * tries, 100, correlation)
    best = [world.draw(rng)[0][:, :, 0].mean(axis=0).max() - 0.5 for _ in range(400)]
    assert np.mean(best) <= optimism(tries, 100)
    assert optimism(1, 100) == 0.0
    assert np.mean(best) >= optimism(tries, 100) / 4  # and is not a bound that says nothing
