"""Everything a provider can do wrong, through the whole engine: right outcome, right counts, no row lost."""

from datetime import timedelta

import pytest

from harness import datasets
from tests.loopback import serve

PATHS = {"openai": "/v1", "anthropic": ""}
both = pytest.mark.parametrize("provider", sorted(PATHS))
AT = 2  # the number of the request that goes wrong
SETTINGS = 'dataset = "tickets@v1"\nconcurrency = 4\ntimeout_s = {}\ndeadline_s = {}\n'
PATIENT = SETTINGS.format(300.0, 600.0)
# Long enough for a reply on a busy machine; what the test waits for.
GIVES_UP = SETTINGS.format(5.0, 600.0)


@pytest.fixture(autouse=True)
def short_pause(monkeypatch):
    monkeypatch.setattr("harness.models.middleware.limited.LONGEST_PAUSE_S", 0.6)


@pytest.fixture
def truth(root):
    (root / "harness.toml").write_text(PATIENT)
    replies = {e.item.text: e.label for e in datasets.load(root, "tickets@v1").in_split("test")}
    return lambda said: replies[said.split("Ticket: ")[1].split("\nLabel:")[0]]


class AtFirst(dict):
    """Faults of the first items that are asked, each the first time it is asked; `texts` says whose they are."""

    def __init__(self, server, faults):
        self.server, self.left, self.texts = server, list(faults), {}

    def get(self, number, default=None):
        if number < 0 or (text := said(self.server, number)) in self.texts:
            return default
        self.texts[text] = self.left.pop(0) if self.left else ""
        return self.texts[text]


def said(server, number):
    return server.requests[number]["messages"][-1]["content"]


def run(harness, root, provider, server):
    """The result of an eval, its exit code, the rows as the store has them, and the number of items."""
    address = server.url + PATHS[provider]
    done = harness("eval", "--prompt", "v1", "--model", f"{provider}/m", "--base-url", address, "--json")
    columns = "example_id, outcome, label, attempts, error, waited_s, latency_s"
    rows = harness("sql", f"select {columns} from predictions", "--limit", "1000", "--json").json
    n = len(datasets.load(root, "tickets@v1").in_split("test"))
    assert len(rows) == n, "a row was lost"
    return done, rows, n


def by_fault(root, server, rows):
    """The row of each item that met with a fault."""
    of = {text.split("Ticket: ")[1].split("\nLabel:")[0]: fault for text, fault in server.faults.texts.items()}
    faults = {e.item.id: of[e.item.text] for e in datasets.load(root, "tickets@v1").in_split("test")}
    return {fault: row for row in rows if (fault := faults[row["example_id"]])}


PASSING = ["429 0", "429 2", "500", "503", "529", "reset", "hang", "half", "garbage"]


@both
def test_what_passes_costs_a_retry_and_no_item(harness, root, truth, provider):
    """One attempt more for one item; every answer is right, and the wait is kept apart from the latency."""
    (root / "harness.toml").write_text(GIVES_UP)
    with serve(truth) as server:
        server.faults = AtFirst(server, PASSING)
        done, rows, n = run(harness, root, provider, server)
    result = done.json
    assert (done.code, result["accuracy"]["value"], result["outcomes"]["answered"]) == (0, 1.0, n)
    assert (result["calls"]["sent"], result["calls"]["retried"]) == (n + len(PASSING), len(PASSING))
    assert len(server.requests) == n + len(PASSING)
    again = by_fault(root, server, rows)
    assert sorted(again) == sorted(PASSING)
    assert [row["attempts"] for row in again.values()] == [2] * len(PASSING)
    assert sorted(row["attempts"] for row in rows) == [1] * (n - len(PASSING)) + [2] * len(PASSING)
    for fault, row in again.items():
        assert row["waited_s"] >= {"429 2": 1.9, "hang": 5.0}.get(fault, 0.3), fault
        assert row["waited_s"] + row["latency_s"] <= result["wall_s"]


def test_a_date_is_obeyed_like_seconds(harness, root, truth):
    """Retry-After may be an HTTP date."""
    with serve(truth, faults={AT: "429 date 3"}) as server:
        done, _, n = run(harness, root, "openai", server)
    assert (done.code, done.json["calls"]["sent"]) == (0, n + 1)
    again = next(place for place in range(AT + 1, n + 1) if said(server, place) == said(server, AT))
    assert server.came_at[again] >= server.dates[0] - timedelta(seconds=0.05)


@both
def test_what_does_not_pass_fails_one_item_that_is_asked_again(harness, root, truth, provider):
    """A pause of a day, a rejected request: a failed item and no wrong answer; the same command asks it again."""
    lasting = ["429 86400", "422"]
    with serve(truth) as server:
        server.faults = AtFirst(server, lasting)
        done, rows, n = run(harness, root, provider, server)
        met = by_fault(root, server, rows)
        assert (done.code, done.json["outcomes"]["failed"], sorted(met)) == (3, 2, sorted(lasting))
        assert (done.json["accuracy"]["value"], done.json["accuracy"]["n"]) == (1.0, n - 2)
        for fault, row in met.items():
            assert (row["outcome"], row["label"]) == ("failed", None)
            assert f"HTTP {fault.split()[0]}" in row["error"]
        again, _, _ = run(harness, root, provider, server)
    assert (again.code, again.json["outcomes"]["answered"]) == (0, n)
    assert again.json["calls"] == {"sent": 2, "cached": n - 2, "retried": 0}


@both
def test_an_outage_without_end_stops_the_run_and_keeps_what_was_answered(harness, root, truth, provider, monkeypatch):
    """After a row of failures nobody asks on; what was answered before is stored, and the next time asked no more."""
    monkeypatch.setattr("harness.runs.runner.FAILURES_IN_A_ROW", 3)
    (root / "harness.toml").write_text(SETTINGS.format(300.0, 1.0))
    command = ["eval", "--prompt", "v1", "--model", f"{provider}/m", "--json", "--base-url"]
    with serve(truth, faults=dict.fromkeys(range(5, 500), "500")) as server:
        done = harness(*command, server.url + PATHS[provider])
        assert done.code == 3
        assert "3 requests in a row failed" in done.err
        assert "HTTP 500" in done.err
        server.faults = {}
        before = len(server.requests)
        again = harness(*command, server.url + PATHS[provider]).json
    n = again["n"]
    assert again["outcomes"]["answered"] == n
    assert again["calls"] == {"sent": n - 5, "cached": 5, "retried": 0}
    assert len(server.requests) - before == n - 5


NO_LABEL = {"empty": "unparsed", "prose": "unparsed", "cut": "unparsed", "refusal": "refused"}


@both
def test_a_reply_that_is_no_label_is_its_own_outcome(harness, root, truth, provider):
    """Counted, stored with what was said, scored as no answer, never retried and never guessed at."""
    with serve(truth) as server:
        server.faults = AtFirst(server, NO_LABEL)
        done, rows, n = run(harness, root, provider, server)
    result = done.json
    expected = {"answered": n - 4, "abstained": 0, "unparsed": 3, "refused": 1, "failed": 0}
    assert (done.code, result["outcomes"]) == (0, expected)
    assert result["accuracy"]["value"] == pytest.approx((n - 4) / n)
    assert (result["calls"]["sent"], result["calls"]["retried"], len(server.requests)) == (n, 0, n)
    met = by_fault(root, server, rows)
    assert {fault: row["outcome"] for fault, row in met.items()} == NO_LABEL
    assert {row["label"] for row in met.values()} == {None}


@both
def test_a_storm_of_429_is_ridden_out(harness, root, truth, provider):
    """Half of the first thirty requests are refused: every item is answered, and the run keeps how the limit shrank."""
    with serve(truth, faults=dict.fromkeys(range(0, 30, 2), "429 0")) as server:
        done, _, n = run(harness, root, provider, server)
    assert (done.code, done.json["outcomes"]["answered"]) == (0, n)
    assert len(server.requests) == n + done.json["calls"]["retried"]
    (limits,) = harness("sql", "select limits from runs where limits is not null", "--json").json
    assert '"why":"429"' in str(limits["limits"])
