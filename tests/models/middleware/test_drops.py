"""The budget against a server that bills and hangs up: by the server's own account it is never passed."""

import asyncio
import multiprocessing
from random import Random

import pytest

from harness.errors import BudgetExceeded, ProviderError
from harness.ground import plugins
from harness.ground.clock import SystemClock
from harness.models.ledger import Ledger
from harness.models.pricing import Rates, Tariff
from harness.models.stack import Asking, Stack
from harness.types import Message, Request, Settings
from tests.hostile import hostile
from tests.processes import HANGS_S

RATES = Rates(input_fresh=1.0, output_visible=10.0)
MOST_SAID = 10


async def buy(path, url: str, budget_usd: float, texts) -> int:
    """How many of the requests were answered before the budget ended."""
    connection = plugins.load("providers", "openai").connect("m", base_url=url, timeout_s=20.0)
    answered = 0
    with Ledger(path) as ledger:
        tariff = Tariff(connection.model, {str(connection.model): RATES})
        stack = Stack(connection, ledger, SystemClock(), tariff, "a", Asking(budget_usd=budget_usd, deadline_s=3.0))

        async def one(text):
            nonlocal answered
            try:
                await stack.provider.send(
                    Request(connection.model, (Message("user", text),), Settings(max_tokens=MOST_SAID))
                )
                answered += 1
            except (ProviderError, BudgetExceeded):
                return

        await asyncio.gather(*(one(text) for text in texts))
        await stack.close()
    return answered


def in_a_process(path, url, budget_usd, texts):
    asyncio.run(buy(path, url, budget_usd, texts))


def check(tmp_path, seed: int, share: float, processes: int) -> None:
    """One run with drops: the server's account stays within the budget, and the ledger knows what may be owed."""
    rng, path, mode = Random(seed), tmp_path / f"{seed}.sqlite", f"billed:{share}"
    texts = [f"item {i} {'x' * rng.randint(1, 200)}" for i in range(12)]
    budget_usd = rng.uniform(0.0005, 0.002)
    with hostile() as seen:
        url = f"{seen.url}/{mode.replace(':', '%3A')}/v1"
        if processes == 1:
            asyncio.run(buy(path, url, budget_usd, texts))
        else:
            forking = multiprocessing.get_context("spawn")
            buyers = [
                forking.Process(target=in_a_process, args=(path, url, budget_usd, rng.sample(texts, 10)))
                for _ in range(processes)
            ]
            for buyer in buyers:
                buyer.start()
            for buyer in buyers:
                buyer.join(HANGS_S)
                assert buyer.exitcode == 0
        billed_usd = (seen.billed[mode, "asked"] * 1.0 + seen.billed[mode, "said"] * 10.0) / 1e6
    with Ledger(path) as ledger:
        total_usd = ledger.spent("a").total / 1e9
    assert 0 < billed_usd <= budget_usd
    assert billed_usd <= total_usd + 1e-12 <= budget_usd + 2e-12


def test_a_server_that_bills_and_hangs_up_does_not_pass_the_budget(tmp_path):
    """What was read and then dropped stays reserved."""
    check(tmp_path, seed=0, share=0.6, processes=1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, 50))
def test_fifty_runs_with_drops(tmp_path, seed):
    """Any share of drops, one process or six."""
    check(tmp_path, seed, share=(seed % 10) / 10, processes=6 if seed % 5 == 0 else 1)
