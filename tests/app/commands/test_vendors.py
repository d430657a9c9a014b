"""Several vendors on the command line: a plan of two, prices of others, and the line where there is no price."""

import re
from contextlib import ExitStack

import pytest

from harness.ground.clock import SystemClock
from harness.models import pricing
from harness.types import Model, Usage
from tests import clouds
from tests.app.commands.test_providers import planted
from tests.loopback import serve

MODELS = {"groq": "llama-3.1-8b-instant", "mistral": "ministral-8b-latest"}
PLAN = """
arms = ["majority", "prompt:v1"]
datasets = ["tickets@v1"]
models = ["groq/llama-3.1-8b-instant", "mistral/ministral-8b-latest"]
"""


@pytest.fixture
def vendors(monkeypatch, root):
    """A server a vendor, each with the vendor's own key in its variable, and right about other items."""
    wrong = {"groq": 3, "mistral": 7}
    with ExitStack() as open_servers:
        servers = {}
        for name, misses in wrong.items():
            answer, n = planted(root, misses)
            servers[name] = open_servers.enter_context(serve(answer, usage={"input": 1000, "output": 100}))
            monkeypatch.setenv(f"{name.upper()}_API_KEY", f"key-of-{name}-0123456789")
            monkeypatch.setenv(f"{name.upper()}_BASE_URL", servers[name].openai_url)
        yield servers, {name: (n - misses - 1) / n for name, misses in wrong.items()}, n


def listed(provider, name, batch=False):
    """What a planted call costs today by the vendor's list."""
    return pricing.price(Model(provider, name), Usage(1000, 0, 0, 100), SystemClock().now(), batch=batch).usd


def test_a_plan_of_two_vendors(harness, root, vendors):
    """Each server sees its own key only; accuracy, tokens and dollars are the planted ones of each."""
    servers, accuracy, n = vendors
    (root / "plan.toml").write_text(PLAN)
    done = harness("run", "plan.toml", "--json")
    assert done.code == 0
    rows = {row["model"]: row for row in done.json if row["model"] is not None}
    assert [row["arm"] for row in done.json] == ["majority", "prompt:v1", "prompt:v1"]
    for name, server in servers.items():
        model = f"{name}/{MODELS[name]}"
        assert len(server.requests) == n
        seen = {value for headers in server.headers for value in headers.values() if "key-of-" in value}
        assert seen == {f"Bearer key-of-{name}-0123456789"}
        assert rows[model]["accuracy"]["value"] == pytest.approx(accuracy[name])
        shown = harness("runs", "show", rows[model]["run_id"], "--json").json
        assert (shown["tokens"]["input_fresh"], shown["tokens"]["output_visible"]) == (1000 * n, 100 * n)
        assert shown["cost_usd"] == pytest.approx(n * listed(name, MODELS[name]), abs=1e-9)
        assert shown["billed_usd"] == shown["cost_usd"]
    assert {"groq/llama", "mistral/min"} <= set(re.findall(r"groq/llama|mistral/min", harness("run", "plan.toml").out))
    assert [len(server.requests) for server in servers.values()] == [n, n]


CLOUDS = {
    "bedrock": ("global.anthropic.claude-haiku-4-5-20251001-v1:0", 1.0, 0.1, 1.25, 5.0),
    "vertex": ("claude-haiku-4-5@20251001", 1.0, 0.1, 1.25, 5.0),
}
"""The model asked, and by hand the dollars for a million tokens: fresh, read, written, and said or thought."""


@pytest.fixture(params=CLOUDS)
def cloud(request, monkeypatch, tmp_path, root):
    """A cloud that serves Anthropic's models, asked with its own credentials; and what the models say, by plan."""
    answer, n = planted(root, wrong=4)
    with ExitStack() as opened:
        server = opened.enter_context(serve(answer, usage=THOUGHTFUL))
        if request.param == "bedrock":
            monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", clouds.TOKEN)
            monkeypatch.setenv("AWS_REGION", "us-east-1")
        else:
            pytest.importorskip("google.auth", reason="the extra vertex is not installed")
            pytest.importorskip("cryptography", reason="no key can be made without it")
            key_file = opened.enter_context(clouds.google_key_file(tmp_path / "key.json"))
            monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key_file))
            monkeypatch.setenv("CLOUD_ML_REGION", "global")
            monkeypatch.setenv("ANTHROPIC_VERTEX_PROJECT_ID", "mine")
        monkeypatch.setenv("ANTHROPIC_API_KEY", "anthropics-own-key-0123456789")
        monkeypatch.setenv(f"{request.param.upper()}_BASE_URL", server.url)
        yield request.param, server, (n - 5) / n, n


THOUGHTFUL = {"input": 1000, "read": 600, "write": 150, "output": 50, "reasoning": 40}


def test_a_cloud_bills_what_its_list_says(harness, cloud):
    """Planted accuracy, tokens in five buckets and dollars to the cent; the cloud's credentials alone are sent."""
    name, server, accuracy, n = cloud
    model, fresh, read, wrote, said = CLOUDS[name]
    done = harness("eval", "--prompt", "v1", "--model", f"{name}/{model}", "--json")
    assert done.code == 0, done.err
    assert done.json["accuracy"]["value"] == pytest.approx(accuracy)
    tokens = harness("runs", "show", done.json["run_id"], "--json").json["tokens"]
    assert tokens == {
        "input_fresh": 250 * n,
        "cache_read": 600 * n,
        "cache_write": 150 * n,
        "output_visible": 10 * n,
        "reasoning": 40 * n,
    }
    dollars = n * (250 * fresh + 600 * read + 150 * wrote + 50 * said) / 1e6
    assert (done.json["cost_usd"], done.json["billed_usd"]) == pytest.approx((dollars, dollars), abs=1e-9)
    assert len(server.requests) == n
    assert {headers["authorization"] for headers in server.headers} == {f"Bearer {clouds.TOKEN}"}
    assert not any("anthropics-own" in value for headers in server.headers for value in headers.values())
    if name == "vertex":
        at = f"/projects/mine/locations/global/publishers/anthropic/models/{model}:rawPredict"
        assert {path.removeprefix("/v1") for path in server.paths} == {at}


@pytest.mark.parametrize("name", ["mistral", "azure", "together"])
def test_who_has_no_batches_here_says_who_has(harness, root, monkeypatch, name):
    """Their batches are on other wires: one line before anything is sent, and never the list price instead."""
    monkeypatch.setenv("OPENAI_API_VERSION", "2026-01-01")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "http://127.0.0.1:9")
    for variable in ("AZURE_OPENAI_API_KEY", "MISTRAL_API_KEY", "TOGETHER_API_KEY"):
        monkeypatch.setenv(variable, "key-0123456789abcdefghij")
    done = harness("eval", "--prompt", "v1", "--model", f"{name}/m", "--batch")
    assert done.code == 2
    assert f"--batch: {name}/ has no batch API; anthropic/, groq/ and openai/ have one" in done.err


def test_a_plan_is_forecast_for_every_model(harness, root, vendors):
    """Nothing is sent; a line for each model, with its own price."""
    servers, _, _ = vendors
    (root / "plan.toml").write_text(PLAN)
    done = harness("run", "plan.toml", "--dry-run", "--json").json
    assert [arm["model"] for arm in done["arms"]] == [None, *(f"{name}/{MODELS[name]}" for name in sorted(MODELS))]
    groq, mistral = done["arms"][1:]
    assert 0 < groq["worst_usd"] < mistral["worst_usd"]
    assert not any(server.requests for server in servers.values())


@pytest.fixture
def own_server(monkeypatch, root):
    """A server of one's own, which serves what it calls gpt-4o."""
    answer, n = planted(root, 0)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789abcdefghij")
    with serve(answer, usage={"input": 1000, "output": 100}) as server:
        yield ("eval", "--prompt", "v1", "--model", "openai/gpt-4o", "--base-url", server.openai_url), server, n


def test_a_server_of_ones_own_has_the_price_one_names(harness, own_server):
    """Unknown and said so, with the reason and the way; or the price of the model that is named."""
    asked, server, n = own_server
    bare = harness(*asked, "--json")
    assert bare.json["cost_usd"] is None
    assert f"cost unknown: openai/gpt-4o is asked at {server.openai_url}, which is not the vendor's own" in bare.err
    assert "--priced-as VENDOR/MODEL" in bare.err
    harness("runs", "rm", bare.json["run_id"])  # a stored run keeps its cost; the ledger's answers are priced anew
    named = harness(*asked, "--priced-as", "groq/llama-3.1-8b-instant", "--json")
    assert named.json["cost_usd"] == pytest.approx(n * listed("groq", "llama-3.1-8b-instant"))
    assert (named.json["billed_usd"], len(server.requests)) == (0, n)
    assert "cost unknown" not in named.err


def test_settings_name_a_price_too(harness, root, own_server):
    """For plans and servers that stay; a budget then holds."""
    asked, server, n = own_server
    refused = harness(*asked, "--budget", "1")
    assert refused.code == 2
    assert "--budget needs a price for openai/gpt-4o: openai/gpt-4o is asked at" in refused.err
    assert server.requests == []
    (root / "harness.toml").write_text(
        'dataset = "tickets@v1"\n[prices]\n"openai/gpt-4o" = "mistral/ministral-8b-latest"\n'
    )
    done = harness(*asked, "--budget", "1", "--json")
    assert done.json["cost_usd"] == pytest.approx(n * listed("mistral", "ministral-8b-latest"))


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("gpt-4o", "expected VENDOR/MODEL with a price list, one of anthropic/..., azure/..."),
        ("fake/first", "expected VENDOR/MODEL with a price list"),
        ("groq/no-such-model", "lists no price for it; see harness models"),
    ],
)
def test_a_price_that_cannot_be_named_is_said(harness, own_server, named, said):
    """What was found and what was expected; nothing is sent."""
    asked, server, _ = own_server
    done = harness(*asked, "--priced-as", named)
    assert done.code == 2
    assert said in done.err
    assert server.requests == []


def test_a_batch_without_a_price_is_said(harness, vendors):
    """A list price is no batch price; what has no batches names who has."""
    done = harness("eval", "--prompt", "v1", "--model", "groq/llama-3.1-8b-instant", "--batch", "--budget", "1")
    assert done.code == 2
    assert "lists no batch price for groq/llama-3.1-8b-instant" in done.err
    done = harness("eval", "--prompt", "v1", "--model", "fake/first", "--batch")
    assert "fake/ has no batch API; anthropic/, groq/" in done.err


def test_groqs_batches_are_openais(harness, vendors):
    """The list price and the bill, half of it, stand side by side."""
    _, accuracy, n = vendors
    done = harness("eval", "--prompt", "v1", "--model", "groq/openai/gpt-oss-20b", "--batch", "--json")
    assert done.json["accuracy"]["value"] == pytest.approx(accuracy["groq"])
    assert done.json["cost_usd"] == pytest.approx(n * listed("groq", "openai/gpt-oss-20b"))
    assert done.json["billed_usd"] == pytest.approx(n * listed("groq", "openai/gpt-oss-20b", batch=True))
    assert done.json["billed_usd"] == pytest.approx(done.json["cost_usd"] / 2)


def test_models_prints_the_price_that_a_call_pays(harness, root):
    """Fresh and cached, written and thought, in a batch; a user's own price before the list's."""
    (root / "harness.toml").write_text(
        'dataset = "tickets@v1"\n[prices."openai/gpt-4o"]\ninput_fresh = 1.0\noutput_visible = 2.0\nbatch = 0.5\n'
    )
    rows = {row["model"]: row for row in harness("models", "--json").json}
    kinds = ("input", "cache_read", "cache_write", "output", "reasoning", "batch_input", "batch_output")
    haiku = [rows["anthropic/claude-haiku-4-5"][f"{kind}_usd_per_million"] for kind in kinds]
    assert haiku == pytest.approx([1, 0.1, 1.25, 5, 5, 0.5, 2.5])
    own = [rows["openai/gpt-4o"][f"{kind}_usd_per_million"] for kind in kinds]
    assert own == pytest.approx([1, 1, 1, 2, 2, 0.5, 1])
    assert rows["google/gemini-2.5-flash"]["batch_input_usd_per_million"] is None
    assert "batch out" in harness("models").out


def test_doctor_knows_the_vendors_keys(harness, monkeypatch):
    """Which are missing, by name, and which are wrong."""
    monkeypatch.setenv("XAI_API_KEY", "“quoted”")
    found = {finding["what"]: finding["detail"] for finding in harness("doctor", "--json").json}
    assert found["provider google"] == "GEMINI_API_KEY is not set"
    assert found["provider xai"].startswith("XAI_API_KEY is no key: its character")
    monkeypatch.setenv("GEMINI_API_KEY", "x" * 20)
    found = {finding["what"]: finding["detail"] for finding in harness("doctor", "--json").json}
    assert found["provider google"] == "can be called"


def test_auto_takes_any_vendors_key(monkeypatch, harness):
    """OpenAI's and Anthropic's first, then the others'."""
    monkeypatch.setenv("MISTRAL_API_KEY", "x" * 20)
    done = harness("eval", "--prompt", "v1", "--model", "auto", "--dry-run", "--json")
    assert done.json["arms"][0]["model"] == "mistral/mistral-small-latest"


def test_a_decision_model_is_evaluated_like_any_other(harness, root, monkeypatch):
    """Accuracy, probabilities as scores, tokens and dollars are the planted ones."""
    monkeypatch.setenv("TYPESAFE_API_KEY", "tsk-canary-0123456789abcdefghij")
    answer, n = planted(root, 4)
    with serve(answer, usage={"input": 1000, "output": 5}) as server:
        monkeypatch.setenv("SYSTEMONE_BASE_URL", server.url)
        asked = ("eval", "--prompt", "v1", "--model", "systemone/jev-latest")
        result = harness(*asked, "--priced-as", "systemone/jev-latest", "--json").json
    assert result["accuracy"]["value"] == pytest.approx((n - 5) / n)
    assert result["ece"]["n"] == n - 1  # what is no label has no score
    assert result["tokens"]["input_fresh"] == 1000 * n
    assert [result["cost_usd"], result["billed_usd"]] == pytest.approx([n * 1000 * 0.042e-6] * 2)
    criteria = server.requests[0]["questions"]["label"]["criteria"]
    assert criteria == {"billing": None, "bug": None, "question": None}
