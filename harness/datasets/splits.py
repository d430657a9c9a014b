"""Which split a row belongs to: by hash, so that adding rows moves none."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from harness.errors import DatasetError
from harness.ground.ids import unit_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.types import Dataset

ROUNDING = 1e-9


def assign(key: str, shares: Mapping[str, float], seed: int) -> str:
    """The split of a row, decided by the hash of its group (or id) and the seed alone."""
    place, upto = unit_interval(f"split {seed}", key), 0.0
    for name, share in shares.items():
        upto += share
        if place < upto:
            return name
    return list(shares)[-1]


def assign_stratified(
    keys: Sequence[str], labels: Sequence[str], shares: Mapping[str, float], seed: int
) -> dict[str, str]:
    """The split of each key, so that every label has the shares in every split as nearly as whole keys allow.

    `keys` has a key per row, the same for rows of one group, which goes by the label most of its rows
    have. Within a label keys are ordered by their hash. Unlike `assign`, adding rows may move some.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for key, label in zip(keys, labels, strict=True):
        counts[key][label] += 1
    of_label: dict[str, list[str]] = defaultdict(list)
    for key, seen in counts.items():
        of_label[min(seen, key=lambda label: (-seen[label], label))].append(key)
    drawn: dict[str, str] = {}
    for members in of_label.values():
        ordered = sorted(members, key=lambda key: unit_interval(f"split {seed}", key))
        drawn.update(in_shares(ordered, shares))
    return drawn


def in_shares(ordered: Sequence[str], shares: Mapping[str, float]) -> dict[str, str]:
    """The keys cut, in this order, into stretches of the shares' sizes, rounded to whole keys."""
    drawn, upto, start = {}, 0.0, 0
    for name, share in shares.items():
        upto += share
        end = round(upto * len(ordered))
        drawn.update(dict.fromkeys(ordered[start:end], name))
        start = end
    return drawn


def check_shares(shares: Mapping[str, float], where: str) -> None:
    """Raise `DatasetError` unless the shares add up to 1."""
    total = sum(shares.values())
    if not shares or abs(total - 1) > ROUNDING:
        raise DatasetError(f"{where}: the shares of the splits add up to {total:g}; expected 1")


def split_counts(dataset: Dataset) -> dict[str, dict[str, int]]:
    """How many examples each split has, by label; splits in order of first appearance."""
    counts: dict[str, dict[str, int]] = {}
    for example in dataset.examples:
        of_label = counts.setdefault(example.split, {})
        of_label[example.label] = of_label.get(example.label, 0) + 1
    return in_order(counts)


def in_order(counts: Mapping[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """Counts by split and label: train, dev, test, then other splits by name; labels by name."""
    order = {"train": 0, "dev": 1, "test": 2}
    names = sorted(counts, key=lambda name: (order.get(name, 3), name))
    return {name: dict(sorted(counts[name].items())) for name in names}
