import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.arms import fewshot
from harness.arms.prompts.files import FewShot
from harness.datasets.audit import neighbours
from harness.datasets.audit.equality import normal_form
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


WORDS = st.lists(
    st.sampled_from(["card", "cards", "lost", "my", "where", "is", "money", "back"]), min_size=1, max_size=6
)


@settings(max_examples=15, deadline=None)
@given(st.lists(WORDS, min_size=8, max_size=14), st.lists(WORDS, min_size=1, max_size=4), st.sampled_from([0.6, 0.9]))
def test_no_example_is_near_the_item(known, asked, near):
    """Nearest examples are exactly the nearest without those that the audit's search calls near by the train split."""
    pool = [Example(Item(f"t{i}", " ".join(words)), "a", "train") for i, words in enumerate(known)]
    items = [Item(f"q{i}", " ".join(words).upper()) for i, words in enumerate(asked)]
    nearest = fewshot.selector(FewShot(how="knn", k=3, near=near), pool, by_length)
    nearest.prepare(items)
    for item in items:
        twins = audited_twins(pool, item, near)
        order = np.argsort(-(by_length([item.words]) @ by_length([e.item.words for e in pool]).T)[0], kind="stable")
        wanted = [pool[i].item.id for i in order if i not in twins][:3]
        assert [one.item.id for one in nearest.choose(item)] == wanted[::-1]
        assert nearest.choose(item) == fewshot.selector(FewShot("knn", 3, near=near), pool, by_length).choose(item)


@settings(max_examples=15, deadline=None)
@given(st.lists(WORDS, min_size=3, max_size=8), WORDS)
def test_a_fixed_example_is_refused_just_where_the_audit_calls_it_near(known, asked):
    """The pair is named; new items, which are not scored, are answered all the same."""
    pool = [Example(Item(f"t{i}", " ".join(words)), "a", "train") for i, words in enumerate(known)]
    item, shown = Item("q", " ".join(asked)), fewshot.selector(FewShot(how="fixed", ids=("t0", "t2")), pool, by_length)
    twins = audited_twins(pool, item, 0.9) & {0, 2}
    if twins:
        with pytest.raises(ConfigError, match=f"example 't{min(twins)}' repeats the item 'q'"):
            shown.prepare([item])
    else:
        shown.prepare([item])
    shown.unwatched().prepare([item])
    assert [one.item.id for one in shown.unwatched().choose(item)] == ["t0", "t2"]
    assert (fewshot.askable(FewShot(how="fixed", ids=("t0", "t2")), pool, [Example(item, "a", "dev")]) == []) == bool(
        twins
    )


def test_examples_beyond_many_twins_are_reached():
    """An item with more twins than candidates are looked at still gets its examples."""
    pool = [Example(Item(f"t{i}", f"where is my parcel {'.' * (i % 3)}"), "a", "train") for i in range(200)]
    pool += [Example(Item(f"far{i}", f"refund the invoice of month {i}"), "a", "train") for i in range(3)]
    nearest = fewshot.selector(FewShot(how="knn", k=2), pool, by_length)
    assert [one.item.id for one in nearest.choose(Item("q", "Where is my parcel"))] == ["far1", "far0"]


def by_length(texts):
    """Texts as whole numbers, so that sums are exact: those of like length are near, and a little near to the short."""
    sizes = np.minimum(np.array([len(text) for text in texts]) // 5, 7)
    return (4 * np.eye(8)[sizes] + (sizes[:, None] < np.arange(8))).astype(np.float32)


def audited_twins(pool, item, near):
    """The places of the pool's texts that are equal to the item's, or near it as the audit's own search finds them."""
    known = list(dict.fromkeys(normal_form(one.item.words) for one in pool))
    own = normal_form(item.words)
    pairs = neighbours.find([*known, own], near, known=len(known))
    twins = {known[first] for first, second in zip(pairs.first, pairs.second, strict=True) if second == len(known)}
    return {place for place, one in enumerate(pool) if normal_form(one.item.words) in twins | {own}}
