"""What an extension must keep, as checks that its author can run, one file for each sort.

`pytest --harness-contract` runs them over a workspace's extensions (see `pytest_plugin`), and this repository's tests
over the files that come with it. Each raises `AssertionError` with a sentence that says what was found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import cast

from harness.app.contracts._subject import Subject
from harness.ground import extensions

__all__ = ["Subject", "of_folder"]

Check = Callable[[Subject], None]


def of_folder(folder: str) -> dict[str, Check]:
    """The checks of a folder's extensions, by what they check."""
    own = cast("Mapping[str, Check]", import_module(f"{__name__}.{folder}").CHECKS)
    return {"offers what is asked for": _offers, **own}


def _offers(subject: Subject) -> None:
    missing = [wanted for wanted in extensions.OFFERED[subject.folder] if not hasattr(subject.module, wanted)]
    assert not missing, f"{subject.name} does not offer {', '.join(missing)}"
