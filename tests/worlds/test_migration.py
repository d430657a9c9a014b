"""A store that da61f01 made (`da61f01/`, with its workspace) opens, keeps its ids, and reads right."""

import gzip
import shutil
from pathlib import Path

import pytest

from tests.worlds.brute import STORE, Raw
from tests.worlds.building import World

HERE = Path(__file__).parent / "da61f01"
WHOLE = {
    "majority": "s1:b1c41dce09752f59",
    "tag-odds": "s1:2850972964b9c2ee",
    "import:legacy": "s1:d03ef165f64450d0",
    "import:gappy": "s1:d3f8ae8950f247e2",
    "prompt:v1 (fake/poor)": "s1:2906c5a931dbeddf",
    "prompt:v1 (served/steady)": "s1:41864562ab82d324",
    "prompt:v1 (served/steady) #2": "s1:9774384d814d024e",
    "prompt:v1 (served/steady) #3": "s1:27ae36b541dd9f2e",
}
STOPPED, TRAIN = "s1:8838c32b383a71d1", "s1:b82d4e9ce35c067c"
PARTS = (
    "s1:8d6f5a5904929ec0",
    "s1:6f88b6064e4008d0",
    "s1:05c2cff546c9b9b2",
    "s1:af931f2cf6ff3e6a",
    "s1:2f8001f60d56c99a",
)
PURPOSES = {
    **dict.fromkeys((*WHOLE.values(), STOPPED, TRAIN), "whole"),
    **dict.fromkeys(PARTS, "part"),
    "s1:e1eaea14e3837439": "fold",
    # a prompt on 8 items, an arm on 9, and a prompt whose race was decided after 17
    **dict.fromkeys(("s1:7b1b886c6300a1e0", "s1:f349a5569e4b4a1f", "s1:fb87469f78b9f9b6"), "limited"),
}
ROWS = {
    **{name: (run_id,) for name, run_id in WHOLE.items() if "served" not in name},
    "prompt:v1 (served/steady)": tuple(run_id for name, run_id in WHOLE.items() if "served" in name),
}


@pytest.fixture
def old(tmp_path):
    """The workspace and its store as da61f01 left them, with the raw tables."""
    root = tmp_path / "old"
    shutil.copytree(HERE / "workspace", root)
    shutil.copytree(HERE / "baselines", root / "results" / "baselines")
    (root / STORE).write_bytes(gzip.decompress((HERE / "harness.duckdb.gz").read_bytes()))
    return World(root, rows=dict(ROWS)), Raw(root)


def test_every_run_keeps_its_id_and_gets_its_purpose(old):
    """The ids are those that were; parts, folds and limited runs are told from whole ones, stopped or not."""
    world, before = old
    assert set(before.runs.index) == set(PURPOSES)
    assert world.run("runs", "list", "--json").code == 0
    world.must("baselines", "--arm", "majority", "--limit", "5", "--json")  # something is written
    after = Raw(world.root)
    assert set(before.runs.index) <= set(after.runs.index)
    kept = after.runs.loc[before.runs.index]
    same = [name for name in before.runs.columns if name in kept.columns]
    assert kept[same].astype(str).equals(before.runs[same].astype(str))
    assert "purpose" in kept.columns, sorted(kept.columns)
    assert kept["purpose"].to_dict() == PURPOSES


def test_every_old_answer_gets_its_credit(old):
    """That of the kind: 1 for the gold label, 0 for anything else, none where the call failed."""
    world, _ = old
    sql = "select outcome, label, gold, credit, correct from scored"
    rows = world.run("sql", sql, "--limit", "100000", "--json").json
    assert rows
    for row in rows:
        expected = None if row["outcome"] == "failed" else float(row["label"] == row["gold"])
        assert (row["credit"], row["correct"]) == (expected, None if expected is None else expected == 1.0)


def test_what_is_stored_is_not_run_again(old):
    """The ids that are computed today are those of the store: no call, and no new run."""
    world, before = old
    done = world.run("eval", "--prompt", "v1", "--model", "served/steady", "--repeat", "3", "--json").json
    assert [one["calls"]["sent"] for one in done["repeats"]] == [0, 0, 0]
    assert [one["run_id"] for one in done["repeats"]] == list(ROWS["prompt:v1 (served/steady)"])
    world.must("curve", "tag-odds", "--labels", "6,12", "--seeds", "2", "--processes", "1", "--all-sizes", "--json")
    assert set(Raw(world.root).runs.index) == set(before.runs.index)


def test_decide_reads_an_old_store(old):
    """Every arm and model once, with the accuracy of its whole run or the mean of its repeats; the best is served."""
    world, raw = old
    found = world.run("decide", "--json").json
    figures = {one.get("name", one["arm"]): one["accuracy"]["value"] for one in found["candidates"]}
    assert len(figures) == len(found["candidates"])
    for name, ids in ROWS.items():
        assert figures.get(name) in (pytest.approx(raw.accuracy(ids)), pytest.approx(shared(raw, ids))), name
    assert figures[found["recommendation"]] == max(figures.values())


def shared(raw, ids):
    """The accuracy on the items that every row has."""
    return raw.accuracy(ids, raw.items(ROWS["import:gappy"]))


@pytest.mark.parametrize(
    ("a", "b"), [("tag-odds", "majority"), ("prompt:v1 (served/steady)", "tag-odds"), ("import:legacy", "import:gappy")]
)
def test_compare_reads_an_old_store(old, a, b):
    """The counts are those of the whole runs."""
    world, raw = old
    found = world.run("compare", a, b, "--json").json
    assert "error" not in found, found
    expected = raw.pair(ROWS[a], ROWS[b])
    assert {name: found[name] for name in ("n", "both", "only_a", "only_b", "neither")} == {
        name: expected[name] for name in ("n", "both", "only_a", "only_b", "neither")
    }
    assert found["difference"]["value"] == pytest.approx(expected["difference"])


def test_gate_reads_an_old_store(old):
    """The candidate is the whole run, though a shorter one came last and five parts before."""
    world, raw = old
    found = world.run("gate", "tag-odds", "majority", "--json").json
    assert "error" not in found, found
    assert found["candidate"]["run_id"] == WHOLE["tag-odds"]
    assert found["candidate"]["accuracy"]["value"] == pytest.approx(raw.accuracy(ROWS["tag-odds"]))
    assert found["n"] == 30


@pytest.mark.parametrize(
    ("candidate", "file", "row"),
    [
        (("--arm", "tag-odds"), "majority", "majority"),
        (("--prompt", "v1", "--model", "served/steady"), "prompt", "prompt:v1 (served/steady)"),
    ],
)
def test_an_old_baseline_still_gates_without_a_call(old, candidate, file, row):
    """An exported file of da61f01 is read, its runs are the store's, and nothing is asked."""
    world, raw = old
    path = Path("results") / "baselines" / f"{file}.parquet"
    found = world.run("gate", *candidate, "--baseline", path, "--json").json
    assert "error" not in found, found
    assert found["calls"]["sent"] == 0
    assert found["baseline"]["run_id"] == ROWS[row][0]
    assert found["baseline"]["accuracy"]["value"] == pytest.approx(raw.accuracy(ROWS[row]))


def test_an_old_baseline_gates_in_a_new_workspace(old):
    """Where there is no store yet, the file's runs are entered: as candidate they need no call."""
    world, _ = old
    (world.root / STORE).unlink()
    path = Path("results") / "baselines" / "prompt.parquet"
    # The file holds three repeats; the candidate is the first of them.
    found = world.run("gate", "--prompt", "v1", "--model", "served/steady", "--baseline", path, "--json").json
    assert "error" not in found, found
    assert (found["calls"]["sent"], found["n"]) == (0, 30)
    purposes = Raw(world.root).runs.get("purpose")
    assert purposes is not None, "runs has no column purpose"
    assert set(purposes) == {"whole"}
