"""What is improved, by what means, and on which items: train and dev alone, until the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.arms import fewshot
from harness.arms.prompts import proposals
from harness.datasets import splits
from harness.errors import ConfigError
from harness.ground import formatting
from harness.ground.ids import content_id, unit_interval
from harness.runs.improving.race import Aim
from harness.runs.improving.search import Terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.arms.prompts.files import Prompt
    from harness.models.stack import Asking
    from harness.types import Dataset, Example

FEWEST = 10  # items to learn from, and to choose by
MOST_ON_DEV = 400
TRAIN, DEV = "train", "dev"
SHARES = {TRAIN: 2 / 3, DEV: 1 / 3}
LEAST_TOKENS = 1_000


@dataclass(frozen=True, slots=True)
class Setting:
    """One search. `proposing` is how the model that proposes is asked; None: as the one that serves.

    `margin` is what a shorter prompt may lose; None where more credit is sought. `most_tokens` bounds a prompt for an
    item. `test` is the split that is looked at in the end.
    """

    dataset: Dataset
    parent: Prompt
    to: str
    asking: Asking
    proposing: Asking | None
    variants: int
    minibatch: int
    most_tokens: int
    margin: float | None
    seed: int
    test: str = "test"
    shows_examples: bool = True

    @property
    def account(self) -> str:
        """On what account everything is billed: one for each thing to improve, whatever the budget."""
        return content_id(
            {
                "for": "improve",
                "dataset_id": self.dataset.id,
                "prompt": self.parent.id,
                "model": self.asking.model,
                "with": None if self.proposing is None else self.proposing.model,
                "margin": self.margin,
                "seed": self.seed,
            }
        )


@dataclass(frozen=True, slots=True)
class Parts:
    """The examples that are learnt from, and those that choose; `note` says where there was no dev split."""

    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    chosen_on: str
    note: str = ""

    def terms(self, setting: Setting) -> Terms:
        """The search's items, each in an order that says nothing about them."""
        return Terms(
            _shuffled(self.train, setting.seed),
            _shuffled(self.dev, setting.seed)[:MOST_ON_DEV],
            {one.item.id: one.label for one in self.train},
            setting.variants,
            minibatch=setting.minibatch,
            seed=setting.seed,
            aim=Aim(setting.margin),
        )


def parts(dataset: Dataset, parent: Prompt, seed: int, test: str) -> Parts:
    """The labelled items by their use; `ConfigError` where there are too few, or nothing to look at in the end."""
    if test in (TRAIN, DEV):
        raise ConfigError(
            f"--split {test}: a prompt is improved on train and dev, and looked at on another split: test"
        )
    if not dataset.labelled(test):
        raise ConfigError(f"{dataset.ref} has no labelled item in split {test!r} to look at in the end")
    barred = parent.header.learnt_from
    pool = [one for one in dataset.labelled(TRAIN) if one.item.id not in barred]
    train = fewshot.askable(parent.header.examples, pool, pool)
    dev, note, chosen_on = list(dataset.labelled(DEV)), "", DEV
    if not dev:
        of = {one.item.id: splits.assign(one.group or one.item.id, SHARES, seed) for one in train}
        dev = [one for one in train if of[one.item.id] == DEV]
        train = [one for one in train if of[one.item.id] == TRAIN]
        note = f"{dataset.ref} has no dev split: {formatting.plural(len(dev), 'training item')} stand in for it"
        chosen_on = "a third of train"
    for name, examples in ((TRAIN, train), (chosen_on, dev)):
        if len(examples) < FEWEST:
            raise ConfigError(
                f"{dataset.ref} has {formatting.plural(len(examples), 'labelled item')} for {name}; a search needs "
                f"{FEWEST}: label more (harness label), or make a version with other splits (harness dataset split)"
            )
    return Parts(tuple(train), tuple(dev), chosen_on, note)


def most_tokens(parent: Prompt, dataset: Dataset, chosen: int | None) -> int:
    """How many tokens a prompt may have for an item: as chosen, or twice the parent's."""
    items = [one.item for one in dataset.in_split(TRAIN)[: proposals.PROBED]]
    return chosen or max(LEAST_TOKENS, 2 * proposals.tokens_of(parent, dataset, items))


def _shuffled(examples: Sequence[Example], seed: int) -> tuple[str, ...]:
    ids = [one.item.id for one in examples]
    return tuple(sorted(ids, key=lambda item: unit_interval("improve", str(seed), item)))
