"""What a dataset asks: its kind of task and its labels, and what an answer is worth.

Everybody who must know whether an answer is right asks here, and here alone a kind is asked: the store when it
writes rows, and whoever has answers that are in no store.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np

from harness.errors import ConfigError, one_of
from harness.ground import plugins
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path
    from types import ModuleType

    from numpy.typing import NDArray

    from harness.types import Dataset, Metric, Prediction, ReplyFormat, ReplyMode

FOLDER = "kinds"
TRAITS = {"classes": "HAS_CLASSES", "right or wrong": "IS_BINARY"}


class Kind(Protocol):
    """What a file in `kinds/` offers, here and in a workspace's extensions. Gold and answers are canonical text.

    `METRICS` are what is measured over a run; the first is the headline, the mean credit, and its name is what the
    mean credit is called everywhere. `IS_BINARY`: an answer is right or wrong, its credit 1 or 0. `HAS_CLASSES`: gold
    is one of the labels, so that labels can be counted, confused with each other, and learnt by a classifier.
    """

    METRICS: Mapping[str, Metric]
    IS_BINARY: bool
    HAS_CLASSES: bool

    def read_gold(self, cell: str, labels: Collection[str], where: str) -> str:
        """The canonical text of a gold cell; `DatasetError` names the place where it is none."""
        ...

    def reply_format(
        self,
        mode: ReplyMode,
        labels: Sequence[str],
        pattern: str | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> ReplyFormat:
        """What a model may reply, for a prompt's output mode."""
        ...

    def parse(self, reply: str, labels: Sequence[str], expected: ReplyFormat) -> tuple[Outcome, str | None]:
        """The outcome of a reply, and its canonical answer."""
        ...

    def credit(self, gold: str, answer: str, labels: Sequence[str]) -> float:
        """What an answer is worth, from 0 to 1."""
        ...


def kind_of(name: str) -> Kind:
    """The kind of that name; `ConfigError` names the kinds there are where it is none."""
    return cast("Kind", plugins.load(FOLDER, name))


def spoken(metric: str) -> str:
    """The name of a metric as it stands in a sentence: `mean F1` of `mean_f1`."""
    return re.sub(r"\bf1\b", "F1", metric.replace("_", " "))


@dataclass(frozen=True, slots=True)
class Task:
    """A kind of task and the labels of a dataset, whatever they mean to that kind.

    `costs` says by gold and answer what an answer costs, where the dataset does. Equal pairs of gold and answer are
    asked for once.
    """

    kind: str = "single"
    labels: tuple[str, ...] = ()
    costs: Mapping[str, Mapping[str, float]] = field(default_factory=dict, compare=False, repr=False)
    _known: dict[tuple[str, str], float] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, dataset: Dataset) -> Task:
        """What a dataset asks."""
        return cls(dataset.kind, dataset.label_names, dataset.costs)

    @property
    def at(self) -> Path | None:
        """Where the workspace keeps extensions of its own; None where nobody said."""
        return cast("Path | None", getattr(self.kind, "at", None))

    @property
    def rules(self) -> Kind:
        """What the kind says."""
        return kind_of(self.kind)

    @property
    def noun(self) -> str:
        """What the mean credit is called: the name of the headline metric."""
        return spoken(next(iter(self.rules.METRICS)))

    def meets(self, module: ModuleType) -> bool:
        """Whether it is of the `KINDS` that a section, a figure, a check or a metric names, and has what that `NEEDS`.

        Needs are some of `TRAITS`, by name.
        `ConfigError` for a need that no kind can meet.
        """
        needs: tuple[str, ...] = getattr(module, "NEEDS", ())
        for need in needs:
            if need not in TRAITS:
                raise ConfigError(f"{module.__file__} NEEDS {need!r}; {one_of(need, TRAITS)}")
        if self.kind not in getattr(module, "KINDS", (self.kind,)):
            return False
        return all(getattr(self.rules, TRAITS[need]) for need in needs)

    def credit(self, gold: str, answer: object) -> float:
        """What an answer is worth, from 0 to 1; no answer (anything but text) is worth 0.

        Raises `ConfigError` where the kind gives another number.
        """
        if not isinstance(answer, str):
            return 0.0
        found = self._known.get((gold, answer))
        if found is None:
            found = self._known[gold, answer] = self._asked(gold, answer)
        return found

    def _asked(self, gold: str, answer: str) -> float:
        found = float(self.rules.credit(gold, answer, self.labels))
        if not 0 <= found <= 1:
            raise ConfigError(f"kind {self.kind!r} gives {answer!r} a credit of {found:g}; expected 0 to 1")
        return found

    def credits(self, gold: Iterable[str], answers: Iterable[object]) -> NDArray[np.float64]:
        """What each answer is worth."""
        pairs = zip(gold, answers, strict=True)
        return np.array([self.credit(wanted, answer) for wanted, answer in pairs], dtype=np.float64)

    def distances(self, answers: Sequence[str]) -> NDArray[np.float64]:
        """How far each answer is from each, 0 to 1: what one lacks where the other is gold, the mean of both ways."""
        worth = self.rules.credit
        credit = np.array([[worth(gold, answer, self.labels) for answer in answers] for gold in answers])
        apart: NDArray[np.float64] = 1 - (credit + credit.T) / 2
        return apart

    def credit_of(self, gold: str, prediction: Prediction) -> float | None:
        """What a prediction is worth; None for a failed one: an outage is not a wrong answer."""
        return None if prediction.outcome is Outcome.FAILED else self.credit(gold, prediction.label)


SINGLE = Task()
"""One label of a set: what is asked where nobody says."""
