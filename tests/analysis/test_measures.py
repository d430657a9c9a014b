"""A metric is a file: its estimate, its paired difference and everything that shows it follow from it."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from harness.analysis import measures
from harness.app import cli
from harness.datasets.task import Task
from harness.ground.located import Located

COSTS = {"ham": {"spam": 10.0, "no-answer": 0.5}, "spam": {"ham": 1.0}}
LABELS = ("ham", "spam", "other")


def rows(n, rng):
    gold = rng.choice(LABELS, n)
    answers = rng.choice(np.array([*LABELS, None], dtype=object), n)
    return pd.DataFrame({"gold": gold, "label": pd.Series(answers, dtype=object), "credit": 0.0, "group": None})


def by_hand(gold, answer):
    if answer is None:
        return COSTS.get(gold, {}).get("no-answer", 1.0)
    return COSTS.get(gold, {}).get(answer, 0.0 if gold == answer else 1.0)


def test_the_cost_of_errors_is_the_mean_of_the_matrix():
    """Cell by cell; what is not named costs 1 where it is wrong, and nothing where it is right."""
    frame = rows(400, np.random.default_rng(0))
    found = measures.estimates(frame, Task("single", LABELS, COSTS))["cost-of-errors"]
    expected = [by_hand(gold, answer) for gold, answer in zip(frame["gold"], frame["label"], strict=True)]
    assert found.value == pytest.approx(np.mean(expected))
    error = np.std(expected) / np.sqrt(400)
    assert (found.low, found.high) == pytest.approx(
        (found.value - 1.966 * error, found.value + 1.966 * error), rel=1e-3
    )


def test_its_difference_is_paired():
    """a minus b on the same items: an arm against itself differs by 0, whatever it costs."""
    rng = np.random.default_rng(1)
    a, b = rows(300, rng), rows(300, rng)
    b["gold"] = a["gold"]
    pairs = pd.DataFrame({"gold_a": a["gold"], "label_a": a["label"], "label_b": b["label"], "group_a": None})
    pairs = pairs.assign(credit_a=0.0, credit_b=0.0)
    (found,) = measures.differences(pairs, Task("single", LABELS, COSTS))
    costs = [[by_hand(g, x) for g, x in zip(a["gold"], one["label"], strict=True)] for one in (a, b)]
    assert found.value == pytest.approx(np.mean(costs[0]) - np.mean(costs[1]))
    (same,) = measures.differences(pairs.assign(label_b=pairs["label_a"]), Task("single", LABELS, COSTS))
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_without_a_matrix_there_is_no_cost():
    """Nothing is printed that nobody has set."""
    assert measures.estimates(rows(20, np.random.default_rng(2)), Task("single", LABELS)) == {}


def test_a_metric_of_a_workspace_is_one_file(tmp_path):
    """It is listed and measured beside ours."""
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "answer_length.py").write_text(
        'BETTER = "lower"\nUNANSWERED = "counted"\n\n\n'
        "def bounds(task):\n    return 0, 5\n\n\n"
        "def values(gold, answers, task):\n    return [len(answer or '') for answer in answers]\n"
    )
    frame = rows(50, np.random.default_rng(3))
    found = measures.estimates(frame, Task(Located("single", tmp_path), LABELS))
    assert found["answer-length"].value == pytest.approx(np.mean([len(one or "") for one in frame["label"]]))


def test_the_commands_show_it(tmp_path, monkeypatch):
    """The scorecard, the JSON and `compare` have the cost of the dataset's own matrix."""
    monkeypatch.chdir(tmp_path)
    lines = [
        f"i{i},{'charged twice' if i % 3 else 'it crashes'} {i},{'ham' if i % 3 else 'spam'},"
        f"{'train' if i % 2 else 'test'}"
        for i in range(60)
    ]
    (tmp_path / "t.csv").write_text("id,text,label,split\n" + "\n".join(lines) + "\n")
    (tmp_path / "harness.toml").write_text('dataset = "mail@v1"\n')

    def run(*words):
        done = CliRunner().invoke(cli.group, list(words))
        assert done.exit_code == 0, done.output
        return done.stdout

    columns = ("--text", "text", "--label", "label", "--id", "id", "--split-column", "split")
    run("dataset", "import", "t.csv", "--name", "mail", *columns)
    path = tmp_path / "datasets" / "mail" / "v1" / "dataset.toml"
    path.write_text(path.read_text() + "\n[costs.spam]\nham = 4.0\n")
    (made,) = json.loads(run("baselines", "--arm", "majority", "--json"))
    spam = sum(line.endswith("spam,test") for line in lines)
    assert made["metrics"]["cost-of-errors"]["value"] == pytest.approx(4 * spam / made["n"])
    assert made["headline"]["metric"] == "accuracy"
    assert made["headline"]["value"] == made["accuracy"]["value"] == pytest.approx(1 - spam / made["n"])
