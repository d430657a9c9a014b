import numpy as np
import pytest

from harness.arms.baselines import tag_odds
from harness.types import Item

# Four items: cat gets {fur, pet}, {fur}; bird gets {wing, pet}; fish gets {fin}.
TRAINING = [("cat", ("fur", "pet")), ("cat", ("fur",)), ("bird", ("wing", "pet")), ("fish", ("fin",))]
ITEMS = [Item(str(i), "", tags) for i, (_, tags) in enumerate(TRAINING)]
LABELS = [label for label, _ in TRAINING]


def scores(*tags, alpha=1.0, text=""):
    """The scores of one item with these tags, by label."""
    classifier = tag_odds.build(alpha=alpha).fit(ITEMS, LABELS)
    return dict(zip(classifier.classes_, classifier.predict_proba([Item("q", text, tags)])[0], strict=True))


def by_hand(tags, alpha):
    """Share of the label in training, times (count + alpha) / (all of its tags + 4 alpha) for each tag."""
    counts = {"cat": {"fur": 2, "pet": 1}, "bird": {"wing": 1, "pet": 1}, "fish": {"fin": 1}}
    share = {"cat": 2 / 4, "bird": 1 / 4, "fish": 1 / 4}
    odds = {
        label: share[label] * np.prod([(seen.get(t, 0) + alpha) / (sum(seen.values()) + 4 * alpha) for t in tags])
        for label, seen in counts.items()
    }
    return {label: value / sum(odds.values()) for label, value in odds.items()}


@pytest.mark.parametrize("alpha", [0.1, 1.0])
@pytest.mark.parametrize("tags", [("pet",), ("fur",), ("pet", "wing"), ("fin", "fur", "pet")])
def test_odds_equal_those_by_hand(tags, alpha):
    """Naive Bayes with Laplace smoothing, worked out on paper for four items and four tags."""
    assert scores(*tags, alpha=alpha) == pytest.approx(by_hand(tags, alpha))


def test_one_tag_on_paper():
    """`pet` with alpha 1: cat 1/2 x 2/7, bird 1/4 x 2/6, fish 1/4 x 1/5, divided by their sum."""
    total = 1 / 7 + 1 / 12 + 1 / 20
    assert scores("pet") == pytest.approx({"cat": 1 / 7 / total, "bird": 1 / 12 / total, "fish": 1 / 20 / total})


def test_unknown_tags_say_nothing():
    """A tag that was never seen changes no score beside a known one."""
    assert scores("pet", "quokka") == scores("pet")


@pytest.mark.parametrize("tags", [(), ("quokka",)])
def test_without_a_known_tag_there_is_no_answer(tags):
    """An item with no known tag gets a row of zeros: the arm abstains, it does not guess the majority."""
    assert set(scores(*tags, text="fur wing fin").values()) == {0.0}


def test_capitals_do_not_count_and_repeats_count_once():
    """`PET` is `pet`, and a tag given twice is one tag."""
    assert scores("PET", "pet") == scores("pet")


def test_the_text_is_not_read():
    """The words of the text change nothing: tags alone decide."""
    assert scores("pet", text="fin fin fin") == scores("pet")


def test_training_without_tags_abstains():
    """When no training item has a tag, every item is abstained on."""
    classifier = tag_odds.build().fit([Item("1", "a"), Item("2", "b")], ["x", "y"])
    assert (classifier.predict_proba([Item("3", "a", ("pet",))]) == 0).all()
