"""`dataset audit` on the command line: a table, JSON, a page, and an exit code that a pipeline can trust."""

import csv

import pytest

from harness import datasets
from tests.conftest import write_tickets
from tests.datasets.audit.conftest import clean_rows

SECRET = "ghp_" + "a1B2c3D4e5F6g7H8" * 3


def grouped(root, version):
    """How many rows of a version belong to a group."""
    return sum(one.group is not None for one in datasets.load(root, f"said-twice@{version}").examples)


def release(root, rows, name):
    write_tickets(root, [(text, label, "", split) for text, label, split in rows], name)
    return f"{name}@v1"


@pytest.fixture
def clean(root):
    return release(root, clean_rows(), "clean")


@pytest.fixture
def leaky(root):
    rows = clean_rows()
    return release(root, [*rows, (rows[0][0], "billing", "test"), (f"key {SECRET}", "bug", "train")], "leaky")


def test_a_clean_set_passes(harness, clean):
    """Nothing found, exit 0, even at the lowest severity; the page is written."""
    done = harness("dataset", "audit", clean, "--severity", "note")
    assert done.code == 0
    assert "nothing found" in done.out
    assert "Wrote results/clean@v1/audit.html" in done.out


def test_defects_fail(harness, leaky, root):
    """A leak and a secret are errors: exit 1, both in the table; JSON and page hold the pair and never the secret."""
    done = harness("dataset", "audit", leaky)
    assert done.code == 1
    assert "leaks" in done.out
    found = harness("dataset", "audit", leaky, "--json")
    assert found.code == 1
    checks = {finding["check"]: finding for finding in found.json["findings"]}
    assert checks["leaks"]["n"] == 1
    assert checks["leaks"]["facts"]["train to test exact"] == 1
    assert found.json["leaked"] == checks["leaks"]["items"]
    assert found.json["defects"] == 2
    page = (root / "results" / "leaky@v1" / "audit.html").read_text()
    assert "What to do" in page
    assert not any(SECRET in text for text in (page, found.out, done.out))


def test_the_severity_is_the_users(harness, root):
    """Warnings pass by default and fail when they are asked to."""
    rows = clean_rows()
    ref = release(root, [*rows, rows[0]], "twice")
    assert harness("dataset", "audit", ref).code == 0
    assert harness("dataset", "audit", ref, "--severity", "warning").code == 1


def test_mistakes_are_one_line(harness):
    """A version that is not there, a severity that is none."""
    done = harness("dataset", "audit", "nothing@v1")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "there is no dataset 'nothing@v1'" in done.err
    assert harness("dataset", "audit", "tickets@v1", "--severity", "bad").code == 2


def test_the_same_meaning_in_other_words_is_near(harness, root):
    """With an encoder a paraphrase in the test split is a leak, which n-grams do not see."""
    rows = [*clean_rows(), ("my invoice was charged twice", "billing", "train")]
    ref = release(root, [*rows, ("I was charged two times for my invoice", "billing", "test")], "said-twice")
    assert harness("dataset", "audit", ref, "--json").code == 0
    found = harness("dataset", "audit", ref, "--encoder", "minilm", "--near", "0.95", "--json")
    assert found.code == 1
    assert found.json["near_encoder"] == "minilm"
    (leak,) = (one for one in found.json["findings"] if one["check"] == "leaks")
    assert leak["facts"]["train to test"] == 1
    assert harness("dataset", "audit", ref, "--encoder", "minilm", "--near-by-train").code == 2
    made = ["dataset", "new-version", ref, "--group", "near-duplicates", "--near", "0.95"]
    assert "nothing would change" in harness(*made, "--to", "v2").err
    assert harness(*made, "--to", "v2", "--encoder", "minilm").code == 0
    assert grouped(root, "v2") == 2


def test_corrections_make_a_version(harness, root):
    """What `--corrections` writes is taken by `--edits` as it stands; a table that is there is not written over."""
    rows = [*clean_rows(), ("one more that I paid twice", "Billing", "train")]
    ref = release(root, rows, "twins")
    done = harness("dataset", "audit", ref, "--corrections", "fix.csv")
    assert "fix.csv" in done.out
    with (root / "fix.csv").open(newline="") as file:
        (row,) = list(csv.DictReader(file))
    assert (row["label"], row["#was"], row["#text"]) == ("billing", "Billing", "one more that I paid twice")
    assert harness("dataset", "new-version", ref, "--to", "v2", "--edits", "fix.csv").code == 0
    assert datasets.load(root, "twins@v2").label_names == tuple(
        name for name in datasets.load(root, ref).label_names if name != "Billing"
    )
    again = harness("dataset", "audit", ref, "--corrections", "fix.csv")
    assert again.code == 2
    assert "there already" in again.err
