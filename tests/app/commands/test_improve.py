"""`harness improve`: a planted landscape under the real stack, from the first question to the file."""

import json
import sqlite3

import pytest

from harness.arms.prompts import files
from tests.app.commands import landscape
from tests.loopback import serve

PRICED = ("--model", "openai/gpt-4o-mini", "--priced-as", "openai/gpt-4o-mini")
COMMON = ("improve", "v1", *PRICED, "--json")


@pytest.fixture
def planted(root):
    landscape.plant(root)
    return root


def billed(root):
    """What the ledger has billed, in dollars, and the calls that it knows."""
    with sqlite3.connect(root / "results" / "calls.sqlite") as ledger:
        nano, n = ledger.execute("select sum(billed_nano), count(*) from calls").fetchone()
    ledger.close()
    return nano / 1e9, n


def test_the_phrases_are_found_and_the_bill_is_the_ledgers(harness, planted):
    """All phrases are found within the budget, test says better, and the spend is what the ledger billed."""
    with serve(landscape.answer) as server:
        done = harness(*COMMON, "--base-url", server.openai_url, "--budget", "0.05")
        print(done.out, done.err)
        assert done.code == 0
        found = done.json
        assert found["shown"] == "better"
        assert found["version"] == "v2"
        usd, calls = billed(planted)
        assert found["billed_usd"] == pytest.approx(usd)
        assert calls == len(server.requests)
        assert usd <= 0.05
    prompt = files.load(planted, "planted", "v2")
    assert all(phrase in prompt.content for phrase in landscape.PHRASES.values())
