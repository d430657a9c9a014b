"""What must hold of a workspace at any moment, whatever happened to whoever wrote in it."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from harness import datasets
from harness.ground.clock import SystemClock
from harness.store import Store


def acknowledged(root: Path) -> set[str]:
    """The requests whose answers are in the ledger."""
    ledger = root / "results" / "calls.sqlite"
    if not ledger.exists():
        return set()
    with closing(sqlite3.connect(ledger)) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        if not connection.execute("select 1 from sqlite_master where name = 'calls'").fetchone():
            return set()  # it was killed before there was a table
        return {key for (key,) in connection.execute("select key from calls where servable")}


def check(root: Path, before: set[str]) -> set[str]:
    """The acknowledged requests; nothing is lost, half-written or other than it was stored."""
    after = acknowledged(root)
    assert before <= after, "an acknowledged answer was lost"
    store = root / "results" / "harness.duckdb"
    if store.exists():
        assert Store(store, SystemClock()).verify() == []
    for ref in datasets.refs(root):
        assert datasets.verify(root, ref).problems == (), ref
    return after


def one_line(code: int | None, err: str) -> None:
    """A command that could not end says why in one line, with an exit code that is ours."""
    assert code in (0, 1, 2, 3), (code, err)
    assert "Traceback" not in err, err
    if code in (2, 3):
        assert err.strip().splitlines()[-1].startswith("harness: "), err


def bare(out: str) -> dict:
    """What a command found, without the times and the counts of this one call."""
    passing = ("wall_s", "calls", "billed_usd", "files", "latency_s", "waited_s", "started_at")
    return {name: value for name, value in json.loads(out).items() if name not in passing}
