"""The pytest plugin: the gate as a test, and a workbench for tests of prompts. It loads nothing until it is used.

`pytest --harness-gate` adds one test, which is what `harness gate` is with the settings under [gate] of harness.toml:
it fails when the gate fails, and when there is not enough data, so that this does not look green.

    def test_invoices_are_billing(harness_bench):
        asked = harness_bench.evaluate("prompt:v3", "tickets@v1", items=["t1", "t2", "t3"])
        asked.assert_at_least(0.9)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

import harness
from harness.errors import HarnessError
from harness.ground import plugins

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from harness.app.workbench import Workbench

OPTION = "--harness-gate"
CONTRACT = "--harness-contract"
NAME = "harness gate"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--harness-gate`."""
    parser.getgroup("harness").addoption(
        OPTION,
        action="store_true",
        default=False,
        help="Add harness gate, as set under [gate] in harness.toml, as a test.",
    )
    parser.getgroup("harness").addoption(
        CONTRACT, action="append", default=[], metavar="FOLDER/NAME", help="Check an extension: baselines/my-arm."
    )


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """The gate, and the contracts of extensions, as the last tests, on request."""
    for place in config.getoption(CONTRACT):
        folder, _, name = place.partition("/")
        if folder not in plugins.OPEN or not name:
            raise pytest.UsageError(
                f"{CONTRACT} {place}: expected FOLDER/NAME, FOLDER one of {', '.join(plugins.OPEN)}"
            )
        contracts = import_module("harness.app.contracts")  # loads numpy, and is seldom asked for
        for title, check in contracts.checks(folder).items():
            items.append(_Contract.from_parent(session, name=f"{place}: {title}", check=check, place=(folder, name)))
    if config.getoption(OPTION):
        items.append(_Gate.from_parent(session, name=NAME))


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
        check: Callable[[str, ModuleType], None],
        place: tuple[str, str],
        **rest: Any,  # noqa: ANN401  (pytest's own)
    ) -> None:
        super().__init__(**rest)
        self._check, self._place = check, place

    def runtest(self) -> None:
        extensions = import_module("harness.ground.workspace").find(self.config.rootpath).extensions
        self._check(self._place[1], plugins.load(*self._place, extensions))
