import asyncio
import json
from dataclasses import replace

import pytest

from harness.arms import fewshot
from harness.arms.prompt import PromptArm, Question
from harness.arms.prompts import files
from harness.errors import AuthError, RateLimited, RequestRejected, TransientError
from harness.ground.ids import request_id
from harness.types import Attempt, Item, Label, Outcome, Response, Usage
from tests.served import served

LABELS = (Label("ham"), Label("spam"))
SOURCE = "{% block system %}Labels.{% endblock %}{% block user %}{{ item.text }}{% endblock %}"
REPLY = Response("spam", "stop", Usage(10, 0, 0, 1, 0), {"x": 1}, 0.25, "m-1", request_id="r1")


class Canned:
    """A provider that replies, or raises, the same every time."""

    def __init__(self, reply):
        self.reply = reply
        self.requests = []

    async def send(self, request):
        self.requests.append(request)
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


def ask(reply, header="", sample=0):
    prompt = files.parse(header + SOURCE, task="t", version="v1", path="p.j2")
    provider = Canned(reply)
    question = Question(prompt, "single", "t", LABELS, sample)
    arm = PromptArm(question, served(provider, (2_000_000, 1_000_000)), lambda pool: fewshot.Fixed(()))
    (prediction,) = asyncio.run(arm.predict([Item("i", "win a prize")]))
    return prediction, provider


def test_a_reply_becomes_a_prediction():
    """Label, usage, price, latency and ids come from the response."""
    prediction, provider = ask(REPLY)
    assert (prediction.outcome, prediction.label, prediction.raw) == (Outcome.ANSWERED, "spam", "spam")
    assert (prediction.cost_usd, prediction.billed_usd, prediction.latency_s) == (0.002, 0.001, 0.25)
    assert (prediction.usage.total, prediction.request_id, prediction.path) == (11, "r1", ("prompt:v1",))
    (request,) = provider.requests
    assert [message.content for message in request.messages] == ["Labels.", "win a prize"]
    assert request.reply.options == ("ham", "spam")


def test_an_answer_from_the_ledger_costs_but_is_not_billed():
    """What it costs at list price stays; what this run paid is nothing."""
    prediction, _ = ask(replace(REPLY, cached=True))
    assert (prediction.cost_usd, prediction.billed_usd, prediction.cached) == (0.002, 0.0, True)


@pytest.mark.parametrize(
    ("text", "finish", "outcome"),
    [
        ("I think it is spam", "stop", Outcome.UNPARSED),
        ("", "stop", Outcome.UNPARSED),
        ("spa", "length", Outcome.UNPARSED),
        ("spam", "refusal", Outcome.REFUSED),
        ("I cannot help with that", "refusal", Outcome.REFUSED),
    ],
)
def test_what_is_no_answer_carries_no_label(text, finish, outcome):
    """Prose, nothing, half a label and a refusal are kept as what they are."""
    prediction, _ = ask(replace(REPLY, text=text, finish=finish))
    assert (prediction.outcome, prediction.label, prediction.raw) == (outcome, None, text)
    assert prediction.cost_usd == 0.002


@pytest.mark.parametrize("error", [RateLimited("slow down"), TransientError("down"), RequestRejected("too long")])
def test_an_outage_is_a_failed_prediction(error):
    """It names the error, counts the attempts, and has no label and no cost."""
    error.attempts = (Attempt(500, 0.1, "x"),) * 3
    prediction, _ = ask(error)
    assert (prediction.outcome, prediction.label, prediction.cost_usd) == (Outcome.FAILED, None, None)
    assert prediction.error == f"{type(error).__name__}: {error}"
    assert prediction.attempts == 3


def test_a_refused_key_is_not_an_items_fault():
    """It ends the run instead of failing every item."""
    with pytest.raises(AuthError):
        ask(AuthError("no key"))


def test_a_repeat_is_another_request():
    """The repeat's number is part of the request, so it is asked anew."""
    _, first = ask(REPLY)
    _, second = ask(REPLY, sample=1)
    assert first.requests[0] != second.requests[0]


def test_json_mode_asks_for_a_schema():
    """The labels are the enum of the answer."""
    prediction, provider = ask(replace(REPLY, text='{"label": "ham"}'), header="---\noutput: json\n---\n")
    assert prediction.label == "ham"
    assert '"enum":["ham","spam"]' in provider.requests[0].reply.schema


THINKING = Usage(10, 0, 0, 0, 16)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (replace(REPLY, text="The label is ha", finish="length"), "cut off at max_tokens 256"),
        (replace(REPLY, text="spam", finish="length"), "cut off at max_tokens 256"),
        (replace(REPLY, text="<think>so", finish="length"), "cut off at max_tokens 256, all of it reasoning"),
        (replace(REPLY, text="", finish="length", usage=THINKING), "cut off at max_tokens 256, all of it reasoning"),
        (replace(REPLY, text="", usage=THINKING), "empty, all of it reasoning"),
        (replace(REPLY, text="<think>so</think>"), "empty, all of it reasoning"),
        (replace(REPLY, text=" \n"), "empty"),
        (replace(REPLY, text=""), "empty"),
        (replace(REPLY, text="I think it is spam"), None),
    ],
)
def test_why_a_reply_is_no_answer_is_kept(reply, error):
    """Cut off at the limit, empty, or said something else: the three need different remedies."""
    prediction, _ = ask(reply)
    assert (prediction.outcome, prediction.label, prediction.error) == (Outcome.UNPARSED, None, error)


def test_a_letter_that_fills_its_limit_is_not_cut_off():
    """In mode `choice` one token is asked for, so the limit is always reached."""
    header = "---\noutput: choice\nrotations: 1\nvotes: 1\nmodel: {max_tokens: 1}\n---\n"
    prompt = files.parse(header + SOURCE.replace("Labels.", "{{ labels[0].alias }}"), "t", "v1", "p.j2")
    question = Question(prompt, "single", "t", LABELS, gives_scores=False)
    provider = Canned(replace(REPLY, text="B", finish="length"))
    arm = PromptArm(question, served(provider, (0, 0)), lambda pool: fewshot.Fixed(()))
    (prediction,) = asyncio.run(arm.predict([Item("i", "win a prize")]))
    assert (prediction.label, prediction.error) == ("spam", None)


def test_own_fields_come_before_the_label():
    """A model writes the keys in the order of the schema, so what it is to think about first stands first."""
    header = "---\noutput: json\nfields: {reason: string, sure: number}\n---\n"
    reply = replace(REPLY, text='{"reason": "a prize", "sure": 0.9, "label": "spam"}')
    prediction, provider = ask(reply, header)
    schema = json.loads(provider.requests[0].reply.schema)
    assert (prediction.label, prediction.raw) == ("spam", reply.text)
    assert list(schema["properties"]) == schema["required"] == ["reason", "sure", "label"]
    assert schema["properties"]["sure"] == {"type": "number"}
    assert ask(replace(REPLY, text='{"reason": "spam"}'), header)[0].outcome is Outcome.UNPARSED


def test_the_ledger_keys_of_prompts_without_own_fields_are_what_they_were():
    """These are the hashes of version 0.1.0: another one would have every stored answer paid for again."""
    keys = {
        header: request_id(ask(REPLY, f"---\noutput: {header}\n---\n")[1].requests[0])[-12:]
        for header in ("label", "json", "text\npattern: (.*)")
    }
    assert keys == {"label": "34738938bbb9", "json": "9b7e2294ee36", "text\npattern: (.*)": "e4140ecb8409"}


def test_what_a_prompt_was_written_from_is_none_of_its_examples():
    """The pool of examples lacks the items that the front matter says it learnt from."""
    header = "---\nmade: {by: a search, learnt_from: [a, c]}\n---\n"
    prompt = files.parse(header + SOURCE, task="t", version="v1", path="p.j2")
    pools = []
    arm = PromptArm(Question(prompt, "single", "t", LABELS), served(Canned(REPLY), (1, 1)), pools.append)
    arm.fit([Item("a", "x"), Item("b", "y"), Item("c", "z")], ["ham", "spam", "ham"])
    assert [example.item.id for example in pools[-1]] == ["b"]
