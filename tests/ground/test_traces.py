"""A text that is to be erased is seen wherever it stands, in whichever spelling; others are left alone."""

import csv
import html
import io
import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.ground.traces import ERASED, Traces

TEXTS = st.text(min_size=8, max_size=60).filter(lambda text: len(text.split()) and text.isprintable())


def in_csv(text):
    file = io.StringIO()
    csv.writer(file).writerow([text, "x"])
    return file.getvalue()


@given(TEXTS, st.sampled_from([json.dumps, html.escape, in_csv, lambda text: json.dumps({"a": [text]})]))
def test_it_is_seen_through_escapes(text, way):
    """What programs write of a text still says it, and a database's look by a word never passes over it."""
    assume("&" not in text and "\\" not in text)  # a text that is an escape itself is met as it is
    traces = Traces([text])
    written = f"say: {way(text)} and more"
    assert traces.stand_in(written)
    assert all(word in written.lower() for word in traces.words)


@pytest.mark.parametrize("said", ["ANN   lives\nhere", "I said: ann lives here.", "“Ann lives here”"])
def test_case_blanks_and_marks_do_not_count(said):
    """The same words in another dress are the same text."""
    assert Traces(["Ann lives here"]).stand_in(said)


@pytest.mark.parametrize("said", ["Joann lives here", "Ann lives hereby", "Ann lives there", ""])
def test_words_are_whole(said):
    """A part of another word is another text."""
    assert not Traces(["Ann lives here"]).stand_in(said)


def test_nothing_to_look_for_is_nowhere():
    """Without a text, and with blanks alone, no text says it."""
    assert not Traces([]).stand_in("anything")
    assert not Traces(["", "  "]).stand_in("")


def test_json_keeps_its_shape():
    """Only the strings that say it change, names of fields too."""
    found = Traces(["Ann lives here"]).erased({"a": ["x", "so Ann lives here"], "Ann lives here": 1, "n": None})
    assert found == {"a": ["x", ERASED], ERASED: 1, "n": None}
