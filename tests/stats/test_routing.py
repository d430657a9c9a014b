import numpy as np
import pytest

from harness.stats import routing
from harness.stats.paired import Table2x2

# RouteLLM's published outcomes: both right, only the strong model, only the weak one, neither.
MMLU = Table2x2(8_818, 2_497, 742, 1_985)
GSM8K = Table2x2(747, 383, 95, 94)


def credits(table):
    """The dear arm's credit and the cheap one's, item by item, of a table."""
    counts = (table.both, table.only_a, table.only_b, table.neither)
    return np.repeat([1.0, 1.0, 0.0, 0.0], counts), np.repeat([1.0, 0.0, 1.0, 0.0], counts)


@pytest.mark.parametrize(
    ("table", "strong", "weak", "oracle", "share"),
    [(MMLU, 0.8058, 0.6808, 0.8586, 0.1250), (GSM8K, 0.8567, 0.6384, 0.9287, 0.2183)],
)
def test_published_routers(table, strong, weak, oracle, share):
    """GPT-4, Mixtral, their oracle, and the share of strong calls that reaches GPT-4."""
    assert (table.both + table.only_a) / table.n == pytest.approx(strong, abs=5e-5)
    assert (table.both + table.only_b) / table.n == pytest.approx(weak, abs=5e-5)
    assert routing.oracle_accuracy(*credits(table)) == pytest.approx(oracle, abs=5e-5)
    assert routing.share_for(*credits(table)) == pytest.approx(share, abs=5e-5)
    assert routing.oracle_at(*credits(table), routing.share_for(*credits(table))) == pytest.approx(
        (table.both + table.only_a) / table.n
    )
    assert routing.share_for(*credits(table), 0.5) == pytest.approx(share / 2, abs=5e-5)


def test_fusion_is_worth_what_the_better_arm_lacks():
    """min(b, c) / n is the oracle's lead over the better of the two arms."""
    for table in (MMLU, GSM8K, MMLU.swapped):
        best = (table.both + max(table.only_a, table.only_b)) / table.n
        assert routing.worth_of_fusion(*credits(table)) == pytest.approx(
            routing.oracle_accuracy(*credits(table)) - best
        )


def test_the_random_line_joins_the_arms():
    """With all or none of the calls it is an arm, half way it is their mean."""
    assert routing.random_accuracy([0.6, 0.8], [1, 0]) == pytest.approx(0.6)
    assert routing.random_accuracy([0.6, 0.8], [0.5, 0.5]) == pytest.approx(0.7)
    assert routing.recovered(0.7, 0.6, 0.8) == pytest.approx(0.5)


def test_mean_recovered_gap():
    """Chance has one half, an oracle that needs an eighth of the calls 1 - 1/16."""
    shares = np.linspace(0, 1, 11)
    assert routing.mean_recovered(shares, 0.6 + 0.2 * shares) == pytest.approx(0.5)
    assert routing.mean_recovered([0, 0.125, 1], [0.6, 0.8, 0.8]) == pytest.approx(1 - 1 / 16)


def test_without_items_or_gap_there_is_no_number():
    """No items, or a dear arm that is not better: None, never 0."""
    empty, level = Table2x2(0, 0, 0, 0), Table2x2(1, 2, 2, 1)
    assert routing.oracle_accuracy(*credits(empty)) is None
    assert routing.oracle_at(*credits(empty), 0.5) is None
    assert routing.worth_of_fusion(*credits(empty)) is None
    assert routing.share_for(*credits(level)) is None
    assert routing.recovered(0.5, 0.5, 0.5) is None
    assert routing.mean_recovered([0, 1], [0.5, 0.5]) is None
