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

from harness import __version__ as harness_version
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


def steps(workflow="gate"):
    read = yaml.safe_load((ROOT / f".github/workflows/{workflow}.yml").read_text())
    return {step["name"]: step for step in read["jobs"][workflow]["steps"] if "name" in step}


def run_step(folder, name, workflow="gate", **more):
    return subprocess.run(
        ["bash", "-e", "-c", steps(workflow)[name]["run"]],
        cwd=folder, env=environment(**more), capture_output=True, text=True, check=False,
    )  # fmt: skip


SETTINGS = {
    0: "",
    1: "min_accuracy = 0.99\n",
    2: 'split = "nowhere"\n',
    3: "",
    4: "min_accuracy = 0.4\nclass_margin = 0.99\n",
}
"""What is added to the settings of the gate for each exit code; for 3 the provider is down."""


@pytest.mark.parametrize("code", SETTINGS)
def test_the_workflow_runs_the_gate(pinned, code):
    """Its gate step, run by bash as it stands: with each exit code JUnit, comment and step summary are written anew."""
    settings, summary = pinned / "harness.toml", pinned / "summary.md"
    settings.write_text(settings.read_text() + SETTINGS[code])
    more = {"ARGUMENTS": "--dataset tickets@v1", "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    if code == 3:
        more["ARGUMENTS"] += " --model openai/m --base-url http://127.0.0.1:9/v1"
        settings.write_text("deadline_s = 0.2\n" + settings.read_text())
    if code == 4:
        (pinned / "prompts/tickets/v1.j2").write_text("{% block user %}{{ item.text }}!{% endblock %}")
        more["ARGUMENTS"] += " --model fake/uniform"
    (pinned / "results/gate.md").write_text("an old Pass")
    (pinned / "results/gate.xml").write_text("an old one")
    done = run_step(pinned, "Gate", **more)
    assert done.returncode == code, done.stdout + done.stderr
    comment = (pinned / "results/gate.md").read_text()
    assert comment.startswith("<!-- harness-gate: tickets / ")
    assert summary.read_text() == comment
    suite = ET.parse(pinned / "results/gate.xml").getroot()[0]
    failures, errors = int(suite.get("failures")), int(suite.get("errors"))
    if code == 0:
        assert "Pass." in done.stdout
        assert "\n0 calls sent" in done.stdout
        assert "::notice title=harness gate::pass" in done.stderr
        assert failures == errors == 0
    elif code == 1:
        assert failures
        assert "Fail: accuracy at least .990." in comment
    else:
        assert errors
        assert not failures
    if code in (2, 3):
        assert "no verdict" in comment
        assert "::error title=harness gate: no verdict::" in done.stderr
        assert f'type="exit {code}"' in (pinned / "results/gate.xml").read_text()


def test_what_was_paid_is_kept_whatever_the_verdict():
    """The cache is restored and saved by steps of their own, the second always; and the comment comes always."""
    found = yaml.safe_load((ROOT / ".github/workflows/gate.yml").read_text())["jobs"]["gate"]["steps"]
    names = [step.get("name", step.get("uses")) for step in found]
    restore, save, comment = (steps()[name] for name in ("Restore", "Save", "Comment"))
    assert names.index("Restore") < names.index("Gate") < names.index("Save") < names.index("Comment")
    assert restore["uses"].startswith("actions/cache/restore@")
    assert save["uses"].startswith("actions/cache/save@")
    assert restore["with"]["path"] == save["with"]["path"] == "results/calls.sqlite"
    assert "github.run_attempt" in save["with"]["key"]
    for step in (save, comment, found[-1]):
        assert step["if"].startswith("${{ always()")


def test_keys_reach_one_step_and_rights_are_stated():
    """Only the gate sees a provider's key, only the comment the token; the install is pinned to this version."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/gate.yml").read_text())
    job = workflow["jobs"]["gate"]
    assert "env" not in job
    with_secrets = {s["name"] for s in job["steps"] if "secrets." in str(s.get("env"))}
    with_token = {s["name"] for s in job["steps"] if "github.token" in str(s.get("env"))}
    assert (with_secrets, with_token) == ({"Gate"}, {"Comment"})
    assert workflow["permissions"] == {"contents": "read"}
    assert job["permissions"] == {"contents": "read", "pull-requests": "write"}
    inputs = workflow[True]["workflow_call"]["inputs"]  # YAML reads the key `on` as a truth
    assert inputs["install"]["default"] == f"prompt-harness=={harness_version}"


@pytest.mark.parametrize("there", ["", "41"])
@pytest.mark.parametrize("is_written", [True, False])
def test_the_workflow_comments_once(pinned, there, is_written):
    """Its comment step makes a comment, or changes the one that begins with the same marker; without a file, any."""
    gh = pinned / "gh"
    gh.write_text(f'#!/bin/sh\necho "$@" >> {pinned}/asked\ncase "$*" in *--paginate*) echo {there};; esac\n')
    gh.chmod(0o755)
    jq = pinned / "jq"
    jq.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.stdin.read()))\n")
    jq.chmod(0o755)
    if is_written:
        (pinned / "results/gate.md").write_text("<!-- harness-gate: a / b -->\n# x\n")
    env = environment(GITHUB_REPOSITORY="o/r", PULL_REQUEST="7", GH_TOKEN="none")
    env["PATH"] = f"{pinned}{os.pathsep}{env['PATH']}"
    run = steps()["Comment"]["run"]
    subprocess.run(["bash", "-e", "-c", run], cwd=pinned, env=env, capture_output=True, text=True, check=True)
    look, write = (pinned / "asked").read_text().splitlines()
    wanted = "<!-- harness-gate: a / b -->" if is_written else "<!-- harness-gate: "
    assert f'startswith("{wanted}")' in look
    assert ("PATCH repos/o/r/issues/comments/41" in write) == bool(there)
    assert "body=@results/gate.md" in write
    assert is_written or "it did not run" in (pinned / "results/gate.md").read_text()


def test_the_workflow_watches(harness, root):  # noqa: F811
    """Its steps, run by bash as they stand: the log is fetched, an alarm is exit code 1, and the page is there."""
    assert harness("baselines", "--arm", "majority").code == 0
    fetch = "printf 'text,label,gold\\n' > log.csv; for i in $(seq 60); do echo \"a $i,bug,billing\" >> log.csv; done"
    assert run_step(root, "Fetch", "watch", FETCH=fetch).returncode == 0
    done = run_step(root, "Watch", "watch", ARM="majority", LOG="log.csv", ARGUMENTS="--promised 0.9 --text none")
    assert done.returncode == 2, done.stdout + done.stderr
    done = run_step(root, "Watch", "watch", ARM="majority", LOG="log.csv", ARGUMENTS="--promised 0.9")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "alarm of" in done.stderr
    assert "accuracy" in (root / "results" / "watch.html").read_text()


def test_keys_reach_one_step_of_the_watch():
    """Only what fetches sees the log's token, only the recheck a provider's key; no right but to read."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/watch.yml").read_text())
    job = workflow["jobs"]["watch"]
    with_secrets = {s["name"]: set(s["env"]) for s in job["steps"] if "secrets." in str(s.get("env"))}
    assert set(with_secrets) == {"Fetch", "Recheck"}
    assert "FETCH_TOKEN" not in with_secrets["Recheck"]
    assert workflow["permissions"] == {"contents": "read"}
    assert "permissions" not in job
    inputs = workflow[True]["workflow_call"]["inputs"]
    assert inputs["install"]["default"] == f"prompt-harness=={harness_version}"


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


def test_a_test_does_not_pass_while_the_provider_is_down(pinned):
    """No item has an answer: an error that counts the reasons, and no pass, whatever was to be shown."""
    (pinned / "test_prompt.py").write_text(
        "def test_it(harness_bench):\n"
        "    ids = [e.item.id for e in harness_bench.dataset('tickets@v1').in_split('test')][:12]\n"
        "    asked = harness_bench.evaluate('prompt:v1', 'tickets@v1', items=ids, model='openai/m',\n"
        "        base_url='http://127.0.0.1:9/v1', deadline_s=0.1)\n"
        "    asked.assert_at_least(0.0)\n"
    )
    done = run_pytest(pinned, "--rootdir", ".")
    assert done.returncode == 1
    assert "MissingAnswers: prompt:v1: 12 of 12 items have no answer" in done.stdout
    assert "12 times TransientError: openai/m: cannot connect: connection refused" in done.stdout


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
