"""The Python API: what the command line does, in a script or a notebook."""

import asyncio
import subprocess
import sys

import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

import harness
from harness.errors import ConfigError, DatasetError
from tests.processes import HANGS_S


@pytest.fixture
def bench(root):
    return harness.Workbench(root)


def by_rule(text):
    return "billing" if "charged" in text else "bug" if "error" in text else None


def test_import_is_light():
    """`import harness` offers Workbench and loads nothing heavy; an unknown name is told the known ones."""
    code = (
        "import sys, harness; assert 'Workbench' in harness.__all__\n"
        "assert not {'numpy', 'pandas', 'duckdb', 'openai', 'pydantic'} & set(sys.modules)\n"
        "try:\n    harness.Bench\nexcept AttributeError as error:\n    assert 'Workbench' in str(error)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_function_is_an_arm(bench):
    """Its answers are scored like any arm's; None is no answer; called again it is the same run."""
    one = bench.evaluate(by_rule, "tickets@v1")
    rows = one.predictions
    assert one.arm == "python:by_rule"
    answered = rows[rows["outcome"] == "answered"]
    assert set(answered["label"]) == {"billing", "bug"}
    assert (rows["outcome"] != "answered").sum() == one.result.unanswered == 24
    assert one.accuracy.value == pytest.approx(rows["correct"].astype(bool).mean())
    assert rows["latency_s"].notna().all()
    assert bench.evaluate(by_rule, "tickets@v1").run_id == one.run_id
    assert bench.results().split.looks == 1


def test_a_coroutine_function_is_asked_at_once(bench):
    """With thirty workers no call of thirty ends before all have begun."""
    everybody = asyncio.Barrier(30)

    async def slow(text):
        await asyncio.wait_for(everybody.wait(), HANGS_S)
        return by_rule(text)

    one = bench.evaluate(slow, "tickets@v1", workers=30)
    assert one.accuracy.value == bench.evaluate(by_rule, "tickets@v1").accuracy.value


def test_wrong_answers_of_a_function_are_said(bench):
    """Something that is no label text is an error; a text that is no label is unparsed."""
    with pytest.raises(ConfigError, match="returned 3"):
        bench.evaluate(lambda text: 3, "tickets@v1")
    assert bench.evaluate(lambda text: "Bug?", "tickets@v1", name="odd").result.outcomes["unparsed"] == 30
    with pytest.raises(ConfigError, match="expected an arm's name"):
        bench.evaluate(3, "tickets@v1")


@pytest.mark.parametrize("last", [LogisticRegression(), LinearSVC()])
def test_an_estimator_is_an_arm(bench, last):
    """Fitted on the training split, as right as by hand; the object stays unfitted; scores only where it has them."""
    pipeline = make_pipeline(TfidfVectorizer(), last)
    dataset = bench.dataset("tickets@v1")
    one = bench.evaluate(pipeline, dataset, name="mine")
    train, test = dataset.in_split("train"), dataset.in_split("test")
    by_hand = make_pipeline(TfidfVectorizer(), type(last)()).fit([e.item.text for e in train], [e.label for e in train])
    expected = by_hand.score([e.item.text for e in test], [e.label for e in test])
    assert one.accuracy.value == pytest.approx(expected)
    assert not hasattr(last, "classes_")
    assert one.predictions["score"].notna().all() == hasattr(last, "predict_proba")
    assert one.result.cost_usd > 0
    assert one.result.run.fit_s > 0


def test_prompts_and_baselines_by_name(bench):
    """A prompt's version or path, and a baseline's name, are what the command line makes of them."""
    prompt = bench.evaluate("prompt:v1", "tickets@v1")
    assert (prompt.arm, prompt.result.run.model) == ("prompt:v1", "fake/first")
    assert bench.evaluate("prompts/tickets/v1.j2", "tickets@v1", model="fake/first").run_id == prompt.run_id
    assert bench.evaluate("tag-odds", "tickets@v1").arm == "tag-odds"
    assert bench.run("prompt:v1").run_id == prompt.run_id
    with pytest.raises(ConfigError, match="there is no prompt 'v7'"):
        bench.evaluate("v7", "tickets@v1")


def test_compare_decide_and_gate(bench):
    """Two evaluations, or their names: the difference, the verdict, the gate; each says itself in words."""
    rule = bench.evaluate(by_rule, "tickets@v1")
    pipeline = bench.evaluate(make_pipeline(CountVectorizer(), LogisticRegression()), "tickets@v1", name="counts")
    compared = bench.compare(pipeline, "python:by_rule")
    assert compared.comparison.difference.value == pytest.approx(pipeline.accuracy.value - rule.accuracy.value)
    assert "python:counts minus python:by_rule" in str(compared)
    assert bench.decide("tickets@v1", min_accuracy=0.5).decision.recommendation == "python:counts"
    assert bench.gate(rule, pipeline).report.verdict == "fail"
    assert bench.gate("python:counts", "python:counts").report.verdict == "pass"
    assert "Fail: accuracy" in str(bench.gate(rule, pipeline))


def test_notebooks_get_html_with_everything_escaped(bench):
    """`_repr_html_` is a table; a hostile text of a dataset or an arm is text."""
    one = bench.evaluate(by_rule, "tickets@v1")
    assert "<table>" in one._repr_html_()
    assert "python:by_rule" in str(one)
    shown = bench.gate(one, one)
    assert "<script" not in shown._repr_html_()


def test_inside_a_running_loop(bench):
    """A notebook has a loop running already; evaluating works there."""

    async def cell():
        return bench.evaluate("prompt:v1", "tickets@v1").accuracy.n

    assert asyncio.run(cell()) == 30


def test_a_dataset_from_a_frame_or_a_file(bench, tmp_path):
    """The same rows are the same version; other rows are the next one; splits come by hash or by column."""
    frame = pd.DataFrame({"body": [f"text {i}" for i in range(40)], "queue": ["a", "b"] * 20, "n": range(40)})
    one = bench.dataset(frame, name="own", text="body", label="queue")
    assert (one.ref, len(one.examples), one.label_names) == ("own@v1", 40, ("a", "b"))
    assert {e.split for e in one.examples} == {"train", "dev", "test"}
    assert one.examples[0].item.fields == {"n": "0"}
    assert bench.dataset(frame, name="own", text="body", label="queue").ref == "own@v1"
    assert bench.dataset(frame.head(30), name="own", text="body", label="queue").ref == "own@v2"
    frame.to_csv(tmp_path / "own.csv", index=False)
    assert bench.dataset(tmp_path / "own.csv", text="body", label="queue").ref == "own@v1"
    assert bench.dataset("own@v2").ref == "own@v2"
    with pytest.raises(DatasetError, match="there is no column 'text'"):
        bench.dataset(frame, name="x")
    with pytest.raises(ConfigError, match="no keyword 'tag'.*did you mean 'tags'"):
        bench.dataset(frame, name="x", text="body", label="queue", tag="n")


def test_the_gate_of_the_settings_is_the_commands(bench, root):
    """A prompt or an arm of the settings is evaluated; the split may be scored no more often than they allow."""
    bench.evaluate("majority", "tickets@v1")
    one = bench.gate(None, "majority", prompt="v1", margin=0.5, repeat=2).report
    assert (one.candidate.arm, one.candidate.model) == ("prompt:v1", "fake/first")
    assert bench.gate(None, "majority", arm="tag-odds").report.candidate.arm == "tag-odds"
    looks = bench.results().split.looks
    with pytest.raises(ConfigError, match="max_looks allows"):
        bench.gate(None, "majority", arm="rules", max_looks=looks)
    assert bench.results().split.looks == looks
    with pytest.raises(ConfigError, match="the gate has no candidate"):
        bench.gate(None, "majority")
