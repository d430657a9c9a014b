"""Bad input gives one clear line, exit code 2, no traceback, and nothing half-written."""

import re
import subprocess
import sys

import pytest

from harness.store import store


def files_of(root):
    return {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("eval --prompt v9", "there is no prompt 'v9'.*expected one of 'v1'"),
        ("eval --prompt ../v1", "prompt version '../v1' cannot be a name"),
        ("eval --prompt v1 --dataset nope@v1", "there is no dataset 'nope@v1'.*'tickets@v1'"),
        ("eval --prompt v1 --dataset ../x", "dataset '../x' cannot be a name"),
        ("eval --prompt v1 --model gpt-4o", "unknown model 'gpt-4o'; expected auto or PROVIDER/MODEL.*openai/"),
        ("eval --prompt v1 --model oepnai/gpt-4o", "unknown model 'oepnai/gpt-4o'"),
        ("eval --prompt v1 --model fake/nope", "unknown model fake/nope.*fake/first"),
        ("eval --prompt v1 --model local/nope", "unknown model local/nope.*gemma3-270m"),
        ("eval --prompt v1 --model openai/gpt-4o", "no key for openai/gpt-4o: set OPENAI_API_KEY"),
        ("eval --prompt v1 --model anthropic/claude-haiku-4-5", "no key for anthropic.*ANTHROPIC_API_KEY"),
        (
            "eval --prompt v1 --model openai/m --base-url http://u:secretword@h:x/v1",
            "Port could not be.*expected one",
        ),
        (
            "eval --prompt v1 --model anthropic/m --base-url http://localhost:99999",
            "Port out of range.*expected",
        ),
        ("eval --prompt v1 --split tset", "no items in split 'tset'.*did you mean 'test'"),
        ("baselines --split train", "scoring it says nothing"),
        ("baselines --arm tfidf", "unknown baseline 'tfidf'.*'tfidf-lr'"),
        ("dataset show nope@v1", "there is no dataset 'nope@v1'"),
        ("dataset fetch bankin77", "unknown recipe 'bankin77'.*did you mean 'banking77'"),
        ("dataset fetch trec --from .", "train_5500.label: there is no such file"),
        ("dataset import nope.csv --name x --text a --label b", "nope.csv: there is no such file"),
        ("dataset import tickets.csv --name x --text body --label label", "tickets.csv: there is no column 'body'"),
        ("dataset import tickets.csv --name ../x --text text --label label", "'../x' cannot be a name"),
        ("dataset import tickets.csv --name tickets --text text --label label", "is there already"),
        ("dataset import harness.toml --name x --text a --label b", "the ending says no format"),
        ("prompt render v1 --item 999", "no item '999'"),
        ("runs show x", "there is no store at"),
        ("sql select", "there is no store at"),
        ("eval --prompt v1 --model openai/m --base-url localhost:11434/v1", "names no server.*http://127.0.0.1:11434"),
        ("report", "there is no store at"),
        ("eval --prompt v1 --model openai/m --base-url gpu:8000/v1", "did you mean http://gpu:8000/v1"),
        (
            "eval --prompt v1 --model openai/m --base-url u:secretword@h/v1",
            "expected one like http://127.0.0.1:11434/v1$",
        ),
        ("eval --prompt v1 --root /nowhere/at/all", "there is no such folder"),
        ("nonsense", "No such command 'nonsense'"),
    ],
)
def test_a_mistake_is_told_in_one_line(harness, root, arguments, message):
    """What was found, what was expected, and where; nothing is written."""
    before = files_of(root)
    done = harness(*arguments.split())
    line = done.err.strip().splitlines()[-1]
    assert done.code == 2
    assert re.search(message, line), line
    assert "Traceback" not in done.err
    assert "secretword" not in done.err
    assert done.out == ""
    assert {path for path in files_of(root) if path.suffix == ".csv"} == {p for p in before if p.suffix == ".csv"}
    assert not list((root / "datasets").glob("*/.new-*"))


def test_an_edited_row_is_named(harness, root):
    """A released version is frozen: the error names the file, the row and the way out."""
    path = root / "datasets" / "tickets" / "v1" / "examples.csv"
    path.write_text(path.read_text().replace("refund the second", "refund the third", 1))
    done = harness("eval", "--prompt", "v1")
    assert done.code == 2
    assert "examples.csv:3" in done.err
    assert "release a new version" in done.err
    assert harness("dataset", "verify", "tickets@v1").code == 1


def test_a_template_mistake_stops_before_anything_is_asked(harness, root):
    """An undefined name and a way out of the sandbox are errors with file and line, and cost nothing."""
    path = root / "prompts" / "tickets" / "v2.j2"
    for block, message in (("{{ itm.text }}", "v2.j2:1: 'itm' is undefined"), ("{{ item.__class__ }}", "sandbox")):
        path.write_text(f"{{% block user %}}{block}{{% endblock %}}")
        done = harness("eval", "--prompt", "v2")
        assert done.code == 2
        assert message in done.err
        assert harness("sql", "select count(*) n from predictions", "--json").json == [{"n": 0}]


def test_a_store_held_by_another_process_names_it(harness, root, monkeypatch):
    """The line says who holds the store and what to do."""
    monkeypatch.setattr(store, "WAIT_S", 0.3)
    harness("baselines", "--arm", "majority")
    path = root / "results" / "harness.duckdb"
    code = f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "open\n"
        done = harness("sql", "select 1")
        holder.communicate("")
    assert done.code == 3  # it will be let go: the same command goes on
    assert f"held by process {holder.pid}" in done.err
    assert harness("sql", "select 1").code == 0


@pytest.mark.parametrize(
    "query",
    [
        "select * from read_csv('/etc/passwd')",
        "copy runs to 'out.csv'",
        "attach 'x.duckdb'",
        "install httpfs",
        "set enable_external_access = true",
        "delete from runs",
        "drop table runs",
        "select 1; select 2",
        "selct 1",
        "",
    ],
)
def test_sql_reads_the_store_and_nothing_else(harness, root, query):
    """Reading a file, writing anything, changing a setting, two statements: one line, exit 2."""
    harness("baselines", "--arm", "majority")
    before = files_of(root)
    done = harness("sql", query)
    assert done.code == 2
    assert done.err.startswith("harness: ")
    assert done.err.count("\n") == 1
    assert files_of(root) == before


def test_a_mistake_is_json_when_json_was_asked_for(harness):
    """A program that reads stdout gets the error there too, as one object."""
    done = harness("eval", "--prompt", "v9", "--json")
    assert done.json["exit_code"] == done.code == 2
    assert "no prompt 'v9'" in done.json["error"]
