"""Every fault of a server, through every interface, with and without a price and a budget.

What each ends as stands in the outcome table; here: that it ends, in one line, that by the server's own account the
budget is never passed, and that the same again finishes once the server is mended.
"""

import asyncio
from itertools import product
from urllib.parse import quote

import pytest

from harness.arms.encoders import openai as embeddings
from harness.errors import BudgetExceeded, ProviderError
from harness.ground import plugins
from harness.models.ledger import Ledger
from harness.models.pricing import Rates, Tariff
from harness.models.stack import Asking, Stack
from harness.types import Message, ReplyFormat, Request, Response, Settings
from tests.hostile import hostile, refuses
from tests.models.providers.test_outcomes import CASES, WIRES, Hasty, described, status

RATES = Rates(input_fresh=1.0, output_visible=10.0, batch=0.5)
TERMS = {"no price": (False, None), "a price": (True, None), "a budget": (True, 2.5)}  # of worst cases
MODES = [(row, mode) for row, modes in CASES.items() for mode in modes]
ENDS_S = 60.0
# Of a batch's other steps: what is no reply to a chat.
SHAPED = ("parts", "model", "odd", "usage", "nan", "digits", "good", "headers", "large", "no ch", "empty", "choices")
SHAPED += ("a message", "content", "a refusal")
FAULTS = [mode for _, mode in MODES if not mode.startswith(SHAPED)]
STEPS = {"openai": ("upload", "create", "look", "results"), "anthropic": ("create", "look", "results")}
QUICK = ("html", "reset", status(500))


def address(seen, mode, wire):
    return f"{seen.url}/{quote(mode, safe='')}" + ("" if wire == "anthropic" else "/v1")


def request_of(model):
    said = (Message("system", "Choose. " * 20), Message("user", "item " * 40))
    return Request(model, said, Settings(max_tokens=10), ReplyFormat(options=("a", "b")))


async def ask(seen, ledger, mode, wire, terms, factor=None, *, batch=False):
    """What came of one request, and the budget in dollars that it was asked under."""
    is_priced, worst_cases = TERMS[terms]
    timeout_s = 0.4 if "slow" in mode else 20.0
    connection = plugins.load("providers", wire).connect("m", base_url=address(seen, mode, wire), timeout_s=timeout_s)
    request = request_of(connection.model)
    tariff = Tariff(connection.model, {str(connection.model): RATES} if is_priced else {})
    worst_usd = (tariff.worst_nano(request, Hasty().now(), batch=batch) or 0) / 1e9
    budget_usd = None if worst_cases is None else worst_usd * (factor or worst_cases)
    asking = Asking(budget_usd=budget_usd, batch=batch)
    stack = Stack(connection, ledger, Hasty(), tariff, f"{mode} {wire} {terms}", asking)
    try:
        if stack.ask_ahead is not None:
            await asyncio.wait_for(stack.ask_ahead([request]), ENDS_S)
        return await asyncio.wait_for(stack.provider.send(request), ENDS_S), budget_usd
    except (ProviderError, BudgetExceeded) as error:
        return error, budget_usd
    finally:
        await stack.close()


async def check(seen, ledger, mode, wire, terms, *, batch=False):
    """The sentence of this file for one cell; `mode` is this cell's alone."""
    outcome, budget_usd = await ask(seen, ledger, mode, wire, terms, batch=batch)
    assert seen.requests[mode] <= 60, outcome
    assert isinstance(outcome, Response) or "\n" not in str(outcome)
    assert budget_usd is None or spent_usd(seen, mode, batch=batch) <= budget_usd, outcome
    known = ledger.spent(f"{mode} {wire} {terms}")
    assert budget_usd is None or known.total <= round(budget_usd * 1e9) + 1
    assert known.in_flight == 0 or batch
    seen.mended.add(mode)
    again, more_usd = await ask(seen, ledger, mode, wire, terms, factor=30, batch=batch)
    assert isinstance(again, Response), (outcome, again)
    assert again.text or again.finish == "refusal"
    assert more_usd is None or spent_usd(seen, mode, batch=batch) <= more_usd
    return outcome


def spent_usd(seen, mode, *, batch):
    """By the server's account: of every request that it read and did not refuse; of a batch, once it was made."""
    usd = seen.billed[mode, "asked"] * 1.0 + seen.billed[mode, "said"] * 10.0
    return usd / 1e6 * (0.5 if batch else 1.0)


async def check_all(folder, cells, *, batch=False):
    """Every cell, a few at a time: a list of those that do not hold."""
    room, wrong = asyncio.Semaphore(12), []
    with hostile() as seen, Ledger(folder / "l.sqlite") as ledger:

        async def one(cell):
            async with room:
                try:
                    await check(seen, ledger, *cell, batch=batch)
                except (AssertionError, TimeoutError) as error:
                    wrong.append((*cell, repr(error)[:300]))

        await asyncio.gather(*map(one, cells))
    return wrong


def chats(modes, wires, terms):
    # Each cell has a mode of its own, so that what the server saw is of this cell; blanks do not count.
    return [(f"{mode}#{wire}{term[:5]}", wire, term) for mode, wire, term in product(modes, wires, terms)]


def batches(modes, terms):
    return [
        (f"{mode}@{step}#{term[:5]}{wire}", wire, term)
        for wire, steps in STEPS.items()
        for mode, step, term in product(modes, steps, terms)
        if not (step == "results" and mode.startswith("slow"))  # a file of results may take a quarter of an hour
    ]


@pytest.mark.parametrize("wire", ["openai", "decision"])
def test_a_few_faults_of_chats_and_decisions_end_within_the_budget(tmp_path, wire):
    """One line, the budget kept, and the same again finishes."""
    assert not await_all(tmp_path, chats(QUICK, [wire], ["a budget"]))


def test_a_few_faults_of_batches_end_within_the_budget(tmp_path):
    """At any step of both APIs."""
    assert not await_all(tmp_path, batches(QUICK[::2], ["a budget"]), batch=True)


def await_all(folder, cells, **how):
    return asyncio.run(check_all(folder, cells, **how))


@pytest.mark.soak
@pytest.mark.parametrize(("wire", "terms"), [*product(WIRES, TERMS)])
def test_every_fault_ends_within_the_budget(tmp_path, wire, terms):
    """Chats, messages and both kinds of decisions."""
    assert not await_all(tmp_path, chats([mode for _, mode in MODES], [wire], [terms]))


@pytest.mark.soak
@pytest.mark.parametrize("terms", TERMS)
def test_every_fault_at_every_step_of_a_batch_ends_within_the_budget(tmp_path, terms):
    """What a batch may have cost is counted; one whose creation got no reply is found again and paid once."""
    assert not await_all(tmp_path, batches(FAULTS, [terms]), batch=True)


@pytest.mark.parametrize("mode", ["html", pytest.param(None, marks=pytest.mark.soak)])
def test_vectors_come_from_a_server_once_it_is_mended(mode, monkeypatch):
    """Every fault is one line, and the same again gives the vectors."""
    monkeypatch.setattr(embeddings, "LONGEST_PAUSE_S", 0.0)
    monkeypatch.setattr(embeddings, "TIMEOUT_S", 1.0)

    async def go(seen):
        for one in FAULTS if mode is None else [mode]:
            url = address(seen, one, "openai")
            with pytest.raises(ProviderError) as error:
                await asyncio.wait_for(embeddings._vectors("m", "k", url, ["x"]), ENDS_S)
            assert "\n" not in str(error.value)
            seen.mended.add(one)
            assert (await embeddings._vectors("m", "k", url, ["x"])).shape == (1, 2)

    with hostile() as seen:
        asyncio.run(go(seen))


def test_every_row_of_the_table_has_a_fault_here():
    """The matrix has them all; what the server refuses it carries out nowhere."""
    assert {row for row, _ in MODES} == set(CASES)
    assert {described(row)[2].split(":")[0] for row, mode in MODES if refuses(mode)} == {"no"}
