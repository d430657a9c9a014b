"""The real local model: real weights, real answers, real tokens."""

import asyncio
import json

import pytest

from harness.datasets.task import kind_of
from harness.errors import ConfigError, RequestRejected
from harness.models.providers import local
from harness.types import Message, Model, Outcome, ReplyFormat, Request, Settings

pytestmark = [
    pytest.mark.local,
    pytest.mark.skipif(local.available() is not None, reason=str(local.available())),
]

EXAMPLES = [("apple", "fruit"), ("cat", "animal"), ("pear", "fruit"), ("horse", "animal"), ("plum", "fruit")]


def request(model, word, **reply):
    shown = "\n\n".join(f"Word: {text}\nKind: {label}" for text, label in EXAMPLES)
    messages = (
        Message("system", "Sort words into: fruit, animal."),
        Message("user", f"{shown}\n\nWord: {word}\nKind:"),
    )
    return Request(model, messages, Settings(temperature=0.0, max_tokens=8), ReplyFormat(**reply))


def ask(*requests_of):
    async def go():
        connection = local.connect("gemma3-270m")
        try:
            return [await connection.send(make(connection.model)) for make in requests_of]
        finally:
            await connection.close()

    return asyncio.run(go())


def test_it_answers_within_the_labels():
    """A base model of 270 million parameters continues five examples sensibly, in permitted words only."""
    words = {"dog": "animal", "cow": "animal", "banana": "fruit", "cherry": "fruit"}
    replies = ask(*(lambda model, w=w: request(model, w, options=("fruit", "animal")) for w in words))
    answers = [reply.text.strip() for reply in replies]
    assert set(answers) <= {"fruit", "animal"}
    assert sum(a == b for a, b in zip(answers, words.values(), strict=True)) >= 3
    for reply in replies:
        assert reply.usage.input_fresh + reply.usage.cache_read > 40
        assert reply.usage.output_visible >= 1
        assert reply.latency_s > 0
        assert reply.answered_by == "gemma-3-270m-q4_k_m"


def test_a_choice_has_a_probability_per_option():
    """From the model's own log-probabilities, and they follow the question."""
    options = {"fruit": "A", "animal": "B"}
    shown = "\n\n".join(f"Word: {text}\nKind: {options[label]}" for text, label in EXAMPLES)

    def make(model, word):
        said = (Message("user", f"A is fruit, B is animal.\n\n{shown}\n\nWord: {word}\nKind:"),)
        return Request(model, said, Settings(temperature=0.0, max_tokens=3), ReplyFormat("choice", ("A", "B")))

    banana, dog = ask(lambda model: make(model, "banana"), lambda model: make(model, "dog"))
    for reply in (banana, dog):
        assert reply.text.strip() in ("A", "B")
        assert sum(reply.scores.values()) == pytest.approx(1)
        assert all(0 < score < 1 for score in reply.scores.values())
    assert banana.scores["A"] > dog.scores["A"]


SHOWN = {
    "multi": (
        ("bug", "question"),
        "how did it crash",
        [("where is it", '{"labels": ["question"]}'), ("it is broken", '{"labels": ["bug"]}')],
    ),
    "extract": (
        ("people", "time"),
        "a table for six at noon",
        [
            ("for two at 8 pm", '{"people": "two", "time": "8 pm"}'),
            ("at 7:30 please", '{"people": null, "time": "7:30"}'),
        ],
    ),
    "score": (("-2", "2"), "it was fine", [("it was great", '{"score": 2}'), ("it was slow", '{"score": -1}')]),
}


def test_a_schema_becomes_a_grammar():
    """A list of labels, an object of fields, a number: each reply is one that its kind reads, in the names asked."""
    asked = {}
    for kind, (names, text, examples) in SHOWN.items():
        shown = "\n\n".join(f"Text: {one}\nAnswer: {answer}" for one, answer in examples)
        asked[kind] = kind_of(kind).reply_format("json", names), f"{shown}\n\nText: {text}\nAnswer:"
    settings = Settings(temperature=0.0, max_tokens=40)
    replies = ask(
        *(
            lambda model, words=words, expected=expected: Request(model, (Message("user", words),), settings, expected)
            for expected, words in asked.values()
        )
    )
    for kind, reply in zip(asked, replies, strict=True):
        names, expected = SHOWN[kind][0], asked[kind][0]
        assert reply.finish == "stop"
        outcome, answer = kind_of(kind).parse(reply.text, names, expected)
        assert outcome is Outcome.ANSWERED, (kind, reply.text)
        wanted = {"extract": set(names), "multi": {"labels"}, "score": {"score"}}[kind]
        assert json.loads(reply.text).keys() == wanted
        assert kind_of(kind).read_gold(answer, names, "x") == answer


def test_the_same_question_has_the_same_answer():
    """At temperature 0, twice."""
    make = lambda model: request(model, "goose", options=("fruit", "animal"))  # noqa: E731
    first, second = ask(make, make)
    assert first.text == second.text


def test_a_text_that_is_too_long_is_rejected():
    """One line with the size of the context; the run goes on with the next item."""
    with pytest.raises(RequestRejected, match="context holds 4,096 tokens"):
        ask(lambda model: request(model, "word " * 6000, options=("fruit", "animal")))


def test_the_weights_are_part_of_the_identity():
    """Another file of weights is another model, whatever its name."""
    connection = local.connect("gemma3-270m")
    assert connection.model == Model("local", "gemma-3-270m-q4_k_m", f"sha256:{local.GEMMA_SHA256[:16]}")


def test_other_weights_than_the_pinned_are_refused(tmp_path):
    """A changed file is named, and never run."""
    path = tmp_path / "x.gguf"
    path.write_bytes(b"GGUF not really")
    with pytest.raises(ConfigError, match=r"x.gguf is not the file that is pinned"):
        local._load(path, "0" * 64)


def test_a_grammar_quotes_what_labels_hold():
    """Quotation marks and backslashes in a label cannot end the rule."""
    assert local.grammar(('say "hi"', "back\\slash")) == 'root ::= " say \\"hi\\"" | " back\\\\slash"'
