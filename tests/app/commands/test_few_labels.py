"""From texts without labels to what every arm is worth, on the command line."""

import csv

from harness import datasets
from harness.datasets.label_journal import Entry, Journal

WORDS = {"billing": "invoice", "refund": "money back", "other": "hello"}


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
