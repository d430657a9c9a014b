import numpy as np
import pandas as pd
import pytest

from harness.ground import formatting
from harness.types import Estimate


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.8649, ".865"), (1.0, "1.000"), (0.0, ".000"), (-0.0421, "-.042"), (-0.0001, ".000"), (None, "unknown")],
)
def test_shares(value, text):
    """Three digits, no leading zero, no minus before nothing."""
    assert formatting.share(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.00034, "340 µs"),
        (0.0009996, "1 ms"),
        (0.0042, "4.2 ms"),
        (0.455, "455 ms"),
        (0.9996, "1 s"),
        (2.14, "2.1 s"),
        (59.96, "1 min 0 s"),
        (200, "3 min 20 s"),
        (7384, "2 h 3 min"),
        (None, "unknown"),
    ],
)
def test_durations(seconds, text):
    """The unit a reader expects, also at the edges between two."""
    assert formatting.duration(seconds) == text


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0, "$0"),
        (0.00042, "$0.00042"),
        (0.000031, "$0.000031"),
        (0.000001, "<$0.00001"),
        (-0.000001, ">-$0.00001"),
        (0.031, "$0.031"),
        (0.996, "$1.00"),
        (12.4, "$12.40"),
        (12345.678, "$12,345.68"),
        (None, "unknown"),
    ],
)
def test_dollars(usd, text):
    """Two digits that matter below a dollar, cents above; unknown is not nothing."""
    assert formatting.dollars(usd) == text


def test_intervals():
    """In a table with a dash, in a sentence with words; without data, unknown."""
    estimate = Estimate("accuracy", 0.865, 0.821, 0.899, 296, "Wilson")
    assert formatting.span(estimate) == ".821–.899"
    assert formatting.with_interval(estimate) == ".865 (.821 to .899)"
    assert formatting.with_interval(Estimate("accuracy", None, None, None, 0, "Wilson")) == "unknown"


def test_counts_and_plurals():
    """Thousands are marked; one is one."""
    assert formatting.count(13083) == "13,083"
    assert (formatting.plural(1, "item"), formatting.plural(1200, "item")) == ("1 item", "1,200 items")


def test_a_p_value_is_never_nothing():
    """Three digits, and below them a bound."""
    assert [formatting.p_value(p) for p in (None, 0.0, 0.0009, 0.0346, 1.0)] == [
        "unknown",
        "< .001",
        "< .001",
        ".035",
        "1.000",
    ]


@pytest.mark.parametrize(
    ("low", "value", "high", "said"),
    [
        (-0.018, -0.016, -0.014, "-$0.016 (-$0.018 to -$0.014)"),
        (-3e-6, -2e-6, -1e-6, ">-$0.00001"),
        (None, 0.5, None, "$0.5"),
    ],
)
def test_a_value_with_its_interval_in_its_unit(low, value, high, said):
    """Without an interval, or where all three print alike, it is said once."""
    assert formatting.between(Estimate("cost", value, low, high, 10, "paired"), formatting.dollars) == said


def test_what_is_missing_in_a_table():
    """None, NaN and a date that is not there; no text, number, list or array is."""
    assert all(
        formatting.is_missing(cell) for cell in (None, float("nan"), np.float64("nan"), np.float32("nan"), pd.NaT)
    )
    held = ("", "nan", 0, 0.0, False, [], np.array([np.nan, 1.0]), np.array([]), pd.Timestamp(0))
    assert not any(formatting.is_missing(cell) for cell in held)
