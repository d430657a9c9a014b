import pytest

from harness.arms.baselines import minilm_cluster, minilm_zero
from harness.arms.baselines._features import spelt_out
from harness.types import Item

WORDS = {
    "animals": ["dog", "cat", "horse", "cow", "sheep", "goat"],
    "vehicles": ["car", "truck", "bus", "train", "tram", "lorry"],
}
ITEMS = [Item(f"{label}-{i}", word) for label, words in WORDS.items() for i, word in enumerate(words)]
GOLD = [label for label, words in WORDS.items() for _ in words]


def test_labels_alone_tell_items_apart():
    """No training item says which word is what: the labels' names and descriptions do."""
    labels = (("animals", ""), ("vehicles", "things that drive"), ("food", "what people eat"))
    classifier = minilm_zero.build(labels).fit(ITEMS[:1], ["animals"])
    assert list(classifier.classes_) == ["animals", "food", "vehicles"]
    right = (classifier.predict(ITEMS) == GOLD).mean()
    assert right >= 10 / 12


def test_what_clusters_are_worth_is_kept():
    """Two clear groups get the two names, and the facts say how pure they are and which label has no group."""
    classifier = minilm_cluster.build().fit(ITEMS, GOLD)
    assert (classifier.predict(ITEMS) == GOLD).mean() >= 10 / 12
    facts = classifier.facts_
    assert facts["clusters"] == 2
    assert facts["purity"] >= 0.83
    assert 0 <= facts["v_measure"] <= 1
    one = minilm_cluster.build(clusters=1).fit(ITEMS, GOLD).facts_
    assert (one["purity"], one["v_measure"], one["adjusted_rand"]) == (0.5, pytest.approx(0), pytest.approx(0))
    assert len(one["labels_without_a_cluster"]) == 1


@pytest.mark.parametrize(
    ("name", "description", "said"),
    [
        ("card_about_to_expire", "", "card about to expire"),
        ("topUpFailed?", "", "top Up Failed"),
        ("bug", "something is broken", "bug: something is broken"),
        ("?!", "", "?!"),
    ],
)
def test_labels_are_read_as_words(name, description, said):
    """Underscores, signs and humps of a name become blanks; a description follows."""
    assert spelt_out(name, description) == said
