"""Arms through the command line: confidence, speed, encoders and teachers, as a user sees them."""

import sys

import pytest


@pytest.fixture
def taught(harness, once):
    """A prompt has answered the training items and the test items."""
    once(lambda: begin(harness))


def begin(harness):
    assert harness("eval", "--prompt", "v1", "--split", "train").code == 0
    assert harness("eval", "--prompt", "v1").code == 0


def test_run_objects_carry_confidence_and_speed(harness):
    """A classifier has ECE, Brier and AURC as estimates over its answers, and its time in a batch; facts say how."""
    (found,) = harness("baselines", "--arm", "tfidf-svm", "--json").json
    for metric in ("ece", "brier", "aurc"):
        estimate = found[metric]
        assert 0 <= estimate["low"] <= estimate["value"] + 1e-9
        assert estimate["n"] == found["n"]
        assert "bootstrap" in estimate["method"]
    assert found["batch_latency_s"] > 0
    assert "held-out training items" in found["facts"]["calibration"]
    (row,) = harness("sql", "select batch_latency_s as each_s, facts from runs", "--json").json
    assert row["each_s"] == found["batch_latency_s"]


def test_without_scores_confidence_is_null(harness):
    """A prompt whose model gives no log-probabilities has null there, and no zero."""
    found = harness("eval", "--prompt", "v1", "--json").json
    assert (found["ece"], found["brier"], found["aurc"], found["batch_latency_s"]) == (None, None, None, None)


def test_a_successor_learns_what_its_teacher_said(harness, taught):
    """`distilled` pays for no label, names its teacher, and has fidelity and accuracy apart."""
    (found,) = harness("baselines", "--arm", "distilled", "--teacher", "prompt:v1", "--json").json
    (row,) = harness(
        "sql",
        "select avg((d.label = t.label)::int) as faithful, count(*) as n "
        "from scored d join scored t using (example_id) "
        "where d.arm = 'distilled' and t.arm = 'prompt:v1' and t.split = 'test'",
        "--json",
    ).json
    assert found["fidelity"]["value"] == pytest.approx(row["faithful"])
    assert found["fidelity"]["n"] == row["n"]
    assert found["fidelity"]["value"] != found["accuracy"]["value"]
    (run,) = harness("sql", "select n_train from runs where arm = 'distilled'", "--json").json
    assert run["n_train"] is None


def test_reports_show_all_three(harness, root, taught):
    """The report has the sections Calibration, Speed and Distillation, each with its arms."""
    harness("baselines", "--arm", "tfidf-svm")
    harness("baselines", "--arm", "distilled", "--teacher", "prompt:v1")
    report = (root / "results" / "tickets@v1" / "test" / "report.md").read_text()
    for section, part in (("Calibration", "best AURC"), ("Speed", "in a batch, each"), ("Distillation", "prompt:v1")):
        assert part in report.partition(f"## {section}")[2].partition("\n## ")[0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--arm", "distilled"), "name the run with --teacher"),
        (("--arm", "distilled", "--teacher", "nobody"), "there is no store at"),
        (("--arm", "minilm-lr", "--encoder", "onnx/nowhere"), "there is no model.onnx in it"),
        (("--arm", "minilm-lr", "--encoder", "nothing"), "unknown embedder 'nothing'"),
    ],
)
def test_what_is_missing_is_said(harness, options, said):
    """One line, exit code 2, nothing stored."""
    finished = harness("baselines", *options)
    assert (finished.code, said in finished.err) == (2, True)


def test_small_data_is_learnt_from_and_scored_in_folds(harness):
    """`--folds` scores the train split, beside a prompt that was asked the same items; it says how."""
    (found,) = harness("baselines", "--arm", "tfidf-lr", "--folds", "3", "--json").json
    (size,) = harness("sql", "select count(*) as n from examples where split = 'train'", "--json").json
    assert (found["split"], found["n"]) == ("train", size["n"])
    assert harness("eval", "--prompt", "v1", "--split", "train").code == 0
    assert harness("compare", "tfidf-lr", "prompt:v1", "--split", "train", "--json").json["n"] == size["n"]
    told = harness("baselines", "--arm", "tfidf-lr", "--folds", "3").out
    assert "Cross-validated: tfidf-lr (3 folds)" in " ".join(told.split())
    assert "--folds 3" in told
    assert "--split train" in told
    refused = harness("baselines", "--arm", "tfidf-lr", "--folds", "100")
    assert (refused.code, "use fewer" in refused.err) == (2, True)


def test_an_arm_without_its_packages_is_named(harness, monkeypatch):
    """One line that says what to install; exit 2, and no run is left behind."""
    monkeypatch.setitem(sys.modules, "setfit", None)
    done = harness("baselines", "--arm", "setfit")
    assert done.code == 2
    assert "pip install 'prompt-harness[setfit]'" in done.err
    assert "Traceback" not in done.err
