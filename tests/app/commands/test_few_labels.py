"""From texts without labels to what every arm is worth, on the command line."""

import csv

import pytest

from harness import datasets
from harness.datasets.label_journal import Entry, Journal
from harness.ground import formatting
from harness.types import Estimate
from tests.conftest import write_tickets

WORDS = {"billing": "invoice", "refund": "money back", "other": "hello"}
RESTS_ON = "Estimated from 40 gold labels and the arms' predictions on all"


def texts(root):
    rows = [(f"{word} please, number {i}", label) for i in range(30) for label, word in WORDS.items()]
    with (root / "inbox.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("body", "truth"), *rows])
    return dict(rows)


def test_from_texts_to_an_estimate(harness, root):
    """Texts are imported and predicted, labels come by the journal, a release keeps the splits, arms are estimated."""
    truth = texts(root)
    words = ("--name", "inbox", "--text", "body", "--labels", ",".join(WORDS))
    assert harness("dataset", "import", "inbox.csv", *words).code == 0
    ran = harness("baselines", "--dataset", "inbox", "--split", "train", "--arm", "minilm-zero", "--folds", "2")
    assert ran.code == 0, ran.err
    assert "has a label yet" in ran.out
    refused = harness("decide", "--dataset", "inbox", "--split", "train")
    assert refused.code == 2
    assert "next: harness label inbox" in refused.err
    old = datasets.load(root, "inbox@v1")
    journal = Journal(root / "results" / "inbox@v1" / "labels")
    for example in old.in_split("train")[:20]:
        journal.append(Entry("label", example.item.id, "ann", "now", truth[example.item.text], weight=2.0))
    released = harness("label", "inbox@v1", "--release", "v2", "--json")
    assert released.json["labels"] == 20
    (arm,) = harness("estimate", "--dataset", "inbox@v2", "--split", "train", "--json").json
    assert arm["name"] == "minilm-zero"
    assert arm["accuracy"]["n"] == 20
    assert arm["accuracy"]["low"] <= arm["accuracy"]["value"] <= arm["accuracy"]["high"]
    assert arm["gold_alone"]["n"] == 20
    assert arm["labels_saved"] >= 0
    assert "gold labels of" in harness("estimate", "--dataset", "inbox@v2", "--split", "train").out


def test_a_label_outside_the_set(harness, root):
    """A label that is none of --labels is exit 2, and the nearest is named; nothing is written."""
    texts(root)
    words = ("--name", "inbox", "--text", "body", "--label", "truth", "--labels", "billing,refunds,other")
    refused = harness("dataset", "import", "inbox.csv", *words)
    assert refused.code == 2
    assert "'refund' is none of --labels" in refused.err
    assert not (root / "datasets" / "inbox").exists()


def labelled(harness, root, n=40):
    """A workspace with two arms' predictions on all texts, and labels on some of them in a version of their own."""
    truth = texts(root)
    words = ("--name", "inbox", "--text", "body", "--labels", ",".join(WORDS))
    assert harness("dataset", "import", "inbox.csv", *words).code == 0
    (root / "prompts" / "inbox").mkdir(parents=True, exist_ok=True)
    rules = "\n".join(f'[[rule]]\nlabel = "{label}"\nkeyword = "{word}"' for label, word in WORDS.items())
    (root / "prompts" / "inbox" / "rules-v1.toml").write_text(rules + "\n")
    arms = ("--arm", "minilm-zero", "--arm", "rules", "--folds", "2")
    ran = harness("baselines", "--dataset", "inbox", "--split", "train", *arms)
    assert ran.code == 0, ran.err
    old = datasets.load(root, "inbox@v1")
    journal = Journal(root / "results" / "inbox@v1" / "labels")
    for example in old.in_split("train")[:n]:
        journal.append(Entry("label", example.item.id, "ann", "now", truth[example.item.text], weight=1.0))
    assert harness("label", "inbox@v1", "--release", "v2").code == 0


def test_what_takes_the_estimates(harness, root):
    """compare, decide and report say with --estimate what estimate says of the same arms, and on what it rests."""
    labelled(harness, root)
    where = ("--dataset", "inbox@v2", "--split", "train")
    estimated = {one["name"]: one for one in harness("estimate", *where, "--json").json}
    lead = estimated["rules"]["differences"]["minilm-zero"]["estimate"]
    compared(harness, where, lead)
    decided(harness, where, estimated, lead)
    reported(harness, root, where, estimated)
    gated(harness, where, estimated, lead)


def compared(harness, where, lead):
    pair = harness("compare", "--estimate", "rules", "minilm-zero", *where, "--json").json
    assert pair["difference"]["value"] == lead["value"]
    assert abs(pair["difference"]["low"] - lead["low"]) < 1e-9
    assert pair["n_gold"] == 40
    assert {one["right"] for one in pair["changed"]} <= {"a", "b"}
    (one,) = harness("compare", "--estimate", *where, "--json").json
    assert one["together"]["low"] <= one["difference"]["low"] + 1e-9
    shown = harness("compare", "--estimate", *where)
    assert shown.out.startswith(RESTS_ON)
    assert "Holm" in shown.out
    assert "gold alone" in harness("compare", "--estimate", "rules", "minilm-zero", *where).out
    refused = harness("compare", "--estimate", "rules", "nobody", *where)
    assert refused.code == 2
    assert "no arm 'nobody' can be estimated here" in refused.err


def decided(harness, where, estimated, lead):
    ran = harness("decide", "--estimate", *where, "--min-accuracy", "0.5", "--min-recall", "refund=0.5", "--json")
    assert ran.code == 0, ran.err
    found = ran.json
    assert found["reasons"][0].startswith(RESTS_ON)
    for one in found["candidates"]:
        expected, ends = estimated[one["arm"]]["accuracy"], ("value", "low", "high")
        assert [one["headline"][end] for end in ends] == [expected[end] for end in ends]
        assert one["usd_per_1000"] is not None
    assert found["recommendation"] == "rules"
    assert (found["verdict"] == "decided") == (lead["low"] > -found["constraints"]["margin"])
    outlook(harness, where, estimated["rules"]["n_all"] - 40)
    assert RESTS_ON in harness("decide", "--estimate", *where).out
    refused = harness("decide", "--estimate", *where, "--label-mix", "refund=0.5")
    assert refused.code == 2
    assert "few labels estimate accuracy, recall and differences" in refused.err


def outlook(harness, where, left):
    """A floor that forty labels cannot show: so many labels more would, or not even one on every item."""
    above = ("--min-accuracy", "0.98")
    unsure = harness("decide", "--estimate", *where, *above, "--json").json
    assert unsure["verdict"] == "undecided"
    assert (unsure["assurance"]["most"], unsure["assurance"]["of_all"]) == (left, True)
    assert unsure["more_items"] is None or 0 < unsure["more_items"] <= left
    text = harness("decide", "--estimate", *where, *above).out
    if unsure["more_items"] is None:
        assert f"with all {left} items that have none the probability stays" in text
    else:
        assert f"With {unsure['more_items']} more labels the verdict would be decided" in text
        assert f"harness label inbox@v2 --split train --n {unsure['more_items']}" in text


def reported(harness, root, where, estimated):
    (page, *_) = harness("report", "--estimate", *where, "--json").json["files"]
    text = (root / page).with_suffix(".md").read_text()
    assert RESTS_ON in text
    assert "Estimates from few labels" in text
    for arm, one in estimated.items():
        (row,) = [line for line in text.splitlines() if line.startswith(f"| {arm} |") and "$" in line][:1]
        assert formatting.span(Estimate(**one["accuracy"])) in row
        assert formatting.span(Estimate(**one["gold_alone"])) in row
    assert "Scorecard" not in text
    assert "Mistakes" not in text
    refused = harness("report", "--estimate", "--post", *where)
    assert refused.code == 2


def gated(harness, where, estimated, lead):
    refused = harness("gate", "rules", "minilm-zero", "--estimate", *where)
    assert refused.code == 2
    assert "run it there" in refused.err
    assert harness("baselines", *where, "--arm", "minilm-zero", "--arm", "rules", "--folds", "2").code == 0
    ran = harness("gate", "rules", "minilm-zero", "--estimate", "--margin", "0.05", *where, "--json")
    found, (check, *_) = ran.json, ran.json["checks"]
    assert found["rests_on"].startswith(RESTS_ON)
    assert check["estimate"]["value"] == lead["value"]
    assert abs(check["estimate"]["low"] - lead["low"]) < 1e-9
    assert found["candidate"]["headline"]["value"] == estimated["rules"]["accuracy"]["value"]
    assert found["verdict"] == ("pass" if lead["low"] > -0.05 else "inconclusive")
    assert ran.code == found["exit_code"]
    assert RESTS_ON in " ".join(harness("gate", "rules", "minilm-zero", "--estimate", *where).out.split())
    back = harness("gate", "minilm-zero", "rules", "--estimate", "--margin", "0.01", *where, "--json")
    assert back.json["verdict"] == ("fail" if lead["low"] > 0.01 else "inconclusive")


def test_fits_are_estimated_together(harness, root):
    """An arm's fits are one row with the scorecard's accuracy and their spread in the interval; a verdict says so."""
    words = [word for word in WORDS.values() for _ in range(30)]
    labels = {word: label for label, word in WORDS.items()}
    rows = [(f"{word} {i}", labels[word], "", "test" if i % 2 else "train") for i, word in enumerate(words)]
    write_tickets(root, rows, "several")
    where = ("--dataset", "several@v1", "--split", "test")
    ran = harness("baselines", *where, "--arm", "tfidf-lr", "--arm", "majority", "--seeds", "3")
    assert ran.code == 0, ran.err
    plain = {one["arm"]: one["headline"] for one in harness("decide", *where, "--json").json["candidates"]}
    estimated = {one["name"]: one["accuracy"] for one in harness("estimate", *where, "--json").json}
    decided = harness("decide", "--estimate", *where, "--json").json
    assert set(estimated) == set(plain) == {one["arm"] for one in decided["candidates"]}
    assert "3 fits" in estimated["tfidf-lr"]["method"]
    for arm, one in estimated.items():
        assert one["value"] == pytest.approx(plain[arm]["value"])
    for one in decided["candidates"]:
        assert [one["headline"][end] for end in ("value", "low", "high")] == [
            estimated[one["arm"]][end] for end in ("value", "low", "high")
        ]
        assert one["fits"] == 3


def test_what_was_found_by_the_labels_is_not_measured_by_them(harness, root):
    """A prompt that a search chose on a split is left out there, with the reason; on others it is estimated."""
    (root / "prompts" / "tickets" / "v2.j2").write_text(
        "---\nmade: {by: a search, chosen_on: test}\n---\n{% block user %}\n{{ item.text }}\nLabel:\n{% endblock %}\n"
    )
    for prompt in ("v1", "v2"):
        assert harness("eval", "--prompt", prompt, "--model", "fake/first").code == 0
    assert harness("baselines", "--arm", "rules").code == 0
    (one, *others) = harness("estimate", "--json").json
    assert {one["name"], *(other["name"] for other in others)} == {"prompt:v1", "rules"}
    assert [(left["name"], left["reason"]) for left in one["passed_over"]] == [
        ("prompt:v2", "it was found by the labels of train and test")
    ]
    assert "passed over: prompt:v2 (it was found by the labels of train and test" in harness("estimate").out


def test_what_nobody_could_tell_is_said(harness, root):
    """Items that have no label because people could not tell, or differ, are counted beside the estimates."""
    labelled(harness, root)
    where, names = ("--dataset", "inbox@v2", "--split", "train"), tuple(WORDS)
    assert "left out" not in harness("estimate", *where).out
    waiting = [e.item.id for e in datasets.load(root, "inbox@v2").in_split("train") if not e.is_labelled]
    journal = Journal(root / "results" / "inbox@v2" / "labels")
    for item in waiting[:3]:
        journal.append(Entry("cannot tell", item, "ann", "now", weight=1.0))
    for who, name in zip(("ann", "bo"), names, strict=False):
        journal.append(Entry("label", waiting[3], who, "now", name, weight=1.0))
    journal.append(Entry("label", waiting[4], "ann", "now", names[0], weight=1.0))
    shown = harness("estimate", *where)
    assert "left out: 3 items that nobody could tell and 1 item on which people differ" in shown.out
    (one, _) = harness("estimate", *where, "--json").json
    assert (one["cannot_tell"], one["disagreed"]) == (3, 1)
    released = harness("label", "inbox@v2", "--release", "v3")
    assert "3 items that nobody could tell have no label" in released.err
