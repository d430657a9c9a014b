"""The Python API in a notebook: short, whole, and helpful about its own words."""

import re

import pandas as pd
import pytest

import harness
from harness.app.project import frames
from harness.app.workbench.keywords import UnknownKeyword
from harness.errors import ConfigError, HarnessError
from tests.conftest import TICKETS
from tests.report.conftest import HOSTILE


@pytest.fixture
def bench(root):
    return harness.Workbench(root)


def by_rule(text):
    return "billing" if "charged" in text else "bug" if "error" in text else None


def test_a_large_dataset_is_short_to_look_at(bench):
    """Two thousand long texts print as splits, labels and the first few; hostile ones are text in a notebook."""
    texts = [HOSTILE[i % len(HOSTILE)] + " long" * 200 + str(i) for i in range(2000)]
    frame = pd.DataFrame({"text": texts, "label": [f"label {i % 90}" for i in range(2000)]})
    dataset = bench.dataset(frame, name="large")
    for said in (repr(dataset), str(dataset), repr(bench.project.dataset("large@v1"))):
        assert len(said) < 5000
        assert "large" in said
    assert "2,000 items" in str(dataset)
    assert "and 70 labels more" in str(dataset)
    page = dataset._repr_html_()
    assert len(page) < 10_000
    assert page.count("<table>") == 2
    assert not re.search(r"<(script|img|svg)", page)
    assert dataset == bench.project.dataset("large@v1")
    assert len({dataset, bench.dataset("large@v1")}) == 1


def test_results_and_runs_are_tables(bench):
    """The scorecard as text, as a table and as a DataFrame; the runs as a DataFrame with documented columns."""
    bench.evaluate(by_rule, "tickets@v1")
    one = bench.evaluate("tag-odds", "tickets@v1")
    results = bench.results("tickets@v1")
    assert len(repr(results)) < 3000
    assert "<table>" in results._repr_html_()
    assert list(results.frame["arm"]) == [result.run.name for result in results.runs]
    assert results.frame.set_index("arm").loc["tag-odds", "accuracy"] == one.accuracy.value
    runs = bench.runs("tickets@v1")
    assert list(runs.columns) == list(frames.RUNS)
    assert set(runs["name"]) == {"python:by_rule", "tag-odds"}
    assert bench.runs().equals(runs)
    assert bench.runs("tickets@v1", "dev").empty


def test_predictions_are_whole(bench):
    """A text, tags and a reply for every item, right or wrong; the columns are the documented ones."""
    one = bench.evaluate("prompt:v1", "tickets@v1")
    rows = one.predictions
    assert list(rows.columns) == list(frames.PREDICTIONS)
    examples = {example.item.id: example for example in one.dataset.in_split("test")}
    assert len(rows) == len(examples)
    for row in rows.itertuples():
        example = examples[row.example_id]
        assert (row.text, row.tags, row.gold) == (example.item.text, example.item.tags, example.label)
        assert row.raw is not None
        assert row.correct == (row.label == example.label)
    assert rows["correct"].mean() == pytest.approx(one.accuracy.value)
    learnt = bench.evaluate("tag-odds", "tickets@v1").predictions
    answered = learnt[learnt["outcome"] == "answered"]
    assert all(row.scores[row.label] == pytest.approx(row.score) for row in answered.itertuples())


CALLS = {
    "evaluate": (
        ("tag-odds", "tickets@v1"),
        {"modle": "model", "base-url": "base_url", "splt": "split", "limits": "limit"},
    ),
    "dataset": (("tickets@v1",), {"tag": "tags", "txt": "text", "labels": "label"}),
    "decide": (("tickets@v1",), {"min_acuracy": "min_accuracy", "max_usd_per_1k": "max_usd_per_1000"}),
    "gate": ((), {"margins": "margin", "canary": "canaries", "splits": "split"}),
    "curve": (("tag-odds",), {"agains": "against", "label": "labels", "proceses": "processes"}),
    "cascade": (("a", "b"), {"chose_on": "choose_on", "storre": "store"}),
    "report": (("tickets@v1",), {"posts": "post"}),
    "figures": (("tickets@v1",), {"arm": "arms", "format": "formats", "sizes": "size"}),
    "compare": (("a", "b"), {"sead": "seed"}),
    "results": ((), {"datasets": "dataset"}),
}


@pytest.mark.parametrize("method", CALLS)
def test_a_wrong_keyword_is_told_the_nearest(bench, method):
    """It is a TypeError and a HarnessError of one line that names the method, the word and the right one."""
    given, wrong = CALLS[method]
    for word, right in wrong.items():
        with pytest.raises(UnknownKeyword) as found:
            getattr(bench, method)(*given, **{word: 1})
        assert isinstance(found.value, TypeError)
        assert isinstance(found.value, HarnessError)
        assert str(found.value).startswith(f"{method}() has no keyword {word!r}")
        assert str(found.value).endswith(f"did you mean {right!r}?")


def test_a_value_of_the_wrong_type_is_said(bench):
    """A limit that is no number is named with what was found."""
    bench.evaluate("majority", "tickets@v1")
    with pytest.raises(ConfigError, match="decide\\(\\): min_accuracy is 'high'"):
        bench.decide("tickets@v1", min_accuracy="high")


def test_curve_and_cascade(bench):
    """What the commands find, with its frame and its words; a stored cascade is an arm."""
    rows = [{"text": f"{text} {i}", "label": label} for i in range(30) for text, label in TICKETS]
    own = bench.dataset(pd.DataFrame(rows), name="own")
    for split in ("dev", "test"):
        for arm in ("tfidf-lr", "majority"):
            bench.evaluate(arm, own, split=split)
    learned = bench.curve("tfidf-lr", dataset=own, against="majority", labels=(6, 12), seeds=2, processes=1)
    assert list(learned.frame["labels"]) == [6, 12]
    assert "tfidf-lr" in str(learned)
    assert "<table>" in learned._repr_html_()
    fused = bench.cascade("majority", "tfidf-lr", dataset=own, min_accuracy=0.01, store=True)
    assert fused.study.chosen is not None
    assert bench.run(fused.run_id).arm == "cascade:majority>tfidf-lr"
    assert "oracle" in str(fused)


def test_report_and_figures_are_files(bench):
    """Written beside the store and seen in a notebook; a format or arm that is not there is told the nearest."""
    bench.evaluate(by_rule, "tickets@v1")
    bench.evaluate("tag-odds", "tickets@v1")
    report = bench.report("tickets@v1")
    names = {path.name for path in report.files}
    assert {"report.html", "report.md", "summary.json", "index.html", "accuracy-cost.svg"} <= names
    assert all(path.is_file() for path in report.files)
    drawn = bench.figures("tickets@v1", arms=["tag-odds"], size=(800, 500), formats=["svg"])
    assert {path.suffix for path in drawn.files} == {".svg", ".csv"}
    assert 'src="data:image/svg+xml;base64,' in drawn._repr_html_()
    with pytest.raises(ConfigError, match="did you mean 'png'"):
        bench.figures("tickets@v1", formats=["pngs"])
    with pytest.raises(ConfigError, match="did you mean 'tag-odds'"):
        bench.figures("tickets@v1", arms=["tag-ods"])
