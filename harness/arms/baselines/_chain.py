"""A conditional random field over tokens, learnt by CRFsuite (an optional extra)."""

from __future__ import annotations

import os
import tempfile
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.base import BaseEstimator

from harness.arms.baselines._gold_spans import of_gold
from harness.arms.portable.chain import CRFSUITE, Chain, token_features
from harness.arms.portable.kept import State
from harness.arms.portable.spans import tokens
from harness.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.arms.portable.answer import Answer
    from harness.arms.portable.spans import Span
    from harness.types import Item

OUTSIDE = "O"
C1, C2, ROUNDS = 0.1, 0.01, 50


def chain(arm: str, c1: float = C1, c2: float = C2, rounds: int = ROUNDS) -> Crf:
    """A chain of tags, not fitted; `ConfigError` where its package is not installed."""
    if find_spec(CRFSUITE) is None:
        raise ConfigError(f"arm {arm} needs python-crfsuite, which is not installed: pip install 'prompt-harness[crf]'")
    return Crf(c1, c2, rounds)


class Crf(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """CRFsuite's chain, kept as the bytes of its model file."""

    def __init__(self, c1: float = C1, c2: float = C2, rounds: int = ROUNDS) -> None:
        self.c1 = c1
        self.c2 = c2
        self.rounds = rounds

    def fit(self, items: Sequence[Item], labels: Sequence[str]) -> Self:
        """Learn the tags that gold values come to."""
        trainer = import_module(CRFSUITE).Trainer(verbose=False)
        order = sorted(range(len(items)), key=lambda i: items[i].id)  # the order of the items must mean nothing
        for i in order:
            found = tokens(items[i].text)
            if found:
                trainer.append(token_features(items[i], found), tags(of_gold(labels[i], found), len(found)))
        trainer.set_params(
            {"c1": self.c1, "c2": self.c2, "max_iterations": self.rounds, "feature.possible_transitions": True}
        )
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "crf")
            trainer.train(path)
            with open(path, "rb") as file:
                self.chain_ = Chain(file.read())
        return self

    def answers(self, items: Sequence[Item]) -> list[Answer]:
        """The values of each item, with their places."""
        return self.chain_.answers(items)

    def state(self) -> State:
        """The bytes of the model file."""
        return State({"kind": "chain"}, {"model": np.frombuffer(self.chain_.model, dtype=np.uint8)})


def tags(held: Sequence[Span], n: int) -> list[str]:
    """A tag per token: `B-field` where a value begins, `I-field` where it goes on, `O` outside."""
    found = [OUTSIDE] * n
    for span in held:
        found[span.first] = f"B-{span.field}"
        for place in range(span.first + 1, span.last + 1):
            found[place] = f"I-{span.field}"
    return found
