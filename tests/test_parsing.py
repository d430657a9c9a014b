import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import parsing
from harness.errors import ConfigError
from harness.types import Outcome

LABELS = ("Food & Drink", "Objects", "card payment?", "ham", "spam")


@pytest.mark.parametrize(
    ("reply", "label"),
    [
        ("spam", "spam"),
        ("  Spam.\n", "spam"),
        ("**Objects**", "Objects"),
        ('"food &  drink"', "Food & Drink"),
        ("card payment?", "card payment?"),
        ("`ham`", "ham"),
    ],
)
def test_a_reply_that_is_a_label_is_that_label(reply, label):
    """Case, blanks, quotes and a final stop are decoration."""
    assert parsing.parse_label(reply, LABELS) == (Outcome.ANSWERED, label)


@pytest.mark.parametrize("reply", ["", "not spam, ham", "spam ham", "It is spam", "Object", "spam!", "sp am", "🙂"])
def test_a_label_inside_a_sentence_is_no_answer(reply):
    """Anything that would need a guess is unparsed."""
    assert parsing.parse_label(reply, LABELS) == (Outcome.UNPARSED, None)


def test_labels_that_differ_in_case_only_are_not_confused():
    """An exact reply wins; a reply that fits two labels is unparsed."""
    assert parsing.parse_label("Refund", ("refund", "Refund")) == (Outcome.ANSWERED, "Refund")
    assert parsing.parse_label("REFUND", ("refund", "Refund")) == (Outcome.UNPARSED, None)


@given(st.text(), st.lists(st.text(min_size=1), min_size=1, unique=True))
def test_only_labels_come_out(reply, labels):
    """Whatever the reply, the answer is one of the labels or none."""
    outcome, label = parsing.parse_label(reply, labels)
    assert (label in labels) == (outcome is Outcome.ANSWERED)


@given(st.lists(st.text(min_size=1), min_size=1, unique=True), st.integers(min_value=0))
def test_every_label_is_its_own_answer(labels, index):
    """A model that replies with a label exactly is always understood."""
    label = labels[index % len(labels)]
    assert parsing.parse_label(label, labels) == (Outcome.ANSWERED, label)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ('{"label": "spam"}', "spam"),
        ('```json\n{"label": "spam"}\n```', "spam"),
        ('{"label": "Spam"}', None),
        ('{"label": ["spam"]}', None),
        ('["spam"]', None),
        ('{"label": "spam"', None),
        ("[" * 100_000, None),
        ("spam", None),
    ],
)
def test_json_replies(reply, expected):
    """The schema says exactly which strings may stand there, so nothing is bent into one."""
    assert parsing.parse_json(reply, LABELS)[1] == expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("Thinking...\nAnswer: spam", "spam"),
        ("Answer: spam\nAnswer: spam", "spam"),
        ("Answer: spam\nAnswer: ham", None),
        ("no answer", None),
    ],
)
def test_text_replies(reply, expected):
    """Every match of the pattern must name the same label."""
    assert parsing.parse_text(reply, LABELS, r"Answer: (\w+)")[1] == expected


@pytest.mark.parametrize("pattern", ["(?=x)", "(", "no group", "(a)(b)"])
def test_bad_patterns_are_named(pattern):
    """A pattern that RE2 refuses, or that captures nothing, is the author's mistake."""
    with pytest.raises(ConfigError, match="pattern"):
        parsing.compile_pattern(pattern)


def test_a_catastrophic_pattern_is_harmless():
    """The engine is linear in the text, so a hostile reply cannot hang a run."""
    assert parsing.parse_text("a" * 100_000 + "!", LABELS, r"^((?:a+)+)$")[0] is Outcome.UNPARSED


def test_aliases():
    """A reply that is an alias stands for its label."""
    assert parsing.parse_alias(" B ", {"A": "ham", "B": "spam"}) == (Outcome.ANSWERED, "spam")
