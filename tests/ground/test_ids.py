import json

from hypothesis import given
from hypothesis import strategies as st

from harness.ground import ids
from harness.types import Message, Model, Request

TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
)


@given(TREES)
def test_canonical_json_is_one_text_per_value(value):
    """A value read back from its canonical text has the same canonical text."""
    text = ids.canonical_json(value)
    assert ids.canonical_json(json.loads(text)) == text


@given(st.dictionaries(st.text(), st.integers(), min_size=2))
def test_order_of_keys_does_not_matter(value):
    """Two dictionaries with the same entries have the same id."""
    assert ids.content_id(value) == ids.content_id(dict(reversed(value.items())))


def test_ids_are_pinned():
    """The id of a value never changes: a change would orphan every stored answer."""
    assert ids.content_id({"b": [1, None, "é"], "a": 0.5}) == "s1:25456aab1763dbb9"


def test_everything_in_a_request_changes_its_id():
    """Model, endpoint, message and repeat each make another request."""
    base = Request(Model("openai", "m"), (Message("user", "hi"),))
    others = [
        Request(Model("openai", "n"), (Message("user", "hi"),)),
        Request(Model("openai", "m", "http://127.0.0.1/v1"), (Message("user", "hi"),)),
        Request(Model("openai", "m"), (Message("system", "hi"),)),
        Request(Model("openai", "m"), (Message("user", "hi"),), sample=1),
    ]
    assert len({ids.request_id(request) for request in [base, *others]}) == 5


def test_lone_surrogates_have_an_id():
    """Text that is not valid Unicode is hashed, not refused."""
    assert ids.content_id("\ud800") != ids.content_id("\ud801")


@given(st.lists(st.text(min_size=1), min_size=200, max_size=200, unique=True))
def test_unit_interval_is_spread_and_stable(keys):
    """Numbers lie in [0, 1), depend on the key alone and spread evenly enough to split by."""
    numbers = [ids.unit_interval("seed", key) for key in keys]
    assert all(0 <= number < 1 for number in numbers)
    assert numbers == [ids.unit_interval("seed", key) for key in keys]
    assert 0.3 < sum(number < 0.5 for number in numbers) / 200 < 0.7


def test_item_set_ignores_order():
    """A set of items has one id, whatever order its members come in."""
    assert ids.item_set_id(["b", "a"]) == ids.item_set_id(["a", "b"]) != ids.item_set_id(["a"])
