"""Worlds of items with gold, arms' answers and guesses, for the estimates from few labels."""

from dataclasses import dataclass

import numpy as np

from harness.stats import ppi
from harness.stats.powered import Guesses
from harness.stats.weighted import Sample

ITEMS = 1200
FLOOR = 0.5
SIZES = (30, 50, 100, 200)
PRIORS = {"even": (0.5, 0.3, 0.2), "rare": (0.9, 0.07, 0.03), "six": (0.3, 0.3, 0.2, 0.1, 0.05, 0.05)}
ACCURACIES = ((0.7, 0.65), (0.95, 0.9), (0.97, 0.97))
GUESSES = ("good", "fair", "none", "misleading")
DRAWS = ("random", "uncertain", "discordant")


@dataclass(frozen=True)
class World:
    """Labels' shares, two arms' accuracies, and how good the guesses of the gold label are."""

    prior: tuple
    accuracies: tuple
    guesses: str

    def drawn(self, rng):
        """Gold, the arms' answers, and the guessed probability of each label, of all items."""
        labels, rows = len(self.prior), np.arange(ITEMS)
        gold = rng.choice(labels, ITEMS, p=self.prior)
        hard = rng.beta(0.6, 0.6, size=ITEMS)
        said = []
        for accuracy in self.accuracies:
            easy = accuracy + (0.5 - hard) * 1.6 * min(accuracy, 1 - accuracy)
            said.append(np.where(rng.random(ITEMS) < easy, gold, (gold + rng.integers(1, labels, ITEMS)) % labels))
        if self.guesses == "none":
            return gold, said, rng.dirichlet(np.ones(labels), size=ITEMS)
        sure = 0.6 if self.guesses == "fair" else 0.9
        seen = np.where(rng.random(ITEMS) < sure, gold, rng.integers(0, labels, ITEMS))
        guessed = np.full((ITEMS, labels), (1 - sure) / labels)
        guessed[rows, seen] += sure
        return gold, said, np.roll(guessed, 1, axis=1) if self.guesses == "misleading" else guessed


def sample(how, said, guessed, n, rng):
    """The labelled items and what each stands for."""
    if how == "random":
        return rng.choice(ITEMS, n, replace=False), np.ones(n)
    worth = 1 - guessed.max(axis=1) if how == "uncertain" else (said[0] != said[1]).astype(float)
    chances = np.minimum(1, n * (FLOOR / ITEMS + (1 - FLOOR) * (worth + 1e-3) / (worth + 1e-3).sum()))
    order = rng.permutation(ITEMS)
    ends = np.cumsum(chances[order])
    rows = order[np.unique(np.searchsorted(ends, np.arange(rng.random(), ends[-1])).clip(max=ITEMS - 1))]
    return rows, 1 / chances[rows]


def estimated(what, world, how, n, rng):
    """One draw: the truth, and what is made of it."""
    gold, said, guessed = world.drawn(rng)
    rows, weights = sample(how, said, guessed, n, rng)
    held, everyone = Sample.of(len(rows), weights), np.arange(ITEMS)
    first, second = (guessed[everyone, answers] for answers in said)
    right = [(answers == gold).astype(float) for answers in said]
    if what == "accuracy":
        return world.accuracies[0], ppi.share(right[0][rows], Guesses.of(first[rows], first), held)
    if what == "difference":
        apart = np.where(said[0] != said[1], first + second, 0)
        guesses = Guesses.of((first - second)[rows], first - second)
        made = ppi.difference((right[0] - right[1])[rows], guesses, Guesses.of(apart[rows], apart), held)
        return world.accuracies[0] - world.accuracies[1], made
    if what == "macro-F1":
        given = ppi.one_hot(said[0], len(world.prior))
        _, influence = ppi.macro_influence(guessed, given, np.full(ITEMS, 1 / ITEMS))
        made = ppi.macro_f1(gold[rows], given[rows], Guesses.of(influence[rows], influence), held)
        return true_macro_f1(world), made
    label = len(world.prior) - 1
    of_label, hits = (gold == label).astype(float), (gold == label) * right[0]
    hit = guessed[:, label] * (said[0] == label)
    guesses = (Guesses.of(hit[rows], hit), Guesses.of(guessed[rows, label], guessed[:, label]))
    return world.accuracies[0], ppi.recall(hits[rows], of_label[rows], guesses, held, name="recall")


def true_macro_f1(world):
    """Errors go to any other label alike, and every label has the arm's accuracy as its recall."""
    prior, accuracy = np.array(world.prior), world.accuracies[0]
    given = prior * accuracy + (1 - prior) * (1 - accuracy) / (len(prior) - 1)
    return float(np.mean(2 * prior * accuracy / (prior + given)))


@dataclass
class Coverage:
    """How often intervals held the truth, gold's own too, and their mean widths."""

    draws: int = 0
    held: int = 0
    alone: int = 0
    width: float = 0.0
    width_alone: float = 0.0

    def add(self, truth, made):
        estimate, alone = made.estimate, made.gold_alone
        if estimate.low is None:
            return
        self.draws += 1
        self.held += estimate.low <= truth <= estimate.high
        self.alone += alone.low <= truth <= alone.high
        self.width += estimate.high - estimate.low
        self.width_alone += alone.high - alone.low

    @property
    def rate(self):
        return self.held / self.draws

    @property
    def ratio(self):
        return self.width / self.width_alone


def simulate(what, world, how, n, draws, seed=7):
    rng, counted = np.random.default_rng(seed), Coverage()
    for _ in range(draws):
        counted.add(*estimated(what, world, how, n, rng))
    return counted
