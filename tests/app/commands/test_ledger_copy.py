"""`ledger copy` on the command line: what it prints, and what is a mistake."""

from tests.models.ledger.copies import fill


def test_a_copy_says_what_came_and_what_was_there(harness, root):
    """In words and as JSON: calls, bill, batches, debts; answers beside others; batches under way."""
    fill(root / "a.sqlite", bill=5_000_000)
    fill(root / "b.sqlite", bill=3_000_000)
    first = harness("ledger", "copy", "a.sqlite", "new.sqlite")
    assert (first.code, first.err) == (0, "call 8 of 8\n")
    assert first.out.splitlines() == [
        "copied 8 calls, billed $0.03, with 2 batches and 2 debts of an unknown bill; 0 calls stood there already",
        "every call of FROM is there, by count and hash",
        "1 batch under way: go on with one of the two ledgers alone, or what comes of them is billed twice",
    ]
    came = harness("ledger", "copy", "b.sqlite", "new.sqlite", "--json").json
    assert (came["calls"], came["had"], came["beside"], came["billed_nano"]) == (6, 2, 6, 18_000_000)
    assert "6 answers came to what TO answers already" in harness("ledger", "copy", "b.sqlite", "a.sqlite").out


def test_mistakes_are_one_line(harness, root):
    """No ledger there, the same twice, an address of something else, whose password is not shown."""
    fill(root / "a.sqlite")
    for source, target, said in (
        ("nothing.sqlite", "a.sqlite", "there is no ledger nothing.sqlite"),
        ("a.sqlite", "./a.sqlite", "the same ledger was named twice"),
        ("a.sqlite", "mysql://me:not-shown@db/x", "names no PostgreSQL database"),
        ("tickets.csv", "a.sqlite", "tickets.csv is no ledger"),
    ):
        done = harness("ledger", "copy", source, target)
        assert (done.code, done.err.count("\n"), said in done.err) == (2, 1, True), done.err
        assert "not-shown" not in done.err
