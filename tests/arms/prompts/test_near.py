"""`examples.near`: what it does to a prompt's identity, and prompts that were stored before it could be said."""

import pytest

from harness.arms.prompts import files, writing
from harness.errors import ConfigError

BODY = "{% block user %}{% for e in examples %}{{ e.text }}={{ e.label }} {% endfor %}{{ item.text }}{% endblock %}\n"


def prompt(examples):
    return files.parse(f"---\nexamples: {examples}\n---\n{BODY}", "tickets", "v1", "v1.j2")


def test_another_nearness_is_another_prompt():
    """Unless no examples are shown; what keeps out equal texts alone has the id of before there was a nearness."""
    bare, equal, near = (
        prompt("{how: knn, k: 4}"),
        prompt("{how: knn, k: 4, near: 1}"),
        prompt("{how: knn, k: 4, near: 0.8}"),
    )
    assert len({bare.id, equal.id, near.id}) == 3
    assert bare.id == prompt("{how: knn, k: 4, near: 0.9}").id
    assert equal.id == "s1:ed285097bea5fa71"
    assert prompt("{how: none}").id == prompt("{how: none, near: 0.7}").id


def test_a_stored_prompt_shows_what_it_showed():
    """A text without the key is read as its id says: as today, or as before; the text that is shipped says which."""
    bare, equal = prompt("{how: knn, k: 4}"), prompt("{how: knn, k: 4, near: 1}")
    today = writing.as_stored(bare.content, "tickets", "v1", bare.id)
    before = writing.as_stored(bare.content, "tickets", "v1", equal.id)
    assert (today.id, today.header.examples.near) == (bare.id, 0.9)
    assert (before.id, before.header.examples.near) == (equal.id, 1)
    assert files.parse(before.content, "tickets", "v1", "shipped").id == equal.id


@pytest.mark.parametrize("near", [0.2, 1.5])
def test_a_nearness_has_bounds(near):
    """Below one half everything would be near."""
    with pytest.raises(ConfigError, match="near"):
        prompt(f"{{how: knn, k: 4, near: {near}}}")
