"""Decision models on loopback, under the real client: typed questions out, probabilities back; both formats."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from harness.arms.prompt import PromptArm, Question
from harness.arms.prompts import files
from harness.errors import AuthError, ConfigError, ProviderError, RateLimited, RequestRejected, TransientError
from harness.ground import plugins
from harness.ground.ids import request_id, request_text
from harness.models import pricing
from harness.models.providers._typed_questions import asked
from harness.types import Item, Label, Message, Model, ReplyFormat, Request, Settings, Usage
from tests.loopback import serve
from tests.served import served

AT = datetime(2026, 11, 20, tzinfo=UTC)
KEY = "tsk-canary-0123456789abcdefghij"
LABELS, MEANINGS = ("ham", "spam"), ("what one wants", "")
ASKED = (Message("system", "Which is it?"), Message("user", "win a prize"))


def ask(reply, *, provider="systemone", model="jev-latest", base_url=None):
    """One item through the real client; the response or the error."""
    module = plugins.load("providers", provider)

    async def go():
        connection = module.connect(model, base_url=base_url, timeout_s=5.0)
        try:
            return await connection.send(Request(connection.model, ASKED, reply=reply))
        except ProviderError as error:
            return error
        finally:
            await connection.close()

    return asyncio.run(go())


@pytest.fixture
def key(monkeypatch):
    monkeypatch.setenv("TYPESAFE_API_KEY", KEY)


def schema(**properties):
    """A reply format that asks for an object of these properties."""
    return ReplyFormat("json", schema=json.dumps({"type": "object", "properties": properties}))


def test_labels_are_one_choice_with_their_descriptions(key):
    """State, instruction and options go out, with the key; the choice, its probabilities and the usage come back."""
    with serve(lambda text: "spam", usage={"input": 120, "output": 12}) as server:
        response = ask(ReplyFormat("label", LABELS, descriptions=MEANINGS), base_url=server.url)
    assert server.paths == ["/v1/systemone"]
    assert {name.lower(): value for name, value in server.headers[0].items()}["authorization"] == f"Bearer {KEY}"
    question = {
        "type": "choice",
        "instructions": "Which is it?",
        "criteria": {"ham": "what one wants", "spam": None},
    }
    assert server.requests == [{"model": "jev-latest", "state": "win a prize", "questions": {"label": question}}]
    assert (response.text, response.scores) == ("spam", {"ham": pytest.approx(0.1), "spam": 0.9})
    assert (response.usage, response.answered_by) == (Usage(input_fresh=120, output_visible=12), "jev-latest-2026")


def test_only_what_goes_in_is_paid(key):
    """By TypeSafe's list at its own address; a server of one's own has no price."""
    with serve(lambda text: "spam", usage={"input": 1_000_000, "output": 12}) as server:
        response = ask(ReplyFormat("label", LABELS), base_url=server.url)
    assert pricing.Tariff(Model("systemone", "jev-latest")).list_nano(response, AT) == 42_000_000
    assert pricing.Tariff(Model("systemone", "jev-latest", server.url)).list_nano(response, AT) is None


def test_a_schema_is_a_question_for_every_property_in_one_call(key):
    """A set of names, yes or no, a list out of names, numbers in ranges; the reply is the object that was asked for."""
    wanted = schema(
        label={"enum": list(LABELS)},
        topics={"type": "array", "items": {"enum": ["spam", "prize"]}},
        spam={"type": "boolean", "description": "Is it spam?"},
    )
    with serve(lambda text: "spam") as server:
        response = ask(wanted, base_url=server.url)
    (sent,) = server.requests
    kinds = {name: question["type"] for name, question in sent["questions"].items()}
    assert kinds == {"label": "choice", "topics:spam": "noul", "topics:prize": "noul", "spam": "noul"}
    assert sent["questions"]["spam"]["instructions"] == "Which is it?\n\nIs it spam?"
    assert json.loads(response.text) == {"label": "spam", "topics": ["spam"], "spam": True}
    assert response.scores is None


def test_a_list_of_names_is_a_yes_or_no_for_each(key):
    """With their descriptions, and each name's probability as its score."""
    names = ("bug", "billing", "praise")
    reply = schema(labels={"type": "array", "items": {"enum": list(names)}})
    reply = ReplyFormat("json", schema=reply.schema, descriptions=("it fails", "", "thanks"))
    with serve(lambda text: "bug,praise") as server:
        response = ask(reply, base_url=server.url)
    questions = server.requests[0]["questions"]
    assert questions["labels:bug"]["criteria"] == {"true": "it fails"}
    assert "criteria" not in questions["labels:billing"]
    assert json.loads(response.text) == {"labels": ["bug", "praise"]}
    assert response.scores == {"bug": 0.9, "billing": 0.1, "praise": 0.9}


@pytest.mark.parametrize(
    ("kind", "bounds", "place", "levels", "value"),
    [
        ("number", (-4, 4), 3, ["-4", "-2", "0", "2", "4"], 2),
        ("number", (0, 1), 4, ["0", "0.25", "0.5", "0.75", "1"], 1),
        ("number", (0, 100), 1.5, ["0", "25", "50", "75", "100"], 37.5),
        ("integer", (1, 5), 0, ["1", "2", "3", "4", "5"], 1),
        ("integer", (0, 9), 8.6, [str(level) for level in range(10)], 9),
    ],
)
def test_a_number_is_a_score_of_a_few_levels(kind, bounds, place, levels, value, key):
    """Laid over the range evenly, ends to ends; the answer lies between them."""
    with serve(lambda text: str(place)) as server:
        number = {"type": kind, "minimum": bounds[0], "maximum": bounds[1]}
        response = ask(schema(score=number), base_url=server.url)
    assert server.requests[0]["questions"]["score"]["criteria"] == levels
    assert json.loads(response.text) == {"score": value}


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (ReplyFormat("text", pattern="(.*)"), "answers typed questions, not free text"),
        (schema(), "no property"),
        (schema(why={"type": "string"}), "cannot fill 'why'"),
        (schema(score={"type": "number"}), "'score' has none; expected minimum and maximum"),
        (ReplyFormat("label", ()), "among 1 to 255 options and this prompt has 0"),
        (ReplyFormat("label", tuple(map(str, range(256)))), "this prompt has 256"),
    ],
)
def test_what_such_a_model_cannot_answer_is_said_before_it_is_asked(reply, said, key):
    """In one line."""
    with serve(lambda text: "x") as server, pytest.raises(ConfigError, match=said):
        ask(reply, base_url=server.url)
    assert server.requests == []


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("429 2", RateLimited),
        ("529", TransientError),
        ("422", RequestRejected),
        ("401 echo", AuthError),
        ("unanswered", TransientError),
        ("garbage", TransientError),
        ("reset", TransientError),
    ],
)
def test_every_fault_is_the_right_error(fault, kind, key):
    """Through the same boundary as every provider's; the key stays out of it."""
    with serve(lambda text: "spam", faults={-1: fault}) as server:
        error = ask(ReplyFormat("label", LABELS), base_url=server.url)
    assert type(error) is kind
    assert str(error).startswith("systemone/jev-latest: ")
    assert KEY not in str(error)
    assert kind is not AuthError or str(error).endswith("check TYPESAFE_API_KEY")


@pytest.mark.parametrize("junk", [{}, {"choice": 3}, {"type": "noul", "noul": 0.5}, "spam", None, []])
def test_an_answer_that_can_be_none_is_an_outage(junk):
    """It is asked again, and never read as a label."""
    wanted = asked_for(ReplyFormat("label", LABELS))
    with pytest.raises(ValueError, match="'label'"):
        wanted.reply({"label": junk})


@pytest.mark.parametrize("shares", [None, {}, {"ham": 0.5}, {"ham": 0.5, "spam": "x"}, {"ham": 2, "spam": -1}])
def test_probabilities_that_can_be_none_are_no_scores(shares):
    """The choice stands all the same."""
    answer = {"type": "choice", "choice": "spam", "probabilities": shares}
    assert asked_for(ReplyFormat("label", LABELS)).reply({"label": answer}) == ("spam", None)


def asked_for(reply):
    return asked(reply, "Which?", "systemone/m")


def test_the_key_is_that_of_the_address(monkeypatch):
    """TypeSafe's at its own; another vendor's at that vendor's; none is needed at a server of one's own."""
    module = plugins.load("providers", "systemone")
    with pytest.raises(AuthError, match="set TYPESAFE_API_KEY"):
        module.connect("jev-latest")
    assert module.available() == "TYPESAFE_API_KEY is not set"
    with pytest.raises(AuthError, match="set OPENROUTER_API_KEY"):
        module.connect("typesafe/jev-1.14", base_url="https://openrouter.ai/api/v1")
    with serve(lambda text: "spam") as server:
        monkeypatch.setenv("SYSTEMONE_BASE_URL", f"{server.url}/v1")
        assert module.available() is None
        assert ask(ReplyFormat("label", LABELS), model="laya").text == "spam"
    assert server.paths == ["/v1/systemone"]


def test_decision_endpoints_are_sent_the_descriptions_too(monkeypatch):
    """An option without one is sent alone."""
    with serve(lambda text: "spam") as server:
        reply = ReplyFormat("label", LABELS, descriptions=MEANINGS)
        ask(reply, provider="decision", model="gpt-6-luna", base_url=server.openai_url)
    choices = server.requests[0]["questions"][0]["choices"]
    assert choices == [{"value": "ham", "description": "what one wants"}, {"value": "spam"}]


def test_descriptions_are_a_part_of_the_request_only_where_there_are_any():
    """So an answer that was paid before is found again, and one to other descriptions is not taken for it."""
    model = Model("decision", "gpt-6-luna")
    bare, blank, told = (
        Request(model, ASKED, Settings(), ReplyFormat("label", LABELS, descriptions=texts))
        for texts in ((), ("", ""), MEANINGS)
    )
    assert request_id(bare) == request_id(blank) != request_id(told)
    assert "descriptions" not in request_text(bare)


def test_options_that_are_sent_are_a_part_of_the_worst_case():
    """A budget reserves their bytes too."""
    model = Model("systemone", "jev-latest")
    bare = Request(model, ASKED, Settings(), ReplyFormat("label", LABELS))
    told = Request(model, ASKED, Settings(), ReplyFormat("label", LABELS, descriptions=("x" * 1000, "")))
    assert pricing.most_tokens_in(told) >= pricing.most_tokens_in(bare) + 1000 + len("hamspam")


@pytest.mark.parametrize(("describes", "sent"), [(True, ("it fails", "")), (False, ())])
def test_a_prompt_tells_the_labels_meanings_to_who_takes_them_as_data(describes, sent):
    """In the labels' order; a chat model has them from the prompt alone."""
    prompt = files.parse("{% block user %}{{ item.text }}{% endblock %}", "tickets", "v1", "v1.j2")
    labels = (Label("bug", "it fails"), Label("other"))
    question = Question(prompt, "single", "tickets", labels, describes=describes)
    arm = PromptArm(question, served(None, (None, None), Model("systemone", "m")), lambda pool: None)
    (request,) = arm.requests(Item("1", "it broke"))
    assert (request.reply.options, request.reply.descriptions) == (("bug", "other"), sent)
