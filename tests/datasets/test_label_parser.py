import json
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.datasets import label_parser
from harness.datasets.kinds import single
from harness.errors import ConfigError
from harness.types import Outcome

LABELS = ("Food & Drink", "Objects", "card payment?", "ham", "spam")
NAMES = st.text(string.ascii_lowercase + string.digits + "_- ", min_size=1, max_size=8).filter(label_parser._fold)
TWO = st.lists(NAMES, min_size=2, max_size=4, unique_by=label_parser._fold)

# The forms in which a reply is one label: what stands before it, and what behind.
WRAPPED = {
    "as it is": ("", ""),
    "blanks": ("  ", "\n"),
    "a final stop": ("", "."),
    "bold": ("**", "**"),
    "quotes": ('"', '"'),
    "curly quotes": ("“", "”"),
    "backticks": ("`", "`"),
    "a set, as Python prints it": ("{'", "'}"),
    "a list of one": ('["', '"]'),
    "brackets": ("[", "]"),
    "a code fence": ("```\n", "\n```"),
    "a named code fence": ("```text\n", "\n```"),
    "Label:": ("Label: ", ""),
    "bold Label:": ("**Label:** ", ""),
    "Answer:": ("answer: **", "**."),
    "the answer is": ("The answer is ", "."),
    "my final answer is": ("My final answer is: ", ""),
    "a tag": ("<answer>", "</answer>"),
    "boxed": ("\\boxed{", "}"),
    "the end of a turn": ("", "<|im_end|>"),
    "a dict, as Python prints it": ("{'label': '", "'}"),
    "JSON": ('{"label": "', '"}'),
    "JSON in a fence": ('```json\n{"label": "', '"}\n```'),
    "JSON, other case": ('{"Label": "', '"}'),
    "JSON with another field": ('{"reason": "it says so", "label": "', '"}'),
    "JSON with one field": ('{"category": "', '"}'),
    "JSON within JSON": ('{"result": {"label": "', '"}}'),
    "JSON, a list of one": ('{"label": ["', '"]}'),
    "JSON after prose": ('Here you are:\n```json\n{"label": "', '"}\n```'),
    "JSON before prose": ('{"label": "', '"}\nHope this helps.'),
    "JSON in a sentence with braces": ('Of {these} I take {"label": "', '"}'),
    "after thinking": ("<think>It could be anything.</think>\n\n", ""),
    "after thinking twice": ("<think>a</think> <thinking>b</thinking>", ""),
    "after thinking that the server's template opened": ("It could be anything.</think>\n\n", ""),
    "after thinking, JSON": ('<think>{"label": 3}</think>{"label": "', '"}'),
    "after thinking, Magistral": ("[THINK]hm[/THINK]", ""),
    "the final channel": (
        "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>",
        "<|return|>",
    ),
}


@pytest.mark.parametrize(("before", "behind"), WRAPPED.values(), ids=WRAPPED)
def test_decoration_is_taken_off(before, behind):
    """A reply that is a label, however it is dressed and in whatever case, is that label."""
    for label in LABELS:
        for spelled in (label, label.upper(), label.title()):
            assert label_parser.parse_label(before + spelled + behind, LABELS) == (Outcome.ANSWERED, label)


@pytest.mark.parametrize(
    "reply",
    [
        *("", "not spam, ham", "spam ham", "It is spam", "Object", "spam!", "sp am", "🙂", "{", "{{{", "[]", "{}"),
        *("<think>spam", "<think>spam</think>", "<think>a</think><think>spam", "spam<think>no, ham</think>"),
        *(
            '{"label": "spam", "label": "ham"}',
            '{"label": "spam", "label": "spam"}',
            '{"label": "spam", "Label": "ham"}',
        ),
        *(
            '{"label": "spam"}\n{"label": "ham"}',
            'ham\n{"label": "spam"}',
            'ham ```json\n{"label": "spam"}\n```',
            '{"label": "spam"}\nLabel: ham',
        ),
        *('{"label": "spam"', '{"label": "ham", "more": {"label": "spam"}', '{"label": ["spam", "ham"]}'),
        *('{"label": null}', '{"label": {}}', '{"label": []}', '{"a": "spam", "b": "ham"}', '{"a": "x", "b": "spam"}'),
        *("Label: spam\nLabel: ham", "Label: not spam", "<answer>spam</label>", "(spam]", "spam (or ham)"),
        *("[" * 100_000, '{"a":' * 100_000, "{" * 100_000, "{ " * 100_000, "<think>x</think>" * 10_000),
    ],
)
def test_what_would_need_a_guess_is_unparsed(reply):
    """A sentence, two labels, a repeated key, JSON that never ends, thinking that never ends: no answer."""
    assert label_parser.parse_label(reply, LABELS) == (Outcome.UNPARSED, None)


def test_a_label_that_is_all_decoration_is_spelled_exactly_or_not_at_all():
    """Where `_` is a label, an empty reply is still none."""
    assert label_parser.parse_label("_", ("_", "ham"))[1] == "_"
    assert [label_parser.parse_label(reply, ("_", "ham"))[1] for reply in ("", '""', "**", ".")] == [None] * 4


def test_labels_that_differ_in_case_only_are_not_confused():
    """An exact reply wins; a reply that fits two labels is unparsed."""
    assert label_parser.parse_label("Refund", ("refund", "Refund")) == (Outcome.ANSWERED, "Refund")
    assert label_parser.parse_label("REFUND", ("refund", "Refund")) == (Outcome.UNPARSED, None)


@pytest.mark.parametrize(
    ("reply", "labels", "label"),
    [
        ("1.0", ("0", "1"), "1"),
        ("1", ("0.0", "1.0"), "1.0"),
        ('{"label": 1}', ("0", "1"), "1"),
        ('{"label": -1.0}', ("-1", "1"), "-1"),
        ("1.", ("0", "1"), "1"),
        ("01", ("1", "2"), "1"),
        ("1.5", ("1", "15"), None),
        ("10", ("1", "100"), None),
        ("1", ("-1", "0"), None),
        ("-0", ("0", "1"), None),
        ("1", ("1.0", "1.00"), None),
        ("1.0", ("1.0", "1"), "1.0"),
        ("true", ("True", "False"), "True"),
        ('{"label": false}', ("True", "False"), "False"),
        ("TRUE", ("true", "True"), None),
        ("1", ("true", "false"), None),
    ],
)
def test_numbers_and_truth_values_have_one_spelling(reply, labels, label):
    """`1.0` is `1` and `true` is `True`, unless two labels would be meant; no number is a truth value."""
    assert label_parser.parse_label(reply, labels)[1] == label


def test_a_leading_word_that_is_a_label_is_no_decoration():
    """Where `answer` is a label, `Answer: question` names two."""
    assert label_parser.parse_label("Answer: question", ("answer", "question"))[1] is None
    assert label_parser.parse_label("Label: question", ("answer", "question"))[1] == "question"


def test_a_field_of_the_prompts_own_is_not_the_label():
    """With one key only, that key is the answer, unless the prompt asked for it as something else."""
    assert label_parser.parse_label('{"reason": "spam"}', LABELS, ("reason",))[1] is None
    assert label_parser.parse_label('{"reason": "ham", "label": "spam"}', LABELS, ("reason",))[1] == "spam"


@given(st.text(), st.lists(st.text(min_size=1), min_size=1, unique=True))
def test_only_labels_come_out(reply, labels):
    """Whatever the reply, the answer is one of the labels or none."""
    outcome, label = label_parser.parse_label(reply, labels)
    assert (label in labels) == (outcome is Outcome.ANSWERED)


@given(st.lists(st.text(min_size=1), min_size=1, unique=True), st.integers(min_value=0))
@example(["\r"], 0)
@example(["0\r", "0"], 0)
def test_every_label_is_its_own_answer(labels, index):
    """A model that replies with a label exactly is always understood."""
    label = labels[index % len(labels)]
    assert label_parser.parse_label(label, labels) == (Outcome.ANSWERED, label)


PIECES = st.sampled_from(
    ["spam", "ham", "Label: ", "label", "is ", "<think>", "</think>", "```", "**", "1.0", *"{}[]\"':,\n.-01"]
)


@given(st.lists(PIECES, max_size=12).map("".join), st.permutations(["spam", "ham", "Spam.", "1", "-1"]))
def test_the_order_of_the_labels_does_not_matter_and_reading_twice_changes_nothing(reply, labels):
    """The same reply has the same label whatever the order; and the label that comes out reads as itself."""
    outcome, label = label_parser.parse_label(reply, labels)
    assert label_parser.parse_label(reply, sorted(labels)) == (outcome, label)
    assert label is None or label_parser.parse_label(label, labels) == (outcome, label)


CLAIMS = [
    pair
    for name, pair in WRAPPED.items()
    if not any(word in name for word in ("think", "prose", "sentence", "channel"))
]


@given(TWO, st.data())
def test_two_labels_are_never_one(labels, data):
    """However two distinct labels are claimed in one reply, on a line or on two, none of them is the answer."""
    pair = data.draw(st.permutations(labels))[:2]
    wraps = [data.draw(st.sampled_from(CLAIMS)) for _ in pair]
    claims = [before + label + behind for label, (before, behind) in zip(pair, wraps, strict=True)]
    joint = data.draw(st.sampled_from([" ", ", ", "\n", " / ", ". ", "\n\n"]))
    label = label_parser.parse_label(joint.join(claims), labels)[1]
    assert label is None or label_parser._fold(label) == label_parser._fold(
        joint.join(claims)
    )  # "a b" may be a label, too


@given(TWO)
def test_a_repeated_key_is_no_answer(labels):
    """Whether the two values differ or not: another reader would take the first, or the last."""
    for second in labels[:2]:
        reply = f'{{"label": {json.dumps(labels[0])}, "label": {json.dumps(second)}}}'
        assert label_parser.parse_label(reply, labels)[1] is None


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("Thinking...\nAnswer: spam", "spam"),
        ("Answer: spam\nAnswer: spam", "spam"),
        ("Answer: spam\nAnswer: ham", None),
        ("<think>Answer: ham</think>Answer: spam", "spam"),
        ("no answer", None),
    ],
)
def test_text_replies(reply, expected):
    """Every match of the pattern must name the same label; what was thought before is not looked at."""
    assert label_parser.parse_text(reply, LABELS, r"Answer: (\w+)")[1] == expected


def test_a_pattern_of_thinking_sees_it():
    """An author who writes the tag into the pattern gets the whole reply."""
    assert label_parser.parse_text("<think>ham</think>spam", LABELS, r"(?s)<think>.*</think>(.*)")[1] == "spam"


@pytest.mark.parametrize("pattern", ["(?=x)", "(", "no group", "(a)(b)"])
def test_bad_patterns_are_named(pattern):
    """A pattern that RE2 refuses, or that captures nothing, is the author's mistake."""
    with pytest.raises(ConfigError, match="pattern"):
        label_parser.compile_pattern(pattern)


def test_a_catastrophic_pattern_is_harmless():
    """The engine is linear in the text, so a hostile reply cannot hang a run."""
    assert label_parser.parse_text("a" * 100_000 + "!", LABELS, r"^((?:a+)+)$")[0] is Outcome.UNPARSED


def test_aliases():
    """A reply that is an alias stands for its label."""
    for reply in (" B ", "B.", "(B)", "Answer: B", "<think>A</think>B"):
        assert label_parser.parse_alias(reply, {"A": "ham", "B": "spam"}) == (Outcome.ANSWERED, "spam")


@pytest.mark.parametrize("reply", ["\ud800", "a\ud800", '{"label": "a\\ud800"}', "<think>\ud800</think>"])
def test_half_a_surrogate_pair_is_no_label(reply):
    """A server can say it in JSON, and nothing can write it: the reply is unparsed, not a crash."""
    for mode in ("label", "json"):
        assert single.parse(reply, ["a", "b"], single.reply_format(mode, ["a", "b"]))[0] is Outcome.UNPARSED
