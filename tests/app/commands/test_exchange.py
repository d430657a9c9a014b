"""`runs export` and `runs import`: what goes out comes in unchanged, what was changed does not."""

import csv
import json
import sys
from pathlib import Path

import duckdb
import pytest

from harness import datasets


@pytest.fixture
def stored(harness, once):
    """The baselines of the small workspace."""
    once(lambda: begin(harness))


def begin(harness):
    assert harness("baselines").code == 0


def rows_of(root):
    return datasets.load(root, "tickets@v1").in_split("test")


def test_a_run_travels(harness, stored, root):
    """Exported, and imported into another store, it is the same run with the same numbers."""
    done = harness("runs", "export", "rules", "--to", "rules.parquet", "--json").json
    assert done["files"] == ["rules.parquet"]
    assert harness("runs", "import", "rules.parquet", "--db", "other.duckdb").code == 0
    here, there = (harness("runs", "show", "rules", "--json", *db).json for db in ((), ("--db", "other.duckdb")))
    for key in ("run_id", "accuracy", "macro_f1", "outcomes", "cost_usd", "latency_s", "wall_s", "fit_s"):
        assert here[key] == there[key]
    assert harness("doctor", "--db", "other.duckdb").code in (0, 1)
    again = harness("runs", "export", "rules", "--to", "again.parquet", "--json", "--db", "other.duckdb").json
    assert again["rows_sha256"] == done["rows_sha256"]


def test_the_file_says_what_it_is(harness, stored, root):
    """Its metadata name dataset, arm, model and prices; anybody's Parquet reader finds them and the rows."""
    harness("runs", "export", "tag-odds", "--to", "t.parquet")
    with duckdb.connect() as connection:
        ((told,),) = connection.execute("select decode(value) from parquet_kv_metadata('t.parquet')").fetchall()
        n = connection.execute("select count(*) from 't.parquet'").fetchone()[0]
    (run,) = json.loads(told)["runs"]
    assert (run["arm"], run["dataset"], run["model"], run["prices_as_of"]) == ("tag-odds", "tickets@v1", None, None)
    assert run["dataset_id"] == datasets.load(root, "tickets@v1").id
    assert n == run["n"] == len(rows_of(root))


def test_it_goes_where_it_is_committed(harness, stored, root):
    """Without --to the file lies in results/baselines/, and the same run gives the same bytes."""
    (path,) = harness("runs", "export", "rules", "--json").json["files"]
    assert Path(path).parent.as_posix() == "results/baselines"
    before = Path(path).read_bytes()
    harness("runs", "export", "rules")
    assert Path(path).read_bytes() == before
    ignored = (Path(__file__).parents[3] / ".gitignore").read_text().splitlines()
    assert "!results/baselines/" in ignored


@pytest.mark.parametrize("change", ["update t set label = 'bug' where label = 'billing'", "delete from t where cached"])
def test_a_changed_file_is_refused(harness, stored, root, change):
    """An edited label and rows that are gone: exit 2, one line, nothing stored."""
    harness("runs", "export", "rules", "--to", "r.parquet")
    with duckdb.connect() as connection:
        ((told,),) = connection.execute("select decode(value) from parquet_kv_metadata('r.parquet')").fetchall()
        connection.execute("create table t as select * from 'r.parquet'")
        connection.execute("update t set cached = true where example_id = (select min(example_id) from t)")
        connection.execute(change)
        told = told.replace("'", "''")
        connection.execute(f"copy t to 'r.parquet' (format parquet, kv_metadata {{harness: '{told}'}})")
    done = harness("runs", "import", "r.parquet", "--db", "other.duckdb")
    assert (done.code, done.err.strip().count("\n")) == (2, 0)
    assert "r.parquet was changed" in done.err
    assert not Path("other.duckdb").exists()


@pytest.mark.parametrize("told", ["{}", "[1]", "nothing", '{"format": "harness-runs/9"}', "{" * 5000])
def test_hostile_metadata_are_one_line(harness, root, told):
    """Whatever stands under our key: exit 2, no traceback."""
    with duckdb.connect() as connection:
        connection.execute(f"copy (select 1 as a) to 'h.parquet' (format parquet, kv_metadata {{harness: '{told}'}})")
    done = harness("runs", "import", "h.parquet")
    assert (done.code, done.err.strip().count("\n")) == (2, 0)


def test_a_run_with_other_answers_is_not_overwritten(harness, stored, root):
    """A run that is here already with other rows stays; the message says how to take the file's."""
    harness("runs", "export", "rules", "--to", "r.parquet")
    with duckdb.connect("results/harness.duckdb") as connection:
        connection.execute("update runs set content_hash = 'another' where arm = 'rules'")
    done = harness("runs", "import", "r.parquet")
    assert done.code == 2
    assert "harness runs rm" in done.err


def test_another_dataset_of_that_name_is_refused(harness, stored, root):
    """The file's dataset id must be that of the version in datasets/."""
    harness("runs", "export", "rules", "--to", "r.parquet")
    with duckdb.connect() as connection:
        ((told,),) = connection.execute("select decode(value) from parquet_kv_metadata('r.parquet')").fetchall()
        told = told.replace(datasets.load(root, "tickets@v1").id, "s1:0000000000000000").replace("'", "''")
        connection.execute(
            f"copy (from 'r.parquet') to 'o.parquet' (format parquet, kv_metadata {{harness: '{told}'}})"
        )
    done = harness("runs", "import", "o.parquet")
    assert done.code == 2
    assert "only runs on the same version compare" in done.err


def write(path, rows, columns):
    if path.endswith(".jsonl"):
        Path(path).write_text("".join(json.dumps(dict(zip(columns, row, strict=True))) + "\n" for row in rows))
        return
    with Path("t.csv" if path.endswith(".parquet") else path).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    if path.endswith(".parquet"):
        with duckdb.connect() as connection:
            connection.execute(f"copy (from 't.csv') to '{path}' (format parquet)")


@pytest.mark.parametrize("name", ["p.csv", "p.jsonl", "p.parquet"])
@pytest.mark.parametrize("by", ["--id", "--text"])
def test_predictions_made_elsewhere(harness, root, name, by):
    """From each format, by id or text: the arm is import:NAME, and accuracy, cost and latency are the file's."""
    examples = rows_of(root)
    texts = {e.item.text for e in examples}
    rows = [(e.item.id, e.item.text, e.label if i % 3 else "bug", 0.5, "0.002", "0.25") for i, e in enumerate(examples)]
    write(name, rows, ("key", "body", "said", "conf", "usd", "s"))
    column = {"--id": "key", "--text": "body"}[by]
    more = ("--score", "conf", "--cost", "usd", "--latency", "s")
    done = harness(
        "runs", "import", name, "--dataset", "tickets@v1", "--arm", "old", "--prediction", "said", by, column, *more,
        "--json",
    )  # fmt: skip
    right = sum(said == e.label for e, (_, _, said, *_) in zip(examples, rows, strict=True))
    assert done.code == 0
    assert done.json["arm"] == "import:old"
    assert len(texts) == len(examples)
    assert done.json["accuracy"]["value"] == pytest.approx(right / len(examples))
    assert done.json["cost_per_1000_usd"] == pytest.approx(2.0)
    assert done.json["latency_s"]["p95"] == 0.25
    assert done.json["import"]["matched"] == len(examples)
    assert harness("runs", "show", "import:old").code == 0


def test_missing_predictions_are_exit_3(harness, root):
    """What is there is stored and shown; the message says how many items are without, and what to do."""
    examples = rows_of(root)
    write("p.csv", [(e.item.id, e.label) for e in examples[3:]] + [("nobody", "bug")], ("key", "said"))
    given = ("runs", "import", "p.csv", "--arm", "old", "--prediction", "said", "--id", "key")
    done = harness(*given)
    assert done.code == 3
    assert "3 of 30 items have no prediction" in done.err
    assert "1 row left out that match no item, the first p.csv:29" in done.out
    found = harness(*given, "--json").json["import"]
    assert found["missing"] == [e.item.id for e in examples[:3]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing.csv", "--arm", "x", "--prediction", "a", "--id", "b"), "there is no such file"),
        (("p.csv", "--prediction", "said", "--id", "key"), "give --arm NAME"),
        (("p.csv", "--arm", "x"), "not recognised as a result file"),
        (("p.csv", "--arm", "../x", "--prediction", "said", "--id", "key"), "cannot be a name"),
        (("p.csv", "--arm", "x", "--prediction", "said"), "--id COL or --text COL"),
        (("p.csv", "--arm", "x", "--prediction", "said", "--id", "key", "--split", "tets"), "no items in split 'tets'"),
        (("p.csv", "--arm", "x", "--prediction", "said", "--id", "said"), "none of the 2 rows matches an item"),
    ],
)
def test_mistakes_are_one_line(harness, root, arguments, said):
    """Exit code 2, what was found and what to do."""
    write("p.csv", [("a", "bug"), ("b", "bug")], ("key", "said"))
    done = harness("runs", "import", *arguments)
    assert (done.code, done.err.strip().count("\n")) == (2, 0)
    assert said in done.err


def test_a_table_for_people(harness, stored, root):
    """--to x.csv has text, gold and answer of every item; a cell that a spreadsheet would run is defused."""
    assert harness("runs", "export", "rules", "--to", "r.csv").code == 0
    with Path("r.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["example_id"] for row in rows} == {e.item.id for e in rows_of(root)}
    assert all((row["label"] == row["gold"]) == (row["correct"] == "True") for row in rows)
    write("p.csv", [(e.item.id, "=1+1") for e in rows_of(root)], ("key", "said"))
    harness("runs", "import", "p.csv", "--arm", "odd", "--prediction", "said", "--id", "key", "--keep-anyway")
    harness("runs", "export", "import:odd", "--to", "odd.csv")
    assert ",=1+1" not in Path("odd.csv").read_text()


@pytest.mark.parametrize(
    "command",
    [
        ("runs", "export", "rules", "--to", "mine.csv"),
        ("runs", "export", "rules", "--to", "mine.parquet"),
        ("label", "open@v1", "--export", "mine.json"),
    ],
    ids=lambda command: command[-1],
)
def test_a_file_of_the_users_is_not_written_over(harness, stored, command):
    """Whatever writes a file that a person names leaves one that is there, unless told: --overwrite."""
    Path("texts.csv").write_text("text\n" + "".join(f"a text {i}\n" for i in range(20)))
    harness("dataset", "import", "texts.csv", "--name", "open", "--text", "text", "--labels", "a,b")
    path = Path(command[-1])
    path.write_text("somebody's own")
    done = harness(*command)
    assert (done.code, done.err) == (
        2,
        f"harness: {path} is there already; give another name with {command[-2]}, or write over it: --overwrite\n",
    )
    assert path.read_text() == "somebody's own"
    assert harness(*command, "--overwrite").code == 0
    assert path.read_bytes() != b"somebody's own"


@pytest.mark.parametrize(("service", "package"), [("mlflow", "mlflow"), ("otel", "opentelemetry")])
def test_an_extra_that_is_missing_is_named(harness, stored, monkeypatch, service, package):
    """Without its packages a service is one line that says what to install; exit 2."""
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"harness.app.exporters.{service}", raising=False)
    done = harness("runs", "export", "rules", "--to", service)
    assert (done.code, done.err.count("\n"), done.out) == (2, 1, "")
    assert f"needs the package {package}" in done.err
    assert f"pip install 'prompt-harness[{service}]'" in done.err


def test_a_service_that_is_none_is_a_file_without_an_ending(harness, stored):
    """A misspelt service is named with what can be given."""
    done = harness("runs", "export", "rules", "--to", "mlfow")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "mlflow, otel" in done.err


def predictions(root, spelled):
    """A file with one prediction an item of the test split, and how many there are."""
    test = datasets.load(root, "tickets@v1").in_split("test")
    rows = [f"{one.item.id},{spelled(one.label)}" for one in test]
    (root / "p.csv").write_text("key,said\n" + "\n".join(rows) + "\n")
    return len(test)


TABLE = ("runs", "import", "p.csv", "--arm", "old", "--prediction", "said", "--id", "key")


def test_predictions_are_read_as_replies_are(harness, root):
    """`{'Bug'}` is `bug`, unless the very spelling is asked for."""
    n = predictions(root, lambda label: f"{{'{label.title()}'}}")
    assert harness(*TABLE, "--json").json["accuracy"]["value"] == 1.0
    done = harness(*TABLE, "--exact")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "no prediction is one of the 3 labels of tickets@v1; the first is \"{'Billing'}\" (nearest label" in done.err
    assert "--keep-anyway" in done.err
    kept = harness(*TABLE, "--exact", "--keep-anyway", "--json").json
    assert (kept["outcomes"]["unparsed"], kept["import"]["unread"]) == (n, n)


def test_predictions_that_are_no_label_are_shown(harness, root):
    """How many, the first of them, and the label that is nearest to it."""
    n = predictions(root, lambda label: "bugs" if label == "bug" else label)
    done = harness(*TABLE)
    assert done.code == 0
    assert f"{n // 3} predictions of {n} are no label, the first 'bugs' (nearest label 'bug')" in done.out


def test_a_file_whose_accuracy_is_another_is_not_stored(harness, root):
    """Three items are shown, with what the tool found and what is found here; it is stored where that is wanted."""
    test = datasets.load(root, "tickets@v1").in_split("test")
    row = {"provider": "m", "promptIdx": 0, "success": True, "gradingResult": {"pass": True, "reason": "ok"}}
    made = [
        row | {"vars": {"id": one.item.id}, "response": {"output": f"It is a {one.label}, I think"}} for one in test[:4]
    ] + [row | {"vars": {"id": one.item.id}, "response": {"output": one.label}} for one in test[4:]]
    (root / "r.jsonl").write_text("".join(json.dumps(one) + "\n" for one in made))
    done = harness("runs", "import", "r.jsonl", "--arm", "odd")
    assert (done.code, done.err.count("\n"), done.err.count("right there, here no label in")) == (2, 1, 3)
    assert f"the file's own accuracy is 1.000, and .{round(1000 * (len(test) - 4) / len(test))}" in done.err
    assert harness("runs", "list", "--json").code == 2  # there is no store yet
    kept = harness("runs", "import", "r.jsonl", "--arm", "odd", "--keep-anyway", "--json").json
    assert kept["outcomes"]["unparsed"] == 4


def test_which_filter_counts_is_an_option(harness, root):
    """A task with two filters asks which; `--filter` says it."""
    test = datasets.load(root, "tickets@v1").in_split("test")
    made = [
        {"doc_id": i, "doc": {"text": one.item.text}, "filtered_resps": [said], "filter": name, "doc_hash": "d"}
        for name in ("strict", "loose")
        for i, one in enumerate(test)
        for said in ["none" if name == "strict" else one.label]
    ]
    (root / "s.jsonl").write_text("".join(json.dumps(one) + "\n" for one in made))
    done = harness("runs", "import", "s.jsonl", "--arm", "lm")
    assert (done.code, "--filter strict or --filter loose" in done.err) == (2, True)
    assert (
        harness("runs", "import", "s.jsonl", "--arm", "lm", "--filter", "loose", "--json").json["accuracy"]["value"]
        == 1
    )
