"""What was seen to go wrong in these worlds, each as the sentence that must hold; and what is to be named where."""

import pytest

from tests.worlds.brute import Raw
from tests.worlds.reading import called


def recommended(found):
    """The candidates that bear the recommended name."""
    return [one for one in found["candidates"] if called(one) == found["recommendation"]]


# -- parts of the training items -----------------------------------------------------------------


def test_a_curve_does_not_change_the_gate(built):
    """The candidate of a gate is the whole fit; fits on parts of the training items are no repeats of it."""
    world, raw = built("parts")
    found = world.run("gate", "tfidf-lr", "majority", "--json").json
    expected = raw.accuracy(world.rows["tfidf-lr"])
    assert found["candidate"]["accuracy"]["value"] == pytest.approx(expected)
    assert raw.accuracy([*world.rows["tfidf-lr"], *world.kept["parts"]]) != pytest.approx(expected)


def test_a_curve_does_not_change_a_comparison(built):
    """Nor is a difference that of the mean over the parts; every pair is one run against one."""
    world, raw = built("parts")
    found = world.run("compare", "tfidf-lr", "tag-odds", "--json").json
    assert found["difference"]["value"] == pytest.approx(
        raw.pair(world.rows["tfidf-lr"], world.rows["tag-odds"])["difference"]
    )
    assert found["method"].startswith("McNemar")


def test_a_curve_does_not_weaken_a_baseline(changeable):
    """`runs export` of an arm with a curve writes its whole run, and no part."""
    world, _ = changeable("parts")
    told = world.run("runs", "export", "tfidf-lr", "--split", "test", "--to", world.root / "x.parquet", "--json")
    assert told.code == 0, told.err
    assert [run["run_id"] for run in told.json["runs"]] == list(world.rows["tfidf-lr"])


def test_a_curve_does_not_weaken_a_baseline_without_options(changeable):
    """The same without `--split`: the split is test."""
    world, _ = changeable("parts")
    told = world.run("runs", "export", "tfidf-lr", "--to", world.root / "x.parquet", "--json").json
    assert [run["run_id"] for run in told["runs"]] == list(world.rows["tfidf-lr"])


def test_compare_and_decide_agree_after_a_curve(built):
    """The most accurate arm of `decide` is behind in no pair of `compare`."""
    world, _ = built("parts")
    winner = world.run("decide", "--json").json["recommendation"]
    for one in world.run("compare", "--json").json:
        if winner in (one["a"], one["b"]):
            lead = one["difference"]["value"] * (1 if one["a"] == winner else -1)
            assert lead >= 0, f"{winner} is behind in {one['a']} against {one['b']}"


# -- one prompt on two models --------------------------------------------------------------------


def test_what_is_recommended_is_one_arm(built):
    """A prompt on a good and a poor model: the recommended name is the good one's alone, and names the model."""
    world, raw = built("two_models")
    found = world.run("decide", "--json").json
    assert found["recommendation"] == "prompt:v1 (fake/good)"
    assert [one["run_id"] for one in recommended(found)] == list(world.rows["prompt:v1 (fake/good)"])
    assert raw.accuracy(world.rows["prompt:v1 (fake/good)"]) > 2 * raw.accuracy(world.rows["prompt:v1 (fake/poor)"])


def test_the_loser_is_not_called_close(built):
    """No sentence says of the poor model that it is nearly as good, and every row says its model."""
    world, _ = built("two_models")
    out = " ".join(world.run("decide").out.split())
    assert "no more than" not in out.partition("prompt:v1 (fake/poor)")[2].partition(";")[0]
    assert "Serve prompt:v1 (fake/good)" in out or "for now, prompt:v1 (fake/good)" in out
    assert "prompt:v1 (fake/poor)" in out


@pytest.mark.parametrize("world_name", ["two_models", "edited", "addresses"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("gate", "prompt:v1", "majority"),
        ("gate", "majority", "prompt:v1"),
        ("compare", "prompt:v1", "majority"),
        ("cascade", "tfidf-lr", "prompt:v1"),
        ("curve", "tag-odds", "--labels", "12", "--seeds", "1", "--processes", "1", "--against", "prompt:v1"),
        ("runs", "show", "prompt:v1"),
        ("runs", "export", "prompt:v1"),
        ("runs", "tag", "prompt:v1", "production"),
        ("runs", "rm", "prompt:v1"),
    ],
    ids=lambda arguments: " ".join(arguments[:3]),
)
def test_a_name_that_fits_several_is_refused(changeable, world_name, arguments):
    """A bare arm on two models, contents or addresses: exit 2, one line that lists the full names, and nothing done."""
    world, raw = changeable(world_name)
    done = world.run(*arguments)
    assert done.code == 2, (done.code, done.out[:300], done.err[:300])
    for row in world.rows:
        if row.startswith("prompt:v1"):
            assert row in done.err, done.err
    assert done.err.strip().count("\n") == 0
    assert Raw(world.root).runs.equals(raw.runs) or list(Raw(world.root).runs.index) == list(raw.runs.index)


@pytest.mark.parametrize("model", ["fake/good", "fake/poor"])
def test_model_narrows(built, model):
    """`--model` says which of them a bare name is: in compare, in gate and in `runs show`."""
    world, raw = built("two_models")
    row = f"prompt:v1 ({model})"
    shown = world.run("runs", "show", "prompt:v1", "--model", model, "--json").json
    assert (shown["run_id"],) == world.rows[row], shown
    found = world.run("compare", "prompt:v1", "majority", "--model", model, "--json").json
    assert found.get("a") == row, found
    assert found["difference"]["value"] == pytest.approx(
        raw.pair(world.rows[row], world.rows["majority"])["difference"]
    )
    gated = world.run("gate", "prompt:v1", "majority", "--model", model, "--json").json
    assert (gated["candidate"]["run_id"],) == world.rows[row]


# -- repeats -------------------------------------------------------------------------------------


def test_repeats_do_not_compete_with_themselves(built):
    """Right on four of five, asked three times, against right on half: decided, and one candidate by its mean."""
    world, raw = built("repeats")
    found = world.run("decide", "--json").json
    mine = [one for one in found["candidates"] if one["arm"].startswith("prompt:v1")]
    figures = [f"{one['accuracy']['value']:.3f}" for one in mine]
    assert len(mine) == 1, f"{len(mine)} candidates: {figures}"
    assert mine[0]["accuracy"]["value"] == pytest.approx(raw.accuracy(world.rows["prompt:v1"]))
    assert mine[0]["accuracy"]["n"] == 60
    assert (found["recommendation"], found["verdict"]) == ("prompt:v1", "decided")


def test_seeds_are_one_candidate(built):
    """Three fits of one arm are one candidate, by the mean over fits."""
    world, raw = built("seeds")
    found = world.run("decide", "--json").json
    mine = [one for one in found["candidates"] if one["arm"] == "random"]
    assert [one["accuracy"]["value"] for one in mine] == [pytest.approx(raw.accuracy(world.rows["random"]))]


# -- runs that are not complete ------------------------------------------------------------------


def test_a_smoke_run_does_not_shadow_the_whole_run(built):
    """After `--limit 10`, a run that failed on all of its items and a stopped one: compare is on all sixty."""
    world, raw = built("after")
    found = world.run("compare", "prompt:v1", "tfidf-lr", "--json").json
    assert "error" not in found, found
    assert found["n"] == 60
    assert found["both"] == raw.pair(world.rows["prompt:v1"], world.rows["tfidf-lr"])["both"]


def test_a_tag_goes_to_the_whole_run_on_test(changeable):
    """`runs tag prompt:v1 production` after a run on train pins the run on the default dataset's test split."""
    world, _ = changeable("after")
    assert world.run("runs", "tag", "prompt:v1", "production").code == 0
    runs = Raw(world.root).runs
    assert tuple(runs[runs["tag"] == "production"].index) == world.rows["prompt:v1"]


def test_a_split_can_be_named(changeable):
    """`--split train` tags the run there; the other one keeps none."""
    world, _ = changeable("after")
    done = world.run("runs", "tag", "prompt:v1", "smoke", "--split", "train", "--dataset", world.ref)
    assert done.code == 0, done.err
    runs = Raw(world.root).runs
    assert tuple(runs[runs["tag"] == "smoke"].index) == (world.kept["train"],)


def test_a_stopped_run_is_there_while_there_is_no_other(built):
    """Of an arm without a complete run the most complete one is meant, and the output says so."""
    world, raw = built("after")
    found = world.run("runs", "show", "prompt:v2", "--json").json
    assert (found["run_id"], found["status"]) == (world.kept["stopped"], "stopped")
    assert 0 < found["n"] == len(raw.of([world.kept["stopped"]])) < 60


# -- items that are missing ----------------------------------------------------------------------


def test_an_arm_that_misses_an_item_stays(built):
    """The most accurate arm lacks one of sixty items: it is a candidate, and is recommended."""
    world, raw = built("missing")
    found = world.run("decide", "--json").json
    figures = {called(one): one["accuracy"] for one in found["candidates"]}
    assert "import:gappy" in figures, f"only {sorted(figures)}"
    assert figures["import:gappy"]["n"] == 59
    assert figures["import:gappy"]["value"] == pytest.approx(raw.accuracy(world.rows["import:gappy"]))
    assert found["recommendation"] == "import:gappy"


def test_what_is_missing_is_named(built):
    """How many items it lacks stands in the text, beside its name, and in the JSON."""
    world, _ = built("missing")
    lines = [line for line in world.run("decide").out.splitlines() if "import:gappy" in line and "missing" in line]
    assert any("1 " in line for line in lines), lines
    found = world.run("decide", "--json").json
    mine = next((one for one in found["candidates"] if called(one) == "import:gappy"), {})
    assert mine.get("missing") == 1, mine


# -- dataset versions ----------------------------------------------------------------------------


@pytest.mark.parametrize("arm", ["tag-odds", "majority"])
def test_another_version_is_named(built, arm):
    """An arm against itself on another version, on the items that say the same in both: each has its own name."""
    world, raw = built("versions")
    found = world.run("compare", arm, f"{arm}@v2", "--json").json
    assert "error" not in found, found
    assert (found["a"], found["b"]) == (arm, f"{arm}@v2")
    later = Raw(world.root, "tk@v2")
    expected = raw.pair(world.rows[arm], world.kept["v2"][arm], items=same_items(later))
    assert {name: found[name] for name in ("n", "both", "only_a", "only_b", "neither")} == {
        name: expected[name] for name in ("n", "both", "only_a", "only_b", "neither")
    }
    assert found["n"] == 55


def same_items(raw):
    """The items that have one text, one set of tags and one gold label in all versions."""
    said = raw.examples[["example_id", "text", "gold"]].assign(tags=raw.examples["tags"].map(tuple))
    there = said.groupby("example_id").agg(["nunique", "size"])
    versions = raw.examples["dataset_id"].nunique()
    same = (there["text", "size"] == versions) & (
        there[[("text", "nunique"), ("gold", "nunique"), ("tags", "nunique")]] == 1
    ).all(axis=1)
    return list(there.index[same])


def test_the_newer_version_has_its_own_rows(built):
    """`--dataset tk@v2` reads the runs of that version, under plain names."""
    world, _ = built("versions")
    found = world.run("decide", "--dataset", "tk@v2", "--json").json
    assert {called(one): one["run_id"] for one in found["candidates"]} == {
        name: ids[0] for name, ids in world.kept["v2"].items()
    }


# -- names, purposes and what was passed over ----------------------------------------------------


@pytest.mark.parametrize("world_name", ["two_models", "edited", "repeats", "names"])
def test_run_objects_carry_name_arm_model_and_id(built, world_name):
    """Every run object has the four, and the name is the row's."""
    world, raw = built(world_name)
    found = world.run("decide", "--json").json
    typed = next(reversed(world.rows))
    objects = [*found["candidates"], world.run("runs", "show", typed, "--json").json]
    objects += world.run("runs", "list", "--dataset", world.ref, "--split", "test", "--json").json
    gated = world.run("gate", *world.gated, "--json").json
    objects += [gated["candidate"], gated["baseline"]]
    for one in objects:
        assert {"name", "arm", "model", "run_id"} <= set(one), sorted(one)
        assert one["arm"] == raw.runs.loc[one["run_id"], "arm"]
    assert (gated["candidate"]["name"], gated["baseline"]["name"]) == world.gated


def test_compare_says_which_runs(built):
    """`a` and `b` are the names, `a_run_id` and `b_run_id` their runs."""
    world, _ = built("two_models")
    found = world.run("compare", *world.gated, "--json").json
    assert "error" not in found, found
    assert (found["a"], found["b"]) == world.gated
    assert (found["a_run_id"],) == world.rows[found["a"]]
    assert (found["b_run_id"],) == world.rows[found["b"]]


@pytest.mark.parametrize(
    ("world_name", "kept"),
    [
        ("parts", {"parts": "part"}),
        ("folds", {"folds": "fold"}),
        (
            "after",
            {"limited": "limited", "failed": "limited", "fewer": "limited", "stopped": "whole", "train": "whole"},
        ),
    ],
)
def test_runs_have_a_purpose(built, world_name, kept):
    """The column `purpose` says what a run was for; all others are whole."""
    world, raw = built(world_name)
    assert "purpose" in raw.runs.columns, sorted(raw.runs.columns)
    expected = dict.fromkeys(raw.runs.index, "whole")
    for name, purpose in kept.items():
        ids = world.kept[name]
        expected |= dict.fromkeys(ids if isinstance(ids, tuple) else (ids,), purpose)
    assert raw.runs["purpose"].to_dict() == expected


@pytest.mark.parametrize(
    "arguments",
    [
        ("decide",),
        ("compare", "prompt:v1", "tfidf-lr"),
        ("gate", "prompt:v1", "tfidf-lr"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_what_was_passed_over_is_named(built, arguments):
    """The newer limited and failed runs of the arm stand in `passed_over`, each with a reason; the text names them."""
    world, _ = built("after")
    found = world.run(*arguments, "--json").json
    assert "passed_over" in found, sorted(found)
    assert set(world.passed) <= {one["run_id"] for one in found["passed_over"]}
    for one in found["passed_over"]:
        assert {"name", "run_id", "reason"} <= set(one)
        assert one["reason"]
    out = " ".join(world.run(*arguments).out.split())
    assert "passed over" in out.lower(), out[-600:]


@pytest.mark.parametrize("arguments", [("eval",), ("baselines", "--arm", "tfidf-lr")], ids=lambda one: one[0])
def test_a_scorecard_names_what_was_passed_over(changeable, arguments):
    """The same in the run objects of `eval` and `baselines`, and beside the scorecard."""
    world, _ = changeable("after")
    command = (*arguments, "--prompt", *world.prompt) if arguments == ("eval",) else arguments
    found = world.run(*command, "--json").json
    one = found[0] if isinstance(found, list) else found
    assert "passed_over" in one, sorted(one)
    assert set(world.passed) <= {run["run_id"] for run in one["passed_over"]}


def test_a_plain_world_passes_nothing_over(built):
    """Where every run is whole and complete the list is there, and empty."""
    world, _ = built("plain")
    for arguments in (("decide",), ("compare", "prompt:v1", "tfidf-lr"), ("gate", "prompt:v1", "tfidf-lr")):
        assert world.run(*arguments, "--json").json.get("passed_over") == [], arguments
