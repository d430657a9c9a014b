"""Both SDKs, for real, against a server on loopback: formats, faults, usage, keys."""

import asyncio
import json
import pickle
import threading

import pytest

from harness.errors import (
    AuthError,
    ConfigError,
    ProviderError,
    RateLimited,
    RequestRejected,
    SetupRejected,
    TransientError,
)
from harness.ground import plugins
from harness.ground.clock import SystemClock
from harness.models.providers._anthropic_messages import shortest_cached
from harness.models.providers._logprobs import option_scores
from harness.models.stack import resolve_model
from harness.types import Message, Model, ReplyFormat, Request, Settings, Usage
from tests.loopback import serve

CLOCK = SystemClock()
PATIENCE_S = 300.0  # for everything but a server that hangs
KEY = "sk-canary-0123456789abcdefghij"
VARIABLES = {
    "openai": ("OPENAI_API_KEY", "OPENAI_BASE_URL", "/v1"),
    "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", ""),
}
both = pytest.mark.parametrize("provider", sorted(VARIABLES))


def ask(provider, server, *, timeout_s=PATIENCE_S, settings=None, reply=None, messages=None):
    """One request through the real SDK; the response or the error."""
    module = plugins.load("providers", provider)
    said = messages or (Message("system", "Be brief."), Message("user", "spam or ham?"))

    async def go():
        connection = module.connect("m", base_url=server.url + VARIABLES[provider][2], timeout_s=timeout_s)
        request = Request(connection.model, said, settings or Settings(max_tokens=9), reply or ReplyFormat())
        try:
            return await connection.send(request)
        except ProviderError as error:
            return error
        finally:
            await connection.close()

    return asyncio.run(go())


@both
def test_a_reply_comes_back_with_usage_and_ids(provider, monkeypatch):
    """Text, five disjoint buckets, request id, the model that answered, and the latency of this call."""
    monkeypatch.setenv(VARIABLES[provider][0], KEY)
    usage = {"input": 1000, "read": 600, "write": 150, "output": 50, "reasoning": 40}
    with serve(lambda text: text.upper(), usage=usage, latency_s=0.05) as server:
        start_s = CLOCK.monotonic()
        response = ask(provider, server)
        took_s = CLOCK.monotonic() - start_s
    assert response.text == "SPAM OR HAM?"
    assert response.finish == "stop"
    assert response.usage == Usage(250, 600, 150, 10, 40)
    assert response.usage.total == 1050
    assert (response.request_id, response.answered_by) == ("req-1", "m-2026")
    assert 0.05 <= response.latency_s < took_s
    assert response.raw_usage["output_tokens" if provider == "anthropic" else "completion_tokens"] == 50


@both
def test_settings_are_sent_and_nothing_else(provider):
    """What is None is left to the provider; retries of the SDK are off."""
    with serve(lambda text: "x", faults={0: "500"}) as server:
        ask(provider, server, settings=Settings(temperature=0.0, max_tokens=7, stop=("\n",)))
    (body,) = server.requests
    expected = {
        "openai": {"model": "m", "max_tokens": 7, "temperature": 0.0, "stop": ["\n"]},
        # This API rejects a temperature since its version 2026-10-21.
        "anthropic": {"model": "m", "max_tokens": 7, "stop_sequences": ["\n"]},
    }[provider]
    assert {key: value for key, value in body.items() if key not in ("messages", "system")} == expected


@both
def test_json_mode_sends_the_schema(provider):
    """Through each provider's own structured output."""
    schema = '{"type":"object","properties":{"label":{"enum":["a"]}}}'
    with serve(lambda text: "{}") as server:
        ask(provider, server, reply=ReplyFormat(mode="json", schema=schema))
    assert '"enum": ["a"]' in json.dumps(server.requests[0])


FAULTS = [
    ("429", RateLimited, None),
    ("429 0", RateLimited, 0.0),
    ("429 2", RateLimited, 2.0),
    ("429 86400", RateLimited, 86_400.0),
    ("500", TransientError, None),
    ("503", TransientError, None),
    ("529", TransientError, None),
    ("408", TransientError, None),
    ("409", TransientError, None),
    ("400", RequestRejected, None),
    ("404", SetupRejected, None),
    ("422", RequestRejected, None),
    ("401", AuthError, None),
    ("403", AuthError, None),
    ("reset", TransientError, None),
    ("hang", TransientError, None),
    ("half", TransientError, None),
    ("garbage", TransientError, None),
]


@both
@pytest.mark.parametrize(("fault", "kind", "pause_s"), FAULTS, ids=[fault for fault, _, _ in FAULTS])
def test_every_fault_is_the_right_error(provider, fault, kind, pause_s):
    """One line that names model and status; one request only; the pause the server asked for."""
    with serve(lambda text: "x", faults={-1: fault}) as server:
        error = ask(provider, server, timeout_s=0.5 if fault == "hang" else PATIENCE_S)
        while not server.requests:  # the server may read more slowly than a client gives up
            threading.Event().wait(0.01)
    assert type(error) is kind
    assert str(error).startswith(f"{provider}/m: ")
    assert "\n" not in str(error)
    assert len(server.requests) == 1
    if fault[:3].isdigit():
        assert (error.status, error.request_id) == (int(fault[:3]), "req-1")
    if kind is RateLimited:
        assert error.retry_after_s == pause_s


@both
@pytest.mark.parametrize(("fault", "finish"), [("refusal", "refusal"), ("cut", "length"), ("empty", "stop")])
def test_endings_are_told_apart(provider, fault, finish):
    """A refusal, a cut-off and an empty reply are replies, not errors."""
    with serve(lambda text: "some text", faults={0: fault}) as server:
        assert ask(provider, server).finish == finish


@both
@pytest.mark.parametrize("fault", ["401 echo", "400 echo", "500 echo"])
def test_a_key_never_leaves(provider, fault, monkeypatch):
    """A server that echoes the key does not get it into message, repr or pickle."""
    monkeypatch.setenv(VARIABLES[provider][0], KEY)
    with serve(lambda text: KEY, faults={0: fault}) as server:
        error, response = ask(provider, server), ask(provider, server)
    assert KEY in str(server.headers)
    for text in (str(error), repr(error), repr(pickle.dumps(error)), repr(response)):
        assert KEY not in text
    assert "[key hidden]" in str(error)


@both
def test_addresses_come_from_option_and_environment(provider, monkeypatch):
    """The SDK's own variable works; the address is part of the model's identity, credentials are not."""
    _, address, path = VARIABLES[provider]
    module = plugins.load("providers", provider)
    with serve(lambda text: "x") as server:
        monkeypatch.setenv(address, server.url + path)
        connection = module.connect("m")
        assert connection.model == Model(provider, "m", server.url + path)
        asyncio.run(connection.close())
    with_secret = module.connect("m", base_url="http://user:secret@127.0.0.1:1/v1?token=t")
    assert with_secret.model.endpoint == "http://127.0.0.1:1/v1"
    asyncio.run(with_secret.close())


@both
def test_no_key_is_told_before_anything_is_sent(provider):
    """The line names the variable to set and the way without."""
    module = plugins.load("providers", provider)
    with pytest.raises(AuthError, match=f"set {VARIABLES[provider][0]}, or choose --model local/"):
        module.connect("m")
    assert VARIABLES[provider][0] in module.available()


def test_a_server_on_loopback_is_found_and_asked_only_for_its_models(monkeypatch):
    """Without a key, the first chat model of a server on this machine; another machine is not knocked at."""
    openai = plugins.load("providers", "openai")
    monkeypatch.setattr(openai, "USUAL_PORTS", (9,))  # where nobody listens
    with serve(lambda text: "x") as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
        assert openai.served_on_loopback() == (server.openai_url, "planted-chat")
        assert resolve_model("auto") == ("openai/planted-chat", server.openai_url)
        assert server.requests == []
    assert openai.served_on_loopback() is None
    monkeypatch.setenv("OPENAI_BASE_URL", "http://192.0.2.1/v1")
    assert openai.served_on_loopback() is None


def test_choice_mode_reads_log_probabilities():
    """Scores per option from the first token's alternatives, renormalised over the options."""
    tokens = [(" A", -0.5), ("B", -1.5), ("x", -0.1)]
    alternatives = [{"token": token, "logprob": logprob} for token, logprob in tokens]
    choice = {"logprobs": {"content": [{"top_logprobs": alternatives}]}}
    scores = option_scores(choice, ("A", "B", "C"))
    assert sum(scores.values()) == pytest.approx(1)
    assert scores["A"] / scores["B"] == pytest.approx(2.718281828)
    assert scores["C"] == 0
    assert option_scores({"logprobs": None}, ("A", "B")) is None
    assert option_scores(choice, ("Y", "Z")) is None
    with serve(lambda text: "A", logprobs={"A": 0.75, " B": 0.25}) as server:
        response = ask("openai", server, reply=ReplyFormat("choice", ("A", "B")))
        assert server.requests[0]["top_logprobs"] == 20
    assert response.scores == pytest.approx({"A": 0.75, "B": 0.25})


def test_a_long_system_message_is_marked_for_the_cache_from_its_second_use(monkeypatch):
    """Anthropic caches what is marked; writing costs more, so only what is repeated and long enough is marked."""
    module = plugins.load("providers", "anthropic")
    long, short = "Be careful. " * 2000, "Be brief."

    async def go(server):
        connection = module.connect("claude-haiku-4-5-20251001", base_url=server.url)
        for system in (long, long, short, short, long, long):
            await connection.send(Request(connection.model, (Message("system", system), Message("user", "x"))))
        await connection.close()

    with serve(lambda text: "x") as server:
        asyncio.run(go(server))
        marked = [isinstance(request["system"], list) for request in server.requests]
    assert marked == [False, True, False, False, False, True]
    part = server.requests[1]["system"][0]
    assert (part["text"], part["cache_control"]) == (long, {"type": "ephemeral"})


@pytest.mark.parametrize(
    ("model", "tokens"),
    [("claude-haiku-4-5", 4096), ("claude-sonnet-5", 1024), ("claude-sonnet-5-5", 512), ("claude-new-9", 512)],
)
def test_the_shortest_cached_prefix_is_the_models_own(model, tokens):
    """A longer version number is another model."""
    assert shortest_cached(model) == tokens


def decide(server, options=("ham", "spam")):
    """One decision through the real SDK."""
    module = plugins.load("providers", "decision")

    async def go():
        connection = module.connect("gpt-6-luna", base_url=server.openai_url)
        said = (Message("system", "Which is it?"), Message("user", "win a prize"))
        try:
            return await connection.send(Request(connection.model, said, reply=ReplyFormat("label", options)))
        finally:
            await connection.close()

    return asyncio.run(go())


def test_a_decision_has_a_probability_per_option():
    """Instruction, input and options go out; the choice, its probabilities and the usage come back."""
    with serve(lambda text: "spam", usage={"input": 100, "output": 0, "read": 40}) as server:
        response = decide(server)
        (sent,) = server.requests
    assert (sent["input"], sent["model"]) == ("win a prize", "gpt-6-luna")
    assert sent["questions"][0]["instructions"] == "Which is it?"
    assert [choice["value"] for choice in sent["questions"][0]["choices"]] == ["ham", "spam"]
    assert (response.text, response.scores) == ("spam", {"ham": 0.1, "spam": 0.9})
    assert (response.usage.input_fresh, response.usage.cache_read) == (60, 40)


def test_a_refused_decision_is_an_outcome():
    """Not an error, and no label."""
    with serve(lambda text: "spam", faults={0: "refusal"}) as server:
        response = decide(server)
    assert (response.finish, response.text, response.scores) == ("refusal", "", None)


def test_a_decision_needs_two_options():
    """What the endpoint cannot take is said before it is asked."""
    with serve(lambda text: "spam") as server, pytest.raises(ConfigError, match="among 2 to 255 options.* has 1"):
        decide(server, ("spam",))
    assert server.requests == []
