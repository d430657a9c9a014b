"""A provider: `connect(model)` gives a connection to one of its models. Nothing is sent here."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.app.contracts._subject import Subject


def _constants(subject: Subject) -> None:
    module, name = subject.module, subject.name
    why = module.available()
    assert why is None or (isinstance(why, str) and why), f"{name}: available gave {why!r}; expected None or a reason"
    models = tuple(module.MODELS)
    assert all(isinstance(one, str) for one in models), f"{name}: MODELS holds {models!r}; expected names"
    for constant in ("RUNS_HERE", "GIVES_SCORES"):
        assert isinstance(getattr(module, constant), bool), f"{name}: {constant} is no bool"


def _parameters(subject: Subject) -> None:
    wanted = list(inspect.signature(subject.module.connect).parameters)
    assert wanted[:2] == ["model", "base_url"], f"{subject.name}: connect takes {wanted}; expected model and base_url"


def _connects(subject: Subject) -> None:
    module, name = subject.module, subject.name
    if module.available() is not None:
        return
    connection = module.connect(module.DEFAULT_MODEL)
    for method in ("send", "close"):
        found = getattr(connection, method, None)
        assert inspect.iscoroutinefunction(found), f"{name}: a connection has no async {method}"


CHECKS = {
    "its constants are of the right type": _constants,
    "connect takes a model and an address": _parameters,
    "a connection sends and closes": _connects,
}
