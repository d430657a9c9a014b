"""`run` on the command line: a matrix that resumes, fusions that ask or replay, stale choices refused."""

import pytest

from tests.conftest import TICKETS, write_tickets

SPLITS = ("train", "dev", "test")
PLAN = """
arms = ["rules", "tfidf-svm", "prompt:v1"]
datasets = ["mail@v1"]
splits = ["dev", "test"]
labels = [12]
processes = 1
seeds = [0, 1]

[[fusion]]
members = ["rules", "tfidf-svm"]
"""


@pytest.fixture
def run(harness, root):
    """Runs a plan on a dataset that has a dev split."""
    rows = [
        (f"{text} {i}", label, "|".join(text.split()[:2]), SPLITS[(i + len(text)) % 3])
        for i in range(9)
        for text, label in TICKETS
    ]
    write_tickets(root, rows, name="mail")
    (root / "prompts" / "mail").mkdir()
    for name in ("v1.j2", "rules-v1.toml"):
        (root / "prompts" / "mail" / name).write_text((root / "prompts" / "tickets" / name).read_text())

    def carried(text, *options):
        (root / "plan.toml").write_text(text)
        return harness("run", "plan.toml", *options)

    return carried


def test_a_plan_is_carried_out_once(run, harness):
    """Arms x splits x seeds, parts of the training split, and the fusion; again, nothing is added or sent."""
    first = run(PLAN, "--json").json
    made = sorted((row["arm"], row["split"], row["seed"], row["n_train"]) for row in first)
    assert len(made) == len(set(made)) == 2 * (2 + 2 + 1) + 2 * 2 + 1
    assert next(row for row in first if row["arm"].startswith("cascade:"))["split"] == "test"
    assert {row["status"] for row in first} == {"done"}
    assert {row["n_train"] for row in first if row["arm"] == "tfidf-svm"} == {12, first[2]["n_train"]}
    count = "select count(*) as runs, sum(n) as n from runs"
    before = harness("sql", count, "--json").json
    again = run(PLAN, "--json").json
    assert [row["run_id"] for row in again] == [row["run_id"] for row in first]
    assert harness("sql", count, "--json").json == before


def test_a_plan_says_the_verdict_under_its_own_constraints(run, harness):
    """`[decide]` of the plan, and a mix on the command line, hold in place of the workspace's; a wrong one is named."""
    plan = 'arms = ["rules", "majority"]\ndatasets = ["mail@v1"]\n[decide]\nlabel_mix = {bug = 0.9}\n'
    done = run(plan)
    assert "mail@v1 / test: " in done.out
    assert "weighed to your mix of labels (bug .900)" in done.out
    decided = harness("decide", "--dataset", "mail@v1", "--label-mix", "bug=0.8").out
    on_the_line = run(plan, "--label-mix", "bug=0.8").out
    assert "weighed to your mix of labels (bug .800)" in on_the_line
    verdict = next(line for line in decided.splitlines() if line.startswith(("Serve", "Cannot tell")))
    assert f"mail@v1 / test: {verdict}" in on_the_line
    assert "[decide]" not in run('arms = ["rules"]\n').out
    wrong = run(plan.replace("label_mix", "label_mixx"))
    assert wrong.code == 2
    assert "label_mixx" in wrong.err


def test_a_plans_runs_are_the_single_commands_runs(run, harness):
    """What `baselines` has made is not made again."""
    alone = harness("baselines", "--arm", "rules", "--dataset", "mail@v1", "--json").json
    planned = run('arms = ["rules"]\ndatasets = ["mail@v1"]', "--json").json
    assert [row["run_id"] for row in planned] == [row["run_id"] for row in alone]
    assert planned[0]["accuracy"]["value"] == pytest.approx(alone[0]["accuracy"]["value"])


def test_dry_run_sends_and_stores_nothing(run, harness):
    """The forecast of every step."""
    found = run(PLAN, "--dry-run", "--json").json
    assert found["sent"] == 0
    assert len(found["arms"]) == 10
    assert found["calls"] > 0
    assert harness("runs", "list").code == 2  # there is no store yet


def test_given_thresholds_ask_only_what_is_passed_on(run, harness, root):
    """A live cascade gives each item what the sweep of the stored members gives, and asks the prompt for the rest."""
    members = 'arms = ["tfidf-svm", "prompt:v1"]\ndatasets = ["mail@v1"]\nsplits = ["dev", "test"]\n'
    assert run(members).code == 0
    swept = harness("cascade", "tfidf-svm", "prompt:v1", "--dataset", "mail@v1", "--margin", "0", "--json").json
    threshold = swept["chosen"]["thresholds"][0]
    fusion = f'[[fusion]]\nmembers = ["tfidf-svm", "prompt:v1"]\nthresholds = [{threshold!r}]\n'
    live = run(members.replace('["dev", "test"]', '["test"]') + fusion, "--json").json[-1]
    assert live["arm"] == "cascade:tfidf-svm>prompt:v1"
    assert live["accuracy"]["value"] == pytest.approx(swept["test"]["estimate"]["value"])
    (row,) = harness(
        "sql", f"select avg((len(path) = 2)::int) as share from predictions where run_id = '{live['run_id']}'", "--json"
    ).json
    assert row["share"] == pytest.approx(swept["test"]["answered_by"][1])


def test_a_saved_choice_is_used_and_a_stale_one_refused(run, harness, root):
    """Live with the thresholds that were stored; after an arm has changed, a line that says to choose again."""
    assert run('arms = ["rules", "tfidf-svm"]\ndatasets = ["mail@v1"]\nsplits = ["dev", "test"]').code == 0
    stored = harness("cascade", "rules", "tfidf-svm", "--dataset", "mail@v1", "--store", "--json").json
    plan = 'arms = ["rules"]\ndatasets = ["mail@v1"]\n[[fusion]]\nuse = "cascade:rules>tfidf-svm"\n'
    done = run(plan, "--json")
    assert done.code == 0, done.err
    (live,) = [row for row in done.json if row["arm"].startswith("cascade:")]
    assert live["run_id"] == stored["run_id"]
    rules = root / "prompts" / "mail" / "rules-v1.toml"
    rules.write_text(rules.read_text() + '[[rule]]\nlabel = "question"\nkeyword = "how"\n')
    done = run(plan)
    assert done.code == 2
    assert "cascade:rules>tfidf-svm was chosen for rules as s1:" in done.err
    assert "choose again: harness cascade rules tfidf-svm --dataset mail@v1 --store" in done.err
    done = run(plan.replace("cascade:rules>tfidf-svm", "tfidf-svm"))
    assert (done.code, "is no fusion; expected a run that" in done.err) == (2, True)


@pytest.mark.parametrize("how", ["router", "vote-stacked"])
def test_what_was_learnt_is_used_live(run, harness, how):
    """Stored on test, a router and a vote say the same of each item when they ask; elsewhere they ask anew."""
    assert run('arms = ["rules", "tfidf-svm"]\ndatasets = ["mail@v1"]\nsplits = ["dev", "test"]').code == 0
    options = ("--dataset", "mail@v1", "--how", how, "--store", "--json")
    stored = harness("cascade", "rules", "tfidf-svm", *options).json
    said = f"select example_id, label, path from predictions where run_id = '{stored['run_id']}' order by 1"
    before = harness("sql", said, "--json").json
    plan = f'arms = ["rules"]\ndatasets = ["mail@v1"]\nsplits = ["test"]\n[[fusion]]\nuse = "{stored["run_id"]}"\n'
    assert harness("runs", "tag", stored["run_id"], "chosen").code == 0
    (live,) = [row for row in run(plan, "--json").json if row["arm"] == stored["arm"]]
    assert live["run_id"] == stored["run_id"]
    elsewhere = run(plan.replace('["test"]', '["dev"]'), "--json").json[-1]
    assert (elsewhere["arm"], elsewhere["split"], elsewhere["status"]) == (stored["arm"], "dev", "done")
    assert harness("sql", said, "--json").json == before


def test_a_fusion_that_learns_is_chosen_from_what_is_stored(run, harness):
    """A plan names a router as it names a cascade; thresholds of its own make no sense for one."""
    plan = PLAN + 'how = "router"\n'
    found = run(plan, "--json").json[-1]
    assert (found["arm"], found["split"]) == ("router:rules>tfidf-svm", "test")
    done = run(plan + "thresholds = [0.5]\n")
    assert (done.code, "found thresholds for a router" in done.err) == (2, True)


def test_what_a_router_learnt_from_is_gone(run, harness, root):
    """Without the runs on dev it is refused in a line that says to choose again."""
    assert run('arms = ["rules", "tfidf-svm"]\ndatasets = ["mail@v1"]\nsplits = ["dev", "test"]').code == 0
    stored = harness(
        "cascade", "rules", "tfidf-svm", "--dataset", "mail@v1", "--how", "router", "--store", "--json"
    ).json
    plan = f'arms = ["rules"]\ndatasets = ["mail@v1"]\n[[fusion]]\nuse = "{stored["run_id"]}"\n'
    dev = harness("sql", "select run_id from runs where split = 'dev' and arm = 'rules'", "--json").json[0]["run_id"]
    assert harness("runs", "rm", dev).code == 0
    done = run(plan)
    assert (done.code, "Traceback" in done.err) == (2, False)
    assert "has learnt from runs on dev that are not in the store" in done.err
    assert "harness cascade rules tfidf-svm --how router --dataset mail@v1 --store" in done.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('arms = ["ruels"]', "unknown baseline 'ruels'"),
        ('arms = ["prompt:v9"]', "v9"),
        ('arms = ["rules"]\ndatasets = ["nothing@v1"]', "there is no dataset 'nothing@v1'"),
        ('arms = ["rules"]\nsplits = ["tset"]', "did you mean 'test'"),
    ],
)
def test_mistakes_are_found_before_anything_runs(run, harness, text, said):
    """One line, exit code 2, and no store."""
    done = run(text)
    assert (done.code, done.err.strip().count("\n")) == (2, 0)
    assert said in done.err
    assert harness("runs", "list").code == 2


def test_a_plan_that_is_not_there(harness):
    """The path is named."""
    done = harness("run", "nowhere.toml")
    assert (done.code, "there is no plan nowhere.toml" in done.err) == (2, True)


def test_a_run_shows_what_it_was_made_with(run, harness):
    """`runs show` prints a cascade's members and thresholds."""
    assert run('arms = ["rules", "tfidf-svm"]\ndatasets = ["mail@v1"]\nsplits = ["dev", "test"]').code == 0
    assert harness("cascade", "rules", "tfidf-svm", "--dataset", "mail@v1", "--store").code == 0
    out = harness("runs", "show", "cascade:rules>tfidf-svm").out
    assert "choice: " in out
    assert "'chosen_on': 'dev'" in out


def test_a_plan_is_carried_out_in_shares(run, harness):
    """Each run of the matrix on a share of the items; merged they are whole, and what needs whole runs is left out."""
    plan = 'arms = ["majority", "prompt:v1"]\ndatasets = ["mail@v1"]\nlabels = [12]\nlimit = 9\n[[fusion]]\n'
    plan += 'members = ["majority", "prompt:v1"]\n[decide]\nobjective = "accuracy"\n'
    left = "--shard leaves out the runs on fewer labels, 1 fusion, the verdict: merge, then the same command without"
    shares = [run(plan, "--shard", f"{part}/2", "--json") for part in (1, 2)]
    for share in shares:
        assert (share.code, left in share.err) == (0, True), share.err
        assert [one["arm"] for one in share.json] == ["majority", "prompt:v1"]
    merged = {one["run_id"]: one["n"] for one in harness("runs", "merge", "--json").json["merged"]}
    assert merged == {one["whole_run_id"]: 9 for one in shares[0].json}
    dry = run(plan, "--shard", "1/2", "--dry-run", "--json").json
    assert [one["items"] for one in dry["arms"]] == [one["n"] for one in shares[0].json]
