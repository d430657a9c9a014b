"""What a user reads, and the exit code, when a server answers otherwise than the protocol says."""

import json

import pytest

from harness import datasets
from tests.loopback import serve

ASK = ("eval", "--prompt", "v1", "--model", "openai/m", "--concurrency", "1")


def body(status, value):
    """A fault: this body under this status."""
    return f"body {status} {json.dumps(value)}"


def reply(content):
    """A reply of the protocol with this content."""
    usage = {"prompt_tokens": 100, "completion_tokens": 2, "total_tokens": 102}
    message = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}
    return {"id": "c", "object": "chat.completion", "created": 0, "model": "m", "choices": [message], "usage": usage}


@pytest.fixture
def asked(harness, root, monkeypatch):
    """The prompt asked of a server with these faults; what was printed, the server, and the items."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789abcdefghij")
    n = len(datasets.load(root, "tickets@v1").in_split("test"))

    def ask(faults, *more):
        with serve(lambda _: "bug", faults=faults) as server:
            done = harness(*ASK, "--base-url", server.openai_url, *more)
        return done, server, n

    return ask


def test_an_error_inside_a_success_is_an_outage(asked):
    """An outage in it is asked again at once, a rejection fails its item: exit 3, and the line says what is next."""
    gateway = body(200, {"error": {"code": 502, "message": "upstream is down"}})
    rejected = body(200, {"error": {"code": 400, "message": "no such parameter"}})
    done, server, n = asked({1: gateway, 4: rejected}, "--json")
    assert done.code == 3
    assert done.json["outcomes"] == {"answered": n - 1, "abstained": 0, "unparsed": 0, "refused": 0, "failed": 1}
    assert (done.json["accuracy"]["n"], done.json["calls"]["retried"]) == (n - 1, 1)
    assert "no such parameter" in done.err
    assert "asks them again" in done.err
    assert len(server.requests) == n + 1


def test_content_in_parts_is_read(asked):
    """A list of parts is the text in it: exit 0, and no item is lost."""
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "bug"}]
    done, _, n = asked({2: body(200, reply(parts))}, "--json")
    assert (done.code, done.json["outcomes"]["answered"]) == (0, n)
    assert "Traceback" not in done.err


def test_a_filtered_prompt_is_refused_for_good(asked):
    """Azure's filter is an answer that is none: exit 0, scored as unanswered, and never asked again."""
    filtered = body(400, {"error": {"code": "content_filter", "message": "the prompt was filtered"}})
    done, _, n = asked({3: filtered}, "--json")
    assert (done.code, done.json["status"]) == (0, "done")
    assert done.json["outcomes"] == {"answered": n - 1, "abstained": 0, "unparsed": 0, "refused": 1, "failed": 0}
    assert done.json["accuracy"]["n"] == n


def test_an_empty_account_ends_the_run_in_one_line(asked):
    """No credit is no rate limit: exit 2 after the calls under way, and the line says to add some."""
    empty = body(429, {"error": {"code": "insufficient_quota", "message": "You exceeded your current quota"}})
    done, server, _ = asked({-1: empty})
    assert done.code == 2
    assert done.err.strip().splitlines()[-1].endswith("You exceeded your current quota; add credit to the account")
    assert len(server.requests) == 1


def test_a_key_out_of_a_file_or_an_editor(asked, monkeypatch):
    """Blanks around a key go; one in typographic quotes is exit 2, with its variable and what to do."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789abcdefghij\n")
    done, server, n = asked({})
    assert (done.code, len(server.requests)) == (0, n)
    monkeypatch.setenv("OPENAI_API_KEY", "\u201csk-canary-0123456789\u201d")
    done, server, _ = asked({}, "--repeat", "2")
    assert done.code == 2
    assert "OPENAI_API_KEY is no key: its character 1 of 22 is a left double quotation mark; set it again" in done.err
    assert server.requests == []
