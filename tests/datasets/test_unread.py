"""Why a reply is no label, in words: what `eval`, the report, `runs import` and `compare` say of it."""

import pytest

from harness.datasets import unread


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            (30, 30, "cut off at max_tokens 16, all of it reasoning", ""),
            "30 of 30 replies were cut off at max_tokens 16, ",
        ),
        ((1, 30, "empty", None), "1 of 30 replies was empty."),
        ((2, 2000, None, "Refunds"), "2 of 2,000 replies are no label; the first: 'Refunds' (nearest label 'refund')."),
        ((1, 2, None, "x" * 99), "1 of 2 replies is no label; the first: '" + "x" * 57 + "...'."),
    ],
)
def test_sentences(said, sentence):
    """How many of how many, why, and one of the replies with the label that is nearest to it."""
    assert unread.sentence(*said, ("refund", "billing")).startswith(sentence)


def test_a_reply_is_shown_on_one_line():
    """Whatever it holds: line breaks and control characters do not reach the terminal."""
    shown = unread.sample("a\n\x1b[31mb\tc", ())
    assert shown == "'a \\x1b[31mb c'"


@pytest.mark.parametrize("text", ["", "x" * 1_000_000])
def test_the_nearest_label_is_found_fast_or_not_at_all(text):
    """Long replies and many labels are cut before they are compared."""
    assert unread.nearest(text, tuple(f"label {i}" for i in range(5000))) is None


@pytest.mark.parametrize(
    ("label", "reply", "shown"),
    [("bug", "Bug.", "bug"), (None, "a bug?", "(none: 'a bug?')"), (None, " ", "(none)"), (None, None, "(none)")],
)
def test_an_answer_without_a_label_is_the_reply(label, reply, shown):
    """Where an arm answered nothing that is a label, what it said is shown instead."""
    assert unread.answer(label, reply) == shown
