"""`dataset diff` and `new-version`, and runs of different versions beside each other."""

import csv

import pytest


@pytest.fixture
def second(harness, root):
    """Version 2 of the tickets: one row relabelled, one reworded, one moved, one grouped, two dropped."""
    with (root / "datasets/tickets/v1/examples.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    test = [row for row in rows if row["split"] == "test"]
    (root / "edits.csv").write_text(
        "id,label,text,split,group\n"
        f"{test[0]['id']},question,,,\n"
        f"{test[1]['id']},,reworded now,,\n"
        f"{test[2]['id']},,,train,\n"
        f"{test[3]['id']},,,,g1\n"
    )
    (root / "drop.txt").write_text(f"{test[4]['id']}\n{test[5]['id']}\n")
    done = harness("dataset", "new-version", "tickets@v1", "--to", "v2", "--edits", "edits.csv", "--drop", "drop.txt")
    assert done.code == 0, done.err
    return [row["id"] for row in test]


def test_a_new_version_differs_as_edited(harness, second):
    """The difference is what was edited, no more; the old version stays as it was."""
    found = harness("dataset", "diff", "tickets@v1", "tickets@v2", "--json").json
    assert found["relabelled"] == [{"id": second[0], "before": "billing", "after": "question"}]
    assert [change["id"] for change in found["reworded"]] == [second[1]]
    assert found["moved"] == [{"id": second[2], "before": "test", "after": "train"}]
    assert [change["id"] for change in found["regrouped"]] == [second[3]]
    assert sorted(found["removed"]) == sorted(second[4:6])
    assert (found["added"], found["same"]) == ([], 90 - 6)
    assert harness("dataset", "verify", "tickets@v1").code == 0
    assert harness("dataset", "verify", "tickets@v2").code == 0
    assert harness("dataset", "show", "tickets@v2", "--json").json["source"]["made_from"] == "tickets@v1"


def test_what_it_does_to_runs(harness, second):
    """Items that were removed, moved or reworded are gone, a relabelled one is scored by its new label."""
    assert harness("baselines", "--arm", "rules", "--dataset", "tickets@v1").code == 0
    (run,) = harness("dataset", "diff", "tickets@v1", "tickets@v2", "--json").json["runs"]
    n = len(second)
    assert (run["kept"], run["gone"], run["relabelled"], run["to_ask"]) == (n - 4, 4, 1, 1)
    assert run["before"]["n"] == n
    assert run["after"]["n"] == n - 4
    out = harness("dataset", "diff", "tickets@v1", "tickets@v2").out
    assert "if tickets@v2 replaces it" in out


def test_runs_of_two_versions_are_compared_on_what_they_share(harness, second):
    """The relabelled, reworded, moved and dropped items are left out, and the output says so."""
    for version in ("v1", "v2"):
        assert harness("baselines", "--arm", "rules", "--arm", "majority", "--dataset", f"tickets@{version}").code == 0
    both = ("compare", "rules@v1", "rules@v2", "--dataset", "tickets@v2")
    found = harness(*both, "--json").json
    assert found["n"] == len(second) - 5  # relabelled, reworded, moved, two dropped
    assert found["datasets"] == ["tickets@v1", "tickets@v2"]
    assert found["only_a"] == found["only_b"] == 0
    out = " ".join(harness(*both).out.split())
    assert "tickets@v1 and tickets@v2 are different versions" in out
    assert "4 other items left out" in out  # the moved one says the same, and was asked of one only
    assert "1 item left out: asked of one" in out
    # By run id, too, which need not name a version.
    runs = harness("runs", "list", "--json").json
    old = next(run["run_id"] for run in runs if run["arm"] == "majority" and run["dataset"] == "tickets@v1")
    by_id = harness("compare", old, "rules", "--dataset", "tickets@v2", "--json").json
    assert by_id["n"] == len(second) - 5
    # On one version nothing is left out.
    assert harness("compare", "rules", "majority", "--dataset", "tickets@v1", "--json").json["left_out"] is None


def test_near_duplicates_become_groups(harness, root):
    """Rows that are nearly the same get one group, others none; a new split then keeps them together."""
    done = harness("dataset", "new-version", "tickets@v1", "--to", "v2", "--group", "near-duplicates", "--json")
    assert done.code == 0, done.err
    assert len(done.json["regrouped"]) >= 80  # the fixture repeats fifteen tickets six times, with a number behind
    assert harness("dataset", "split", "tickets@v2", "--to", "v3").code == 0
    with (root / "datasets/tickets/v3/examples.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    split_of = {}
    for row in rows:
        if row["group"]:
            assert split_of.setdefault(row["group"], row["split"]) == row["split"]
    assert len(split_of) >= 10


@pytest.mark.parametrize(
    ("files", "arguments", "said"),
    [
        ({}, (), "nothing to change: give --edits FILE, --drop FILE or --group"),
        ({"e.csv": "id,label\nnope,bug\n"}, ("--edits", "e.csv"), "tickets@v1 has no row 'nope'"),
        ({"e.csv": "id,colour\nx,red\n"}, ("--edits", "e.csv"), "e.csv:2: column 'colour' cannot be edited"),
        ({"e.csv": "label\nbug\n"}, ("--edits", "e.csv"), "e.csv:2: there is no id"),
        ({"d.txt": ""}, ("--drop", "d.txt"), "nothing would change in tickets@v1"),
        ({}, ("--drop", "gone.txt"), "gone.txt"),
    ],
)
def test_mistakes_are_one_line(harness, root, files, arguments, said):
    """What was found and expected, exit 2, and no version."""
    for name, text in files.items():
        (root / name).write_text(text)
    done = harness("dataset", "new-version", "tickets@v1", "--to", "v2", *arguments)
    assert (done.code, done.err.strip().count("\n")) == (2, 0)
    assert said in done.err
    assert not (root / "datasets/tickets/v2").exists()


def test_a_fresh_test_split_is_one_command(harness):
    """What the verdict offers: the new version is there, its test items have trained before, and a typo is named."""
    old = {one["id"]: one["split"] for one in rows_of(harness, "tickets@v1")}
    done = harness("dataset", "new-version", "tickets@v1", "--to", "v1-confirm", "--fresh", "test")
    assert done.code == 0, done.err
    new = [one["id"] for one in rows_of(harness, "tickets@v1-confirm") if one["split"] == "test"]
    assert {old[item] for item in new} == {"train"}
    wrong = harness("dataset", "new-version", "tickets@v1", "--to", "v3", "--fresh", "tests")
    assert wrong.code == 2
    assert "did you mean 'test'" in wrong.err


def rows_of(harness, ref):
    name, _, version = ref.partition("@")
    with open(f"datasets/{name}/{version}/examples.csv", newline="") as file:
        return list(csv.DictReader(file))
