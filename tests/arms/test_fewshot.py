import numpy as np
import pytest

from harness.arms import fewshot
from harness.arms.prompts.files import FewShot
from harness.errors import ConfigError
from harness.types import Example, Item

POOL = [Example(Item(f"t{i}", f"text {i}"), "ab"[i % 2], "train") for i in range(10)]


def angles(texts):
    """Texts that end in a number, as points on a half circle: near numbers are near."""
    turns = np.array([float(text.split()[-1]) for text in texts]) / 20 * np.pi
    return np.stack([np.cos(turns), np.sin(turns)], axis=1).astype(np.float32)


def chosen(item, **wanted):
    selector = fewshot.selector(FewShot(**wanted), POOL, angles)
    selector.prepare([item])
    return [example.item.id for example in selector.choose(item)]


def test_nearest_come_last():
    """The k nearest training items, the nearest next to the question."""
    assert chosen(Item("q", "query 4.2"), how="knn", k=3) == ["t3", "t5", "t4"]


def test_nearest_never_shows_the_item_itself():
    """A training item that repeats the item's words, in other case and blanks, is passed over."""
    assert "t4" not in chosen(Item("q", "TEXT   4"), how="knn", k=3)
    assert chosen(Item("q", "text 4"), how="knn", k=2) == ["t5", "t3"] or chosen(
        Item("q", "text 4"), how="knn", k=2
    ) == ["t3", "t5"]


def test_chosen_alone_or_together_is_the_same():
    """Preparing many items at once changes nothing but the time it takes."""
    items = [Item(f"q{i}", f"query {i + 0.3}") for i in range(8)]
    together = fewshot.selector(FewShot(how="knn", k=2), POOL, angles)
    together.prepare(items)
    alone = fewshot.selector(FewShot(how="knn", k=2), POOL, angles)
    assert [together.choose(item) for item in items] == [alone.choose(item) for item in items]


def test_fixed_examples_are_the_named_ones():
    """By id, in the order given; an unknown id is named."""
    assert chosen(Item("q", "x"), how="fixed", ids=("t3", "t1")) == ["t3", "t1"]
    with pytest.raises(ConfigError, match="'t99' is not in the training split"):
        chosen(Item("q", "x"), how="fixed", ids=("t99",))


def test_a_fixed_example_that_is_the_item_is_refused_with_the_pair():
    """The prompt would hold the answer."""
    with pytest.raises(ConfigError, match="example 't3' repeats the item 'q'"):
        chosen(Item("q", "Text 3"), how="fixed", ids=("t3",))


def test_stratified_takes_labels_in_turn():
    """Every prefix of a stratified choice is as balanced as it can be."""
    labels = {example.item.id: example.label for example in POOL}
    ids = chosen(Item("q", "x"), how="stratified", k=5)
    assert sorted(labels[i] for i in ids[:2]) == ["a", "b"]
    assert abs([labels[i] for i in ids].count("a") - 2.5) < 1


def test_random_depends_on_the_seed_alone():
    """The same seed draws the same examples, another seed others; k is kept."""
    first = chosen(Item("q", "x"), how="random", k=4, seed=1)
    assert first == chosen(Item("r", "y"), how="random", k=4, seed=1)
    assert len(first) == 4
    assert first != chosen(Item("q", "x"), how="random", k=4, seed=2)


def test_a_pool_that_is_too_small_is_an_error():
    """Asking for more examples than training holds says so."""
    with pytest.raises(ConfigError, match="shows 11 examples, and the training split has 10"):
        chosen(Item("q", "x"), how="random", k=11)


def test_no_examples_need_no_pool():
    """A zero-shot prompt works without a training split."""
    assert fewshot.selector(FewShot(), [], angles).choose(Item("q", "x")) == ()
