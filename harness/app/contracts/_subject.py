"""An extension under its contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Subject:
    """An extension of a folder: its name and module; `given` is what a check may hand to it beside the usual."""

    folder: str
    name: str
    module: ModuleType
    given: Mapping[str, Any] = field(default_factory=dict)
