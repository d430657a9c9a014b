"""Commands that only look: help, models, doctor, prompts, datasets."""

import json
import subprocess
import sys

import pytest

from harness.ground import plugins


@pytest.mark.parametrize("name", plugins.names("commands"))
def test_every_command_has_help_with_an_example(harness, name):
    """`--help` ends well, and shows how to type it."""
    done = harness(name, "--help")
    assert done.code == 0
    assert f"Example: harness {name}" in " ".join(done.out.split())
    assert "--json" in done.out or "COMMAND [ARGS]" in done.out


def test_help_lists_every_command(harness):
    """Also without arguments."""
    for arguments in (("--help",), ("-h",), ()):
        done = harness(*arguments)
        for name in plugins.names("commands"):
            assert name in done.out + done.err


def test_the_module_is_the_command():
    """`python -m harness` is `harness`."""
    done = subprocess.run([sys.executable, "-m", "harness", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("harness, version ")


def test_models_tells_what_is_missing_and_what_it_costs(harness, monkeypatch):
    """No key: the variable is named. With one, the model can be called. Prices are per million tokens."""
    rows = {row["model"]: row for row in harness("models", "--json").json}
    assert rows["openai/gpt-4o-mini"]["missing"] == "OPENAI_API_KEY is not set"
    assert rows["openai/gpt-4o-mini"]["input_usd_per_million"] == pytest.approx(0.15)
    assert rows["local/gemma3-270m"]["input_usd_per_million"] is None
    monkeypatch.setenv("OPENAI_API_KEY", "x" * 20)
    rows = {row["model"]: row for row in harness("models", "--json").json}
    assert rows["openai/gpt-4o-mini"]["missing"] is None


def test_doctor_finds_what_is_wrong(harness, root):
    """A healthy set-up ends with 0; an edited dataset is bad and ends with 1."""
    healthy = harness("doctor", "--json")
    assert healthy.code == 0
    assert {finding["state"] for finding in healthy.json} <= {"ok", "note"}
    path = root / "datasets" / "tickets" / "v1" / "examples.csv"
    path.write_text(path.read_text().replace("refund", "rufend", 1))
    sick = harness("doctor")
    assert sick.code == 1
    assert "bad   dataset tickets@v1" in sick.out


def test_prompts_are_listed_shown_and_rendered(harness, root):
    """With the id, as written, and as a model would get it for one item."""
    (listed,) = harness("prompt", "list", "--json").json
    assert (listed["version"], listed["task"]) == ("v1", "tickets")
    assert harness("prompt", "show", "v1", "--json").json["id"] == listed["id"]
    rendered = harness("prompt", "render", "v1", "--item", "0", "--json").json
    assert rendered["messages"][0]["content"].startswith("Ticket: ")
    by_id = harness("prompt", "render", "v1", "--item", rendered["item"], "--json").json
    assert by_id == rendered


def test_datasets_are_listed_shown_verified_and_split(harness, root):
    """Counts by split and label; a new split is a new version."""
    assert harness("dataset", "list", "--json").json["datasets"] == ["tickets@v1"]
    shown = harness("dataset", "show", "tickets@v1", "--json").json
    assert shown["n"] == sum(sum(of_label.values()) for of_label in shown["splits"].values())
    assert harness("dataset", "verify", "tickets@v1").code == 0
    assert harness("dataset", "split", "tickets@v1", "--to", "v2", "--train", "0.5", "--dev", "0").code == 0
    assert harness("dataset", "list", "--json").json["datasets"] == ["tickets@v1", "tickets@v2"]


def test_import_makes_a_dataset_that_arms_can_use(harness, root):
    """A user's CSV to a scorecard in two commands."""
    rows = [
        f'"{word} number {i}",{label}' for i in range(30) for word, label in (("apple", "fruit"), ("dog", "animal"))
    ]
    (root / "mine.csv").write_text("\n".join(["body,kind", *rows]))
    done = harness("dataset", "import", "mine.csv", "--name", "mine", "--text", "body", "--label", "kind", "--json")
    assert done.json["labels"] == ["animal", "fruit"]
    (result,) = harness("baselines", "--dataset", "mine", "--arm", "tfidf-lr", "--json").json
    assert result["accuracy"]["value"] == 1.0
    assert result["latency_s"]["p50"] > 0


def test_arms_that_do_not_suit_are_left_out_with_the_reason(harness, root):
    """No tags, no rules: the default arms go on without them; asked for by name, it is an error."""
    (root / "mine.csv").write_text("text,label\n" + "".join(f"t {i},{'ab'[i % 2]}\n" for i in range(40)))
    harness("dataset", "import", "mine.csv", "--name", "mine", "--text", "text", "--label", "label")
    done = harness("baselines", "--dataset", "mine@v1", "--json")
    assert [result["arm"] for result in done.json] == ["majority"]
    assert "tag-odds: left out, no item of mine@v1 has tags" in done.err
    assert "rules: left out, there are no rules" in done.err
    assert harness("baselines", "--dataset", "mine@v1", "--arm", "tag-odds").code == 2


def test_output_is_for_pipes(harness):
    """No colour and no progress on stdout; JSON is one document."""
    done = harness("baselines", "--arm", "majority", "--json")
    assert "\x1b" not in done.out
    assert isinstance(json.loads(done.out), list)
