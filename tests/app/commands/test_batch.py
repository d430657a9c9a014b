"""`eval --batch` against both providers' batch APIs on loopback: price, order, expiry, kill, budget."""

import json
import signal

import pytest

from harness import datasets
from tests import processes
from tests.loopback import serve
from tests.loopback_batches import Batches

PATHS = {"openai": "/v1", "anthropic": ""}
both = pytest.mark.parametrize("provider", sorted(PATHS))
SETTINGS = 'dataset = "tickets@v1"\n[prices."{}/m"]\ninput_fresh = 2.0\noutput_visible = 10.0\nbatch = 0.5\n'
LIST_USD = (100 * 2 + 2 * 10) / 1e6


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("harness.models.middleware.batched.FIRST_PAUSE_S", 0.02)


@pytest.fixture
def truth(root):
    """Every test item's label, by its text; the model is always right."""
    replies = {e.item.text: e.label for e in datasets.load(root, "tickets@v1").in_split("test")}
    return lambda said: replies[said.split("Ticket: ")[1].split("\nLabel:")[0]]


def command(provider, server, *more):
    (address, model) = (server.url + PATHS[provider], f"{provider}/m")
    return ["eval", "--prompt", "v1", "--model", model, "--base-url", address, "--batch", *more]


def n_items(root):
    return len(datasets.load(root, "tickets@v1").in_split("test"))


@both
def test_a_batch_costs_half_and_asks_nothing_one_by_one(harness, root, truth, provider):
    """List price and bill stand side by side; no latency is claimed; the second time nothing is submitted."""
    (root / "harness.toml").write_text(SETTINGS.format(provider))
    n = n_items(root)
    with serve(truth, batch=Batches(looks=2)) as server:
        done = harness(*command(provider, server, "--json"))
        again = harness(*command(provider, server, "--json")).json
        assert len(server.batch.asked) == len(set(server.batch.asked)) == n
        assert server.requests == []
    result = done.json
    assert (done.code, result["accuracy"]["value"], result["outcomes"]["answered"]) == (0, 1.0, n)
    assert result["cost_usd"] == pytest.approx(n * LIST_USD)
    assert result["billed_usd"] == pytest.approx(n * LIST_USD / 2)
    assert result["latency_s"] == {"p50": None, "p95": None, "p99": None}
    assert f"{n} requests submitted" in done.err
    assert (again["calls"]["sent"], again["billed_usd"]) == (0, 0.0)
    found = harness("sql", "select count(*) as n from predictions where latency_s is null and not cached", "--json")
    assert found.json == [{"n": n}]


@both
def test_what_expired_is_submitted_anew_and_what_was_refused_is_not(harness, root, truth, provider):
    """Three of the items expire and are answered in a second batch; one is rejected for good and fails."""
    (root / "harness.toml").write_text(SETTINGS.format(provider))
    n = n_items(root)
    fates = {0: "expired", 3: "expired", 4: "expired", 5: "400"}
    with serve(truth, batch=Batches(fates=fates)) as server:
        done = harness(*command(provider, server, "--json"))
        assert len(server.batch.batches) == 2
        assert len(server.batch.asked) == n + 3
    assert done.code == 3
    assert done.json["outcomes"] == {"answered": n - 1, "abstained": 0, "unparsed": 0, "refused": 0, "failed": 1}
    assert done.json["billed_usd"] == pytest.approx((n - 1) * LIST_USD / 2)
    assert "1 of" in done.err


@both
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "ctrl-c"])
def test_a_batch_outlives_the_process_that_submitted_it(root, truth, provider, how):
    """Stopped while the batch is under way, the same command waits for that batch and submits none."""
    (root / "harness.toml").write_text(SETTINGS.format(provider))
    n = n_items(root)
    with serve(truth, batch=Batches(looks=10_000)) as server:
        first = processes.harness(root, *command(provider, server, "--json"))
        processes.until(lambda: any(batch["looked"] for batch in server.batch.batches.values()), first)
        first.send_signal(how)
        _, err = first.communicate(timeout=processes.HANGS_S)
        if how == signal.SIGINT:
            assert first.returncode == 3
            assert "the same command goes on from there" in err
        for batch in server.batch.batches.values():
            batch["looks"] = 0
        result = json.loads(processes.printed(processes.harness(root, *command(provider, server, "--json"))))
        assert len(server.batch.batches) == 1
        assert len(server.batch.asked) == n
    assert result["accuracy"]["value"] == 1.0
    assert result["billed_usd"] == pytest.approx(n * LIST_USD / 2)


CHOICE = """---
output: choice
rotations: 1
---
{% block user %}{{ item.text }}
{% for label in labels %}{{ label.alias }}: {{ label.name }}
{% endfor %}{% endblock %}
"""


def test_a_smaller_run_leaves_the_scores_of_a_larger_ones_batch(harness, root):
    """It takes its own answers, pays nothing, and the larger run reads all replies with their scores."""
    (root / "harness.toml").write_text(SETTINGS.format("openai"))
    prompt = next((root / "prompts").rglob("v1.j2"))
    prompt.write_text(CHOICE)
    n = n_items(root)
    with serve(lambda said: "A", logprobs={"A": 0.75, "B": 0.25}, batch=Batches(looks=10_000)) as server:
        first = processes.harness(root, *command("openai", server, "--json"))
        processes.until(lambda: any(batch["looked"] for batch in server.batch.batches.values()), first)
        first.kill()
        first.communicate(timeout=processes.HANGS_S)
        for batch in server.batch.batches.values():
            batch["looks"] = 0
        small = harness(*command("openai", server, "--limit", "4", "--json")).json
        whole = harness(*command("openai", server, "--json")).json
        assert len(server.batch.asked) == n
    assert (small["outcomes"]["answered"], small["billed_usd"]) == (4, 0.0)
    assert (whole["outcomes"]["answered"], whole["billed_usd"]) == (n, pytest.approx(n * LIST_USD / 2))
    found = harness("sql", "select count(*) as n, min(score) as low, max(score) as high from predictions", "--json")
    assert found.json == [{"n": n + 4, "low": 0.75, "high": 0.75}]


@both
def test_a_batch_whose_name_was_never_learnt_is_found_again(harness, root, truth, provider):
    """The connection breaks after the batch was made: it is found at the provider, not paid for twice."""
    n = n_items(root)
    with serve(truth, batch=Batches(lose_the_reply_to={0})) as server:
        done = harness(*command(provider, server, "--json"))
        assert len(server.batch.batches) == 1
        assert len(server.batch.asked) == n
    assert done.json["outcomes"]["answered"] == n
    assert "found again" in done.err


@both
def test_a_batch_is_split_at_the_providers_limits(harness, root, truth, provider, monkeypatch):
    """As many requests as fit, then another batch."""
    module = {"openai": "_openai_batches.OpenAIBatches", "anthropic": "_anthropic_batches.AnthropicBatches"}[provider]
    monkeypatch.setattr(f"harness.models.providers.{module}.most_requests", 7)
    n = n_items(root)
    with serve(truth) as server:
        done = harness(*command(provider, server, "--json"))
        assert [batch["n"] for batch in server.batch.batches.values()] == [7] * (n // 7) + [n % 7] * (n % 7 > 0)
    assert done.json["outcomes"]["answered"] == n


@both
def test_a_budget_holds_for_batches_too(harness, root, truth, provider):
    """What does not fit is not submitted; what was answered is kept, and a larger budget goes on from there."""
    (root / "harness.toml").write_text(SETTINGS.format(provider))
    n = n_items(root)
    with serve(truth) as server:
        forecast = harness(*command(provider, server, "--dry-run", "--json")).json
        budget_usd = forecast["worst_usd"] / 2
        stopped = harness(*command(provider, server, "--budget", f"{budget_usd:.9f}"))
        asked = len(server.batch.asked)
        assert stopped.code == 3
        assert "raise --budget" in stopped.err
        assert 0 < asked < n
        assert asked * LIST_USD / 2 <= budget_usd
        done = harness(*command(provider, server, "--budget", "1", "--json"))
        assert len(server.batch.asked) == n
    assert done.json["outcomes"]["answered"] == n


def test_only_some_providers_have_a_batch_api(harness):
    """One line that says which."""
    done = harness("eval", "--prompt", "v1", "--model", "fake/first", "--batch")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "fake/ has no batch API; anthropic/, groq/ and openai/ have one" in done.err
