from collections import Counter
from itertools import pairwise

import pytest

from harness.runs import folds_and_parts
from harness.types import Example, Item, Run

EXAMPLES = [Example(Item(f"i{i}", "text"), "often" if i % 4 else "seldom", "train") for i in range(80)]


def ids(examples):
    return {example.item.id for example in examples}


@pytest.mark.parametrize("draw", [folds_and_parts.total, folds_and_parts.per_class])
def test_smaller_is_a_part_of_larger(draw):
    """For one seed every size holds the sizes below it; another seed draws others."""
    drawn = [ids(draw(EXAMPLES, n, 0)) for n in (1, 2, 5, 10, 20)]
    assert all(small < large for small, large in pairwise(drawn))
    assert ids(draw(EXAMPLES, 5, 0)) != ids(draw(EXAMPLES, 5, 1))
    assert draw(EXAMPLES, 5, 0) == draw(EXAMPLES[::-1], 5, 0)


def test_stratified():
    """In all, labels are as frequent as in the whole; per class, each has so many."""
    assert Counter(e.label for e in folds_and_parts.total(EXAMPLES, 20, 3)) == {"often": 15, "seldom": 5}
    assert Counter(e.label for e in folds_and_parts.per_class(EXAMPLES, 5, 3)) == {"often": 5, "seldom": 5}
    assert Counter(e.label for e in folds_and_parts.per_class(EXAMPLES, 30, 3)) == {"often": 30, "seldom": 20}
    assert ids(folds_and_parts.total(EXAMPLES, 80, 3)) == ids(EXAMPLES)


def test_default_sizes_double_up_to_the_whole():
    """Never fewer items than labels, and the whole is the last."""
    assert folds_and_parts.default_sizes(869, 8) == [27, 54, 109, 217, 434, 869]
    assert folds_and_parts.default_sizes(100, 30) == [50, 100]
    assert folds_and_parts.default_sizes(5, 8) == [5]


def test_a_part_makes_a_run_of_its_own():
    """Other labels, another id; the same labels, the same."""
    run = Run("s1:0", "s1:d", "test", "tfidf-lr", "s1:a", seed=2, n_train=80)
    part = folds_and_parts.of_part(run, EXAMPLES[:10])
    assert (part.n_train, part.seed, part.arm_id) == (10, 2, "s1:a")
    assert part.id == folds_and_parts.of_part(run, EXAMPLES[:10][::-1]).id
    assert len({run.id, part.id, folds_and_parts.of_part(run, EXAMPLES[1:11]).id}) == 3
