"""Every table an experiment can give, with its probability: coverage and error rates without chance."""

import numpy as np
from scipy.stats import binom

from harness.stats.paired import Table2x2

NEGLIGIBLE = 1e-9


def tables(n, p12, p21):
    """(probability, table) of all that matter when only a is right with `p12`, only b with `p21`."""
    for only_a in np.flatnonzero(binom.pmf(np.arange(n + 1), n, p12) > NEGLIGIBLE).tolist():
        rest = n - only_a
        weights = binom.pmf(only_a, n, p12) * binom.pmf(np.arange(rest + 1), rest, p21 / (1 - p12))
        for only_b in np.flatnonzero(weights > NEGLIGIBLE).tolist():
            yield float(weights[only_b]), Table2x2(rest - only_b, only_a, only_b, 0)


def probability(event, n, p12, p21):
    """How often a table has the event."""
    return sum(weight for weight, table in tables(n, p12, p21) if event(table))
