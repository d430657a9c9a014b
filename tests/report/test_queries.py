"""Under its numbers a report has one line of SQL that gives them again: run on the store, it prints the same."""

import json
import math
import shlex

import pytest
from click.testing import CliRunner

from harness.app import cli
from harness.app.project import Project
from harness.ground import formatting, plugins
from harness.ground.clock import SystemClock
from harness.ground.workspace import find
from harness.report import build, drawings, queries
from harness.report.blocks import Table
from harness.report.figures import _style
from harness.types import Outcome

# What a line of SQL prints again of a table: for each of its columns, the column of the answer and how it is set.
SCORECARD = {
    "accuracy": ("credit", formatting.share),
    "$ per 1,000": ("usd_per_1000", formatting.dollars),
    **{p: (f"{p}_s", formatting.duration) for p in ("p50", "p95", "p99")},
    "no answer": ("unanswered", formatting.count),
}
OUTCOMES = {outcome.value: (outcome.value, formatting.count) for outcome in Outcome}
CALLS = {
    "calls sent": ("sent", formatting.count),
    "from the ledger": ("from_ledger", formatting.count),
    "retried": ("retried", formatting.count),
    "input": ("input_fresh", lambda n: formatting.count(int(n))),
    "output": ("output_visible", lambda n: formatting.count(int(n))),
}
POINTS = {"accuracy": ("credit", formatting.share), "seeds": ("seeds", formatting.count)}
FIGURES = {
    "accuracy-cost": {"accuracy": "credit", "n": "scored", "cost_per_1000_usd": "usd_per_1000"},
    "accuracy-latency": {"accuracy": "credit", "n": "scored", "p50_s": "p50_s", "p95_s": "p95_s"},
    "labels": {"recall": "credit", "n": "items"},
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


def answered(root, sql):
    """The rows of a line as it stands in the page, typed into a shell."""
    words = shlex.split(queries.command(sql))
    assert words[:2] == ["harness", "sql"]
    asked = run(root, *words[1:], "--json", "--limit", "100000")
    assert asked.exit_code == 0, asked.output
    return json.loads(asked.stdout)


def tables(results, title):
    (section,) = [section for section in build.sections(results) if section.title == title]
    return [block for block in section.blocks if isinstance(block, Table) and block.sql]


@pytest.mark.parametrize(
    ("title", "place", "macro", "printed"),
    [
        ("Scorecard", 0, "scorecard", SCORECARD),
        ("Outcomes", 0, "outcomes", OUTCOMES),
        ("Outcomes", 1, "outcomes", CALLS),
    ],
)
def test_a_line_gives_the_cells_of_its_table(stored, results, title, place, macro, printed):
    """One line, short enough to type; each arm's row says what the table's row says."""
    table = tables(results, title)[place]
    assert table.sql == f"from {macro}('tickets@v1', 'test')"
    again = {row["name"]: row for row in answered(stored, table.sql)}
    titles = [column.title for column in table.columns]
    for row in table.rows:
        cells = dict(zip(titles, row, strict=True))
        record = again[cells["arm"]]
        assert {title: setting(record[name]) for title, (name, setting) in printed.items()} == {
            title: cells[title] for title in printed
        }


def test_the_line_of_the_labels_gives_items_and_recalls(stored, results):
    """Arm by arm and label by label."""
    (table,) = tables(results, "Labels")
    again = {(row["name"], row["gold"]): row for row in answered(stored, table.sql)}
    arms = [column.title for column in table.columns[2:]]
    for label, items, *recalls in table.rows:
        assert items == formatting.count(again[arms[0], label]["items"])
        for arm, recall in zip(arms, recalls, strict=True):
            assert recall.split(" (")[0] == formatting.share(again[arm, label]["credit"])


def test_the_line_of_the_curve_gives_its_points(stored, results):
    """An arm's accuracy by labels, and how many fits it is the mean of."""
    table = tables(results, "Learning curves")[0]
    again = {(row["arm"], formatting.count(row["labels"])): row for row in answered(stored, table.sql)}
    titles = [column.title for column in table.columns]
    for row in table.rows:
        cells = dict(zip(titles, row, strict=True))
        record = again[cells["arm"], cells["labels"]]
        assert {t: setting(record[name]) for t, (name, setting) in POINTS.items()} == {t: cells[t] for t in POINTS}


def test_the_line_of_the_calibration_gives_its_means(stored, results):
    """From the bins follow items, mean confidence, accuracy and ECE."""
    table = tables(results, "Calibration")[0]
    bins = answered(stored, table.sql)
    titles = [column.title for column in table.columns]
    for row in table.rows:
        cells = dict(zip(titles, row, strict=True))
        mine = [one for one in bins if one["name"] == cells["arm"]]
        n = sum(one["items"] for one in mine)
        assert cells["with a score"] == formatting.count(n)
        for title, name in (("mean confidence", "score"), ("accuracy", "credit")):
            assert cells[title] == formatting.share(sum(one["items"] * one[name] for one in mine) / n)
        ece = sum(one["items"] * abs(one["score"] - one["credit"]) for one in mine) / n
        assert cells["ECE"].split(" (")[0] == formatting.share(ece)


def test_the_line_of_the_mistakes_gives_the_wrong_answers(stored, results):
    """The surest first, as in the table."""
    table = tables(results, "Mistakes, and what cost most")[0]
    again = answered(stored, table.sql)
    titles = [column.title for column in table.columns]
    scores = [dict(zip(titles, row, strict=True))["score"] for row in table.rows]
    assert scores == [
        "" if row["score"] is None else formatting.share(row["score"]) for row in again[: len(table.rows)]
    ]


@pytest.mark.parametrize("name", FIGURES)
def test_a_line_gives_the_numbers_of_its_figure(stored, results, name):
    """Each row of the table behind the figure is among the rows of the line, number by number."""
    with drawings._theme(_style.LIGHT):
        drawing = plugins.load("report/figures", name).draw(results)
    again = answered(stored, drawing.sql)
    for row in drawing.rows:
        cells = dict(zip(drawing.columns, row, strict=True))
        mine = [
            one
            for one in again
            if one["run_id"] == cells["run_id"] and one.get("gold") in (None, cells.get("label", one.get("gold")))
        ]
        assert len(mine) == 1
        for column, other in FIGURES[name].items():
            assert are_same(cells[column], mine[0][other]), (cells, mine)


def test_results_of_one_run_that_stands_for_nothing_have_no_line(stored):
    """A limited run leads its own report; the macros give the standing runs, so nothing is shown that would differ."""
    root = stored
    assert run(root, "baselines", "--arm", "majority", "--limit", "5").exit_code == 0
    project = Project(find(root, root), SystemClock())
    dataset = project.dataset(None)
    limited = [one.run_id for one in project.store.selection().runs if one.purpose == "limited"][-1]
    shown = project.results(dataset, "test", first=limited)
    assert not any(getattr(block, "sql", "") for section in build.sections(shown) for block in section.blocks)


def test_the_figure_of_fusions_has_the_stored_cascade_and_router(results):
    """Both were stored with the same two arms, so both are among the rows that are given again above."""
    with drawings._theme(_style.LIGHT):
        drawing = plugins.load("report/figures", "cascade").draw(results)
    arms = {row[drawing.columns.index("arm")] for row in drawing.rows}
    assert arms > {"cascade:tfidf-lr>prompt:v1", "router:tfidf-lr>prompt:v1"}


def are_same(cell, other):
    return cell == other if None in (cell, other) else math.isclose(cell, other, abs_tol=1e-9)


def test_a_query_is_safe_in_a_shell():
    """What double quotes would not leave alone is put in single ones."""
    for sql in ("select 1", "select '$HOME'", 'select "group"', "select '`id`'"):
        assert shlex.split(queries.command(sql)) == ["harness", "sql", sql]
