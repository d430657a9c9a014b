"""Cross-validation: no item is predicted by a fit that has seen it."""

import asyncio
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.arms.classifier import ClassifierArm
from harness.arms.folded import FoldedArm
from harness.errors import ConfigError
from harness.ground.clock import VirtualClock
from harness.runs import folds_and_parts
from harness.types import Example, Item


class Memory:
    """Knows by heart what it has learnt, and says `unseen` of everything else."""

    def fit(self, items, labels):
        self.known_ = {item.id for item in items}
        self.classes_ = np.array(["seen", "unseen"])

    def predict_proba(self, items):
        return np.array([[1.0, 0.0] if item.id in self.known_ else [0.0, 1.0] for item in items])


def examples(n, groups=None):
    return [
        Example(
            Item(f"i{i}", "text"), "often" if i % 4 else "seldom", "train", None if groups is None else f"g{i % groups}"
        )
        for i in range(n)
    ]


def folded(of, k, seed=0):
    fold_of = folds_and_parts.folds(of, k, seed)
    arm = FoldedArm([ClassifierArm("arm", Memory, 1.0, VirtualClock()) for _ in range(k)], fold_of)
    arm.fit([one.item for one in of], [one.label for one in of])
    return arm, fold_of


@pytest.mark.parametrize("k", [2, 5, 20])
def test_no_item_is_known_to_the_fit_that_predicts_it(k):
    """Each of the others is known to it, the items come back in order, and all folds predict."""
    of = examples(40)
    arm, fold_of = folded(of, k)
    asked = [one.item for one in of[::-1]]
    said = asyncio.run(arm.predict(asked))
    assert [one.item_id for one in said] == [item.id for item in asked]
    assert {one.label for one in said} == {"unseen"}
    for fold, part in enumerate(arm._arms):
        assert part._classifier.known_ == {name for name, place in fold_of.items() if place != fold}


@given(st.integers(2, 8), st.integers(0, 5), st.permutations(range(40)))
def test_folds_are_even_and_do_not_depend_on_the_order(k, seed, order):
    """Labels differ by one item at most from fold to fold; another seed deals otherwise."""
    of = examples(40)
    fold_of = folds_and_parts.folds(of, k, seed)
    assert fold_of == folds_and_parts.folds([of[i] for i in order], k, seed)
    for label in ("often", "seldom"):
        counts = Counter({fold: 0 for fold in range(k)})
        counts.update(fold_of[one.item.id] for one in of if one.label == label)
        assert max(counts.values()) - min(counts.values()) <= 1
    assert folds_and_parts.folds(of, k, seed + 1) != fold_of


def test_a_group_is_never_parted():
    """Items of one group are in one fold, so none of them is predicted by a fit that has seen another."""
    of = examples(40, groups=10)
    fold_of = folds_and_parts.folds(of, 4, 0)
    assert all(len({fold_of[one.item.id] for one in of if one.group == f"g{g}"}) == 1 for g in range(10))
    assert set(fold_of.values()) == {0, 1, 2, 3}
    with pytest.raises(ConfigError, match="10 items .or groups of them. cannot be dealt out into 11 folds"):
        folds_and_parts.folds(of, 11, 0)
