"""`eval --stop-when-decided`: fewer calls, the same answer, and nothing asked again."""

import pytest

EARLY = ("eval", "--prompt", "v1", "--stop-when-decided", "--concurrency", "1")


@pytest.fixture
def baselines(harness):
    assert harness("baselines").code == 0


def test_a_hopeless_prompt_is_not_asked_to_the_end(harness, baselines):
    """The fake model says the same label always: decided against it before the 30 items are through, exit 0."""
    done = harness(*EARLY, "--against", "tag-odds", "--json")
    assert done.code == 0, done.err
    found = done.json
    assert found["early"]["is_decided"]
    assert (found["early"]["leader"], found["early"]["against"]) == ("tag-odds", "tag-odds")
    assert found["early"]["p_value"] <= 0.05
    assert found["calls"]["sent"] == found["n"] == found["early"]["n"] < 30
    assert found["status"] == "decided early"
    again = harness(*EARLY, "--against", "tag-odds", "--json").json
    assert again["calls"]["sent"] == 0
    assert again["early"] == found["early"]
    whole = harness("eval", "--prompt", "v1", "--json").json
    assert whole["calls"] == {"sent": 30 - found["n"], "cached": found["n"], "retried": 0}


def test_in_words(harness, baselines):
    """What was decided, after how many items, how sure, and what the intervals are worth."""
    out = " ".join(harness(*EARLY, "--against", "tag-odds").out.split())
    assert "of 30 items: tag-odds is better (anytime-valid p" in out
    assert "read them as rough" in out
    best = " ".join(harness(*EARLY).out.split())
    assert "threshold .017" in best  # three baselines


def test_equal_arms_are_asked_to_the_end(harness, baselines):
    """The majority label and the model that always says the first: nothing to decide, all items asked."""
    found = harness(*EARLY, "--against", "majority", "--json").json
    assert not found["early"]["is_decided"]
    assert found["early"]["leader"] is None
    assert found["n"] == 30


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("eval", "--prompt", "v1", "--against", "rules"), "give both"),
        ((*EARLY, "--repeat", "2"), "--repeat asks everything again"),
        ((*EARLY, "--batch"), "--batch asks everything at once"),
        ((*EARLY, "--against", "nobody"), "the store has no run 'nobody'"),
    ],
)
def test_mistakes_are_one_line(harness, baselines, arguments, said):
    """Exit code 2, before anything is asked."""
    done = harness(*arguments)
    assert (done.code, done.err.strip().count("\n")) == (2, 0)
    assert said in done.err


def test_nothing_to_decide_against(harness):
    """Without baselines the way out is named."""
    done = harness(*EARLY)
    assert done.code == 2
    assert "harness baselines" in done.err
