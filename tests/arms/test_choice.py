import asyncio
from dataclasses import replace

import pytest

from harness.arms import choice, fewshot
from harness.arms.prompt import PromptArm, Question
from harness.arms.prompts import files
from harness.errors import ConfigError, TransientError
from harness.types import Item, Label, Outcome, Response, Usage
from tests.served import served

LABELS = tuple(Label(name) for name in ("ham", "spam", "news", "bill"))
SOURCE = """---
output: choice
rotations: {rotations}
votes: 3
---
{{% block system %}}{{% for label in labels %}}{{{{ label.alias }}}}={{{{ label.name }}}} {{% endfor %}}{{% endblock %}}
{{% block user %}}{{{{ item.text }}}}{{% endblock %}}"""
REPLY = Response("A", "stop", Usage(10, 0, 0, 1, 0), None, 0.25, "m", request_id="r")


class Answering:
    """A provider whose reply follows from the aliases it is shown and the number of the request."""

    def __init__(self, reply):
        self.reply, self.requests = reply, []

    async def send(self, request):
        self.requests.append(request)
        aliases = dict(pair.split("=") for pair in request.messages[0].content.split())
        answer = self.reply({name: alias for alias, name in aliases.items()}, len(self.requests) - 1)
        if isinstance(answer, Exception):
            raise answer
        return answer


def ask(reply, rotations=4, gives_scores=True, sample=0, one_at_a_time=False):
    prompt = files.parse(SOURCE.format(rotations=rotations), task="t", version="v1", path="p.j2")
    provider = Answering(reply)
    question = Question(prompt, "single", "t", LABELS, sample, gives_scores, one_at_a_time)
    arm = PromptArm(question, served(provider, (10, 5)), lambda pool: fewshot.Fixed(()))
    (prediction,) = asyncio.run(arm.predict([Item("i", "win a prize")]))
    return prediction, provider


def test_every_rotation_shows_every_label_at_another_place():
    """Four labels, four rotations: each label has been first, second, third and last; aliases stay in order."""
    _, provider = ask(lambda alias_of, i: REPLY)
    shown = [request.messages[0].content for request in provider.requests]
    assert shown == [
        "A=ham B=spam C=news D=bill",
        "A=spam B=news C=bill D=ham",
        "A=news B=bill C=ham D=spam",
        "A=bill B=ham C=spam D=news",
    ]
    assert {request.reply.options for request in provider.requests} == {("A", "B", "C", "D")}


def test_a_bias_to_a_place_cancels_out():
    """A model that adds .4 to whatever stands first, and otherwise knows, is heard without its bias."""

    def biased(alias_of, i):
        scores = {alias_of["spam"]: 0.36, alias_of["ham"]: 0.12, alias_of["news"]: 0.06, alias_of["bill"]: 0.06}
        scores["A"] += 0.4
        return replace(REPLY, scores=scores)

    prediction, _ = ask(biased)
    assert (prediction.outcome, prediction.label) == (Outcome.ANSWERED, "spam")
    assert prediction.scores == pytest.approx({"ham": 0.22, "spam": 0.46, "news": 0.16, "bill": 0.16})
    assert prediction.score == pytest.approx(0.46)


def test_a_model_without_probabilities_votes():
    """Two orders, three votes each: the shares of the six replies are the scores; each vote is a sample of its own."""
    votes = ["spam", "spam", "ham", "spam", "news", "spam"]
    prediction, provider = ask(lambda alias_of, i: replace(REPLY, text=alias_of[votes[i]]), 2, gives_scores=False)
    assert prediction.label == "spam"
    assert prediction.scores == pytest.approx({"ham": 1 / 6, "spam": 4 / 6, "news": 1 / 6, "bill": 0})
    assert [request.sample for request in provider.requests] == [0, 1, 2, 0, 1, 2]
    _, repeated = ask(lambda alias_of, i: REPLY, 2, gives_scores=False, sample=1)
    assert [request.sample for request in repeated.requests] == [3, 4, 5, 3, 4, 5]


def test_a_tie_is_no_answer():
    """Two votes against two: the arm abstains rather than guesses, and keeps the scores."""
    prediction, _ = ask(lambda alias_of, i: replace(REPLY, text=alias_of["spam" if i % 2 else "ham"]))
    assert (prediction.outcome, prediction.label) == (Outcome.ABSTAINED, None)
    assert prediction.scores["spam"] == prediction.scores["ham"] == 0.5


def test_prose_and_refusals_have_no_vote():
    """Of four draws, one refused, one rambled: the other two decide; when none is left, that is the outcome."""

    def mixed(alias_of, i):
        named = replace(REPLY, text=alias_of["news"])
        return [replace(REPLY, text="", finish="refusal"), replace(REPLY, text="well, B or C"), named, named][i]

    prediction, _ = ask(mixed)
    assert (prediction.label, prediction.score) == ("news", 1.0)
    refused, _ = ask(lambda alias_of, i: replace(REPLY, text="", finish="refusal"))
    assert refused.outcome == Outcome.REFUSED
    rambled, _ = ask(lambda alias_of, i: replace(REPLY, text="hm"))
    assert rambled.outcome == Outcome.UNPARSED


def test_tokens_and_money_of_all_draws_add_up_and_the_slowest_is_waited_for():
    """One prediction, four calls: five would not be honest, and neither would one."""
    prediction, _ = ask(lambda alias_of, i: replace(REPLY, latency_s=0.1 * (i + 1), cached=i == 0))
    assert prediction.usage == Usage(40, 0, 0, 4, 0)
    assert (prediction.cost_usd, prediction.billed_usd) == (pytest.approx(40e-9), pytest.approx(15e-9))
    assert (prediction.latency_s, prediction.attempts, prediction.cached) == (0.4, 4, False)
    here, _ = ask(lambda alias_of, i: replace(REPLY, latency_s=0.1 * (i + 1)), one_at_a_time=True)
    assert here.latency_s == pytest.approx(1.0)


def test_an_outage_of_one_draw_fails_the_item():
    """The paid draws are in the ledger, so asking again costs only the missing one."""
    prediction, _ = ask(lambda alias_of, i: TransientError("down", status=500) if i == 2 else REPLY)
    assert prediction.outcome == Outcome.FAILED
    assert "TransientError: down" in prediction.error


def test_there_are_aliases_for_any_number_of_labels():
    """Letters as far as they go, then numbers; all different."""
    assert choice.aliases(4) == ("A", "B", "C", "D")
    assert len(set(choice.aliases(150))) == 150
    assert len(choice.draws([Label(str(i)) for i in range(77)], rotations=3, votes=1, repeat=0)) == 3
    assert len(choice.draws(LABELS, rotations=10, votes=1, repeat=0)) == 4


def test_a_template_without_aliases_is_refused():
    """The model could not know what A stands for."""
    source = "---\noutput: choice\n---\n{% block user %}{{ item.text }}{% endblock %}"
    with pytest.raises(ConfigError, match=r"p\.j2: .output: choice. is answered with a label's alias"):
        files.parse(source, task="t", version="v1", path="p.j2")
