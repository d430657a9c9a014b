import base64
from urllib.parse import quote

import pytest

from harness.ground.redaction import HIDDEN, Redactor, bare_address, credentials, secrets_in

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


def test_a_user_and_a_password_leave_the_address():
    """They become a header, and nothing that is shown or stored has them."""
    bare, header = credentials("http://user:p%40ssword@127.0.0.1:8000/v1?token=t0ken")
    assert bare == "http://127.0.0.1:8000/v1?token=t0ken"
    assert header == "Basic dXNlcjpwQHNzd29yZA=="
    assert credentials("http://[::1]:8000/v1") == ("http://[::1]:8000/v1", None)
    hidden = Redactor(secrets_in("http://user:p%40ssword@h/v1?token=t0kent0ken"))
    told = hidden("p@ssword p%40ssword t0kent0ken dXNlcjpwQHNzd29yZA==")
    assert told == " ".join([HIDDEN] * 4)
    assert bare_address("http://user:pw@h:1/x?y") == "http://h:1/x"
    assert bare_address("no address") == ""
