import base64
from urllib.parse import quote

import pytest

from harness.redaction import HIDDEN, Redactor

KEY = "canary/key+with=signs&more"


@pytest.mark.parametrize(
    "form", [KEY, quote(KEY, safe=""), base64.b64encode(KEY.encode()).decode()], ids=["raw", "url", "base64"]
)
def test_a_known_key_is_hidden_in_every_form(form):
    """As it is, URL-encoded, in base64."""
    assert Redactor([KEY])(f"before {form} after") == f"before {HIDDEN} after"


def test_what_looks_like_a_key_is_hidden():
    """Also when nobody told us the key."""
    text = "Authorization: Bearer abcdefghijklmnopqrstuvwxyz012345, key sk-ant-api03-abcdefghijklmnop"
    assert Redactor()(text) == f"Authorization: {HIDDEN}, key {HIDDEN}"


def test_ordinary_words_stay():
    """A short or empty secret hides nothing: it would blot out the text."""
    assert Redactor(["", "none", "label"])("none of the labels, sk-8") == "none of the labels, sk-8"
