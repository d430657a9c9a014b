"""Eight processes with two budgets on one server's ledger, while some are killed and the server crashes."""

import subprocess
import sys
from random import Random

import pytest

from harness.models.ledger import Ledger
from tests.hostile import ASKED, SAID, hostile
from tests.models.ledger.contract import rows
from tests.team.faults import Team, two_kills_and_a_crash

BUYER = """
import asyncio, os, sys
from random import Random
from harness.errors import BudgetExceeded, ProviderError
from harness.ground import plugins
from harness.ground.clock import SystemClock
from harness.ground.ids import request_id
from harness.models.ledger import Ledger, place_of
from harness.models.pricing import Rates, Tariff
from harness.models.ledger import leases
from harness.models.stack import Asking, Stack
from harness.types import Message, Request, Settings
place, url, account, budget_usd, n, seed = sys.argv[1:]
leases._place = lambda: f"machine-{os.getpid()}"  # none of them sees another's process
async def go():
    connection = plugins.load("providers", "openai").connect("m", base_url=url, timeout_s=30.0)
    tariff = Tariff(connection.model, {str(connection.model): Rates(input_fresh=1.0, output_visible=10.0)})
    numbers = Random(seed).sample(range(int(n)), int(n))
    with Ledger(place_of(place)) as ledger:
        asking = Asking(budget_usd=float(budget_usd), deadline_s=600.0, workers=4)
        stack = Stack(connection, ledger, SystemClock(), tariff, account, asking)
        async def work():
            while numbers:
                said = (Message("user", f"{account} {numbers.pop()} " + "x" * 200),)
                request = Request(connection.model, said, Settings(max_tokens=10))
                try:
                    await stack.provider.send(request)
                except BudgetExceeded:
                    numbers.clear()
                    return
                print(request_id(request), flush=True)
        await asyncio.gather(*(work() for _ in range(4)))
        await stack.close()
asyncio.run(go())
"""
N = 60  # items of each account
CALL_USD = (ASKED * 1.0 + SAID * 10.0) / 1e6
BUDGETS = {"a": 40 * CALL_USD, "b": 1.0}


def buyer(place, url, account, seed):
    """A process that buys the items of an account, in an order of its own."""
    url = f"{url}/late%3A0.05%3A{account}/v1"
    arguments = [place, url, account, str(BUDGETS[account]), str(N), str(seed)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", BUYER, *arguments], **pipes)


def acknowledged(team):
    return {line for out in team.printed for line in out.split() if len(line) > 60}


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 10))])
def test_eight_processes_two_budgets_two_kills_and_a_crash(postgres, seed):
    """No answer is asked twice but what a killed process had under way, both budgets hold, no answer is lost."""
    rng, place = Random(seed), f"postgres:{postgres.database()}"
    with hostile() as seen:
        team = Team(*(buyer(place, seen.url, "ab"[number % 2], number) for number in range(8)))
        two_kills_and_a_crash(rng, postgres, team, seen.requests.total, 50)
        team.join(*(buyer(place, seen.url, "ab"[number], number) for number in range(2)))
        team.finish()
        asked = {mode[-1]: [body["messages"][0]["content"] for body in seen.bodies[mode]] for mode in seen.bodies}
    assert len(asked["a"]) > 20
    for account, texts in asked.items():
        assert len(texts) * CALL_USD <= BUDGETS[account]
        assert len(texts) - len(set(texts)) <= 2 * 4, "asked twice beyond what was under way in what was killed"
    assert len(set(asked["b"])) == N
    assert acknowledged(team) <= {key for (key,) in rows(place, "select key from calls where servable")}
    with Ledger(place) as ledger:
        for account, budget_usd in BUDGETS.items():
            assert ledger.spent(account).total <= round(budget_usd * 1e9)
            assert ledger.spent(account).in_flight == 0


@pytest.mark.parametrize("how", ["restart", "kill_one"])
def test_a_crash_alone_has_nothing_asked_twice(postgres, how):
    """While the server is away nothing is asked; whoever comes back still has what it claimed."""
    place = f"postgres:{postgres.database()}"
    with hostile() as seen:
        team = Team(*(buyer(place, seen.url, "b", number) for number in range(4)))
        for moment in (10, 30):
            team.until(lambda moment=moment: seen.requests.total() >= moment)
            getattr(postgres, how)()
        team.finish()
        (asked,) = ([body["messages"][0]["content"] for body in bodies] for bodies in seen.bodies.values())
    assert len(asked) == len(set(asked)) == N
