"""`watch` on the command line: quiet while nothing changes, exit code 1 when something does, and what to label next."""

import numpy as np
import pytest

from harness import datasets
from tests.app.standing import made, written
from tests.conftest import TICKETS

LABELS = ("billing", "bug", "question")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A workspace with one classifier's run."""
    return made(tmp_path_factory.mktemp("workspace"), arms=("tfidf-svm",), fusions=())


@pytest.fixture
def watch(harness, workspace, tmp_path, monkeypatch):
    """Watches a log of rows."""
    monkeypatch.chdir(tmp_path)

    def watched(rows, *options, arm="tfidf-svm"):
        written(tmp_path / "log.csv", rows)
        return harness("watch", arm, "log.csv", "--root", str(workspace), "--dataset", "mail@v1", *options)

    return watched


def rows(n, accuracy, mix=(1 / 3, 1 / 3, 1 / 3), seed=0):
    """Items like the dataset's, answered right so often."""
    rng = np.random.default_rng(seed)
    by_label = {label: [text for text, of in TICKETS if of == label] for label in LABELS}
    told = []
    for _ in range(n):
        gold = str(rng.choice(LABELS, p=mix))
        is_right = rng.random() < accuracy
        answer = gold if is_right else LABELS[(LABELS.index(gold) + 1) % 3]
        text = f"{rng.choice(by_label[gold])} {rng.integers(9)}"
        told.append({"text": text, "label": answer, "gold": gold})
    return told


def alarms(found):
    return {one["test"] for one in found["alarms"] if one["at"] is not None}


def test_nothing_changes(watch):
    """Traffic like the test split, answered as well: no alarm, exit code 0, every test named."""
    done = watch(rows(300, 1.0), "--promised", "0.9", "--json")
    assert done.code == 0, done.err
    assert {one["test"] for one in done.json["alarms"]} == {"inputs", "answers", "accuracy", "accuracy_reweighted"}
    assert alarms(done.json) == set()
    assert (done.json["n"], done.json["n_gold"]) == (300, 300)


def test_what_was_not_tested_is_said(watch):
    """A log without texts, or an arm without scores: the test is not there, and a line says what it needs."""
    log = [{"body": row["text"], "label": row["label"], "gold": row["gold"]} for row in rows(120, 1.0)]
    blind = watch(log, "--promised", "0.9")
    assert "not tested: whether the texts have changed; the log has no column of texts, name it by --text" in blind.out
    seen = watch(log, "--promised", "0.9", "--text", "body")
    assert "whether the texts have changed" not in seen.out
    assert "not tested: how sure the arm is" in seen.out


def test_accuracy_falls(watch):
    """Both alarms of accuracy, exit code 1, and one line that names them."""
    done = watch(rows(300, 0.6), "--promised", "0.9", "--json")
    assert done.code == 1
    assert {"accuracy", "accuracy_reweighted"} <= alarms(done.json)
    assert "alarm of" in done.err


def test_other_texts_come(watch):
    """Items from somewhere else give the alarm of inputs, without a gold label; and the oddest are to be labelled."""
    told = [{"text": f"sonnet {i} of the summer and the rose", "label": LABELS[i % 3], "gold": ""} for i in range(200)]
    done = watch(told, "--json")
    assert done.code == 1, done.err
    assert done.json["n_gold"] == 0, done.out
    assert "inputs" in alarms(done.json)
    assert len(done.json["label_next"]) == 20
    assert "label next: rows" in watch(told).out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--answer", "nothing"), "there is no column of answers"),
        (("--gold", "nothing"), "there is no column 'nothing'"),
        (("--score", "text"), "is not a number"),
        (("--answer", "text"), "values in the column of answers is a label; the first is"),
        (("--gold", "text"), "values in the column of gold labels is a label; the first is"),
    ],
)
def test_mistakes_are_one_line(watch, options, words):
    """A column that is not there, or says something else: exit code 2 and its name."""
    done = watch(rows(5, 0.9), *options)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert words in done.err


def test_a_shipped_folder_is_watched_as_its_arm(harness, watch, workspace):
    """The folder knows what the run knows: the same alarms after the same items."""
    where = ("--root", str(workspace), "--dataset", "mail@v1")
    assert harness("ship", "tfidf-svm", "--to", "shipped", *where).code == 0
    told = rows(200, 0.6)
    one, other = watch(told, "--json").json, watch(told, "--json", arm="shipped").json
    assert [(a["test"], a["at"]) for a in one["alarms"]] == [(a["test"], a["at"]) for a in other["alarms"]]
    assert one["mix"] == other["mix"]


def test_what_to_label_next_is_a_dataset(watch, harness, workspace):
    """The rows are items without a label, each with answer and reason; a name that is taken is refused."""
    log = [{"text": f"{row['text']} {i}", "label": row["label"], "gold": ""} for i, row in enumerate(rows(60, 0.7))]
    done = watch(log, "--promised", "0.9", "--label-next", "odd")
    assert "Next: harness label odd --split train" in done.out
    made = datasets.load(workspace, "odd@v1")
    assert made.label_names == LABELS
    assert len(made.examples) == 20
    assert {(one.split, one.is_labelled) for one in made.examples} == {("train", False)}
    for one in made.examples:
        row = log[int(one.item.id.removeprefix("row-")) - 1]
        assert (one.item.text, one.item.fields["answer"]) == (row["text"], row["label"])
        assert one.item.fields["why"]
    again = watch(log, "--label-next", "odd")
    assert (again.code, again.out) == (2, "")
    assert "there is a dataset of that name" in again.err
    blind = watch([{"body": row["text"], "label": row["label"]} for row in log], "--label-next", "blind")
    assert blind.code == 2
    assert "log.csv has no texts" in blind.err


def test_a_page_of_it(watch, tmp_path):
    """`--html` writes every test, every label, and the rows to label next; no text of the log."""
    told = [*rows(40, 1.0), {"text": "<b>sonnet</b>", "label": "bug", "gold": ""}]
    done = watch(told, "--html", "pages/watch.html", "--json")
    assert done.json["files"] == ["pages/watch.html"], done.err
    page = (tmp_path / "pages" / "watch.html").read_text(encoding="utf-8")
    for words in ("accuracy reweighted", "To label next", "40 with a gold label", *LABELS):
        assert words in page
    assert "sonnet" not in page


def test_other_kinds_are_refused_in_one_line(harness, workspace, tmp_path, monkeypatch):
    """An answer of several labels is no label: exit code 2, and the kind is named."""
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "many.csv", [{"text": f"text {i}", "labels": "a;b" if i % 2 else "a"} for i in range(60)])
    made_of = ("--text", "text", "--label", "labels", "--kind", "multi", "--labels-separator", ";")
    where = ("--root", str(workspace), "--dataset", "many@v1")
    assert harness("dataset", "import", "many.csv", "--name", "many", *made_of, "--root", str(workspace)).code == 0
    assert harness("baselines", "--arm", "majority", *where).code == 0
    written(tmp_path / "log.csv", [{"text": "a text", "label": "a"}])
    done = harness("watch", "majority", "log.csv", *where)
    assert (done.code, len(done.err.splitlines())) == (2, 1), done.err
    assert "kind multi; watch knows kind single" in done.err
