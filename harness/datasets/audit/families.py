"""Near-duplicates as groups, so that splits and standard errors know that they belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from harness.datasets.audit.subject import Subject

if TYPE_CHECKING:
    from harness.datasets.audit.subject import Near
    from harness.types import Dataset


def families(dataset: Dataset, how: Near) -> dict[str, str]:
    """The group of every row that belongs to one, by id: rows that are near each other, or had a group together.

    A group is named by its first row's id; a row that stands alone has none.
    """
    subject = Subject(dataset, how)
    n = len(subject.ids)
    first_of: dict[object, int] = {}
    links = [
        (row, first_of.setdefault(key, row))
        for row, keys in enumerate(zip(subject.near_groups.tolist(), subject.groups, strict=True))
        for key in keys
        if key is not None
    ]
    ends = np.array(links, dtype=np.int64).reshape(-1, 2).T
    _, codes = connected_components(sparse.coo_matrix((np.ones(len(links)), (ends[0], ends[1])), shape=(n, n)), False)
    sizes = np.bincount(codes, minlength=1)
    head: dict[int, str] = {}
    for row, code in enumerate(codes.tolist()):
        head.setdefault(code, subject.ids[row])
    return {subject.ids[row]: head[code] for row, code in enumerate(codes.tolist()) if sizes[code] > 1}
