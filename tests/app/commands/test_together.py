"""Several processes on one store and one ledger at the same time."""

import json

from harness.ground.clock import SystemClock
from harness.store import Store
from tests import processes
from tests.loopback import serve

READER = """
import json, subprocess, sys
for _ in range(12):
    done = subprocess.run([sys.executable, "-m", "harness", "sql", "select count(*) as n from predictions", "--json"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    print(json.loads(done.stdout)[0]["n"])
"""


def evaluate(root, server, prompt):
    options = ["--model", "openai/m", "--base-url", server.openai_url, "--concurrency", "2", "--json"]
    return processes.harness(root, "eval", "--prompt", prompt, *options)


def test_two_evals_and_a_reader_all_succeed(harness, root):
    """Two prompts at once on one store, and somebody who looks all the while: nobody is turned away."""
    (root / "prompts" / "tickets" / "v9.j2").write_text("{% block user %}Ticket: {{ item.text }}\nLabel:{% endblock %}")
    assert harness("baselines", "--arm", "majority").code == 0
    with serve(lambda said: "bug", latency_s=0.15) as server:
        both = [evaluate(root, server, prompt) for prompt in ("v1", "v9")]
        reader = processes.start(root, "-c", READER)
        results = [json.loads(processes.printed(process)) for process in both]
        counts = [int(line) for line in processes.printed(reader).split()]
    n = results[0]["n"]
    assert [result["outcomes"]["answered"] for result in results] == [n, n]
    assert counts == sorted(counts)
    assert counts[-1] <= 3 * n
    found = harness("sql", "select arm, count(*) as n from scored group by arm order by arm", "--json").json
    assert [row["n"] for row in found] == [n, n, n]


def test_the_same_eval_twice_at_once_pays_once(root):
    """Both succeed with the same numbers, and no request was sent by both."""
    with serve(lambda said: "bug", latency_s=0.1) as server:
        both = [evaluate(root, server, "v1") for _ in range(2)]
        results = [json.loads(processes.printed(process)) for process in both]
        said = [body["messages"][-1]["content"] for body in server.requests]
    n = results[0]["n"]
    assert len(said) == len(set(said)) == n
    assert results[0]["run_id"] == results[1]["run_id"]
    assert results[0]["accuracy"] == results[1]["accuracy"]
    store = Store(root / "results" / "harness.duckdb", SystemClock())
    assert len(store.predictions([results[0]["run_id"]])) == n
    assert store.verify() == []
