import asyncio
import multiprocessing
import os
import signal
from multiprocessing import connection

import pytest

from harness.errors import BudgetExceeded, RateLimited, TransientError
from harness.ground.clock import SystemClock
from harness.models.ledger import Ledger
from harness.models.middleware.budgeted import Budget, Budgeted
from harness.models.middleware.cached import Books, Cached
from harness.types import Message, Model, Request, Response
from tests.processes import HANGS_S

WORST, ACTUAL = 100, 30


def request(i):
    return Request(Model("openai", "m"), (Message("user", f"item {i}"),))


class Seller:
    """A provider that sells each call for `ACTUAL`, or raises, and counts what it was asked."""

    def __init__(self, *steps, seconds=0.01):
        self.steps, self.seconds, self.asked = list(steps), seconds, 0

    async def send(self, request):
        self.asked += 1
        await asyncio.sleep(self.seconds)
        step = self.steps.pop(0) if self.steps else None
        if step is not None:
            raise step
        return Response("yes", "stop", None, None, 0.1, "m")


def stack(ledger, seller, budget_nano, account="a"):
    budgeted = Budgeted(seller, ledger, SystemClock(), Budget(account, budget_nano), lambda _: WORST)
    return Cached(budgeted, ledger, SystemClock(), Books(account, "", lambda _: ACTUAL))


def buy(path, seller, budget_nano, requests, account="a"):
    """The replies and errors of requests sent all at once, and what the account has cost."""

    async def go():
        with Ledger(path) as ledger:
            provider = stack(ledger, seller, budget_nano, account)
            replies = await asyncio.gather(*(provider.send(request(i)) for i in requests), return_exceptions=True)
            return replies, ledger.spent(account)

    return asyncio.run(go())


def bought(replies):
    return sum(isinstance(reply, Response) for reply in replies)


@pytest.mark.parametrize("budget", [0, 99, 100, 250, 1000])
def test_a_budget_is_used_fully_and_never_passed(tmp_path, budget):
    """A hundred calls at once: as many are sold as the worst case of the last one permits, and no more."""
    seller = Seller()
    replies, spent = buy(tmp_path / "l.sqlite", seller, budget, range(100))
    affordable = 0 if budget < WORST else (budget - WORST) // ACTUAL + 1
    assert seller.asked == bought(replies) == affordable
    assert spent.billed == spent.total == affordable * ACTUAL <= budget
    assert {type(reply) for reply in replies if not isinstance(reply, Response)} == {BudgetExceeded}


def test_a_budget_counts_what_was_spent_before(tmp_path):
    """A second run of the same account starts where the first one ended; another account has its own."""
    path = tmp_path / "l.sqlite"
    buy(path, Seller(), 250, range(100))
    again, spent = buy(path, Seller(), 250, range(100, 200))
    assert (bought(again), spent.billed) == (0, 180)
    assert "$1.8e-07 is spent; raise --budget" in str(again[0])
    other, _ = buy(path, Seller(), 250, range(200, 210), account="b")
    assert bought(other) == 6


def test_answers_from_the_ledger_need_no_budget(tmp_path):
    """What was paid for is served although nothing is left."""
    path = tmp_path / "l.sqlite"
    buy(path, Seller(), 130, range(2))
    seller = Seller()
    replies, _ = buy(path, seller, 0, range(2))
    assert (bought(replies), seller.asked) == (2, 0)


@pytest.mark.parametrize(
    ("error", "unknown"),
    [
        (RateLimited("slow down"), 0),
        (TransientError("down", status=500), 0),
        (TransientError("refused"), 0),
        (TransientError("no answer in time", may_be_billed=True), WORST),
    ],
    ids=["429", "500", "never sent", "time-out"],
)
def test_a_reservation_ends_unless_the_call_may_be_billed(tmp_path, error, unknown):
    """A call that was refused or never sent books nothing; one that got no reply stays booked at its worst."""
    replies, spent = buy(tmp_path / "l.sqlite", Seller(error), 1000, [0])
    assert bought(replies) == 0
    assert (spent.billed, spent.in_flight, spent.unknown) == (0, 0, unknown)


def test_the_refusal_names_what_may_have_been_billed(tmp_path):
    """So that nobody wonders where the money went."""
    path = tmp_path / "l.sqlite"
    buy(path, Seller(*[TransientError("x", may_be_billed=True)] * 2), 250, range(2))
    replies, _ = buy(path, Seller(), 250, [5])
    assert "2 calls whose bill is unknown may have cost $2e-07" in str(replies[0])


def spend(path, start, sold):
    seller = Seller(seconds=0.005)
    start.wait()
    buy(path, seller, 1000, range(50))
    sold.value = seller.asked


def test_processes_share_one_budget(tmp_path):
    """Four processes that buy the same and other things at once do not pass the cap between them."""
    path, forking = tmp_path / "l.sqlite", multiprocessing.get_context("fork")
    start, sold = forking.Event(), [forking.Value("i", 0) for _ in range(4)]
    buyers = [forking.Process(target=spend, args=(path, start, count)) for count in sold]
    for buyer in buyers:
        buyer.start()
    start.set()
    for buyer in buyers:
        buyer.join(HANGS_S)
    with Ledger(path) as ledger:
        spent = ledger.spent("a")
    # No request was paid for twice, however many processes wanted it.
    assert sum(count.value for count in sold) * ACTUAL == spent.billed == 31 * ACTUAL
    assert (spent.in_flight, spent.unknown) == (0, 0)


def die_owing(path):
    async def go():
        with Ledger(path) as ledger:
            await ledger.reserve("a", "k", 400, 1000)
            await ledger.claim("k", SystemClock().now())
            os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(go())


@pytest.mark.parametrize("is_seen", [True, False], ids=["gone", "still in the list"])
def test_what_a_killed_process_had_under_way_counts_as_spent_and_can_be_asked_again(tmp_path, is_seen):
    """Nobody knows whether it was billed; its claim is nobody's any more, also while its parent has not looked."""
    path = tmp_path / "l.sqlite"
    killed = multiprocessing.get_context("fork").Process(target=die_owing, args=(path,))
    killed.start()
    connection.wait([killed.sentinel], HANGS_S)  # it has ended
    if is_seen:
        killed.join(HANGS_S)  # and the kernel has been asked how

    async def go():
        with Ledger(path) as ledger:
            return ledger.spent("a"), await ledger.claim("k", SystemClock().now())

    spent, is_ours = asyncio.run(go())
    killed.join(HANGS_S)
    assert killed.exitcode == -signal.SIGKILL
    assert (spent.unknown, spent.n_unknown, spent.in_flight) == (400, 1, 0)
    assert is_ours
