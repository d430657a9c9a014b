"""What somebody does on the first day: files that are there, folders that cannot be written, commands too early."""

from datetime import date, timedelta
from types import SimpleNamespace

import click
import pytest

from harness.app.commands import _evaluation
from harness.app.project import shipping
from harness.app.project.estimating import Estimated
from harness.app.project.predicting import Job
from harness.app.serving.folder import MANIFEST, manifest_of
from harness.datasets import doubts, encodings, text_files
from harness.datasets.label_journal import Journal
from harness.datasets.label_session import release
from harness.errors import ConfigError, DatasetError, not_read
from harness.ground import plugins
from harness.runs.improving.race import Variant
from harness.runs.improving.search import EXAMPLES, Story, Trial
from tests.store.test_selection import a_run, selection


def test_a_file_of_the_users_is_not_written_over(tmp_path):
    """`predict` refuses a file that is there, unless it had begun it itself or is told to; and says both ways out."""
    source, target = tmp_path / "new.csv", tmp_path / "labelled.csv"
    source.write_text("text\nx\n")
    Job(source, target).check()
    target.write_text("mine\n")
    with pytest.raises(ConfigError, match=r"labelled.csv is there already; give another name with --to.*--overwrite"):
        Job(source, target).check()
    Job(source, target, overwrites=True).check()
    Job(source, target).journal.write_text("begun")
    Job(source, target).check()


@pytest.mark.parametrize(
    ("options", "labels"),
    [
        ("dates", [str(date(2026, 1, 1) + timedelta(days=i % 7)) for i in range(30)]),
        ("dates", [f"{i % 9 + 1}/3/26" for i in range(30)]),
        ("numbers", [f"{i % 5}.5" for i in range(30)]),
        ("numbers", [str(i) for i in range(30)]),
        ("30 different labels", [f"ticket {i}" for i in range(30)]),
        (None, ["1", "2", "3"] * 10),
        (None, ["-1", "0", "1"] * 10),
        (None, ["refund", "billing"] * 15),
        (None, [f"intent {i % 15}" for i in range(30)]),
        (None, ["2026", "2025"] * 9),
        (None, ["a", "b", "c"]),
    ],
)
def test_a_column_that_is_probably_none_of_labels_is_said(options, labels):
    """Dates, amounts and a label for every row; never classes that are written as numbers, nor a few rows."""
    found = doubts.of_labels({label: labels.count(label) for label in labels})
    assert (found is None) if options is None else (options in found)


def test_the_doubt_stands_under_the_import(harness, root):
    """`init` and `dataset import` name the first label and its column; what was asked for is done all the same."""
    rows = "".join(f"text {i},x{i}\n" for i in range(20))
    (root / "odd.csv").write_text(f"body,when\n{rows}")
    done = harness("dataset", "import", "odd.csv", "--name", "odd", "--text", "body", "--label", "when")
    assert done.code == 0
    assert "rows with 20 different labels, so this is perhaps not the column of labels" in done.out
    assert "'x0' in column 'when'" in done.out


@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv", "rows.csv.gz", "rows.xlsx", "rows.parquet"])
def test_a_missing_column_is_missing_in_the_header(tmp_path, name):
    """A table names its columns once, so the file is named and no row; a JSON line names its own."""
    path = tmp_path / name
    assert text_files.names_place(path, f"{path}:2") == str(path)
    lines = tmp_path / "rows.jsonl.gz"
    assert text_files.names_place(lines, f"{lines}:7") == f"{lines}:7"


@pytest.mark.parametrize("content", [b"text\ncaf\xe9\n", b"text\nx\x00y\n", b"text\n\x81\x8d\n"])
def test_an_encoding_is_advised_where_there_is_an_option_for_it(tmp_path, content):
    """Whoever reads a file that is not UTF-8 says how to save it, and which command takes an encoding."""
    path = tmp_path / "new.csv"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=f"save it as UTF-8.*{encodings.IMPORT}"):
        list(text_files.lines(path))
    takers = {
        name
        for name in plugins.names("commands")
        for one in commands_of(plugins.load("commands", name).command)
        if any("--encoding" in parameter.opts for parameter in one.params)
    }
    assert takers == {"dataset"}


def commands_of(command):
    """A command, or the commands of a group."""
    return list(command.commands.values()) if isinstance(command, click.Group) else [command]


def test_a_split_is_scored_where_something_is_scored():
    """No command that labels, ships or watches calls `--split` the split to score."""
    said = {
        name: parameter.help
        for name in plugins.names("commands")
        for one in commands_of(plugins.load("commands", name).command)
        for parameter in one.params
        if "--split" in parameter.opts
    }
    assert {name: said[name] for name in ("predict", "ship", "watch", "recheck")} == dict.fromkeys(
        ("predict", "ship", "watch", "recheck"), "Split of the arm's run."
    )
    assert said["label"] == "Split to label."
    assert said["eval"] == "Split to score."


def test_a_split_without_runs_is_said_to_have_none():
    """An arm that ran on other splits names them; one that ran on that split of two datasets asks which."""
    known = selection(a_run("a"), a_run("b", dataset="other@v1", dataset_id="s1:o"))
    with pytest.raises(
        ConfigError, match=r"has no run on a split 'nope'; it has: --dataset tickets@v1 --split test; --dataset"
    ):
        known.anywhere("prompt:v1", None, "nope")
    with pytest.raises(ConfigError, match=r"has runs on the split 'test' of several datasets; say which"):
        known.anywhere("prompt:v1", None, "test")


def test_a_shipped_folder_is_replaced_and_nothing_else_is(tmp_path):
    """Files that were shipped there and the new one has not go; one that was changed, or is a user's, stays."""
    to, new = tmp_path / "arm", {"serve.py": b"2"}
    new[MANIFEST] = manifest_of(new)
    old = {"serve.py": b"1", "Dockerfile": b"FROM x", "deep/weights": b"3"}
    shipping.write(old | {MANIFEST: manifest_of(old)}, to)
    (to / "Dockerfile").write_bytes(b"FROM mine")
    with pytest.raises(ConfigError, match="holds Dockerfile, which was not shipped so; give another name"):
        shipping.write(new, to)
    assert (to / "deep" / "weights").is_file()
    (to / "Dockerfile").write_bytes(b"FROM x")
    assert shipping.write(new, to) == [MANIFEST, "serve.py"]
    assert {path.name for path in to.rglob("*") if path.is_file()} == {MANIFEST, "serve.py"}
    (to / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"holds notes.txt, which was not shipped so"):
        shipping.write(new, to)


def test_a_folder_that_cannot_be_written_is_named_by_its_option(tmp_path):
    """`ship --to` says --to, not --root or --db."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match=r"--to .*file.*: Not a directory; give a folder that may be written"):
        shipping.write({"serve.py": b"1"}, tmp_path / "file" / "arm")


def test_nobody_labels_what_cannot_be_kept(harness, root):
    """`label` opens no page where its journal cannot be written."""
    (root / "results").mkdir(exist_ok=True)
    (root / "inbox.csv").write_text("text\n" + "".join(f"text {i}\n" for i in range(12)))
    harness("dataset", "import", "inbox.csv", "--name", "inbox", "--text", "text", "--labels", "a,b")
    (root / "results" / "inbox@v1").write_text("a file where the folder would be")
    done = harness("label", "inbox", "--split", "train")
    assert done.code == 2
    assert "answers are kept there as they are given: make the folder writable, or label in another" in done.err
    assert "http://" not in done.out


def test_a_label_command_that_comes_too_early_names_the_next_one(tmp_path):
    """A release without labels, and an estimate without gold, say what gives some."""
    dataset = SimpleNamespace(ref="inbox@v1", name="inbox")
    with pytest.raises(DatasetError, match="nothing to release; begin with: harness label inbox@v1"):
        release(tmp_path, dataset, "v2", Journal(tmp_path))
    made = Estimated("inbox@v1", "train", SimpleNamespace(n=0), 0, ())
    with pytest.raises(ConfigError, match="an estimate needs some; next: harness label inbox@v1 --split train$"):
        made.checked()
    assert Estimated("inbox@v1", "train", SimpleNamespace(n=1), 0, ()).checked().estimation.n == 1


def test_a_file_that_is_not_there_is_said_in_words(tmp_path):
    """No number of the system's, whichever option named the file."""
    for path, why in ((tmp_path / "missing.txt", "there is no such file"), (tmp_path, "Is a directory")):
        with pytest.raises(OSError, match="Errno") as caught:
            path.read_text(encoding="utf-8")
        assert not_read(caught.value) == why
    (tmp_path / "bad.txt").write_bytes(b"ab\xff")
    with pytest.raises(UnicodeDecodeError) as bad:
        (tmp_path / "bad.txt").read_text(encoding="utf-8")
    assert not_read(bad.value) == "byte 2 is not UTF-8; save it as UTF-8"


def test_variants_that_nobody_proposed_are_counted_by_themselves():
    """What is shown with examples is none of the proposals that `--variants` bounds."""
    first = Variant("v1")
    trials = [Trial(i, origin, "", first, first) for i, origin in enumerate(["rewriting", EXAMPLES, "gepa", EXAMPLES])]
    assert Story(first, first, trials).with_examples == 2


@pytest.mark.parametrize(
    ("sent", "cached", "billed_usd", "said"),
    [
        (304, 0, 0.0084, "304 calls sent, 0 answered before, $0.0084 billed"),
        (1, 303, None, "1 call sent, 303 answered before, bill unknown"),
        (0, 304, 0.0, "no call sent, 304 answered before, nothing billed"),
        (0, 0, 0.0, "no model asked"),
    ],
)
def test_what_was_not_sent_is_not_billed(sent, cached, billed_usd, said):
    """A bill stands beside calls alone, and an unknown one is called that."""
    assert _evaluation.asked(sent, cached, billed_usd) == said
