"""`cascade` on the command line: the contract's keys, a run of its own, and what is refused."""

import pytest

from tests.conftest import TICKETS, write_tickets

KEYS = {"thresholds", "chosen", "test", "oracle", "random_line"}
SPLITS = ("train", "dev", "test")


@pytest.fixture
def stored(harness, root, once):
    """Rules, a classifier and a prompt on dev and on test, of a dataset that has both."""
    once(lambda: begin(harness, root))


def begin(harness, root):
    rows = [
        (f"{text} {i}", label, "|".join(text.split()[:2]), SPLITS[(i + len(text)) % 3])
        for i in range(9)
        for text, label in TICKETS
    ]
    write_tickets(root, rows, name="mail")
    (root / "prompts" / "mail").mkdir()
    for name in ("v1.j2", "rules-v1.toml"):
        (root / "prompts" / "mail" / name).write_text((root / "prompts" / "tickets" / name).read_text())
    for split in ("dev", "test"):
        where = ("--dataset", "mail@v1", "--split", split)
        assert harness("baselines", "--arm", "rules", "--arm", "tfidf-svm", *where).code == 0
        assert harness("eval", "--prompt", "v1", *where).code == 0


def cascade(harness, *arguments):
    return harness("cascade", *arguments, "--dataset", "mail@v1")


def test_the_contracts_keys(harness, stored):
    """Every threshold of dev, the chosen one, test with interval and cost, oracle and random line."""
    found = cascade(harness, "rules", "tfidf-svm", "--json").json
    assert set(found) >= KEYS
    assert found["chosen"] in found["thresholds"]
    assert set(found["test"]["estimate"]) >= {"value", "low", "high", "n", "method"}
    assert found["test"]["cost"] > 0
    assert found["oracle"]["accuracy"]["value"] >= found["test"]["estimate"]["value"]
    assert len(found["random_line"]["members"]) == 2
    assert [one["b"] for one in found["test"]["against"]] == ["rules", "tfidf-svm"]


def test_sql_agrees(harness, stored):
    """The accuracy on test is that of a join over what the members have stored."""
    found = cascade(harness, "tfidf-svm", "prompt:v1", "--json").json
    threshold = found["chosen"]["thresholds"][0]
    at = 2.0 if threshold is None else threshold
    (row,) = harness(
        "sql",
        f"select avg((case when a.score >= {at!r} then a.correct else b.correct end)::int) as accuracy "
        "from scored a join scored b using (example_id, dataset, split) "
        "where a.arm = 'tfidf-svm' and b.arm = 'prompt:v1' and split = 'test' and dataset = 'mail@v1'",
        "--json",
    ).json
    assert found["test"]["estimate"]["value"] == pytest.approx(row["accuracy"])


def test_no_call_is_made(harness, stored, root):
    """The prompt's template may be gone: nothing is rendered or asked."""
    (root / "prompts" / "mail" / "v1.j2").unlink()
    assert cascade(harness, "rules", "tfidf-svm", "prompt:v1").code == 0


def test_the_chosen_cascade_is_a_run(harness, stored):
    """It stands beside its members: in the scorecard, for compare, and with the path of every item."""
    found = cascade(harness, "rules", "tfidf-svm", "--store", "--json").json
    name = "cascade:rules>tfidf-svm"
    shown = harness("runs", "show", name, "--json").json
    assert shown["run_id"] == found["run_id"]
    assert shown["accuracy"]["value"] == pytest.approx(found["test"]["estimate"]["value"])
    assert shown["cost_per_1000_usd"] == pytest.approx(found["test"]["cost"])
    assert shown["billed_usd"] == 0
    candidates = harness("decide", "--dataset", "mail@v1", "--json").json["candidates"]
    assert name in {one["arm"] for one in candidates}
    (row,) = harness(
        "sql", f"select count(*) as n from predictions where run_id = '{found['run_id']}' and len(path) = 2", "--json"
    ).json
    assert row["n"] == pytest.approx(found["test"]["answered_by"][1] * shown["n"])
    assert cascade(harness, "rules", "tfidf-svm", "--store", "--json").json["run_id"] == found["run_id"]


def test_three_stages(harness, stored):
    """Rules first, then a classifier, then a prompt."""
    found = cascade(harness, "rules", "tfidf-svm", "prompt:v1", "--store", "--json").json
    assert len(found["chosen"]["thresholds"]) == 2
    assert len(found["test"]["answered_by"]) == 3
    assert found["arm"] == "cascade:rules>tfidf-svm>prompt:v1"


def test_in_words(harness, stored):
    """What was chosen where, each member, chance, and what no fusion could pass."""
    out = " ".join(cascade(harness, "rules", "tfidf-svm").out.split())
    for part in ("chosen on dev", "reported on test", "no call was made", "against rules", "by lot", "the oracle"):
        assert part in out
    out = cascade(harness, "rules", "tfidf-svm", "--min-accuracy", "1", "--max-cost", "0.0000001").out
    assert "Nothing was chosen: no threshold costs as little as" in out


def test_where_there_is_no_dev_split(harness):
    """It is said what to do; cross-fitted, nothing may be stored."""
    assert harness("baselines", "--arm", "rules", "--arm", "tfidf-svm").code == 0
    done = harness("cascade", "rules", "tfidf-svm")
    assert done.code == 2
    assert "tickets@v1 has no split 'dev' to choose thresholds on, it has test, train" in done.err
    assert "--choose-on test" in done.err
    found = harness("cascade", "rules", "tfidf-svm", "--choose-on", "test", "--json").json
    assert found["is_crossfitted"]
    done = harness("cascade", "rules", "tfidf-svm", "--choose-on", "test", "--store")
    assert (done.code, "cannot be scored on test" in done.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rules",), "a cascade takes two arms or more, cheapest first; found 1"),
        (("rules", "rules"), "name one run more than once"),
        (("rules", "majority"), "to make one: harness baselines --arm majority --dataset mail@v1 --split test"),
        (("rules", "prompt:v2"), "to make one: harness eval --prompt v2 --dataset mail@v1 --split test"),
        (("rules", "tfidf-svm", "--min-accuracy", "1.5"), "1.5 is not in the range"),
    ],
)
def test_mistakes_are_one_line(harness, stored, arguments, said):
    """What was found, what was expected, which command helps; exit code 2."""
    done = cascade(harness, *arguments)
    assert done.code == 2
    assert said in " ".join(done.err.split())


def test_missing_and_stale_runs_on_dev(harness, stored, root):
    """The command that makes the run is named; another version of the arm chooses nothing."""
    where = ("--dataset", "mail@v1", "--split", "test")
    assert harness("baselines", "--arm", "majority", *where).code == 0
    done = cascade(harness, "rules", "majority")
    assert done.code == 2
    assert "there is no run of majority on mail@v1 / dev" in done.err
    assert "harness baselines --arm majority --dataset mail@v1 --split dev" in done.err
    rules = root / "prompts" / "mail" / "rules-v1.toml"
    rules.write_text(rules.read_text() + '[[rule]]\nlabel = "question"\nkeyword = "how"\n')
    assert harness("baselines", "--arm", "rules", *where).code == 0
    edited = harness("runs", "list", "--dataset", "mail@v1", "--split", "test", "--json").json[0]["name"]
    done = cascade(harness, edited, "tfidf-svm")
    assert (done.code, "there is another version of rules than on test on mail@v1 / dev" in done.err) == (2, True)
    done = cascade(harness, "rules", "tfidf-svm")
    assert (done.code, "fits 2 arms on mail@v1 / test: 'rules (" in done.err, edited in done.err) == (2, True, True)


def test_a_router_chooses_before_it_asks(harness, stored):
    """The contract's keys; stored, it is the arm that was reported, each item asked of one member alone."""
    members = ("rules", "prompt:v1", "--how", "router")
    found = cascade(harness, *members, "--store", "--json").json
    assert set(found) >= KEYS
    assert found["chosen"] in found["thresholds"]
    assert found["toll"]["latency_s"] > 0
    shown = harness("runs", "show", "router:rules>prompt:v1", "--json").json
    assert shown["run_id"] == found["run_id"]
    assert shown["accuracy"]["value"] == pytest.approx(found["test"]["estimate"]["value"])
    assert shown["cost_per_1000_usd"] == pytest.approx(found["test"]["cost"])
    counted = "select path[2] as arm, count(*) as n from predictions where run_id = "
    asked = harness("sql", f"{counted} '{found['run_id']}' and len(path) = 2 group by 1", "--json").json
    shares = {row["arm"]: row["n"] / shown["n"] for row in asked}
    assert [shares.get(arm, 0) for arm in ("rules", "prompt:v1")] == pytest.approx(found["test"]["answered_by"])
    # What routing takes is measured anew each time, and is no part of what the router is.
    assert cascade(harness, *members, "--store", "--json").json["run_id"] == found["run_id"]
    out = " ".join(cascade(harness, *members).out.split())
    for part in ("chosen on dev", "by lot", "the oracle", "routing adds", "what the arms got right on dev"):
        assert part in out


def test_a_router_that_knows_nothing_says_so(harness, stored):
    """No text tells when an arm that draws labels by lot is right: chance is not beaten, and one arm alone does."""
    where = ("--dataset", "mail@v1", "--split")
    for split in ("dev", "test"):
        assert harness("baselines", "--arm", "random", *where, split).code == 0
    out = cascade(harness, "random", "tfidf-svm", "--how", "router", "--margin", "0").out
    for part in (
        "random gets",
        "not shown to beat chance",
        "tfidf-svm alone costs no more and is no less accurate here",
    ):
        assert part in " ".join(out.split())


def test_a_router_is_cross_fitted_where_there_is_no_dev_split(harness):
    """Each tenth of test is answered with what the other nine taught and chose."""
    assert harness("baselines", "--arm", "rules", "--arm", "tfidf-svm").code == 0
    options = ("--how", "router", "--choose-on", "test", "--json")
    found = harness("cascade", "rules", "tfidf-svm", *options).json
    assert found["is_crossfitted"]
    assert found["test"]["estimate"]["n"] == 30


@pytest.mark.parametrize("how", ["vote", "vote-weighted", "vote-stacked"])
def test_a_vote_instead_of_stages(harness, stored, how):
    """All members are asked; stored, it is the arm that was reported."""
    members = ("rules", "tfidf-svm", "prompt:v1", "--how", how)
    found = cascade(harness, *members, "--store", "--json").json
    assert (found["thresholds"], found["chosen"], found["random_line"]) == ([], None, None)
    shown = harness("runs", "show", f"{how}:rules+tfidf-svm+prompt:v1", "--json").json
    assert shown["run_id"] == found["run_id"]
    assert shown["accuracy"]["value"] == pytest.approx(found["test"]["estimate"]["value"])
    assert shown["cost_per_1000_usd"] == pytest.approx(found["test"]["cost"])
    assert "against rules" in cascade(harness, *members).out
