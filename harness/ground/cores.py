"""How many cores this computation may take: all, or one, where as many computations run beside it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_is_one = ContextVar("is_one", default=False)


@contextmanager
def one() -> Iterator[None]:
    """Within, one core is ours."""
    token = _is_one.set(True)
    try:
        yield
    finally:
        _is_one.reset(token)


def ours() -> int:
    """The number of cores to use."""
    return 1 if _is_one.get() else os.cpu_count() or 1
