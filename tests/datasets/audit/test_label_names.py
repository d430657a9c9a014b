"""Which names are one label by accident, and which are two by intention."""

import unicodedata
from itertools import combinations

import pytest

from harness.datasets.audit import spelling

ONE = [
    ("card payment", "Card-Payment"),
    ("card payment", "card_payment"),
    ("card payment", " card  payment "),
    ("cardPayment", "card payment"),
    ("Übung", unicodedata.normalize("NFD", "übung")),
    ("STRASSE", "straße"),
]
TWO = [
    "-1",
    "1",
    "+1",
    "0,1,4",
    "0,14",
    "01,4",
    "1.5",
    "15",
    "C",
    "C++",
    "C#",
    "a/b",
    "ab",
    "yes",
    "yes?",
    "v1",
    "v-1",
    "?",
    "!",
]


@pytest.mark.parametrize(("name", "other"), ONE, ids=str)
def test_one_label_in_two_spellings(name, other):
    """Case, blanks, what joins words and the way an accent is written make no other label."""
    assert spelling.spoken(name) == spelling.spoken(other)


def test_a_distinction_is_never_advised_away():
    """Signs beside digits and at the ends of a name stay: merging these labels would lose what was meant."""
    assert not [pair for pair in combinations(TWO, 2) if len(set(map(spelling.spoken, pair))) == 1]
