"""Corrections to begin with: one answer where the data leave one, an empty cell where a person has to decide."""

import unicodedata

import pytest

from harness.datasets.audit import corrections
from harness.types import Dataset, Example, Item, Label

NFD = unicodedata.normalize("NFD", "café")


def made(rows, described=()):
    """A dataset of (text, label) rows."""
    names = dict.fromkeys(label for _, label in rows)
    labels = tuple(Label(name, dict(described).get(name, "")) for name in names)
    examples = tuple(Example(Item(f"r{i}", text), label, "train") for i, (text, label) in enumerate(rows))
    return Dataset("d", "v1", "x", "single", labels, examples)


def suggestions(rows, described=()):
    return {one.example.item.id: one.label for one in corrections.suggested(made(rows, described))}


def named(**counts):
    """So many rows of different texts under each label."""
    return [(f"{place} {i}", label) for place, (label, n) in enumerate(counts.items()) for i in range(n)]


def test_the_same_letters_are_one_label():
    """Composed and decomposed, however many there are of each: the more frequent one stands."""
    rows = [*named(café=3), *((f"x {i}", NFD) for i in range(2))]
    assert suggestions(rows) == {"r3": "café", "r4": "café"}


def test_a_rare_spelling_is_a_slip():
    """One in ten or fewer; of two spellings that are both in use nobody but a person can say that they are one."""
    assert suggestions(named(Refund=20, refund=2)) == {"r20": "Refund", "r21": "Refund"}
    assert suggestions(named(CO=20, Co=9)) == {f"r{i}": None for i in range(20, 29)}


@pytest.mark.parametrize("pair", [("-1", "1"), ("0,1,4", "0,14"), ("C++", "C")])
def test_other_names_are_left_alone(pair):
    """A sign beside a digit or at an end makes another label of it."""
    assert suggestions([("a", pair[0]), *((f"b {i}", pair[1]) for i in range(30))]) == {}


def test_labels_that_are_described_apart_stay_apart():
    """Somebody has said what each of them means."""
    rows = named(US=30, us=1)
    assert suggestions(rows, [("US", "the country"), ("us", "the team")]) == {"r30": None}


def test_conflicts_are_decided_by_a_majority_of_two():
    """Three against one is filled in; one against one and two against one are asked."""
    three = [("Same  text", "a"), ("same text", "a"), ("same text", "a"), ("same text", "b")]
    assert suggestions(three) == {"r3": "a"}
    assert suggestions([("t", "a"), ("t", "b")]) == {"r0": None, "r1": None}
    assert suggestions([("t", "a"), ("t", "a"), ("t", "b")]) == dict.fromkeys(("r0", "r1", "r2"))


def test_spellings_are_no_conflict():
    """The same text under two spellings of a label has one label."""
    assert suggestions([("t", NFD), ("t", "café"), ("u", "café")]) == {"r0": "café"}
