"""Parts of a training split: for a learning curve the smaller within the larger, for cross-validation folds. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.errors import ConfigError
from harness.ground.ids import content_id, item_set_id, unit_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.types import Example, Run

DOUBLINGS = 6
TRAINING_PART = "training_part"


def total(examples: Sequence[Example], n: int, seed: int) -> list[Example]:
    """`n` examples whose labels are as frequent as in the whole, as far as whole examples go.

    For one seed a smaller part is a subset of a larger one, whatever else the split holds.
    """
    ranks, sizes = _ranks(examples, seed), Counter(example.label for example in examples)
    order = sorted(examples, key=lambda example: ((ranks[example.item.id] + 0.5) / sizes[example.label], example.label))
    return order[:n]


def at_random(examples: Sequence[Example], n: int, seed: int) -> list[Example]:
    """`n` examples drawn by the seed and their ids alone, for answers that are no single label; nested like `total`."""
    return sorted(examples, key=lambda example: unit_interval(f"curve {seed}", example.item.id))[:n]


def per_class(examples: Sequence[Example], k: int, seed: int) -> list[Example]:
    """`k` examples of each label, or all of a label that has fewer; nested like `total`."""
    ranks = _ranks(examples, seed)
    return sorted(
        (example for example in examples if ranks[example.item.id] < k),
        key=lambda example: (ranks[example.item.id], example.label),
    )


def folds(examples: Sequence[Example], k: int, seed: int) -> dict[str, int]:
    """The fold of each example, by id: labels dealt out evenly, a group never parted.

    Drawn by the seed and the ids alone; scikit-learn's splitters go by the order of the rows too.
    `ConfigError` where there are fewer items (or groups) than folds.
    """
    members: dict[str, list[Example]] = {}
    for example in examples:
        members.setdefault(f"g{example.group}" if example.group is not None else f"i{example.item.id}", []).append(
            example
        )
    if len(members) < k:
        raise ConfigError(f"{len(members)} items (or groups of them) cannot be dealt out into {k} folds; use fewer")
    drawn = sorted(members, key=lambda name: (members[name][0].label, unit_interval(f"fold {seed}", name)))
    return {example.item.id: place % k for place, name in enumerate(drawn) for example in members[name]}


def default_sizes(n: int, labels: int) -> list[int]:
    """Six sizes, each twice the one before, up to the whole split; none with fewer items than labels."""
    halved = [round(n / 2**i) for i in range(DOUBLINGS - 1, -1, -1)]
    return sorted({size for size in halved if size >= min(labels, n)})


def of_part(run: Run, part: Sequence[Example]) -> Run:
    """The run of the same arm, learnt from a part of the training split: a run of its own, that never stands for it."""
    params = {**run.params, TRAINING_PART: item_set_id([example.item.id for example in part])}
    changed = replace(run, n_train=len(part), params=params, purpose="part")
    return replace(changed, id=content_id(changed.identity))


def _ranks(examples: Sequence[Example], seed: int) -> dict[str, int]:
    """Each example's place among those of its label, drawn by the seed and the item alone."""
    drawn = sorted(examples, key=lambda example: unit_interval(f"curve {seed}", example.item.id))
    seen: Counter[str] = Counter()
    ranks = {}
    for example in drawn:
        ranks[example.item.id] = seen[example.label]
        seen[example.label] += 1
    return ranks
