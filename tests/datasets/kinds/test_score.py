"""Numbers in a range: what gold and a reply are, their credit, and metrics beside scipy's."""

import json

import numpy as np
import pytest
from scipy import stats

from harness.datasets.kinds import score
from harness.errors import ConfigError, DatasetError
from harness.types import Outcome

RANGE = ("-4", "4")
JSON = score.reply_format("json", RANGE)
TEXT = score.reply_format("label", RANGE)

ANSWERED = [
    ("3", "3"),
    ("3.0", "3"),
    ("-0.50", "-0.5"),
    ("0", "0"),
    ("-0", "0"),
    (".5", "0.5"),
    ("4.", "4"),
    ("+1e0", "1"),
    ("**2**", "2"),
    ("Score: 2", "2"),
    ("The score is 2.", "2"),
    ('"2"', "2"),
    ('{"score": 2.5}', "2.5"),
    ('{"score": "2.5"}', "2.5"),
    ('{"why": "nice", "score": 2}', "2"),
    ('{"points": 2}', "2"),
    ('```json\n{"score": 2}\n```', "2"),
    ('So {"score": 2} it is', "2"),
    ("<think>3?</think>2", "2"),
]
UNPARSED = [
    "",
    "two",
    "2 or 3",
    "2/4",
    "2,5",
    "5",
    "-4.01",
    "NaN",
    "inf",
    "1e999",
    '{"score": 5}',
    '{"score": NaN}',
    '{"score": null}',
    '{"score": true}',
    '{"score": [2]}',
    '{"score": 2',
    '{"score": 2, "score": 3}',
    '{"score": 2, "rating": 3}',
    '{"score": 2} or {"score": 3}',
]


@pytest.mark.parametrize(("reply", "number"), ANSWERED)
@pytest.mark.parametrize("expected", [TEXT, JSON], ids=["label", "json"])
def test_what_number_a_reply_is(reply, number, expected):
    """A reply is its number, in its shortest spelling."""
    assert score.parse(reply, RANGE, expected) == (Outcome.ANSWERED, number)


@pytest.mark.parametrize("reply", UNPARSED)
@pytest.mark.parametrize("expected", [TEXT, JSON], ids=["label", "json"])
def test_what_a_reply_does_not_say_is_not_guessed(reply, expected):
    """A number out of range is not moved to its end, and of two numbers none is chosen."""
    assert score.parse(reply, RANGE, expected) == (Outcome.UNPARSED, None)


def test_a_pattern_captures_the_number():
    """Matches of a pattern must name the same number."""
    expected = score.reply_format("text", RANGE, r"\[(.*?)\]")
    assert score.parse("so [2] and again [2.0]", RANGE, expected) == (Outcome.ANSWERED, "2")
    assert score.parse("[2] or [3]", RANGE, expected)[0] is Outcome.UNPARSED


def test_gold_lies_in_the_range():
    """Gold is one text for a number, and what is none or lies outside is named."""
    assert score.read_gold("2.50", RANGE, "x:1") == "2.5"
    with pytest.raises(DatasetError, match="x:1: 5 lies outside the range -4 to 4"):
        score.read_gold("5", RANGE, "x:1")
    with pytest.raises(DatasetError, match="x:1: found 'good'; expected a number"):
        score.read_gold("good", RANGE, "x:1")


def test_the_schema_has_the_range():
    """JSON answers are a number between the ends."""
    asked = json.loads(JSON.schema)["properties"]["score"]
    assert (asked["minimum"], asked["maximum"]) == (-4, 4)
    with pytest.raises(ConfigError, match="numbers"):
        score.reply_format("choice", RANGE)


def test_credit_is_straight():
    """1 at the gold number, 0 a whole range away."""
    assert [score.credit("-4", answer, RANGE) for answer in ("-4", "0", "4")] == [1, 0.5, 0]


def test_metrics_are_those_of_scipy_and_numpy():
    """Mean credit, MAE, RMSE, Pearson and Spearman of the answered items, Pearson's interval as scipy's."""
    rng = np.random.default_rng(3)
    true = np.clip(rng.normal(0, 1.5, 200), -4, 4).round(2)
    given = np.clip(true + rng.normal(0, 0.7, 200), -4, 4).round(2)
    gold, answers = ([score.canonical(float(number)) for number in side] for side in (true, given))
    found = {name: metric.estimate(gold, answers, RANGE, rng) for name, metric in score.METRICS.items()}
    assert found["mean_credit"].value == pytest.approx(1 - np.abs(true - given).mean() / 8)
    assert found["mae"].value == pytest.approx(np.abs(true - given).mean())
    assert found["rmse"].value == pytest.approx(np.sqrt(((true - given) ** 2).mean()))
    oracle = stats.pearsonr(true, given)
    assert found["pearson"].value == pytest.approx(oracle.statistic)
    interval = oracle.confidence_interval()
    assert (found["pearson"].low, found["pearson"].high) == pytest.approx((interval.low, interval.high))
    assert found["spearman"].value == pytest.approx(stats.spearmanr(true, given).statistic)
    for estimate in found.values():
        assert estimate.low <= estimate.value <= estimate.high
    groups = np.arange(200) // 4
    for name, metric in score.METRICS.items():
        assert "200" not in metric.estimate(gold, answers, RANGE, rng, clusters=groups).method, name


def test_no_answer_has_no_error():
    """Items without an answer are worth 0, and are left out of errors and correlations."""
    rng = np.random.default_rng(0)
    found = {n: m.estimate(["0", "2"], ["0", None], RANGE, rng) for n, m in score.METRICS.items()}
    assert (found["mean_credit"].value, found["mae"].value, found["mae"].n) == (0.5, 0, 1)
    assert found["pearson"].value is None


def test_a_vote_is_the_weighted_mean():
    """Scores are averaged by the members' weight."""
    assert score.combined([("1", 1.0), ("4", 2.0)])[0] == "3"


def test_a_correlation_of_a_constant_is_none():
    """Where one side does not vary there is no correlation."""
    found = score.METRICS["pearson"].estimate(["1", "2", "3"], ["2", "2", "2"], RANGE, np.random.default_rng(0))
    assert (found.value, found.low) == (None, None)
