"""The macros of the store, asked from a plain DuckDB: their rows are the product's, and the raw tables'."""

import gzip
import shutil
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from harness.app.project import Project
from harness.ground.clock import SystemClock
from harness.ground.workspace import find
from harness.types import Outcome
from tests.worlds.brute import STORE, Raw
from tests.worlds.building import WORLDS, World

every_world = pytest.mark.parametrize("name", WORLDS)


def asked(world, query, values=()):
    """What any DuckDB client gets, which knows nothing of this package."""
    with duckdb.connect(str(world.root / STORE), read_only=True) as connection:
        result = connection.execute(query, list(values))
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def results(world):
    project = Project(find(world.root, world.root), SystemClock())
    return project.results(project.dataset(world.ref), "test")


@every_world
def test_the_scorecard_is_the_products(built, name):
    """The same runs under the same names, with the same items, credit, money and times."""
    world, _ = built(name)
    rows = {row["name"]: row for row in asked(world, "from scorecard(?, 'test')", [world.ref])}
    shown = {one.run.name: one for one in results(world).runs}
    assert rows.keys() == shown.keys()
    for called, one in shown.items():
        row = rows[called]
        assert (row["run_id"], row["items"], row["unanswered"]) == (one.run.run_id, one.n, one.unanswered)
        assert row["scored"] == one.headline.n
        assert row["credit"] == pytest.approx(one.headline.value, abs=1e-12)
        assert row["usd_per_1000"] == pytest.approx(one.cost_per_1000_usd)
        assert [row[f"{p}_s"] for p in ("p50", "p95", "p99")] == pytest.approx(
            [one.latency_s[p] for p in ("p50", "p95", "p99")]
        )


@every_world
def test_outcomes_are_the_products(built, name):
    """Outcomes, calls and tokens of every run."""
    world, _ = built(name)
    rows = {row["run_id"]: row for row in asked(world, "from outcomes(?, 'test')", [world.ref])}
    for one in results(world).runs:
        row = rows[one.run.run_id]
        assert {outcome: row[outcome.value] for outcome in Outcome} == one.outcomes
        assert (row["sent"], row["from_ledger"], row["retried"]) == (
            one.calls.sent,
            one.calls.cached,
            one.calls.retried,
        )
        if one.tokens is not None:
            assert row["input_fresh"] == one.tokens.input_fresh


@every_world
def test_pairs_are_the_raw_tables(built, name):
    """Every pair of rows, by the names that people type: the items both have a score for, and their credits."""
    world, raw = built(name)
    shown = {one.run.arm_name: one.run.run_id for one in results(world).by_arm.runs}
    rows = {called: ids for called, ids in world.rows.items() if called in shown}
    first, *others = rows
    for other in others:
        pairs = asked(world, "from paired(?, 'test', ?, ?)", [world.ref, first, other])
        expected = raw.pair(rows[first], rows[other])
        assert len({pair["example_id"] for pair in pairs}) == len(pairs) == expected["n"]
        differences = [pair["credit_a"] - pair["credit_b"] for pair in pairs]
        assert sum(differences) / len(pairs) == pytest.approx(expected["difference"], abs=1e-12)


@every_world
def test_labels_and_bins_add_up(built, name):
    """Per label and per bin of the score, the items are those of the run, and so are the credits."""
    world, raw = built(name)
    of_labels = pd.DataFrame(asked(world, "from per_label(?, 'test')", [world.ref]))
    bins = pd.DataFrame(asked(world, "from calibration_bins(?, 'test')", [world.ref]))
    for one in results(world).runs:
        mine = raw.of([one.run.run_id]).dropna(subset=["right"])
        shown = of_labels[of_labels["run_id"] == one.run.run_id].set_index("gold")
        assert shown["items"].to_dict() == mine["gold"].value_counts().to_dict()
        assert shown["credits"].to_dict() == mine.groupby("gold")["right"].sum().to_dict()
        sure = mine[(mine["outcome"] == "answered") & mine["score"].notna()]
        binned = bins[bins["run_id"] == one.run.run_id] if len(bins) else bins
        assert (sum(binned["items"]) if len(bins) else 0) == len(sure)
        if len(sure):
            assert (binned["items"] * binned["credit"]).sum() == pytest.approx(sure["right"].sum())
            inside = binned.apply(lambda row: row["bin"] / 15 <= row["score"] <= (row["bin"] + 1) / 15, axis=1)
            assert inside.all()


def test_curve_points_are_the_drawn_ones(built):
    """Labels, seeds and accuracy of a stored learning curve."""
    world, _ = built("parts")
    drawn = {
        (curve.arm, point.n_labels): point.estimate.value
        for curve in results(world).curves.drawn
        for point in curve.points
    }
    rows = {(row["arm"], row["labels"]): row for row in asked(world, "from curve_points(?, 'test')", [world.ref])}
    assert drawn.keys() <= rows.keys()
    assert {key: rows[key]["credit"] for key in drawn} == pytest.approx(drawn)


def test_a_removed_run_leaves_its_place(built, tmp_path):
    """What a macro gives follows every change of the store: here the next complete run of the arm stands in."""
    world, _ = built("repeats")
    world = world.copied(tmp_path / "world")
    before = {row["name"]: row["run_id"] for row in asked(world, "from scorecard(?, 'test')", [world.ref])}
    gone = next(iter(before))
    world.must("runs", "rm", before[gone])
    after = {row["run_id"] for row in asked(world, "from scorecard(?, 'test')", [world.ref])}
    assert before[gone] not in after
    assert after == {one.run.run_id for one in results(world).runs}


def test_a_store_of_an_older_version_has_the_macros_after_it_was_opened(tmp_path):
    """A store that da61f01 made: one command opens it, then any client can ask."""
    here, root = Path(__file__).parent / "da61f01", tmp_path / "old"
    shutil.copytree(here / "workspace", root)
    (root / STORE).parent.mkdir()
    (root / STORE).write_bytes(gzip.decompress((here / "harness.duckdb.gz").read_bytes()))
    world = World(root)
    world.must("runs", "list", "--json")
    rows = asked(world, "select name, credit from scorecard(?, 'test')", [world.ref])
    raw = Raw(root)
    shown = {one.run.name: raw.accuracy([one.run.run_id]) for one in results(world).runs}
    assert {row["name"]: row["credit"] for row in rows} == pytest.approx(shown)
