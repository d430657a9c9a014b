"""`predict` on the command line: the stored run's answers for the same items, in every format, whatever ends it."""

import csv
import json
import signal
from pathlib import Path

import duckdb
import pytest

from tests import processes
from tests.app.standing import BASELINES, FUSIONS, RECIPE, mail, released, stored_answers, written
from tests.conftest import TICKETS
from tests.loopback import serve

FUSION = FUSIONS["cascade"]


@pytest.fixture
def workspace(standing):
    """Every baseline, a prompt, and fusions with choices on dev."""
    return standing


@pytest.fixture
def stored(workspace, harness, tmp_path, monkeypatch):
    """A folder of its own to stand in; the workspace is named by --root."""
    folder = tmp_path / "files"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "recipe.toml").write_text(RECIPE)
    monkeypatch.setitem(ROOT, "root", workspace)
    return folder


ROOT = {}


def predict(harness, *arguments):
    where = ("--root", str(ROOT["root"]), "--dataset", "mail@v1", "--model", "fake/recipe.toml")
    return harness("predict", *arguments, *where)


def test_the_answers_are_those_of_the_stored_run(harness, stored, workspace):
    """Every baseline, the prompt and a cascade of three label the test items as their runs did; nothing is fitted."""
    rows = released(workspace)
    written(stored / "new.csv", rows)
    kept = {path.name for path in (workspace / "results" / "fitted").iterdir()}
    for arm in [*BASELINES, "prompt:v1", *FUSIONS.values()]:
        done = predict(harness, arm, "new.csv", "--to", f"{arm.replace(':', '-')}.jsonl", "--json")
        assert done.code == 0, done.err
        assert "fitted again" not in done.err
        told = [json.loads(line) for line in Path(done.json["files"][0]).read_text(encoding="utf-8").splitlines()]
        assert [{name: row[name] for name in rows[0]} | {"label": row["label"]} for row in told] == rows
        known = stored_answers(workspace, arm)
        for row in told:
            stored_one = known[row["id"]]
            assert (row["harness_label"], row["outcome"]) == (stored_one["label"], stored_one["outcome"]), arm
            assert row["score"] == pytest.approx(stored_one["score"], abs=1e-4), arm
    assert {path.name for path in (workspace / "results" / "fitted").iterdir()} == kept
    assert not list(stored.glob("*.progress*"))


def test_each_stage_is_asked_only_when_it_is_needed(harness, stored):
    """The path of a row names the stages that saw it, and the prompt is asked for no other rows."""
    rows = [{"text": "the invoice shows a charge", "n": "1"}, {"text": "where is my password", "n": "2"}]
    written(stored / "new.csv", rows)
    assert predict(harness, FUSION, "new.csv", "--to", "out.csv").code == 0
    with (stored / "out.csv").open(encoding="utf-8", newline="") as file:
        one, other = csv.DictReader(file)
    assert (one["label"], one["path"], one["n"]) == ("billing", "rules", "1")
    assert other["path"].startswith("rules>tfidf-svm")


@pytest.mark.parametrize("source", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("target", ["csv", "jsonl", "parquet", "tsv"])
def test_formats(harness, stored, source, target):
    """What goes in as one format comes out as another: own columns first, in their order, then the five of ours."""
    rows = [{"n": i, "text": f'{text} ü\n"{i}"', "label": None} for i, (text, _) in enumerate(TICKETS)]
    path = stored / f"new.{source}"
    if source == "csv":
        written(path, rows)
    lines = "\n".join(json.dumps(row) for row in rows)
    (stored / "rows.jsonl").write_text(lines + "\n")
    if source == "jsonl":
        path = stored / "rows.jsonl"
    if source == "parquet":
        duckdb.sql(f"copy (from read_json('{stored / 'rows.jsonl'}')) to '{path}' (format parquet)")
    assert predict(harness, "tfidf-svm", path.name, "--to", f"out.{target}").code == 0
    reader = {"csv": "read_csv", "tsv": "read_csv", "jsonl": "read_json", "parquet": "read_parquet"}[target]
    found = duckdb.sql(f"from {reader}('{stored / f'out.{target}'}')")
    assert found.columns == ["n", "text", "label", "harness_label", "score", "outcome", "path", "cost_usd"]
    told = found.fetchall()
    assert [(int(row[0]), row[1]) for row in told] == [(row["n"], row["text"]) for row in rows]
    assert [row[3] for row in told][:2] == ["billing", "billing"]
    assert all(0 < float(row[4]) <= 1 and row[6] == "tfidf-svm" for row in told)


def test_a_row_without_a_text_is_nobodys(harness, stored):
    """It stays in its place, abstained, and the count is said."""
    written(stored / "new.csv", [{"text": "refund", "n": "1"}, {"text": " ", "n": "2"}, {"text": "error", "n": "3"}])
    done = predict(harness, "prompt:v1", "new.csv", "--json")
    assert (done.json["rows"], done.json["without_text"]) == (3, 1)
    with (stored / "new.labelled.csv").open(encoding="utf-8", newline="") as file:
        assert [row["outcome"] for row in csv.DictReader(file)] == ["answered", "abstained", "answered"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["majority", "none.csv"], "none.csv: there is no such file"),
        (["majority", "new.xlsx"], "the ending says no format that is labelled"),
        (["majority", "other.csv"], "there is no column 'text' to label; expected one of 'body'"),
        (["majority", "new.csv", "--to", "new.csv"], "is the file itself"),
        (["nobody", "new.csv"], "the store has no run 'nobody'"),
        (["majority", "empty.csv"], "has no rows"),
        (["majority", "new.csv", "--id", "nope"], "--id nope: there is no such column; expected one of 'text'"),
        (["majority", "new.csv", "--to", "none/a.csv"], "there is no folder none; make it first"),
        (["majority", "latin.csv"], "latin.csv:2"),
    ],
)
def test_mistakes_are_one_line(harness, stored, arguments, words):
    """Exit code 2, what was found, and nothing written."""
    written(stored / "new.csv", [{"text": "refund"}])
    (stored / "new.xlsx").write_bytes(b"x")
    written(stored / "other.csv", [{"body": "refund"}])
    (stored / "empty.csv").write_text("text,n\n")
    (stored / "latin.csv").write_bytes("text\ncaf\xe9\n".encode("latin-1"))
    before = {path.name for path in stored.iterdir()}
    done = predict(harness, *arguments)
    assert done.code == 2
    assert words in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert {path.name for path in stored.iterdir()} == before


def test_a_shadow_says_when_it_may_take_over(harness, stored):
    """Both arms' columns, how often they differ, what is saved; an equal arm takes over, a bad one does not."""
    written(stored / "new.csv", [{"text": text, "truth": label} for text, label in TICKETS * 20])
    options = ("new.csv", "--to", "out.csv", "--gold", "truth", "--margin", "0.05", "--json")
    good = predict(harness, "tfidf-svm", *options, "--shadow", "tfidf-lr").json["shadow"]
    assert (good["n"], good["n_gold"]) == (300, 300)
    assert good["may_take_over_at"] is not None
    with (stored / "out.csv").open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    assert (row["label"], row["shadow_label"], row["shadow_path"]) == ("billing", "billing", "tfidf-lr")
    bad = predict(harness, "tfidf-svm", *options, "--overwrite", "--shadow", "majority").json["shadow"]
    assert bad["may_take_over_at"] is None
    assert bad["only_old_right"] > 100 > bad["only_new_right"]
    assert bad["differing"]["value"] > 0.5


def test_rows_that_failed_are_asked_again(harness, root, monkeypatch):
    """Exit code 3, the others written; the same command asks the failed ones alone, and then all is there."""
    monkeypatch.chdir(root)
    written(root / "new.csv", [{"text": f"where is {i}", "n": str(i)} for i in range(6)])
    where = ("--dataset", "tickets@v1")
    with serve(lambda said: "bug") as server:
        link = ("--model", "openai/m", "--base-url", server.openai_url)
        assert harness("eval", "--prompt", "v1", *link, *where).code == 0
        asked = len(server.requests)
        server.faults = {asked: "400"}
        first = harness("predict", "prompt:v1", "new.csv", *link, *where, "--concurrency", "1")
        assert (first.code, len(server.requests) - asked) == (3, 6), first.err
        assert "1 row failed" in first.err
        second = harness("predict", "prompt:v1", "new.csv", *link, *where, "--json")
        assert (second.code, len(server.requests) - asked) == (0, 7), second.err
    assert second.json["answered_before"] == 5
    assert second.json["outcomes"]["answered"] == 6


def killed_and_resumed(root, kills, rows):
    """A file labelled by a prompt whose process is killed again and again; what the server was asked."""
    mail(root)
    written(root / "new.csv", [{"text": f"where is {i}", "n": str(i)} for i in range(rows)])
    with serve(lambda said: "bug", latency_s=0.02) as server:
        link = ("--model", "openai/m", "--base-url", server.openai_url, "--dataset", "mail@v1")
        processes.printed(processes.harness(root, "eval", "--prompt", "v1", *link))
        asked = len(server.requests)
        for kill in range(kills):
            process = processes.harness(root, "predict", "prompt:v1", "new.csv", *link, "--concurrency", "4")
            before = len(server.requests)
            processes.until(lambda b=before, k=kill: len(server.requests) > b + 3 + k, process)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        processes.printed(processes.harness(root, "predict", "prompt:v1", "new.csv", *link, "--concurrency", "4"))
        return len(server.requests) - asked


def check_killed(root, kills, rows):
    asked = killed_and_resumed(root, kills, rows)
    with (root / "new.labelled.csv").open(encoding="utf-8", newline="") as file:
        told = list(csv.DictReader(file))
    assert [row["n"] for row in told] == [str(i) for i in range(rows)]
    assert {(row["label"], row["outcome"]) for row in told} == {("bug", "answered")}
    assert rows <= asked <= rows + 4 * kills  # those that were under way may be asked twice


def test_killed_twice(root):
    """Killed twice: complete, in order, no row twice, and nothing paid twice but what was under way."""
    check_killed(root, kills=2, rows=60)


@pytest.mark.soak
def test_killed_twenty_times(root):
    """Killed twenty times: as killed twice."""
    check_killed(root, kills=20, rows=1500)
