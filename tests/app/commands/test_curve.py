"""`curve` on the command line: the contract's keys, runs that are no arm's latest, and what is refused."""

import pytest


@pytest.fixture
def stored(harness, once):
    """Rules and a classifier on the small dataset."""
    once(lambda: begin(harness))


def begin(harness):
    assert harness("baselines", "--arm", "rules", "--arm", "tfidf-svm").code == 0


def curve(harness, *arguments):
    return harness("curve", *arguments, "--seeds", "3", "--processes", "1")


def test_the_contracts_keys(harness, stored):
    """A point per size with its interval, and the crossing with the stored run."""
    found = curve(harness, "tfidf-svm", "--against", "rules", "--labels", "6,12,24,48", "--json").json
    assert [point["n_labels"] for point in found["points"]] == [6, 12, 24, 48]
    assert all(set(point["estimate"]) >= {"value", "low", "high", "n", "method"} for point in found["points"])
    assert found["points"][0]["estimate"]["value"] < found["points"][-1]["estimate"]["value"]
    assert found["crossover"] is None or found["crossover"]["low"] <= found["crossover"]["labels"]
    assert found["level"]["value"] == pytest.approx(
        harness("runs", "show", "rules", "--json").json["accuracy"]["value"]
    )


def test_points_are_what_the_stored_runs_say(harness, stored):
    """The accuracy of a size is the mean over its runs, by SQL; each has its labels and its seed."""
    found = curve(harness, "tfidf-svm", "--labels", "6,12", "--json").json
    rows = harness(
        "sql",
        "select n_train, count(distinct run_id) as runs, count(distinct seed) as seeds, avg(correct::int) as accuracy "
        "from scored join runs using (run_id) where params->>'training_part' is not null group by 1 order by 1",
        "--json",
    ).json
    assert [(row["n_train"], row["runs"], row["seeds"]) for row in rows] == [(6, 3, 3), (12, 3, 3)]
    assert [row["accuracy"] for row in rows] == pytest.approx([point["estimate"]["value"] for point in found["points"]])


def test_no_point_is_the_latest_run_of_its_arm(harness, stored):
    """Scorecard, decide and compare go on with the run that learnt from everything; the curve is one look."""
    before = harness("runs", "show", "tfidf-svm", "--json").json
    assert curve(harness, "tfidf-svm", "--labels", "6,12").code == 0
    after = harness("runs", "show", "tfidf-svm", "--json").json
    assert after["run_id"] == before["run_id"]
    assert after["looks"] == before["looks"] + 1
    arms = [one["arm"] for one in harness("decide", "--json").json["candidates"]]
    assert sorted(arms) == ["rules", "tfidf-svm"]
    assert harness("compare", "rules", "tfidf-svm", "--json").json["n"] == before["n"]


def test_a_rerun_fits_nothing_twice(harness, stored):
    """The same command stores no new row, and more seeds add only theirs."""
    count = "select count(*) as n from runs"
    assert curve(harness, "tfidf-svm", "--labels", "6,12").code == 0
    (first,) = harness("sql", count, "--json").json
    assert curve(harness, "tfidf-svm", "--labels", "6,12").code == 0
    assert harness("sql", count, "--json").json == [first]
    assert harness("curve", "tfidf-svm", "--labels", "6,12", "--seeds", "4", "--processes", "1").code == 0
    assert harness("sql", count, "--json").json == [{"n": first["n"] + 2}]


def test_several_processes_say_the_same(harness, stored, root):
    """Two spawned processes give the points that one gives."""
    alone = curve(harness, "tag-odds", "--labels", "6,24", "--json").json
    both = ("curve", "tag-odds", "--labels", "6,24", "--seeds", "3", "--processes", "2", "--json")
    again = harness(*both, "--db", str(root / "other.duckdb")).json
    assert again["points"] == alone["points"]


def test_several_arms_are_worth_labels_over_each_other(harness, stored):
    """One's lead is the other's lag."""
    one, other = curve(harness, "tfidf-svm", "tag-odds", "--per-class", "1,2,4,8", "--json").json
    worth, lag = one["worth"][0]["labels"]["value"], other["worth"][0]["labels"]["value"]
    assert worth is None or worth == pytest.approx(-lag)
    assert [point["n_labels"] for point in one["points"]] == [3, 6, 12, 24]


def test_in_words(harness, stored):
    """Sizes, what is met and with how many labels."""
    out = " ".join(curve(harness, "tfidf-svm", "--against", "rules", "--margin", "0.1").out.split())
    assert "3 draws of labels for each size" in out
    assert "meet rules" in out or "meets rules" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "curve takes one arm or more"),
        (("prompt:v1",), "'prompt:v1' does not learn from labels here; a curve takes one of"),
        (("rules",), "'rules' learns nothing from labels"),
        (("tfidf-svm", "--labels", "6,many"), "--labels '6,many': expected whole numbers from 1 to 60"),
        (("tfidf-svm", "--labels", "61"), "expected whole numbers from 1 to 60"),
        (("tfidf-svm", "--labels", "6", "--per-class", "2"), "give one of them"),
        (("tfidf-svm", "--against", "nobody"), "the store has no run 'nobody'"),
        (("tfidf-svm", "--split", "train"), "arms learn from the train split"),
    ],
)
def test_mistakes_are_one_line(harness, stored, arguments, said):
    """What was found, what was expected; exit code 2."""
    done = curve(harness, *arguments)
    assert (done.code, done.err.strip().count("\n")) == (2, 0)
    assert said in done.err
