"""Planted truth through the real SDKs: what the server was told to answer is what is printed."""

import pytest

from harness import datasets
from tests.loopback import serve

PROVIDERS = {
    "openai": ("OPENAI_API_KEY", "OPENAI_BASE_URL", "/v1"),
    "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", ""),
}
KEY = "sk-canary-0123456789abcdefghij"
both = pytest.mark.parametrize("provider", sorted(PROVIDERS))


def planted(root, wrong):
    """A model that is wrong on the first `wrong` test items, and prose on the one after; and n."""
    examples = datasets.load(root, "tickets@v1").in_split("test")
    replies = {e.item.text: e.label for e in examples}
    for i, example in enumerate(examples[: wrong + 1]):
        replies[example.item.text] = "bug" if example.label == "billing" else "billing"
        if i == wrong:
            replies[example.item.text] = "I cannot decide."
    return lambda said: replies[said.split("Ticket: ")[1].split("\nLabel:")[0]], len(examples)


@both
def test_accuracy_tokens_and_dollars_are_the_planted_ones(harness, root, provider, monkeypatch):
    """Exactly: shares from the answers, sums from the usage, dollars from the price in the settings."""
    key, _, path = PROVIDERS[provider]
    monkeypatch.setenv(key, KEY)
    (root / "harness.toml").write_text(
        f'dataset = "tickets@v1"\n[prices."{provider}/m"]\ninput_fresh = 2.0\ncache_read = 0.5\noutput_visible = 10.0\n'
    )
    answer, n = planted(root, wrong=5)
    with serve(answer, usage={"input": 120, "read": 20, "output": 3}) as server:
        done = harness("eval", "--prompt", "v1", "--model", f"{provider}/m", "--base-url", server.url + path, "--json")
    result = done.json
    assert done.code == 0
    assert len(server.requests) == n
    assert result["accuracy"]["value"] == pytest.approx((n - 6) / n)
    assert result["outcomes"]["unparsed"] == 1
    assert result["tokens"] == {
        "input_fresh": 100 * n,
        "cache_read": 20 * n,
        "cache_write": 0,
        "output_visible": 3 * n,
        "reasoning": 0,
    }
    assert result["cost_usd"] == pytest.approx(n * (100 * 2 + 20 * 0.5 + 3 * 10) / 1e6)
    assert result["billed_usd"] == pytest.approx(result["cost_usd"])
    assert result["model"] == f"{provider}/m"


@both
def test_the_sdks_own_address_variable_works(harness, root, provider, monkeypatch):
    """Without --base-url, the environment decides; a server of one's own has no price."""
    key, address, path = PROVIDERS[provider]
    answer, n = planted(root, wrong=0)
    with serve(answer) as server:
        monkeypatch.setenv(key, KEY)
        monkeypatch.setenv(address, server.url + path)
        result = harness("eval", "--prompt", "v1", "--model", f"{provider}/m", "--json").json
    assert (result["calls"]["sent"], result["cost_usd"]) == (n, None)


@both
def test_outages_are_survived_and_counted(harness, root, provider):
    """A few 429 and 500 cost retries and no item; a rejected request costs one item, and exit code 3."""
    _, _, path = PROVIDERS[provider]
    answer, n = planted(root, wrong=0)
    command = ["eval", "--prompt", "v1", "--model", f"{provider}/m", "--json"]
    with serve(answer, faults={1: "429 0", 4: "500", 6: "reset", 9: "422"}) as server:
        done = harness(*command, "--base-url", server.url + path)
        assert done.code == 3
        assert "1 of" in done.err
        assert "asks them again" in done.err
        result = done.json
        assert result["outcomes"]["failed"] == 1
        assert result["accuracy"]["n"] == n - 1
        assert result["calls"] == {"sent": n + 3, "cached": 0, "retried": 3}
        again = harness(*command, "--base-url", server.url + path)
    assert (again.code, again.json["calls"]["sent"], again.json["outcomes"]["failed"]) == (0, 1, 0)
    assert again.json["accuracy"]["n"] == n


@both
def test_a_refused_key_stops_the_run_at_once(harness, root, provider):
    """One line, exit code 2, and nobody asks the other items."""
    _, _, path = PROVIDERS[provider]
    with serve(lambda said: "bug", faults={-1: "401"}) as server:
        done = harness(
            "eval", "--prompt", "v1", "--model", f"{provider}/m", "--base-url", server.url + path, "--concurrency", "2"
        )
    assert (done.code, done.err.strip().count("HTTP 401")) == (2, 1)
    assert len(server.requests) <= 4


@both
def test_a_key_is_nowhere_in_the_results(harness, root, provider, monkeypatch):
    """Not in the store, the ledger, the report or what is printed, even when the server echoes it."""
    key, _, path = PROVIDERS[provider]
    monkeypatch.setenv(key, KEY)
    with serve(lambda said: f"your key is {KEY}", faults={2: "400 echo", 3: "422 echo"}) as server:
        done = harness("eval", "--prompt", "v1", "--model", f"{provider}/m", "--base-url", server.url + path)
    assert KEY in str(server.headers)
    assert KEY not in done.out + done.err
    for path in (root / "results").rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
