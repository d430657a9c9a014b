"""The reusable workflow, the pre-commit hooks and the pytest plugin run the commands that they say."""

import json
import os
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

from tests.app.commands.conftest import harness  # noqa: F401  (the fixture)

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
GATE = '\n[gate]\nprompt = "v1"\nbaseline = "results/baselines/p.parquet"\n'


@pytest.fixture
def pinned(harness, root):  # noqa: F811
    """A workspace whose prompt is pinned, with everything else of the store gone."""
    harness("eval", "--prompt", "v1")
    harness("runs", "export", "prompt:v1", "--to", "results/baselines/p.parquet")
    for path in (root / "results").glob("*.*"):
        if path.is_file():
            path.unlink()
    settings = root / "harness.toml"
    settings.write_text(settings.read_text() + GATE)
    return root


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB", "PYTEST"))}
    return kept | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"} | more


def steps():
    workflow = yaml.safe_load((ROOT / ".github/workflows/gate.yml").read_text())
    return {step["name"]: step for step in workflow["jobs"]["gate"]["steps"] if "name" in step}


def test_the_workflow_runs_the_gate(pinned):
    """Its gate step, run by bash as it stands: exit 0, and JUnit, comment and step summary are there."""
    summary = pinned / "summary.md"
    more = {"ARGUMENTS": "--dataset tickets@v1", "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    done = subprocess.run(
        ["bash", "-e", "-c", steps()["Gate"]["run"]],
        cwd=pinned, env=environment(**more), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Pass." in done.stdout
    assert "::notice title=harness gate::pass" in done.stderr
    assert ET.parse(pinned / "results/gate.xml").getroot()[0].get("failures") == "0"
    assert summary.read_text() == (pinned / "results/gate.md").read_text()


@pytest.mark.parametrize("there", ["", "41"])
def test_the_workflow_comments_once(pinned, there):
    """Its comment step makes a comment, or changes the one that begins with the same marker."""
    gh = pinned / "gh"
    gh.write_text(f'#!/bin/sh\necho "$@" >> {pinned}/asked\ncase "$*" in *--paginate*) echo {there};; esac\n')
    gh.chmod(0o755)
    jq = pinned / "jq"
    jq.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.stdin.read()))\n")
    jq.chmod(0o755)
    (pinned / "results/gate.md").write_text("<!-- harness-gate: a / b -->\n# x\n")
    env = environment(GITHUB_REPOSITORY="o/r", PULL_REQUEST="7", GH_TOKEN="none")
    env["PATH"] = f"{pinned}{os.pathsep}{env['PATH']}"
    run = steps()["Comment"]["run"]
    subprocess.run(["bash", "-e", "-c", run], cwd=pinned, env=env, capture_output=True, text=True, check=True)
    look, write = (pinned / "asked").read_text().splitlines()
    assert 'startswith("<!-- harness-gate: a / b -->")' in look
    assert ("PATCH repos/o/r/issues/comments/41" in write) == bool(there)
    assert "body=@results/gate.md" in write


def test_the_hooks_are_commands(pinned):
    """Every pre-commit hook's entry runs: the gate passes, and a dataset verifies."""
    hooks = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    for name, arguments in (("harness-gate", []), ("harness-verify", ["tickets@v1"])):
        words = [*shlex.split(hooks[name]["entry"]), *arguments]
        done = subprocess.run(words, cwd=pinned, env=environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def run_pytest(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *arguments],
        cwd=folder, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_gate_is_a_test(pinned):
    """`pytest --harness-gate` adds one test that passes; with a floor that is broken it fails with the headline."""
    done = run_pytest(pinned, "--harness-gate", "--rootdir", ".")
    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout + done.stderr
    settings = pinned / "harness.toml"
    settings.write_text(settings.read_text() + "min_accuracy = 0.99\n")
    done = run_pytest(pinned, "--harness-gate", "--rootdir", ".")
    assert done.returncode == 1
    assert "Fail: accuracy at least .990." in done.stdout
    assert "Traceback" not in done.stdout


def test_the_fixture_asks_chosen_items(pinned):
    """A test evaluates a prompt on two items, and its assertion is made with the interval."""
    (pinned / "test_prompt.py").write_text(
        "def test_it(harness_bench):\n"
        "    ids = [e.item.id for e in harness_bench.dataset('tickets@v1').in_split('test')][:12]\n"
        "    asked = harness_bench.evaluate('prompt:v1', 'tickets@v1', items=ids)\n"
        "    assert asked.accuracy.n == 12\n"
        "    asked.assert_at_least(0.1)\n"
        "    asked.assert_at_least(0.99)\n"
    )
    done = run_pytest(pinned, "--rootdir", ".")
    assert "is below .990" in done.stdout
    assert "1 failed" in done.stdout


def test_the_plugin_loads_nothing_heavy():
    """Unused, it imports neither numbers, frames nor a database, and pytest finds it by entry point."""
    code = (
        "import sys, harness.app.pytest_plugin\n"
        "assert not {'numpy', 'pandas', 'duckdb', 'openai', 'pydantic', 'sklearn'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    project = (ROOT / "pyproject.toml").read_text()
    assert '[project.entry-points.pytest11]\nharness = "harness.app.pytest_plugin"' in project
    assert json.dumps("harness.app.pytest_plugin") in project
