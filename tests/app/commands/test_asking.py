"""The settings of a workspace reach every request, whichever way its model is asked."""

from dataclasses import fields

import pytest

import harness as package
from harness.ground.workspace import Preferences
from harness.models import stack
from harness.models.stack import Asking

PREFERRED = {
    "model": "fake/uniform",
    "concurrency": 3,
    "requests_per_minute": 60_000,
    "tokens_per_minute": 6_000_000,
    "timeout_s": 7.0,
    "deadline_s": 9.0,
    "budget_usd": 0.5,
}
# Preferences that are about something else than how a model is asked.
OTHERS = {
    "dataset",
    "task",
    "arms",
    "cpu_usd_per_hour",
    "encoder",
    "prices",
    "decide",
    "gate",
    "db",
    "db_data",
    "ledger",
    "spread",
    "most_items",
}
NAMES = {"concurrency": "workers"}
PRICES = (
    '[prices."fake/uniform"]\ninput_fresh = 2.0\noutput_visible = 10.0\n[gate]\nprompt = "v1"\nbaseline = "majority"\n'
)


def by_eval(harness, root):
    assert harness("eval", "--prompt", "v1", "--limit", "5").code == 0


def by_gate(harness, root):
    assert harness("gate").code in (0, 1, 4)


def by_plan(harness, root):
    (root / "plan.toml").write_text('arms = ["prompt:v1"]\n')
    assert harness("run", "plan.toml").code == 0


def by_workbench(harness, root):
    package.Workbench(root).evaluate("prompt:v1")


def by_the_gate_of_a_workbench(harness, root):
    package.Workbench(root).gate()


DOORS = [by_eval, by_gate, by_plan, by_workbench, by_the_gate_of_a_workbench]


@pytest.fixture
def asked(monkeypatch):
    """How each stack that is built is asked to ask; the stack is the real one."""
    seen = []
    build = stack.Stack.__init__

    def watched(self, *arguments):
        seen.append(arguments[-1])
        build(self, *arguments)

    monkeypatch.setattr(stack.Stack, "__init__", watched)
    return seen


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_every_setting_reaches_the_requests(harness, root, asked, door):
    """Model, number at once, rates, time-outs and budget, by each command and by the Python API."""
    assert harness("baselines", "--arm", "majority").code == 0
    lines = [
        f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {value}" for name, value in PREFERRED.items()
    ]
    (root / "harness.toml").write_text("\n".join(['dataset = "tickets@v1"', *lines, PRICES]))
    door(harness, root)
    [asking] = asked
    for name, value in PREFERRED.items():
        assert getattr(asking, NAMES.get(name, name)) == value, name


def test_no_setting_is_forgotten():
    """Every preference is one of how a model is asked, or of something else: a new one has to be put here."""
    assert set(PREFERRED) | OTHERS == {one.name for one in fields(Preferences)}
    default = Preferences()
    assert all(getattr(default, name) != value for name, value in PREFERRED.items())


def test_what_is_chosen_goes_before_what_is_preferred():
    """A chosen value holds; None leaves the preference; a budget of nothing is a choice."""
    preferences = Preferences(model="a/b", budget_usd=2.0, requests_per_minute=10)
    assert Asking.of(preferences, model="c/d", budget_usd=0.0, repeat=2) == Asking(
        model="c/d", budget_usd=0.0, requests_per_minute=10, repeat=2
    )
    assert Asking.of(preferences, model=None, budget_usd=None) == Asking.of(preferences)
