"""A hundred thousand items: asked, replayed from the ledger, and looked at again."""

import json

import pytest

from tests.bench.conftest import fast_server, measured, workspace

pytestmark = pytest.mark.bench
ITEMS = 100_000
FLAT = 1.35  # a hundred thousand calls may take this much more memory than ten thousand, rows included


def ask(root, url):
    return measured(
        root,
        *["-m", "harness", "eval", "--prompt", "v1", "--model", "openai/m", "--base-url", url],
        *["--concurrency", "64", "--json"],
    )


def test_a_hundred_thousand_items(tmp_path, table):
    """Memory stays flat while calls are made; a replay takes under 30 s and 400 MB; a look at what is stored less."""
    (tmp_path / "small").mkdir()
    (tmp_path / "big").mkdir()
    small, big = workspace(tmp_path / "small", ITEMS // 10), workspace(tmp_path / "big", ITEMS)
    with fast_server(0.0) as url:
        tenth, asked = ask(small, url), ask(big, url)
        (big / "results" / "harness.duckdb").unlink()
        replayed = ask(big, url)
        again = ask(big, url)
    table(
        f"{ITEMS:,} items             seconds  peak MB  calls sent",
        *(
            f"{name:22} {one.seconds:10.1f} {one.peak_mb:8.0f} {json.loads(one.out)['calls']['sent']:11,}"
            for name, one in [("asked, a tenth", tenth), ("asked", asked), ("replayed", replayed), ("again", again)]
        ),
    )
    assert [one.code for one in (tenth, asked, replayed, again)] == [0] * 4
    assert json.loads(asked.out)["calls"]["sent"] == ITEMS
    assert json.loads(replayed.out)["calls"] == {"sent": 0, "cached": ITEMS, "retried": 0}
    assert json.loads(replayed.out)["accuracy"] == json.loads(asked.out)["accuracy"]
    assert replayed.seconds < 30
    assert replayed.peak_mb < 400
    # Items, rows and results of ten times as many items are in memory too; the calls themselves leave nothing.
    assert asked.peak_mb < FLAT * replayed.peak_mb
