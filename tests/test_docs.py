"""The documentation is true: its commands exist, its links lead somewhere, its tables equal the code."""

import os
import re
import shlex
from pathlib import Path

import duckdb
import pytest

from harness.app.project import frames
from harness.ground import plugins
from harness.store import macros, schema
from tests.conftest import TICKETS

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
REFRESH = os.environ.get("HARNESS_GOLDEN") == "refresh"


def marked(text: str, name: str) -> str:
    return re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", text, re.DOTALL).group(1)


def command_table() -> str:
    rows = [f"| `harness {name}` | {plugins.introduction('commands', name)[0]} |" for name in plugins.names("commands")]
    return "\n".join(["| command | does |", "|---|---|", *rows]) + "\n"


def test_the_command_table_equals_the_commands():
    """README's table is made from the files in commands/."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    if REFRESH:
        readme.write_text(text.replace(marked(text, "commands"), command_table()), encoding="utf-8")
        text = readme.read_text(encoding="utf-8")
    assert marked(text, "commands") == command_table()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    """Every relative link is a file of the repository."""
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_code_blocks_exist(page):
    """Every `harness` and `make` line in a code block names a command or target, and options that exist."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0] == "make":
                assert re.search(rf"^{words[1]}:", makefile, re.MULTILINE), line
            elif words and words[0].endswith("harness"):
                assert_parses(words[1:])


def assert_parses(words: list[str]) -> None:
    command = plugins.load("commands", words[0]).command
    if hasattr(command, "commands"):
        command, words = command.commands[words[1]], words[1:]
    known = {option for parameter in command.params for option in parameter.opts}
    for word in words[1:]:
        assert not word.startswith("--") or word in known, f"{word} is no option of {words[0]}"


@pytest.mark.parametrize("kind", plugins.names("kinds"))
def test_every_metric_is_explained(kind):
    """docs/metrics.md has a row for each."""
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    for name in plugins.load("kinds", kind).METRICS:
        assert f"| `{name}` |" in text


def test_every_column_of_the_store_is_documented():
    """docs/store.md names each table with each of its columns, and no other."""
    text = (ROOT / "docs" / "store.md").read_text(encoding="utf-8")
    with duckdb.connect() as connection:
        schema.upgrade(connection, "memory")
        found = connection.execute(
            "select table_name, list(column_name) from information_schema.columns group by table_name"
        ).fetchall()
    tables = {name: columns for name, columns in found if name not in ("schema_versions", "scored")}
    assert set(tables) == {"datasets", "examples", "prompts", "runs", "predictions", "looks", "members"}
    for table, columns in tables.items():
        row = re.search(rf"^\| `{table}` \|.*\| (.*) \|$", text, re.MULTILINE).group(1)
        assert sorted(re.sub(r" \(JSON\)", "", row).split(", ")) == sorted(columns)


@pytest.mark.parametrize("head", macros.MACROS)
def test_every_macro_of_the_store_is_documented(head):
    """docs/store.md has a row for it, which names each of its columns but those of a view that it names instead."""
    text = (ROOT / "docs" / "store.md").read_text(encoding="utf-8")
    name, arguments = head.rstrip(")").split("(")
    (row,) = re.findall(rf"^\| `{name}\([a-z, ]*\)` \|.*\| (.*) \|$", text, re.MULTILINE)
    with duckdb.connect() as connection:
        schema.upgrade(connection, "memory")
        given = ", ".join(["''"] * len(arguments.split(",")))
        columns = [column[0] for column in connection.execute(f"from {name}({given})").description]
    inherited = name == "answers"
    assert set(columns[:2] if inherited else columns) <= set(re.findall(r"\w+", row))


def test_the_readme_shows_a_scorecard_that_the_code_printed():
    """The block has the default task, the prompt and every default baseline."""
    shown = marked((ROOT / "README.md").read_text(encoding="utf-8"), "scorecard")
    for words in ("emoji-tags@v1 / test", "minilm-lr", "prompt:v3", "majority", "local/"):
        assert words in shown


def test_the_readme_script_runs(root, monkeypatch, capsys):
    """The README's script, on a user's CSV: at most 15 lines; the pipeline, the prompt, and the verdict printed."""
    script = marked((ROOT / "README.md").read_text(encoding="utf-8"), "script")
    code = re.search(r"```python\n(.*?)```", script, re.DOTALL).group(1)
    assert len([line for line in code.splitlines() if line.strip()]) <= 15
    rows = [f"{text} {i},{label}" for i in range(8) for text, label in TICKETS]
    (root / "tickets.csv").write_text("body,queue\n" + "\n".join(rows) + "\n", encoding="utf-8")
    monkeypatch.chdir(root)
    exec(compile(code.replace("openai/gpt-4o-mini", "fake/first"), "README.md", "exec"), {})
    said = capsys.readouterr().out
    assert "python:tfidf" in said
    assert "prompt:v1 minus python:tfidf" in said
    assert "Serve python:tfidf" in said or "Cannot tell yet" in said


def columns_of(described):
    return "| column | is |\n|---|---|\n" + "\n".join(f"| `{name}` | {what} |" for name, what in described.items())


@pytest.mark.parametrize(("name", "described"), [("predictions", frames.PREDICTIONS), ("runs", frames.RUNS)])
def test_the_columns_of_dataframes_are_documented(name, described):
    """The API page has each column of the frames with what it means, as the code says it."""
    path = ROOT / "docs" / "api.md"
    text = path.read_text(encoding="utf-8")
    wanted = f"<!-- {name} -->\n{columns_of(described)}\n<!-- /{name} -->"
    if REFRESH:
        text = re.sub(f"<!-- {name} -->.*<!-- /{name} -->", lambda _: wanted, text, flags=re.DOTALL)
        path.write_text(text, encoding="utf-8")
    assert wanted in text


def test_the_api_page_runs(root, monkeypatch):
    """Its examples, one after the other, on a user's CSV, in one namespace."""
    rows = [f"{text} {i},{label}" for i in range(30) for text, label in TICKETS]
    (root / "tickets.csv").write_text("body,queue\n" + "\n".join(rows) + "\n", encoding="utf-8")
    monkeypatch.chdir(root)
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) >= 4
    names = {}
    for block in blocks:
        exec(compile(block, "docs/api.md", "exec"), names)
    assert all(path.is_file() for path in names["files"])
    assert len(names["rows"]) == len(names["tickets"].in_split("test"))
