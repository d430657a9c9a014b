"""Worlds of several arms with labels on few items, through the real estimation: what is said of all pairs at once."""

from itertools import combinations

import numpy as np

from harness.analysis import comparison
from harness.analysis.decision import choosing
from harness.analysis.estimated_panel import panel_of
from harness.analysis.estimation import Answered, Estimation, Gold

ITEMS, LABELS = 800, ("a", "b", "c", "d")
NAMES = ("w", "x", "y", "z")


def drawn(accuracies, n, how, rng):
    """An estimation of one draw of labels, and the arms' accuracies on all items."""
    gold = rng.choice(len(LABELS), ITEMS, p=(0.5, 0.3, 0.15, 0.05))
    hard = rng.beta(0.6, 0.6, size=ITEMS)
    right = [rng.random(ITEMS) < a + (0.5 - hard) * 1.6 * min(a, 1 - a) for a in accuracies]
    said = np.column_stack([np.where(r, gold, (gold + rng.integers(1, 4, ITEMS)) % 4) for r in right])
    items = tuple(f"i{i}" for i in range(ITEMS))
    answered = Answered(NAMES, items, LABELS, said, said * np.nan, np.zeros(said.shape, dtype=bool))
    chances = np.full(ITEMS, n / ITEMS)
    if how == "disagreement":
        worth = np.array([len(set(row)) for row in said.tolist()]) - 1.0
        chances = np.minimum(1, n * (0.5 / ITEMS + 0.5 * (worth + 1e-3) / (worth + 1e-3).sum()))
    order = rng.permutation(ITEMS)
    ends = np.cumsum(chances[order])
    rows = order[np.unique(np.searchsorted(ends, np.arange(rng.random(), ends[-1])).clip(max=ITEMS - 1))]
    of = {items[row]: LABELS[gold[row]] for row in rows}
    weights = {items[row]: float(1 / chances[row]) for row in rows}
    made = Estimation(answered, Gold(of, lambda g, a: float(g == a), LABELS, weights))
    return made, np.asarray(accuracies)


def counted(accuracies, n, how, draws, margin, seed=11):
    """How often any pair's interval misses, a difference is shown wrongly, an arm is wrongly called close."""
    rng, missed, shown, close = np.random.default_rng(seed), 0, 0, 0
    for _ in range(draws):
        made, truth = drawn(accuracies, n, how, rng)
        together = panel_of(made)
        leads = {pair: truth[pair[0]] - truth[pair[1]] for pair in combinations(range(len(truth)), 2)}
        found = comparison.compare_all(together)
        pairs = list(zip(found, leads.values(), strict=True))
        missed += any(not one.together.low - 1e-9 <= lead <= one.together.high + 1e-9 for one, lead in pairs)
        shown += any(one.is_shown and one.difference.value * lead <= 0 for one, lead in pairs)
        near = choosing.claims(together.worst_pairs(), margin).close.all(axis=-1)
        close += bool((near & (truth <= truth.max() - margin)).any())
    return missed / draws, shown / draws, close / draws
