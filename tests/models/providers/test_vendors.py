"""Every vendor's dialect on loopback, under the real clients: keys, addresses, parameters, usage, dollars, errors."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.util import find_spec

import pytest

from harness.errors import AuthError, ConfigError, ProviderError, RateLimited, RequestRejected, TransientError
from harness.ground import plugins
from harness.models import pricing
from harness.models.providers._dialect import as_openai_counts, thoughts_outside
from harness.types import Message, Model, ReplyFormat, Request, Settings, Usage
from tests.loopback import serve

AT = datetime(2026, 11, 20, tzinfo=UTC)
KEY = "sk-canary-0123456789abcdefghij"
SCHEMA = '{"type":"object","properties":{"label":{"enum":["a"]}}}'
SETTINGS = Settings(temperature=0.5, max_tokens=9, seed=7, stop=("\n",))
STOP = {"stop": ["\n"], "temperature": 0.5}


@dataclass(frozen=True)
class Spoken:
    """How a vendor counts 1,000 tokens of a prompt (600 of them cached), 20 of a reply and 80 of thought; and more."""

    model: str
    usage: dict
    counted: Usage
    usd: float  # by hand, from the vendor's price list of 2026-11-20
    settings: dict
    key: str = ""
    path: str = "/chat/completions"
    header: str = "authorization"
    variables: dict = field(default_factory=dict)


def openai_usage(completion=100, reasoning=80, cached=600, total=1100, **more):
    """OpenAI's shape."""
    details = {"reasoning_tokens": reasoning} if reasoning else {}
    found = {"prompt_tokens": 1000, "completion_tokens": completion, "total_tokens": total}
    found |= {"completion_tokens_details": details} if details else {}
    return found | ({"prompt_tokens_details": {"cached_tokens": cached}} if cached else {}) | more


WHOLE, UNCACHED = Usage(400, 600, 0, 20, 80), Usage(1000, 0, 0, 20, 80)
VENDORS = {
    "deepseek": Spoken(
        "deepseek-flash",
        openai_usage(cached=0, prompt_cache_hit_tokens=600, prompt_cache_miss_tokens=400),
        WHOLE,
        (400 * 0.15 + 600 * 0.003 + 100 * 0.6) / 1e6,
        {"max_tokens": 9} | STOP,
    ),
    "google": Spoken(
        "gemini-2.5-flash-lite",
        openai_usage(completion=20, reasoning=0),
        WHOLE,
        (400 * 0.1 + 600 * 0.01 + 100 * 0.4) / 1e6,
        {"max_tokens": 9} | STOP,
        key="GEMINI_API_KEY",
    ),
    "groq": Spoken(
        "openai/gpt-oss-20b",
        openai_usage(queue_time=0.1, total_time=0.2),
        WHOLE,
        (400 * 0.075 + 600 * 0.0375 + 100 * 0.3) / 1e6,
        {"max_completion_tokens": 9, "seed": 7} | STOP,
    ),
    "mistral": Spoken(
        "mistral-small-latest",
        openai_usage(),
        WHOLE,
        (400 * 0.15 + 600 * 0.015 + 100 * 0.6) / 1e6,
        {"max_tokens": 9, "random_seed": 7} | STOP,
    ),
    "openrouter": Spoken(
        "openai/gpt-4o-mini",
        openai_usage(cost=0.00021, is_byok=False, cost_details={"upstream_inference_cost": 0.0002}),
        WHOLE,
        0.00021,  # as the reply says, whatever the list says
        {"max_tokens": 9, "seed": 7} | STOP,
    ),
    "together": Spoken(
        "openai/gpt-oss-120b",
        openai_usage(cached=0),
        UNCACHED,
        (1000 * 0.15 + 100 * 0.6) / 1e6,
        {"max_tokens": 9, "seed": 7} | STOP,
    ),
    "xai": Spoken(
        "grok-4.3",
        openai_usage(completion=20),
        WHOLE,
        (400 * 1.25 + 600 * 0.2 + 100 * 2.5) / 1e6,
        {"max_completion_tokens": 9, "seed": 7} | STOP,
    ),
    "azure": Spoken(
        "gpt-5-mini",
        openai_usage(),
        WHOLE,
        (400 * 0.25 + 600 * 0.025 + 100 * 2) / 1e6,
        {"max_completion_tokens": 9, "seed": 7, "stop": ["\n"]},  # it thinks: no temperature
        key="AZURE_OPENAI_API_KEY",
        path="/openai/deployments/gpt-5-mini/chat/completions?api-version=2026-01-01",
        header="api-key",
        variables={"OPENAI_API_VERSION": "2026-01-01"},
    ),
}
each = pytest.mark.parametrize("name", sorted(VENDORS))


def set_up(name, monkeypatch, server=None):
    """The vendor's key and, with a server, its address, by the vendor's own variables."""
    spoken = VENDORS[name]
    for variable, value in spoken.variables.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv(spoken.key or f"{name.upper()}_API_KEY", KEY)
    if server is not None:
        monkeypatch.setenv(f"{name.upper()}_BASE_URL", server.url)
    return spoken, plugins.load("providers", name)


def sent_headers(server):
    """The headers of the last request; their names in small letters."""
    return {name.lower(): value for name, value in server.headers[-1].items()}


def ask(module, model, *, settings=SETTINGS, reply=None, base_url=None, said="spam or ham?"):
    """One request through the real client; the response or the error, and the connection that gave it."""

    async def go():
        connection = module.connect(model, base_url=base_url, timeout_s=5.0)
        request = Request(connection.model, (Message("user", said),), settings, reply or ReplyFormat())
        try:
            return await connection.send(request), connection
        except ProviderError as error:
            return error, connection
        finally:
            await connection.close()

    return asyncio.run(go())


@each
def test_a_vendor_is_asked_in_its_dialect(name, monkeypatch):
    """Its key in its header, at the address of NAME_BASE_URL, with its own parameters and none besides."""
    with serve(str.upper) as server:
        spoken, module = set_up(name, monkeypatch, server)
        response, connection = ask(module, spoken.model)
    (body,) = server.requests
    assert response.text == "SPAM OR HAM?"
    assert connection.model == Model(name, spoken.model, server.url)
    assert server.paths == [spoken.path]
    assert sent_headers(server)[spoken.header].removeprefix("Bearer ") == KEY
    assert {key: value for key, value in body.items() if key not in ("messages", "model")} == spoken.settings
    assert body["model"] == spoken.model


@each
def test_tokens_and_dollars_are_the_vendors(name, monkeypatch):
    """Five disjoint buckets out of the vendor's way of counting, and its own list's price to the nano-dollar."""
    with serve(lambda text: "x", raw_usage=VENDORS[name].usage) as server:
        spoken, module = set_up(name, monkeypatch, server)
        response, connection = ask(module, spoken.model)
    assert response.usage == spoken.counted
    assert response.usage.total == 1100
    tariff = pricing.Tariff(connection.model, reported=getattr(module, "reported_usd", None))
    assert tariff.list_nano(response, AT) == tariff.billed_nano(response, AT) == round(spoken.usd * 1e9)


@each
def test_log_probabilities_are_asked_only_where_there_are_any(name, monkeypatch):
    """A vendor that refuses them, or ignores them, is asked for votes in mode `choice`."""
    with serve(lambda text: "A") as server:
        spoken, module = set_up(name, monkeypatch, server)
        _, connection = ask(module, spoken.model, reply=ReplyFormat("choice", ("A", "B")))
    assert ("logprobs" in server.requests[0]) == connection.gives_scores
    assert not connection.gives_scores or module.GIVES_SCORES


@each
def test_a_schema_is_sent_as_the_vendor_takes_it(name, monkeypatch):
    """As a schema; DeepSeek takes only the word that JSON is wanted, OpenRouter must ask servers that keep to it."""
    with serve(lambda text: "{}") as server:
        spoken, module = set_up(name, monkeypatch, server)
        ask(module, spoken.model, reply=ReplyFormat("json", schema=SCHEMA))
    (body,) = server.requests
    assert body["response_format"]["type"] == ("json_object" if name == "deepseek" else "json_schema")
    assert ('"enum": ["a"]' in json.dumps(body)) == (name != "deepseek")
    assert body.get("provider") == ({"require_parameters": True} if name == "openrouter" else None)


@each
@pytest.mark.parametrize(
    ("fault", "kind"),
    [("429 2", RateLimited), ("503", TransientError), ("400", RequestRejected), ("401 echo", AuthError)],
)
def test_a_vendors_errors_are_ours(name, fault, kind, monkeypatch):
    """One line with the model and the vendor's own variable, never the key."""
    with serve(lambda text: "x", faults={-1: fault}) as server:
        spoken, module = set_up(name, monkeypatch, server)
        error, _ = ask(module, spoken.model)
    assert type(error) is kind
    assert str(error).startswith(f"{name}/{spoken.model}: ")
    assert KEY not in str(error)
    assert kind is not AuthError or str(error).endswith(f"check {spoken.key or name.upper() + '_API_KEY'}")


@each
def test_what_is_openais_is_not_sent_to_another_vendor(name, monkeypatch):
    """Neither OpenAI's key, nor its organisation and project, nor the headers meant for it, which may hold a key."""
    for variable in ("API_KEY", "ADMIN_KEY", "ORG_ID", "PROJECT_ID"):
        monkeypatch.setenv(f"OPENAI_{variable}", f"openais-{variable}")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer openais-secret\nX-Extra: openais-extra")
    with serve(lambda text: "x") as server:
        spoken, module = set_up(name, monkeypatch, server)
        response, _ = ask(module, spoken.model)
    assert response.text == "x"
    assert "openais" not in json.dumps(server.headers)


@each
def test_without_a_key_nothing_is_sent(name, monkeypatch):
    """At the vendor's own address; the line names the variable to set."""
    spoken, module = set_up(name, monkeypatch)
    variable = spoken.key or f"{name.upper()}_API_KEY"
    monkeypatch.delenv(variable)
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://example.openai.azure.com")
    with pytest.raises(AuthError, match=f"set {variable}, or choose"):
        module.connect(spoken.model)
    assert module.available() == f"{variable} is not set"


@pytest.mark.parametrize("name", [*sorted(VENDORS), "openai", "anthropic", "decision"])
def test_a_key_does_not_go_to_another_vendors_address(name, monkeypatch):
    """Refused before anything is sent, with the way to ask that vendor."""
    if name in VENDORS:
        set_up(name, monkeypatch)
    other, address = ("groq", "https://api.groq.com/openai/v1")
    if name == "groq":
        other, address = ("together", "https://api.together.xyz/v1")
    with pytest.raises(ConfigError, match=f"the address of {other}/, and the key of {name}/ is not sent there"):
        plugins.load("providers", name).connect("m", base_url=address)


@pytest.mark.parametrize("value", ["“sk-test”", "sk-te\nst", "sk test", "'sk-test'"])
def test_a_key_that_can_be_none_is_named(value, monkeypatch):
    """What copying brings in is said by the variable's name, never by its content; blanks around it are left out."""
    module = plugins.load("providers", "groq")
    monkeypatch.setenv("GROQ_API_KEY", value)
    with pytest.raises(AuthError, match="^GROQ_API_KEY is no key: its character") as error:
        module.connect("m")
    assert "test" not in str(error.value)
    assert module.available() == str(error.value)
    monkeypatch.setenv("GROQ_API_KEY", f"  {KEY}\n")
    assert module.available() is None


def test_azure_says_what_it_needs(monkeypatch):
    """The resource's address, and the version of its API."""
    azure = plugins.load("providers", "azure")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    with pytest.raises(ConfigError, match="set AZURE_OPENAI_ENDPOINT"):
        azure.connect("mine")
    assert azure.available() == "AZURE_OPENAI_ENDPOINT is not set"
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://example.openai.azure.com")
    with pytest.raises(ConfigError, match="set OPENAI_API_VERSION"):
        azure.connect("mine")
    monkeypatch.setenv("OPENAI_API_VERSION", "2026-01-01")
    assert azure.available() is None
    assert azure.connect("mine").model == Model("azure", "mine", "https://example.openai.azure.com")


def test_deepseek_is_told_not_to_think(monkeypatch):
    """Its switch is a parameter of its own; an effort is passed on."""
    with serve(lambda text: "x") as server:
        spoken, module = set_up("deepseek", monkeypatch, server)
        for effort in ("none", "high"):
            ask(module, spoken.model, settings=Settings(reasoning_effort=effort))
    calm, keen = server.requests
    assert calm["thinking"] == {"type": "disabled"}
    assert "reasoning_effort" not in calm
    assert (keen["reasoning_effort"], keen.get("thinking")) == ("high", None)


@pytest.mark.parametrize(
    ("model", "effort", "is_plain"),
    [
        ("gpt-4o-mini", None, True),
        ("gpt-4.1", None, True),
        ("gpt-oss-20b", None, True),
        ("gpt-5-chat-latest", None, True),
        ("gpt-5-mini", None, False),
        ("gpt-6-luna", "low", False),
        ("gpt-6-luna", "none", True),
        ("o3-mini", None, False),
        ("ft:gpt-5-mini:me", None, False),
    ],
)
def test_models_that_think_take_no_sampling_parameters(model, effort, is_plain):
    """OpenAI refuses temperature, top_p and log-probabilities while a model thinks, and the older limit's name."""
    openai = plugins.load("providers", "openai")
    settings = Settings(temperature=0.0, top_p=0.5, max_tokens=9, reasoning_effort=effort)
    with serve(lambda text: "A") as server:
        ask(openai, model, settings=settings, reply=ReplyFormat("choice", ("A", "B")), base_url=server.openai_url)
    (body,) = server.requests
    assert ("temperature" in body) == ("top_p" in body) == ("logprobs" in body) == is_plain
    thinks = effort is not None or not is_plain
    assert body["max_completion_tokens" if thinks else "max_tokens"] == 9


@pytest.mark.parametrize(
    ("usage", "found"),
    [
        ({"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 135, "reasoning": 94}, 103),  # beside
        ({"prompt_tokens": 32, "completion_tokens": 0, "total_tokens": 126, "reasoning": 94}, 94),  # nothing visible
        ({"prompt_tokens": 32, "completion_tokens": 103, "total_tokens": 135, "reasoning": 94}, 103),  # within
        ({"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 41, "reasoning": 0}, 9),
        ({"prompt_tokens": 32, "completion_tokens": 9, "reasoning": 94}, 9),  # no total to tell by
    ],
)
def test_the_total_tells_whether_reasoning_is_within_the_completion(usage, found):
    """On any server of OpenAI's wire, a vendor's own or a gateway before it."""
    reasoning = usage.pop("reasoning")
    counted = as_openai_counts(usage | {"completion_tokens_details": {"reasoning_tokens": reasoning}})
    assert counted["completion_tokens"] == found


@pytest.mark.parametrize("junk", [None, "10", -1, 1.5, True, [], {}])
@pytest.mark.parametrize("what", ["prompt_tokens", "completion_tokens", "total_tokens"])
def test_counts_that_can_be_none_are_left_to_whoever_checks_them(junk, what):
    """A dialect never makes a number out of what is none."""
    usage = {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 12} | {what: junk}
    assert as_openai_counts(usage) == thoughts_outside(usage) == usage


@pytest.mark.parametrize(
    ("usage", "usd"),
    [
        ({"cost": 0.5}, 0.5),
        ({"cost": 0.01, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.2}}, 0.21),
        ({"cost": 0.01, "is_byok": True}, None),
        ({"cost": None}, None),
        ({"cost": "0.5"}, None),
        ({"cost": -1}, None),
        ({"cost": True}, None),
        ({"cost": float("nan")}, None),
        ({}, None),
        (None, None),
    ],
)
def test_a_cost_that_openrouter_reports_is_a_sound_one_or_none(usage, usd):
    """Then the list's price holds, never 0."""
    assert plugins.load("providers", "openrouter").reported_usd(usage) == (None if usd is None else pytest.approx(usd))


def test_the_owners_price_goes_before_the_reported_one(monkeypatch):
    """What a user sets is what holds."""
    with serve(lambda text: "x", raw_usage=VENDORS["openrouter"].usage) as server:
        spoken, module = set_up("openrouter", monkeypatch, server)
        response, connection = ask(module, spoken.model)
    own = {str(connection.model): pricing.Rates(1.0, 1.0)}
    assert pricing.Tariff(connection.model, own, reported=module.reported_usd).list_nano(response, AT) == 1_100_000


def ask_bedrock(monkeypatch, server):
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("BEDROCK_BASE_URL", server.url)
    bedrock = plugins.load("providers", "bedrock")
    return ask(bedrock, bedrock.DEFAULT_MODEL, settings=Settings(temperature=0.5, max_tokens=9))


def test_bedrock_is_asked_with_its_own_key(monkeypatch):
    """Anthropic's wire in Amazon's cloud: the model in the path, the key of Bedrock, AWS's price list."""
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "anthropics-own-key")
    usage = {"input": 1000, "read": 600, "write": 150, "output": 50, "reasoning": 40}
    with serve(str.upper, usage=usage) as server:
        response, connection = ask_bedrock(monkeypatch, server)
    assert server.paths == [f"/model/{connection.model.name}/invoke"]
    assert sent_headers(server)["authorization"] == f"Bearer {KEY}"
    assert "anthropics" not in json.dumps(server.headers)
    assert (response.text, response.usage) == ("SPAM OR HAM?", Usage(250, 600, 150, 10, 40))
    nano = pricing.Tariff(connection.model).list_nano(response, AT)
    assert nano == round((250 * 1 + 600 * 0.1 + 150 * 1.25 + 50 * 5) * 1000)
    assert connection.batches() is None


def test_bedrock_hides_its_key_and_says_what_is_missing(monkeypatch):
    """A server that echoes the key, no region, and no package for AWS's own credentials."""
    bedrock = plugins.load("providers", "bedrock")
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", KEY)
    with pytest.raises(ConfigError, match="needs a region: set AWS_REGION"):
        bedrock.connect("m")
    with serve(str.upper, faults={-1: "401 echo"}) as server:
        error, _ = ask_bedrock(monkeypatch, server)
    assert isinstance(error, AuthError)
    assert KEY not in str(error)
    monkeypatch.delenv("AWS_BEARER_TOKEN_BEDROCK")
    monkeypatch.setattr(bedrock, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"boto3 is not installed: pip install 'prompt-harness\[bedrock\]'"):
        bedrock.connect("m")


@pytest.mark.skipif(find_spec("boto3") is None, reason="the extra bedrock is not installed")
def test_bedrock_signs_with_awss_own_credentials(monkeypatch, tmp_path):
    """By Amazon's library; without any, one line says where they are looked for."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with serve(str.upper) as server:
        error, _ = ask_bedrock(monkeypatch, server)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "awss-secret-0123456789")
        response, _ = ask_bedrock(monkeypatch, server)
    assert isinstance(error, AuthError)
    assert "no credentials: " in str(error)
    assert "AWS_BEARER_TOKEN_BEDROCK" in str(error)
    assert response.text == "SPAM OR HAM?"
    assert "AKIDEXAMPLE" in sent_headers(server)["authorization"]
    assert "awss-secret" not in json.dumps(server.headers)


def test_vertex_says_what_is_missing(monkeypatch):
    """The package, the region."""
    vertex = plugins.load("providers", "vertex")
    monkeypatch.setattr(vertex, "_is_installed", lambda: False)
    with pytest.raises(ConfigError, match=r"google-auth is not installed: pip install 'prompt-harness\[vertex\]'"):
        vertex.connect("m")
    monkeypatch.setattr(vertex, "_is_installed", lambda: True)
    with pytest.raises(ConfigError, match="needs a region: set CLOUD_ML_REGION"):
        vertex.connect("m")
    assert vertex.available() == "CLOUD_ML_REGION is not set"


@pytest.mark.skipif(find_spec("google") is None or find_spec("google.auth") is None, reason="no extra vertex")
def test_vertex_without_credentials_is_one_line(monkeypatch, tmp_path):
    """Google's library looks for them when the first request is signed."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUD_ML_REGION", "global")
    monkeypatch.setenv("ANTHROPIC_VERTEX_PROJECT_ID", "mine")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "not-there.json"))
    vertex = plugins.load("providers", "vertex")
    with serve(str.upper) as server:
        error, _ = ask(vertex, vertex.DEFAULT_MODEL, base_url=server.url)
    assert isinstance(error, AuthError)
    assert "no credentials: " in str(error)
    assert "gcloud auth application-default login" in str(error)
    assert server.requests == []
