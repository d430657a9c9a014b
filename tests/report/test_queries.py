"""Beside its numbers a report has the SQL that gives them again: run on the store, it must print the same."""

import json
import math
import shlex

import pytest
from click.testing import CliRunner

from harness.app import cli
from harness.app.project import Project
from harness.ground import plugins
from harness.ground.clock import SystemClock
from harness.ground.workspace import find
from harness.report import build, drawings, queries
from harness.report.blocks import Table
from harness.report.figures import _style

SECTIONS = {
    "Verdict",
    "Scorecard",
    "Fusions",
    "Leaks and repeats",
    "Learning curves",
    "Outcomes",
    "Labels",
    "Calibration",
    "Slices",
    "Distillation",
    "Speed",
    "Mistakes, and what cost most",
    "Prompts",
    "Provenance",
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A store with baselines, prompts, a repeat, a curve, a cascade, a router, and outcomes of several kinds."""
    root = tmp_path_factory.mktemp("stored")
    from tests.conftest import TICKETS, write_tickets  # noqa: PLC0415  (the fixture of that name lives for one test only)

    rows = [
        (
            f"{text} {i // 2}",  # every text twice, in two splits or in one
            "question" if (i + place) % 7 == 0 else label,
            text.split()[0],
            ("test", "dev", "train")[i % 3],
        )
        for i in range(15)
        for place, (text, label) in enumerate(TICKETS)
    ]
    write_tickets(root, rows)
    (root / "harness.toml").write_text(
        'dataset = "tickets@v1"\narms = ["majority", "tag-odds", "tfidf-lr"]\n'
        "[decide]\nusd_per_label = 0.1\nretrain_every_months = 5\nlabels_per_retraining = 7\n"
        'hosting = "own"\nbatch = true\nusd_per_hour_of_work = 50.0\nhours = {"prompt:v1" = 3.0}\n'
    )
    (root / "recipe.toml").write_text(
        'default = "I cannot say"\nlatency_s = 0.001\n'
        '[answers]\ncharged = "billing"\ncrashes = "bug"\nmanual = "question"\n'
    )
    (root / "prompts" / "tickets").mkdir(parents=True)
    for version in ("v1", "v2"):
        asked = "Is it in the manual?" if version == "v2" else ""  # a word that the recipe answers
        text = f"---\noutput: label\n---\n{{% block user %}}\n{asked} {{{{ item.text }}}}\n{{% endblock %}}\n"
        (root / "prompts" / "tickets" / f"{version}.j2").write_text(text)
    for words in (
        ["baselines", "--split", "dev"],
        ["baselines"],
        ["eval", "--prompt", "v1", "--model", f"fake/{root / 'recipe.toml'}", "--split", "dev"],
        ["eval", "--prompt", "v1", "--model", f"fake/{root / 'recipe.toml'}"],
        ["eval", "--prompt", "v1", "--model", f"fake/{root / 'recipe.toml'}", "--split", "train"],
        ["eval", "--prompt", "v2", "--model", f"fake/{root / 'recipe.toml'}"],
        ["eval", "--prompt", "v2", "--model", "fake/uniform", "--repeat", "2"],
        ["baselines", "--arm", "distilled", "--teacher", "prompt:v1"],
        ["curve", "tfidf-lr", "tag-odds", "--labels", "6,12,24", "--seeds", "2", "--processes", "1"],
        ["cascade", "tfidf-lr", "prompt:v1", "--store"],
        ["cascade", "tfidf-lr", "prompt:v1", "--how", "router", "--store"],
    ):
        assert run(root, *words).exit_code == 0
    return root


def run(root, *words):
    return CliRunner().invoke(cli.group, [*words, "--root", str(root)])


@pytest.fixture(scope="module")
def results(stored):
    project = Project(find(stored, stored), SystemClock())
    return project.results(project.dataset(None), "test")


def test_every_query_gives_its_table_again(stored, results):
    """Run as the command that is shown, each query prints the table's cells, row by row."""
    tables = [
        (section.title, block)
        for section in build.sections(results)
        for block in section.blocks
        if isinstance(block, Table) and block.query is not None
    ]
    assert {title for title, _ in tables} >= SECTIONS
    for _, table in tables:
        words = shlex.split(queries.command(table.query.sql))
        assert words[:2] == ["harness", "sql"]
        told = run(stored, *words[1:], "--json")
        assert told.exit_code == 0, told.output
        again = [table.query.printed(record) for record in json.loads(told.stdout)]
        assert len(again) == len(table.rows)
        for printed, row in zip(again, table.rows, strict=True):
            assert len(printed) == len(row)
            for cell, shown in zip(printed, row, strict=True):
                # Of a bootstrapped interval, SQL gives the number that stands before it.
                assert cell in (None, shown, shown.split(" (")[0])
        assert any(cell is not None for cell in again[0])


@pytest.mark.parametrize("name", plugins.names("report/figures"))
def test_every_figure_is_given_again(stored, results, name):
    """Each row of the table behind a figure is among the rows of its query, number by number."""
    with drawings._theme(_style.LIGHT):
        drawing = plugins.load("report/figures", name).draw(results)
    words = shlex.split(queries.command(drawing.sql))
    told = run(stored, *words[1:], "--json", "--limit", "100000")
    assert told.exit_code == 0, told.output
    again = json.loads(told.stdout)
    shared = [column for column in drawing.columns if column in again[0]]
    assert len(shared) >= 4
    for row in drawing.rows:
        wanted = {column: cell for column, cell in zip(drawing.columns, row, strict=True) if column in shared}
        assert any(are_same(wanted, record) for record in again), (name, wanted)


def test_the_figure_of_fusions_has_the_stored_cascade_and_router(results):
    """Both were stored with the same two arms, so both are among the rows that are given again above."""
    with drawings._theme(_style.LIGHT):
        drawing = plugins.load("report/figures", "cascade").draw(results)
    arms = {row[drawing.columns.index("arm")] for row in drawing.rows}
    assert arms > {"cascade:tfidf-lr>prompt:v1", "router:tfidf-lr>prompt:v1"}


def are_same(wanted, record):
    cells = [(cell, record[column]) for column, cell in wanted.items()]
    return all(a == b if isinstance(a, str) or None in (a, b) else math.isclose(a, b, abs_tol=1e-9) for a, b in cells)


def test_a_query_is_safe_in_a_shell():
    """What double quotes would not leave alone is put in single ones."""
    for sql in ("select 1", "select '$HOME'", 'select "group"', "select '`id`'"):
        assert shlex.split(queries.command(sql)) == ["harness", "sql", sql]
