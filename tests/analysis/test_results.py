import numpy as np
import pandas as pd
import pytest

from harness.analysis.results import RunFacts, Split, analyse, summarise
from harness.analysis.summing import Calls
from harness.store.rows import BUCKETS
from harness.types import Outcome, Usage

SPLIT = Split("d@v1", "s1:d", "test", "single", ("a", "b"), 4)


def facts(run_id, arm="arm", model=None):
    return RunFacts(run_id, arm, model, "done", 0, 0, 10, {}, None, 1.0, None)


def rows(run_id, outcomes, labels, gold=("a", "a", "b", "b"), **columns):
    n = len(outcomes)
    frame = {
        "run_id": run_id,
        "arm": "arm",
        "example_id": [str(i) for i in range(n)],
        "gold": list(gold)[:n],
        "outcome": list(outcomes),
        "label": list(labels),
        "credit": [float(g == p) if o != "failed" else np.nan for g, p, o in zip(gold, labels, outcomes, strict=False)],
        "cost_usd": 0.001,
        "billed_usd": 0.0,
        "latency_s": [0.1, 0.2, 0.3, 0.4][:n],
        "attempts": 1,
        "cached": False,
        **dict.fromkeys(BUCKETS, pd.NA),
    }
    return pd.DataFrame(frame | columns)


def test_an_unanswered_item_is_wrong_and_a_failed_one_is_not_scored():
    """2 right of 3 that replied; the failed one is counted and left out."""
    frame = rows("r", ["answered", "unparsed", "answered", "failed"], ["a", None, "b", None])
    result = summarise(SPLIT, facts("r"), frame)
    assert result.metrics["accuracy"].value == pytest.approx(2 / 3)
    assert result.metrics["accuracy"].n == 3
    assert result.metrics["coverage"].value == pytest.approx(2 / 3)
    assert (result.n, result.unanswered, result.outcomes[Outcome.FAILED]) == (4, 2, 1)


def test_sums_with_an_unknown_part_are_unknown():
    """One item without a price makes the cost of the run unknown, never smaller."""
    frame = rows("r", ["answered"] * 4, ["a"] * 4, cost_usd=[0.1, None, 0.1, 0.1])
    result = summarise(SPLIT, facts("r"), frame)
    assert result.cost_usd is None
    assert result.cost_per_1000_usd is None
    assert result.billed_usd == 0.0


def test_money_time_and_calls_add_up():
    """Cost per 1,000, quantiles over known latencies, calls by attempts, tokens by bucket."""
    frame = rows(
        "r",
        ["answered"] * 4,
        ["a", "a", "b", "b"],
        attempts=[1, 3, 1, 1],
        cached=[False, False, True, False],
        latency_s=[0.1, 0.3, None, 0.2],
        input_fresh=[10, 10, 10, 10],
        output_visible=[1, 1, 1, 2],
        cache_read=0,
        cache_write=0,
        reasoning=0,
    )
    result = summarise(SPLIT, facts("r"), frame)
    assert result.cost_per_1000_usd == pytest.approx(1.0)
    assert result.latency_s["p50"] == pytest.approx(0.2)
    assert result.latency_n == 3
    assert result.calls == Calls(sent=5, cached=1, retried=2)
    assert result.tokens == Usage(40, 0, 0, 5, 0)


def test_no_data_gives_none():
    """An empty run has no accuracy and no latency, rather than zeros."""
    result = summarise(SPLIT, facts("r"), rows("r", [], []))
    assert result.headline.value is None
    assert result.latency_s["p95"] is None
    assert result.cost_usd is None


def test_arms_are_compared_on_the_first_runs_items_best_first():
    """A run with more items is cut to the shared ones; a run with fewer is left out with the reason."""
    first = rows("r1", ["answered"] * 2, ["a", "b"])
    more = rows("r2", ["answered"] * 4, ["a", "a", "a", "a"])
    fewer = rows("r3", ["answered"], ["a"])
    runs = [facts("r1", "one"), facts("r2", "two"), facts("r3", "three")]
    results = analyse(SPLIT, runs, pd.concat([first, more, fewer]), {})
    assert [(r.run.arm, r.n, r.headline.value) for r in results.runs] == [("two", 2, 1.0), ("one", 2, 0.5)]
    assert [(one.name, one.reason) for one in results.passed_over] == [("three", "has 1 of the 2 items")]
    assert set(results.predictions["example_id"]) == {"0", "1"}


def test_the_same_rows_in_another_order_give_the_same_numbers():
    """Bootstrap included: rows are put in order before anything is drawn."""
    frame = rows("r", ["answered"] * 4, ["a", "b", "b", "b"])
    shuffled = frame.sample(frac=1, random_state=3)
    assert summarise(SPLIT, facts("r"), frame).metrics == summarise(SPLIT, facts("r"), shuffled).metrics
