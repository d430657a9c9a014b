"""Which share of a run's items an item is in."""

from collections import Counter
from fractions import Fraction
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ConfigError
from harness.ground import shards
from harness.ground.ids import content_id, item_set_id, item_set_of, shard_of
from harness.ground.shards import Shard, ShardOf, shard_in, without

IDS = st.lists(st.text(), unique=True, max_size=30)


def test_the_hash_never_changes():
    """Parts that were made years apart on different machines fit together: these shards are pinned."""
    assert [shard_of(item, 8) for item in ("a", "b", "row 1", "row 2", "", "ü")] == [6, 2, 8, 5, 3, 5]
    assert [shard_of(f"item-{i}", 3) for i in range(12)] == PINNED


PINNED = [3, 1, 1, 1, 1, 3, 2, 2, 1, 3, 1, 2]


@given(st.text(), st.integers(1, shards.MOST))
def test_it_is_what_the_documentation_says(item, n):
    """Shard i of n holds the ids whose hash, as a share of 2^56, lies in the i-th of n equal parts of [0, 1)."""
    share = Fraction(int.from_bytes(sha256(b"shard\x1f" + item.encode()).digest()[:7], "big"), 2**56)
    place = shard_of(item, n)
    assert Fraction(place - 1, n) <= share < Fraction(place, n)


@given(IDS, st.integers(1, 20))
def test_shards_are_disjoint_and_cover_the_items(items, n):
    """Every item is in exactly one shard."""
    held = [item for part in range(1, n + 1) for item in items if Shard(part, n).holds(item)]
    assert sorted(held) == sorted(items)


def test_shards_are_even():
    """Of 8,000 items each of eight shards has 1,000, give or take five standard deviations."""
    sizes = Counter(shard_of(f"item {i}", 8) for i in range(8000))
    assert all(abs(size - 1000) < 5 * 29.6 for size in sizes.values())
    assert len(sizes) == 8


@pytest.mark.parametrize(
    "text", ["0/8", "9/8", "3", "3/0", "/8", "3/", "a/b", "-1/2", "1/2/3", "1.0/2", "1/1000000", ""]
)
def test_what_is_no_share_is_said(text):
    """A wrong spelling is one line with the form that is expected."""
    with pytest.raises(ConfigError, match="expected i/n with 1 <= i <= n"):
        shards.parse(text)


def test_a_share_is_read():
    """`3/8` is the third of eight."""
    assert (shards.parse("3/8"), str(shards.parse(" 8/8 "))) == (Shard(3, 8), "8/8")


def test_a_run_says_of_what_it_is_a_share():
    """What stands in the parameters is read again, and taken out again; anything else there is no shard."""
    of = ShardOf(Shard(3, 8), "s1:whole", "s1:items", "whole")
    assert shard_in({"folds": 5, **of.as_params()}) == of
    assert without({"folds": 5, **of.as_params()}) == {"folds": 5}
    assert [shard_in(odd) for odd in ({}, {"shard": "3/8"}, {"shard": {"part": 1}}, {"shard": {"part": "x"}})] == [
        None
    ] * 4


@given(IDS)
def test_a_set_of_items_is_hashed_one_by_one(items):
    """The hash of ids that come in order is the content id of their list."""
    assert item_set_of(iter(sorted(items))) == item_set_id(items) == content_id(sorted(items))
