"""The outcome table of docs/paid-answers.md, enforced: a faulty server, the real SDKs, the whole engine between."""

import asyncio
import json
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import pytest

from harness.errors import BudgetExceeded, ProviderError, RateLimited, TransientError
from harness.ground import plugins
from harness.ground.clock import SystemClock
from harness.models.ledger import Ledger
from harness.models.pricing import Rates, Tariff
from harness.models.stack import Asking, Stack
from harness.types import Message, ReplyFormat, Request, Response, Settings
from tests.hostile import BAD_USAGE, SAID, hostile

DOCS = Path(__file__).resolve().parents[3] / "docs" / "paid-answers.md"
WIRES = ("openai", "anthropic", "decision", "systemone")
RATES = Rates(input_fresh=1.0, output_visible=10.0)
ORDINARY_NANO = 100 * 1000 + SAID * 10_000
BUDGET_USD = 1.0


def status(code, said=None):
    return f"status:{code}" + ("" if said is None else ":" + json.dumps({"error": said}))


READABLE = [f"usage:{kind}" for kind in BAD_USAGE] + ["nan", "digits"]
# By the first words of the table's rows: the server's modes that are cases of it.
CASES = {
    "An answer": ["good", "parts", "model", "headers", "odd:nul", "odd:surrogate", "odd:escape"],
    "An answer without usage": READABLE,
    "400, 403 or 422 for the content": [
        status(400, {"code": "content_filter", "message": "filtered"}),
        status(400, {"type": "invalid_request_error", "message": "Output blocked by content filtering policy"}),
        status(403, {"message": "flagged", "metadata": {"flagged_input": "x"}}),
        status(413),
        status(400, {"code": "context_length_exceeded", "message": "too long"}),
        status(400, {"type": "invalid_request_error", "message": "prompt is too long: 9 tokens > 8 maximum"}),
    ],
    "429": [status(429), "retry-after:0", "error 429 in 200"],
    "408, 409, 425, 5xx": [*map(status, (408, 409, 425, 500, 502, 503, 529)), "error 502 in 200"],
    "An error inside a 200": ["error without a code in 200", "no choices", "empty choices", "overloaded in 200"],
    "A reply that cannot be read": [
        "choices of texts",
        "choices of an object",
        "a message that is a text",
        "content that is a number",
        "a refusal that is an object",
        *("a list", "null", "html", "nothing", "deep", "deep object", "latin", "half", "large:5", "bomb:64"),
    ],
    "504, 524, 598, 599": [*map(status, (504, 524, 598, 599)), "error 504 in 200"],
    "The connection breaks": ["closed", "reset", "cut chunk", "cut length", "slow body", "slow chunks", "slow head"],
    "401, 403, 402": [
        *map(status, (401, 402, 403)),
        status(429, {"code": "insufficient_quota", "type": "insufficient_quota", "message": "no credit"}),
        status(400, {"type": "invalid_request_error", "message": "Your credit balance is too low"}),
    ],
    "404, 405, 410": [
        *map(status, (404, 405, 410)),
        *("redirect:307:other", "redirect:308:own", "redirect:301:own"),
        status(400, {"param": "temperature", "code": "unsupported_value", "message": "no"}),
        status(422, {"message": "'reasoning_effort' is not supported"}),
        status(400, {"type": "invalid_request_error", "message": "max_tokens: 9 > 8"}),
    ],
    "Any other 4xx": [status(400), status(422), status(418)],
}
# What another wire calls the same: a list with `choices` means nothing to Anthropic.
NOT_OF_ITS_OWN = {("empty choices", "anthropic"), ("error in the choice", "anthropic")}
NOT_OF_ITS_OWN |= {(f"odd:{kind}", "systemone") for kind in ("nul", "surrogate", "escape")}  # no option says that


class Hasty(SystemClock):
    """A clock on which pauses pass at once."""

    def __init__(self):
        self.slept_s = 0.0

    def monotonic(self):
        return super().monotonic() + self.slept_s

    async def sleep(self, seconds):
        self.slept_s += seconds
        await asyncio.sleep(0)


@dataclass
class Seen:
    """What came of one request."""

    outcome: Response | ProviderError | BudgetExceeded
    sent: int
    billed: int
    unknown: int
    attempts: list


def row_of(docs: str) -> dict[str, list[str]]:
    """The table's rows by their first words."""
    lines = docs.split("## What comes of what came")[1].split("\n## ", maxsplit=1)[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return {cells[0]: cells[1:] for cells in rows[1:]}


ROWS = row_of(DOCS.read_text(encoding="utf-8"))


def described(row: str) -> list[str]:
    (found,) = [cells for first, cells in ROWS.items() if re.match(rf"{re.escape(row)}(\W|$)", first)][:1]
    return found


async def ask(seen, ledger: Ledger, mode: str, wire: str, budget_usd: float | None) -> Seen:
    """One request through the whole stack; the ledger's books afterwards."""
    before, account = seen.requests[mode], f"{mode} {wire}"
    module = plugins.load("providers", wire)
    address = f"{seen.url}/{quote(mode, safe='')}" + ("" if wire == "anthropic" else "/v1")
    connection = module.connect("m", base_url=address, timeout_s=0.4 if "slow" in mode else 20.0)
    tariff = Tariff(connection.model, {str(connection.model): RATES})
    stack = Stack(connection, ledger, Hasty(), tariff, account, Asking(budget_usd=budget_usd))
    said = (Message("system", "Choose."), Message("user", "item"))
    request = Request(connection.model, said, Settings(max_tokens=10), ReplyFormat(options=("a", "b")))
    try:
        outcome = await stack.provider.send(request)
    except (ProviderError, BudgetExceeded) as error:
        outcome = error
    finally:
        await stack.close()
    spent = ledger.spent(account)
    with closing(sqlite3.connect(ledger.name)) as connection:
        query = "select attempts from calls where account = ? order by id desc limit 1"
        (attempts,) = connection.execute(query, [account]).fetchone()
    return Seen(outcome, seen.requests[mode] - before, spent.billed, spent.unknown, json.loads(attempts))


def ask_one(path: Path, seen, mode: str, budget_usd: float | None = None) -> Seen:
    with Ledger(path / "l.sqlite") as ledger:
        return asyncio.run(ask(seen, ledger, mode, "openai", budget_usd))


async def ask_all(seen, path: Path, budget_usd: float | None) -> dict:
    """Every cell, a few at a time; each mode is one wire's at a time, so that its requests can be counted."""
    room, results = asyncio.Semaphore(16), {}

    async def one(ledger, mode, wire):
        async with room:
            results[mode, wire] = await ask(seen, ledger, mode, wire, budget_usd)

    with Ledger(path / "l.sqlite") as ledger:
        for wire in WIRES if budget_usd is None else WIRES[:1]:
            await asyncio.gather(*(one(ledger, mode, wire) for modes in CASES.values() for mode in modes))
    return results


@pytest.fixture(scope="module", params=[None, BUDGET_USD], ids=["no budget", "budget"])
def results(request):
    """What came of every cell of the table."""
    with TemporaryDirectory() as folder, hostile() as seen:
        yield asyncio.run(ask_all(seen, Path(folder), request.param)), seen


def outcome_of(seen: Seen) -> str:
    if isinstance(seen.outcome, Response):
        return "refused" if seen.outcome.finish == "refusal" else "answered" if seen.outcome.text else "unparsed"
    arm_goes_on = type(seen.outcome).__name__ in ("RateLimited", "TransientError", "RequestRejected")
    return "failed" if arm_goes_on else "the run stops"


@pytest.mark.parametrize("row", CASES)
def test_the_table_of_outcomes_holds(results, row):
    """Each mode of the server, through each wire: outcome, whether it is asked again, and what is booked for it."""
    found, _ = results
    outcome, again, billed, code = described(row)
    wrong = []
    for mode in CASES[row]:
        for wire in WIRES:
            seen = found.get((mode, wire))
            if seen is None or (mode, wire) in NOT_OF_ITS_OWN:
                continue
            booked = "unknown" if seen.unknown else "as reported" if seen.billed else "no"
            is_again = "yes" if seen.sent > 1 else "no"
            told = (outcome_of(seen), is_again, booked)
            if told != (outcome.split(":")[0], again.split(",")[0], billed.split(":")[0]):
                wrong.append((mode, wire, told, str(seen.outcome)[:200]))
            if isinstance(seen.outcome, ProviderError):
                assert str(seen.outcome.exit_code) in code
                assert "\n" not in str(seen.outcome)
    assert not wrong, "\n".join(map(str, wrong))


def test_the_table_has_a_case_for_every_row():
    """Docs and tests name the same rows."""
    unnamed = [first for first in ROWS if not any(first.startswith(row) for row in CASES)]
    assert [first[:12] for first in unnamed] == ["An empty ans", "A refusal (`", "No connectio"]


def test_a_bill_is_what_was_reported_or_nothing(results):
    """No cell books a negative cost, nor one that was not reported."""
    found, _ = results
    assert {seen.billed for seen in found.values()} <= {0, ORDINARY_NANO}
    assert min(seen.unknown for seen in found.values()) == 0


def test_what_cannot_be_read_is_kept_as_it_came(results):
    """In the ledger, beside the attempt it came in; what is too large, in part."""
    found, _ = results
    for mode in ("html", "choices of texts", "large:5", "latin"):
        attempts = found[mode, "openai"].attempts
        assert all(len(attempt) == 4 for attempt in attempts), mode
        assert 0 < len(attempts[0][3]) <= 100_100, mode
    assert found["html", "openai"].attempts[0][3] == "<html>sign in</html>"


def test_a_redirect_gets_no_prompt(results):
    """Neither another host nor another path of the same one sees the request."""
    found, seen = results
    assert seen.requests["redirected"] == 0
    assert "redirects to http://127.0.0.2:9/redirected/v1/x" in str(found["redirect:307:other", "openai"].outcome)
    assert "--base-url" in str(found["redirect:307:other", "openai"].outcome)


@pytest.mark.parametrize(
    ("to", "told"), [("/x?k=v", "URL/x"), ("http://[::1", "nowhere"), ("http://a/" + "y" * 7000, "...")]
)
def test_where_a_redirect_leads_is_told_in_short(tmp_path, to, told):
    """A path of the same server, an address that is none, a very long one."""
    with hostile() as seen:
        found = ask_one(tmp_path, seen, f"redirect:307:{to}")
        assert f"{told.replace('URL', seen.url)}; nothing was sent there" in str(found.outcome)
    assert len(str(found.outcome)) < 600


@pytest.mark.parametrize("value", ["99999999999", "1e400", "nan", "-5", "Thu, 01 Jan 99999999999 00:00:00 GMT", "soon"])
def test_an_absurd_pause_is_bounded(value, tmp_path):
    """Whatever Retry-After says, it is one more 429, and no pause is longer than a day."""
    with hostile() as seen:
        found = ask_one(tmp_path, seen, f"retry-after:{value}")
    assert isinstance(found.outcome, RateLimited)
    assert found.outcome.retry_after_s is None or 0 <= found.outcome.retry_after_s <= 86_400


def test_a_server_that_is_not_there_costs_nothing(tmp_path):
    """Nothing was sent, so nothing is reserved; the budget is whole."""
    seen = type("Nobody", (), {"url": "http://127.0.0.1:9", "requests": {"good": 0}})
    found = ask_one(tmp_path, seen, "good", BUDGET_USD)
    assert isinstance(found.outcome, TransientError)
    assert (found.billed, found.unknown, outcome_of(found)) == (0, 0, "failed")
    assert len(found.attempts) > 1
