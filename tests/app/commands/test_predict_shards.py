"""`predict --shard i/n` and `runs merge`: the parts of a labelled file become the file that one process writes."""

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from tests.app.standing import made, written

ARM = "tfidf-svm"
ROWS = [
    {"id": f"{i % 7 or ''}{i // 7}", "text": "" if i == 5 else f'refund, number; {i} is "odd"\nor error', "n": str(i)}
    for i in range(40)
]


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    """A workspace with one classifier, fitted."""
    return made(tmp_path_factory.mktemp("standing"), arms=(ARM, "majority"), fusions=())


@pytest.fixture
def label(harness, standing, tmp_path, monkeypatch):
    """`predict` in a folder of its own."""
    folder = tmp_path / "files"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def run(file, *more, code=0):
        done = harness("predict", ARM, file, *more, "--root", str(standing), "--dataset", "mail@v1", "--json")
        assert done.code == code, done.err
        return done

    return run


def in_form(form):
    path = written(Path("new.csv"), ROWS)
    if form == ".jsonl":
        path = Path("new.jsonl")
        path.write_text("".join(json.dumps(row if i % 2 else {**row, "w": i / 3}) + "\n" for i, row in enumerate(ROWS)))
    if form == ".parquet":
        path = Path("new.parquet")
        duckdb.execute("copy (select *, 1.5::decimal(9,3) as d, [1, 2] as l from 'new.csv') to 'new.parquet'")
    return path.name


def parquet_rows(path):
    return duckdb.execute(f"select * from '{path}'").fetchall(), duckdb.execute(f"describe from '{path}'").fetchall()


@pytest.mark.parametrize("form", [".csv", ".jsonl", ".parquet"])
def test_parts_become_the_file_of_one_process(harness, label, form):
    """In every format the merged file is, to the byte, the file that one process writes; merged again it is too."""
    source = in_form(form)
    label(source, "--to", f"alone{form}")
    parts = []
    for part in (3, 1, 2):
        done = label(source, "--to", f"out{form}", "--shard", f"{part}/3").json
        assert done["files"] == [f"out.{part}-of-3{form}", f"out.{part}-of-3{form}.shard.json"]
        parts.append(done["files"][0])
    assert sum(json.loads(Path(f"{part}.shard.json").read_text())["answered"] for part in parts) == len(ROWS)
    for again in ([], ["--overwrite"]):
        done = harness("runs", "merge", *parts, *again, "--json")
        assert done.code == 0, done.err
        assert done.json["files"] == [f"out{form}"]
        assert Path(f"out{form}").read_bytes() == Path(f"alone{form}").read_bytes()
    if form == ".parquet":
        assert parquet_rows("out.parquet") == parquet_rows("alone.parquet")
    assert not list(Path().glob("*progress*"))
    assert not list(Path().glob("*spilt*"))


def test_a_part_keeps_order_and_number(label):
    """A part has its rows in the order of the file, each with its number there; a column of that name stays."""
    rows = [{"text": f"refund {i}", "row": "mine"} for i in range(20)]
    written(Path("new.csv"), rows)
    label("new.csv", "--shard", "2/2")
    (told,) = duckdb.execute("select list(harness_row), from 'new.labelled.2-of-2.csv' where row = 'mine'").fetchone()
    assert told == sorted(told)
    assert 0 < len(told) < 20
    texts = duckdb.execute("select harness_row, text from 'new.labelled.2-of-2.csv'").fetchall()
    assert all(text == f"refund {number - 1}" for number, text in texts)


@pytest.mark.parametrize("form", [".csv", ".jsonl", ".parquet"])
def test_a_part_may_be_empty(harness, label, form):
    """More shards than rows: a part without rows is a part like the others."""
    written(Path("new.csv"), [{"text": "refund", "n": "1"}, {"text": "an error", "n": "2"}])
    label("new.csv", "--to", f"alone{form}")
    parts = [label("new.csv", "--to", f"out{form}", "--shard", f"{i}/4").json["files"][0] for i in range(1, 5)]
    done = harness("runs", "merge", *parts)
    assert done.code == 0, done.err
    if form == ".parquet":
        assert parquet_rows("out.parquet") == parquet_rows("alone.parquet")
    else:
        assert Path(f"out{form}").read_bytes() == Path(f"alone{form}").read_bytes()


def test_what_does_not_fit_together_is_told(harness, label):
    """A part that lacks, was changed, is given twice, of another file or without its description: one line each."""
    source = in_form(".csv")
    parts = [label(source, "--shard", f"{part}/2").json["files"][0] for part in (1, 2)]
    merge = ("runs", "merge", "--to", "whole.csv")

    def refused(code, said, *files):
        done = harness(*merge, *files)
        assert (done.code, done.err.count("\n")) == (code, 1), done.err
        assert said in done.err
        assert not Path("whole.csv").exists()

    refused(3, "part 2 of 2 of whole.csv is not among the files; label it with --shard 2/2", parts[0])
    shutil.copy(parts[0], "again.1-of-2.csv")
    refused(2, "again.1-of-2.csv.shard.json is not beside it", "again.1-of-2.csv", parts[1])
    shutil.copy(f"{parts[0]}.shard.json", "again.1-of-2.csv.shard.json")
    refused(2, "are both part 1 of 2", "again.1-of-2.csv", *parts)
    written(Path("other.csv"), ROWS[:-1])
    other = label("other.csv", "--shard", "2/2").json["files"][0]
    refused(2, "is not a part of the same file", parts[0], other)
    refused(2, "and so must the whole", "--to", "whole.jsonl", *parts)
    Path(parts[1]).write_text(Path(parts[1]).read_text().replace("refund", "return"))
    refused(2, "was changed after it was written", *parts)
    taken = written(Path("taken.csv"), ROWS[:1]).read_text()
    done = harness(
        "runs",
        "merge",
        *[label(source, "--shard", f"{i}/2", "--to", "x.csv").json["files"][0] for i in (1, 2)],
        "--to",
        "taken.csv",
    )
    assert (done.code, Path("taken.csv").read_text()) == (2, taken)
    assert "taken.csv is there already" in done.err
    done = label(source, "--shard", "1/2", "--shadow", "majority", code=2)
    assert "--shadow looks at all rows" in done.err


def test_workers_write_the_same_file(harness, label, standing, tmp_path):
    """With two processes the labelled file is, to the byte, the one of this process; so is a part of it."""
    there = tmp_path / "spread"
    shutil.copytree(standing, there)
    with (there / "harness.toml").open("a") as settings:
        settings.write('\n[spread]\nexecutor = "processes"\nworkers = 2\n')
    rows = [{"text": f"refund number {i} of {i % 97}, an error", "n": str(i)} for i in range(700)]
    written(Path("new.csv"), rows)
    for shard in ((), ("--shard", "1/2")):
        alone = Path(label("new.csv", "--to", "alone.csv", *shard).json["files"][0])
        command = ("predict", ARM, "new.csv", "--to", "many.csv", "--dataset", "mail@v1", *shard)
        done = harness(*command, "--root", str(there), "--json")
        assert done.code == 0, done.err
        assert Path(done.json["files"][0]).read_bytes() == alone.read_bytes()
