"""Eight commands with two budgets, one lake and one ledger on one server: two are killed, the server crashes."""

import json
from random import Random
from zlib import crc32

import pytest

from harness import datasets
from harness.ground.clock import SystemClock
from harness.ground.shards import Shard
from harness.models.ledger import Ledger
from harness.store import Store
from harness.store.lake.address import PREFIX, LakeAddress
from tests import processes
from tests.conftest import write_tickets
from tests.loopback import serve
from tests.models.ledger.contract import rows
from tests.soak import sound
from tests.team.faults import Team, two_kills_and_a_crash

LABELS = ("billing", "bug", "question")
N, PART, AT_ONCE = 40, 25, 2
SHARD = Shard(1, 2)
KINDS = {"whole": [], "limited": ["--limit", str(PART)], "shard": ["--shard", str(SHARD)]}
USAGE = {"input": 20, "output": 2}
CALL_USD = (20 * 1.0 + 2 * 10.0) / 1e6
BUDGETS = {"v1": N / 2 * CALL_USD, "v2": 1.0}  # one that does not hold all the items, and one that does
SETTINGS = """db = "{lake}"
db_data = "lake"
ledger = "postgres:{conninfo}"
dataset = "crowd@v1"
deadline_s = 600
timeout_s = 600
[prices."openai/m"]
input_fresh = 1.0
output_visible = 10.0
"""
PROMPT = "---\nmodel: {{max_tokens: 8}}\n---\n{{% block user %}}\n{version}: {{{{ item.text }}}}\n{{% endblock %}}\n"


def answer(said):
    """A label that follows from the item's text alone."""
    return LABELS[crc32(said.partition(": ")[2].encode()) % 3]


def prepare(root, conninfo):
    """The workspace that all commands share: two prompts, a dataset, one server for the store and the ledger."""
    write_tickets(
        root, [(f"text number {i}", LABELS[i % 3], "", ("train", "test")[i < N]) for i in range(N + 9)], "crowd"
    )
    (root / "harness.toml").write_text(SETTINGS.format(lake=f"{PREFIX}{conninfo}", conninfo=conninfo))
    (root / "prompts" / "crowd").mkdir()
    for version in BUDGETS:
        (root / "prompts" / "crowd" / f"{version}.j2").write_text(PROMPT.format(version=version))


class Observer:
    """What somebody else sees of the server, and what the model's server was asked."""

    def __init__(self, conninfo, root, seen):
        self.place, self.seen = f"postgres:{conninfo}", seen
        self.store = Store(LakeAddress(conninfo, f"{root / 'lake'}/"), SystemClock(), wait_s=120.0)
        self.acknowledged: list[tuple[int, set[str], set[tuple]]] = []

    def asked(self):
        """What was asked, in order, as the prompt's version and the item's text."""
        return [body["messages"][-1]["content"] for body in list(self.seen.requests)]

    def answers(self):
        requests = [json.loads(text) for (text,) in rows(self.place, "select request from calls where servable")]
        return [request["messages"][-1]["content"] for request in requests]

    def stored(self):
        query = "select run_id, example_id, label from predictions"
        return [tuple(row) for row in self.store.query(query, limit=100_000).itertuples(index=False)]

    def look(self):
        """Note what is acknowledged now, and then how much has been asked by now."""
        answers, stored = set(self.answers()), set(self.stored())
        self.acknowledged.append((len(self.asked()), answers, stored))

    def check(self):
        """Nothing that was acknowledged at any look is gone, or was asked once more; no answer and no row is twice."""
        asked, answers, stored = self.asked(), self.answers(), self.stored()
        assert len(answers) == len(set(answers))
        assert len(stored) == len({row[:2] for row in stored})
        assert len(asked) - len(set(asked)) <= 2 * AT_ONCE, "asked twice beyond what was under way in what was killed"
        for n, answered_then, stored_then in self.acknowledged:
            assert answered_then <= set(answers)
            assert stored_then <= set(stored)
            assert not answered_then & set(asked[n:])
        assert self.store.verify() == []


def in_budget(asked, budgets):
    """By what the model's server counts, each prompt has cost at most its budget."""
    return all(
        sum(said.startswith(f"{version}:") for said in asked) * CALL_USD <= budgets[version] for version in budgets
    )


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(6))
def test_eight_commands_two_budgets_two_kills_and_a_crash(postgres, root, seed):
    """Rows equal the sum, nothing acknowledged is lost, both budgets hold, nothing is asked twice.

    But what a killed command had under way: the server answers that to nobody, so it is asked again.
    """
    rng, conninfo = Random(seed), postgres.database()
    prepare(root, conninfo)
    with serve(answer, latency_s=0.1, usage=USAGE, held_from=0) as seen:
        team, observer, works = Team(), Observer(conninfo, root, seen), {}

        def start(version, kind, budget_usd):
            told = ["--prompt", version, *KINDS[kind], "--budget", f"{budget_usd:.6f}", "--concurrency", str(AT_ONCE)]
            asking = ["--model", "openai/m", "--base-url", seen.openai_url, "--json"]
            process = processes.harness(root, "eval", *told, *asking)
            works[process] = version, kind
            team.join(process)

        for version, budget_usd in BUDGETS.items():
            for kind in ("whole", "whole", "limited", "shard"):
                start(version, kind, budget_usd)
        team.until(lambda: bool(seen.requests))  # now the ledger has its tables
        team.until(lambda: rows(observer.place, "select count(*) from owners") == [(8,)])
        seen.released.set()
        two_kills_and_a_crash(rng, postgres, team, lambda: len(seen.requests), N, observer.look)
        team.finish((0, 3))
        observer.look()
        assert in_budget(observer.asked(), BUDGETS)
        assert 3 in {process.returncode for process, _, _ in team.ended}, "the budget of v1 ended some of them"
        for process, _, err in team.ended:
            if process.returncode >= 0:
                sound.one_line(process.returncode, err)
        for version, kind in sorted({works[process] for process, _, _ in team.ended if process.returncode}):
            start(version, kind, 1.0)
        team.finish()
        observer.look()
        observer.check()
    sums_are_right(observer, root)
    observer.store.close()


def sums_are_right(observer, root):
    """Each of the six runs is there once with the rows it should have; a row is what the model said of its item."""
    items = [example.item for example in datasets.load(root, "crowd@v1").in_split("test")]
    expected = {"whole": N, "limited": PART, "shard": sum(SHARD.holds(item.id) for item in items)}
    runs = observer.store.runs()
    assert sorted(zip(runs["purpose"], runs["n"], strict=True)) == sorted([*expected.items()] * 2)
    assert set(runs["status"]) == {"done"}
    assert len(observer.stored()) == 2 * sum(expected.values())
    texts = {item.id: item.text for item in items}
    assert all(label == answer(f"v: {texts[item_id]}") for _, item_id, label in observer.stored())
    assert len(observer.answers()) == 2 * N
    with Ledger(observer.place) as ledger:
        for (account,) in rows(observer.place, "select distinct account from calls"):
            assert ledger.spent(account).in_flight == 0
            assert ledger.spent(account).billed == round(N * CALL_USD * 1e9)
