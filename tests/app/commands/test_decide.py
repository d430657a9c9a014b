"""`decide` on the command line: a verdict that a reader can check with SQL."""

import csv
import json

import pytest


@pytest.fixture
def stored(harness, once):
    """Three baselines and a prompt that is always wrong or lucky, on the small dataset."""
    once(lambda: begin(harness))


def begin(harness):
    assert harness("eval", "--prompt", "v1", "--baselines").code == 0


def test_the_verdict_can_be_checked_with_sql(harness, stored):
    """Accuracy, cost and the recommendation follow from the view `scored`."""
    found = harness("decide", "--volume", "1000", "--json").json
    assert set(found) >= {"recommendation", "verdict", "reasons", "candidates", "what_would_change_it"}
    rows = harness(
        "sql", "select arm, avg(correct::int) as right, 1000 * avg(cost_usd) as usd from scored group by arm", "--json"
    ).json
    by_arm = {row["arm"]: row for row in rows}
    assert {one["arm"] for one in found["candidates"]} == set(by_arm)
    for one in found["candidates"]:
        assert one["accuracy"]["value"] == pytest.approx(by_arm[one["arm"]]["right"])
        if one["usd_per_1000"] is None:
            assert by_arm[one["arm"]]["usd"] is None
        else:
            assert one["usd_per_1000"] == pytest.approx(by_arm[one["arm"]]["usd"])
            assert one["bill"]["serving"] == pytest.approx(one["usd_per_1000"])  # a thousand items a month
            assert one["monthly_usd"] == pytest.approx(one["bill"]["serving"] + one["bill"]["training"])
    assert found["recommendation"] == max(by_arm, key=lambda arm: by_arm[arm]["right"])


def test_in_words_and_in_the_report(harness, stored, root):
    """Headline, reasons, what would change it; the report says the same."""
    out = harness("decide").out
    assert ("Serve " in out) != ("Cannot tell yet" in out)
    assert "items a month" in out
    harness("report")
    report = next(root.glob("results/**/report.md")).read_text()
    following = next(line for line in out.splitlines() if line.startswith("Next: harness ship "))
    assert following in report
    headline = next(line for line in out.splitlines() if line.startswith(("Serve ", "Cannot tell yet")))
    assert headline.split(";")[0] in report


def test_settings_and_options(harness, stored, root):
    """`[decide]` in the settings holds; an option overrides it."""
    path = root / "harness.toml"
    path.write_text(path.read_text() + "\n[decide]\nmin_accuracy = 0.999\n")
    strict = harness("decide", "--json").json
    assert (strict["verdict"], strict["constraints"]["min_accuracy"]) == ("undecided", 0.999)
    assert any("accuracy at least .999" in reason for reason in strict["reasons"])
    assert harness("decide", "--min-accuracy", "0.01", "--json").json["constraints"]["min_accuracy"] == 0.01


def test_another_mix_of_labels(harness, stored, root):
    """Typed or counted in a file, the shares weigh every accuracy; SQL gives the same from the recalls."""
    (root / "traffic.csv").write_text("label,count\nbug,600\nbilling,300\nquestion,100\n")
    typed = ("--label-mix", "bug=0.6", "--label-mix", "billing=0.3", "--label-mix", "question=0.1")
    one, other = (harness("decide", *given, "--json").json for given in (typed, ("--label-mix", "traffic.csv")))
    assert one["constraints"]["label_mix"] == {"bug": 0.6, "billing": 0.3, "question": 0.1}
    recalls = harness("sql", "select arm, gold, avg(correct::int) as r from scored group by all", "--json").json
    for mine, theirs in zip(one["candidates"], other["candidates"], strict=True):
        by_hand = sum(
            one["constraints"]["label_mix"][row["gold"]] * row["r"] for row in recalls if row["arm"] == mine["arm"]
        )
        assert mine["accuracy"]["value"] == pytest.approx(by_hand) == pytest.approx(theirs["accuracy"]["value"])
    assert "weighed to your mix of labels" in harness("decide", *typed).out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--min-recall", "nolabel=0.5"), "expected LABEL=SHARE; expected one of 'billing', 'bug', 'question'"),
        (("--min-recall", "bug=much"), "'much' is not a number; expected LABEL=SHARE"),
        (("--min-recall", "bug=1.5"), "found 1.5; expected a share from 0 to 1"),
        (("--label-mix", "nolabel=0.5"), "expected LABEL=SHARE; expected one of 'billing', 'bug', 'question'"),
        (("--label-mix", "bug=1.5"), "found 1.5; expected a share from 0 to 1"),
        (("--label-mix", "shares.csv"), "no such file; expected LABEL=SHARE, or a CSV file of label and share"),
        (("--label-mix", "bug=.5", "--label-mix", "bug=.4"), "'bug' has a share already"),
        (("--label-mix", "bug=.9", "--label-mix", "billing=.4"), "the shares sum to 1.3"),
        (("--hours", "nobody=3"), "expected ARM=HOURS; expected one of"),
        (("--hours", "majority=-3"), "found -3; expected a number of hours"),
        (("--dataset", "nothing@v1"), "there is no dataset 'nothing@v1'"),
    ],
)
def test_mistakes_are_one_line(harness, stored, arguments, said):
    """Exit code 2."""
    done = harness("decide", *arguments)
    assert (done.code, done.err.strip().count("\n")) == (2, 0)
    assert said in done.err


def test_nothing_to_decide(harness):
    """An empty store says how to begin."""
    done = harness("decide")
    assert done.code == 2
    assert "harness baselines" in done.err


def test_rules_need_no_labels(harness, stored):
    """What they cost does not rise with the price of a label; what learns does."""
    cheap, dear = (harness("decide", "--label-price", price, "--json").json["candidates"] for price in ("0", "5"))
    rise = {a["arm"]: b["monthly_usd"] - a["monthly_usd"] for a, b in zip(cheap, dear, strict=True) if a["n_train"]}
    assert rise.keys() == {"majority", "tag-odds"}
    assert all(usd > 0 for usd in rise.values())


def test_the_bill_of_owning(harness, stored):
    """Work, retraining and a machine of its own are on the bill, in JSON and in words."""
    options = (
        "--hours",
        "majority=10",
        "--hour-price",
        "60",
        "--hosting",
        "own",
        "--label-price",
        "1",
        "--months",
        "6",
    )
    found = harness("decide", *options, "--retrain-every", "2", "--retrain-labels", "12", "--json").json
    bills = {one["arm"]: one["bill"] for one in found["candidates"]}
    assert bills["majority"]["work"] == pytest.approx(100)
    assert bills["majority"]["hosting"] == pytest.approx(730.5 * 0.10)
    assert bills["tag-odds"]["labels"] == pytest.approx((60 + 2 * 12) / 6)
    assert bills["prompt:v1"] is None or bills["prompt:v1"]["hosting"] == 0
    assert "machines of their own" in harness("decide", *options).out


def test_several_fits_are_one_candidate(harness, root):
    """Three seeds of each arm that learns: one row, said of the mean fit; arms that do not learn ran once."""
    done = harness("baselines", "--arm", "tfidf-lr", "--arm", "rules", "--seeds", "3", "--json")
    assert sorted(one["arm"] for one in done.json) == ["rules", "tfidf-lr", "tfidf-lr", "tfidf-lr"]
    found = harness("decide", "--json").json
    assert sorted(one["fits"] for one in found["candidates"]) == [1, 3]
    learned = next(one for one in found["candidates"] if one["fits"] == 3)
    assert "3 fits" in learned["accuracy"]["method"]
    assert any("Said of the mean fit of tfidf-lr (3)" in reason for reason in found["reasons"])


def test_what_the_audit_suspects_is_heard_by_the_verdict(harness, root):
    """The record of the last audit of this very version: its suspects and torn texts, and no longer another's."""
    harness("baselines", "--arm", "random", "--arm", "majority", "--dataset", "tickets@v1", "--split", "test")
    assert "gold label" not in harness("decide", "--dataset", "tickets@v1").out
    harness("dataset", "audit", "tickets@v1")
    path = root / "results" / "tickets@v1" / "audit.json"
    told = json.loads(path.read_text())
    items = harness("decide", "--dataset", "tickets@v1", "--json").json
    assert items["label_noise"] is None or items["label_noise"]["suspects"] > 0
    suspects = [row["id"] for row in csv_rows(root) if row["split"] == "test"][:3]
    finding = {"check": "label_noise", "severity": "warning", "items": suspects}
    path.write_text(json.dumps({**told, "findings": [finding]}))
    found = harness("decide", "--dataset", "tickets@v1", "--json").json["label_noise"]
    assert (found["suspects"], found["torn"]) == (3, 0)
    assert "suspects the gold label of 3 of" in harness("decide", "--dataset", "tickets@v1").out
    path.write_text(json.dumps({**told, "dataset_id": "s1:other", "findings": [finding]}))
    assert "gold label" not in harness("decide", "--dataset", "tickets@v1").out


def csv_rows(root):
    with (root / "datasets/tickets/v1/examples.csv").open(newline="") as file:
        return list(csv.DictReader(file))
