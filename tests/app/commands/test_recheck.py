"""`recheck` on the command line: quiet while the model answers as it did, exit code 1 when it does not."""

from hashlib import sha256

from tests.loopback import serve

LINK = ("--dataset", "tickets@v1", "--concurrency", "1")


def test_a_model_that_changes(harness, root):
    """The same answers are no alarm; failed items are left out and counted; another on a third of the items is one."""
    with serve(lambda said: "bug") as server:
        link = (*LINK, "--model", "openai/m", "--base-url", server.openai_url)
        assert harness("eval", "--prompt", "v1", *link).code == 0
        same = harness("recheck", "prompt:v1", *link, "--json")
        assert (same.code, same.json["failed"], same.json["moved"], same.json["changed"]) == (0, 0, 0, False), same.err
        server.faults = {len(server.requests): "400"}
        failed = harness("recheck", "prompt:v1", *link)
        assert failed.code == 0, failed.err
        assert f"of {same.json['n'] - 1} items asked again (1 more failed and are left out)" in failed.out
        assert "not shown to have changed (p " in failed.out
        server.answer = lambda said: "billing" if sha256(said.encode()).digest()[0] < 85 else "bug"
        changed = harness("recheck", "prompt:v1", *link)
    assert changed.code == 1, changed.out
    assert "; changed (p " in changed.out
    assert "answers otherwise than when it was stored" in changed.err


def test_who_asks_no_model_is_not_rechecked(harness):
    """One line, exit code 2."""
    harness("baselines", "--arm", "majority")
    done = harness("recheck", "majority")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert "asks no model" in done.err
