"""Any JSON, any bytes, any status: an answer, or one of our errors; never a traceback, never an invented cost."""

import json
from types import SimpleNamespace

import httpx2  # noqa: TID251  (a reply as the SDKs give it)
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import AuthError, ProviderError
from harness.models.providers import _dialect, _failures, _shapes, _vendor, google
from harness.models.providers._anthropic_messages import Messages
from harness.models.providers._decisions import Decisions
from harness.models.providers._openai_chat import Chat
from harness.models.providers._sdk import Wire
from harness.models.providers._systemone_wire import SystemOne
from harness.models.providers._typed_questions import asked
from harness.types import Model, ReplyFormat, Request, Response

MODEL = Model("openai", "m")
REQUEST = Request(MODEL, (), reply=ReplyFormat("choice", ("a", "b")))
WIRE = Wire(openai, None, MODEL, "OPENAI_API_KEY", ())
WORDS = """choices message content text type refusal finish_reason usage prompt_tokens completion_tokens error code
    input_tokens output_tokens logprobs top_logprobs token logprob answers choice probabilities value model"""
NAMES = st.sampled_from(WORDS.split())
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["text", "a"])
ANY = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4))
USAGES = st.dictionaries(NAMES, LEAVES, max_size=4)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "type": LEAVES | st.just("choice"),
        "choice": LEAVES,
        "probabilities": ANY | st.dictionaries(st.sampled_from("ab"), LEAVES),
    },
)
LIKE_A_REPLY = st.fixed_dictionaries(
    {},
    optional={
        "choices": st.lists(
            st.fixed_dictionaries({}, optional={"message": ANY, "logprobs": ANY, "finish_reason": ANY})
        ),
        "content": st.lists(st.fixed_dictionaries({}, optional={"type": LEAVES, "text": LEAVES})),
        "answers": st.lists(ANSWERS) | st.fixed_dictionaries({}, optional={"label": ANSWERS}),
        "usage": USAGES | ANY,
        "error": ANY,
        "model": ANY,
    },
)


def made(kind, **parts):
    """A connection without a client."""
    connection = kind.__new__(kind)
    vars(connection).update(model=MODEL, _wire=WIRE, **parts)
    return connection


def readers():
    """Every wire's reading of a reply, and every vendor's way of counting."""
    chats = [made(Chat, _dialect=dialect) for dialect in (_dialect.OPENAI, google.VENDOR.dialect)]
    messages, decisions, systemone = made(Messages), made(Decisions), made(SystemOne)
    wanted = asked(REQUEST.reply, "Which?", "systemone/m")
    return (
        *(lambda payload, chat=chat: chat._response(payload, REQUEST, None) for chat in chats),
        lambda payload: messages._response(payload, None),
        lambda payload: decisions._response(payload, None),
        lambda payload: systemone._response(payload, wanted, None),
    )


READERS = readers()


def check(content: bytes) -> None:
    """Each wire's reading of a body is an answer that can be believed, or one of our errors with one line."""
    for read in READERS:
        outcome = WIRE.in_batch(content, read)
        if isinstance(outcome, ProviderError):
            assert "\n" not in str(outcome)
            continue
        assert isinstance(outcome, Response)
        assert isinstance(outcome.text, str)
        assert isinstance(outcome.answered_by, str)
        json.dumps(outcome.raw_usage)
        if outcome.usage is not None:
            counts = [getattr(outcome.usage, name) for name in outcome.usage.__slots__]
            assert all(type(count) is int and 0 <= count <= _shapes.MOST_TOKENS for count in counts)
            assert outcome.usage.total > 0 or 0 in json.loads(content)["usage"].values()
        for share in (outcome.scores or {}).values():
            assert 0 <= share <= 1.0000001


@given(LIKE_A_REPLY | ANY, st.integers(0, 400))
def test_any_json_is_an_answer_or_an_error(value, cut):
    """Whole, and cut anywhere."""
    content = json.dumps(value).encode()
    check(content)
    check(content[:cut])


@given(st.binary(max_size=60))
def test_any_bytes_are_an_error(content):
    """Bytes that are no object are never an answer."""
    check(content)


@given(
    st.integers(100, 599),
    ANY,
    st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms"]), st.text("0123456789.eE-+naifu: GMTJ")),
)
def test_any_status_and_headers_are_an_error(status, body, headers):
    """One line and a pause of at most a day, whatever the server says."""
    problem = _failures.problem_of(body, status)
    assert _failures.judged(problem) in _failures.Verdict
    assert "\n" not in problem.words
    clock = SimpleNamespace(now=WIRE.clock.now)
    pause_s = _failures.retry_after_s(headers, clock.now())
    assert pause_s is None or 0 <= pause_s <= _failures.LONGEST_PAUSE_S
    sent = httpx2.Request("POST", "http://127.0.0.1/")
    response = httpx2.Response(status, content=json.dumps(body).encode(), request=sent)
    assert isinstance(WIRE._refused(response), ProviderError)


@pytest.mark.parametrize(("value", "key"), [("sk-test\n", "sk-test"), (" sk-test ", "sk-test"), ("", "")])
def test_a_key_loses_the_blanks_around_it(monkeypatch, value, key):
    """A key that was read from a file ends with a line end."""
    monkeypatch.setenv("OPENAI_API_KEY", value)
    assert _vendor.secret("OPENAI_API_KEY") == key


@pytest.mark.parametrize("value", ["“sk-test”", '"sk-test"', "sk-te\nst", "sk-te st", "clé"])
def test_a_key_that_is_none_is_told_in_one_line(monkeypatch, value):
    """The variable is named, the key is not; doctor says the same."""
    monkeypatch.setenv("OPENAI_API_KEY", value)
    with pytest.raises(AuthError, match="^OPENAI_API_KEY is no key: its character") as told:
        _vendor.secret("OPENAI_API_KEY")
    assert value not in str(told.value)
    assert _vendor.missing("OPENAI_API_KEY") == str(told.value)
