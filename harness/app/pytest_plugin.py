"""The pytest plugin: the gate as a test, and a workbench for tests of prompts. It loads nothing until it is used.

`pytest --harness-gate` adds one test, which is what `harness gate` is with the settings under [gate] of harness.toml:
it fails when the gate fails, and when there is not enough data, so that this does not look green.

    def test_invoices_are_billing(harness_bench):
        asked = harness_bench.evaluate("prompt:v3", "tickets@v1", items=["t1", "t2", "t3"])
        asked.assert_at_least(0.9)
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import harness
from harness.errors import HarnessError
from harness.ground import extensions, plugins

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.app.workbench import Workbench

OPTION = "--harness-gate"
CONTRACT = "--harness-contract"
EVERY = "every file in extensions/"
NAME = "harness gate"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--harness-gate` and `--harness-contract`."""
    parser.getgroup("harness").addoption(
        OPTION,
        action="store_true",
        default=False,
        help="Add harness gate, as set under [gate] in harness.toml, as a test.",
    )
    parser.getgroup("harness").addoption(
        CONTRACT,
        action="append",
        nargs="?",
        const=EVERY,
        default=[],
        metavar="FOLDER/NAME",
        help="Check the extensions of the workspace, or one: baselines/my-arm.",
    )


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """The gate, and the contracts of extensions, as the last tests, on request."""
    for place in _places(config):
        folder, name = place
        contracts = import_module("harness.app.contracts")  # loads numpy, and is seldom asked for
        for title, check in contracts.of_folder(folder).items():
            items.append(_Contract.from_parent(session, name=f"{folder}/{name}: {title}", check=check, place=place))
    if config.getoption(OPTION):
        items.append(_Gate.from_parent(session, name=NAME))


def _places(config: pytest.Config) -> list[tuple[str, str]]:
    """The extensions that are asked for, by folder and name."""
    found: list[tuple[str, str]] = []
    for place in config.getoption(CONTRACT):
        folder, _, name = place.partition("/")
        if place == EVERY:
            found += [(one, file) for one in plugins.OPEN for file in extensions.files(one, _workspace(config))]
        elif folder in plugins.OPEN and name:
            found.append((folder, name))
        else:
            raise pytest.UsageError(
                f"{CONTRACT} {place}: expected FOLDER/NAME, FOLDER one of {', '.join(plugins.OPEN)}; or nothing, for "
                "every file in extensions/"
            )
    return found


def _workspace(config: pytest.Config) -> Path:
    workspace = import_module("harness.ground.workspace")  # loads pydantic
    return Path(workspace.find(config.rootpath).extensions)


@pytest.fixture
def harness_bench(pytestconfig: pytest.Config) -> Workbench:
    """A workbench over the workspace that pytest's root folder is."""
    return harness.Workbench(pytestconfig.rootpath)


class _Said(pytest.Item):
    """A test whose failure is a sentence."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:  # noqa: ARG002
        """What the gate, or an error of ours, says: no traceback."""
        if isinstance(excinfo.value, AssertionError | HarnessError):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[str, int | None, str]:
        return "pyproject.toml", None, self.name


class _Gate(_Said):
    """The gate of the settings."""

    def runtest(self) -> None:
        harness.Workbench(self.config.rootpath).gate().assert_passed()


class _Contract(_Said):
    """One check of an extension's contract."""

    def __init__(
        self,
        *,
        check: Callable[[Any], None],
        place: tuple[str, str],
        **rest: Any,  # noqa: ANN401  (pytest's own)
    ) -> None:
        super().__init__(**rest)
        self._check, self._place = check, place

    def runtest(self) -> None:
        subject = import_module("harness.app.contracts").Subject
        at = _workspace(self.config)
        self._check(subject(*self._place, plugins.load(*self._place, at), {"at": at}))
