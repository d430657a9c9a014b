from collections import Counter

import pytest

from harness.arms.baselines import majority, random
from harness.types import Item

ITEMS = [Item(str(i), f"text {i}") for i in range(4000)]


def test_majority_answers_with_the_most_frequent_label():
    """Every answer is the most frequent training label, and the scores are the training shares."""
    classifier = majority.build().fit(ITEMS[:10], ["b"] * 6 + ["a"] * 3 + ["c"])
    assert set(classifier.predict(ITEMS)) == {"b"}
    assert list(classifier.predict_proba(ITEMS[:1])[0]) == pytest.approx([0.3, 0.6, 0.1])


def test_random_draws_by_the_training_shares():
    """Of 4,000 items, each label gets its share of training, within 5 standard errors."""
    classifier = random.build().fit(ITEMS[:10], ["b"] * 6 + ["a"] * 3 + ["c"])
    drawn = Counter(classifier.predict(ITEMS))
    for label, share in (("a", 0.3), ("b", 0.6), ("c", 0.1)):
        assert drawn[label] / len(ITEMS) == pytest.approx(share, abs=5 * (share * (1 - share) / len(ITEMS)) ** 0.5)


def test_another_seed_draws_otherwise():
    """Two seeds agree as often as chance has it, not always."""
    labels = ["a", "b"] * 5
    first, second = (random.build(seed=seed).fit(ITEMS[:10], labels).predict(ITEMS) for seed in (1, 2))
    assert (first == second).mean() == pytest.approx(0.5, abs=0.05)
