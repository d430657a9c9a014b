"""Which split a row belongs to: by hash, so that adding rows moves none."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from harness.errors import DatasetError
from harness.ground import plugins
from harness.ground.ids import unit_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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


def assign_alike(
    keys: Sequence[str], strata: Sequence[tuple[str, ...]], shares: Mapping[str, float], seed: int
) -> dict[str, str]:
    """As `assign_stratified`, for rows with one label each; others by iterative stratification."""
    if all(len(names) == 1 for names in strata):
        return assign_stratified(keys, [name for (name,) in strata], shares, seed)
    return assign_iteratively(keys, strata, shares, seed)


def assign_iteratively(
    keys: Sequence[str], strata: Sequence[tuple[str, ...]], shares: Mapping[str, float], seed: int
) -> dict[str, str]:
    """The split of each key, so that every name has the shares in every split as nearly as whole keys allow.

    Iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011): the rarest name among the rows that are left is
    dealt out first, each of its keys to the split that lacks that name most, then to the one that lacks rows most, then
    by hash. `keys` has a key per row, the same for rows of one group.
    """
    names_of: dict[str, Counter[str]] = defaultdict(Counter)
    sizes = Counter(keys)
    for key, names in zip(keys, strata, strict=True):
        names_of[key].update(names)
    left: dict[str, set[str]] = defaultdict(set)
    for key in sizes:
        for name in names_of[key] or ("",):
            left[name].add(key)
    totals = Counter(name for names in names_of.values() for name in names.elements())
    lacking = {name: {split: share * totals[name] for split, share in shares.items()} for name in left}
    rows = {split: share * len(keys) for split, share in shares.items()}
    drawn: dict[str, str] = {}
    while left:
        # Rows without a name come last: they fill what is left open.
        name = min(left, key=lambda one: (one == "", len(left[one]), one))
        for key in sorted(left.pop(name), key=lambda one: unit_interval(f"split {seed}", one)):
            split = max(shares, key=lambda one: (lacking[name][one], rows[one], unit_interval(f"{seed} {one}", key)))
            drawn[key] = split
            rows[split] -= sizes[key]
            for other, n in names_of[key].items():
                lacking[other][split] -= n
                left.get(other, set()).discard(key)
        left = {one: members for one, members in left.items() if members}
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
    """How many examples of each split have each name that a gold answer holds: its label, its labels, its fields.

    Those without a gold answer are counted under ''.
    """
    parts = gold_names(dataset.kind)
    counts: dict[str, dict[str, int]] = {}
    for example in dataset.examples:
        of_label = counts.setdefault(example.split, {})
        for name in parts(example.label) if example.is_labelled else ("",):
            of_label[name] = of_label.get(name, 0) + 1
    return in_order(counts)


def split_sizes(dataset: Dataset) -> dict[str, int]:
    """How many examples each split has: train, dev, test, then other splits by name."""
    counts = Counter(example.split for example in dataset.examples)
    return {name: counts[name] for name in in_order({name: {} for name in counts})}


def gold_names(kind: str) -> Callable[[str], tuple[str, ...]]:
    """A function from a gold answer to the names in it; of a kind that says nothing of them, the answer itself."""
    found: Callable[[str], tuple[str, ...]] = getattr(plugins.load("kinds", kind), "parts", lambda gold: (gold,))
    return found


def in_order(counts: Mapping[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """Counts by split and label: train, dev, test, then other splits by name; labels by name."""
    order = {"train": 0, "dev": 1, "test": 2}
    names = sorted(counts, key=lambda name: (order.get(name, 3), name))
    return {name: dict(sorted(counts[name].items())) for name in names}
