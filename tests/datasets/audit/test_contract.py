"""Every check in its folder: finds the defect planted for it, is silent on a clean set, survives small ones."""

import json
import random
from dataclasses import replace

import pytest

from harness.datasets.audit import auditing
from harness.datasets.audit.findings import Severity
from harness.ground import plugins
from harness.ground.located import Located
from harness.types import Dataset, Label
from tests.datasets.audit.conftest import clean_rows, dataset, found_by

CHECKS = plugins.names("checks")
SECRET = "ghp_" + "a1B2c3D4e5F6g7H8" * 3
MAIL = "mary.major@example.org"


def said(text, label="bug", split="train"):
    return (text, label, split)


def of_label(rows, label, split):
    return [row for row in rows if row[1] == label and row[2] == split]


def without(rows, label, split, keep):
    """The rows, with all but `keep` of a label's rows in one split taken out."""
    gone = of_label(rows, label, split)[keep:]
    return [row for row in rows if row not in gone]


def relabelled(rows, n):
    """The rows with the first `n` bug reports of the training split called billing."""
    wrong = of_label(rows, "bug", "train")[:n]
    return [(row[0], "billing", row[2]) if row in wrong else row for row in rows]


def in_another_order(rows):
    """Rows, or a dataset, mixed."""
    if isinstance(rows, Dataset):
        return replace(rows, examples=tuple(in_another_order(list(rows.examples))))
    return random.Random(1).sample(rows, len(rows))


def shuffled(text):
    """The same words in another order."""
    return " ".join(reversed(text.split()))


def of_fields(rows):
    """The rows as a set of fields: 20 without a value, one misplaced, one that is not in its text, one overlapping."""
    made = dataset(rows)
    golds = ["{}"] * 20 + [
        json.dumps({"a": {"text": "elsewhere", "start": 0, "end": 3}}),
        json.dumps({"a": "nowhere in it"}),
        json.dumps({n: {"text": rows[22][0][:4], "start": 0, "end": 4} for n in "ab"}),
    ]
    golds += [json.dumps({"a": row[0].split()[0]}) for row in rows[len(golds) :]]
    examples = tuple(replace(one, label=gold) for one, gold in zip(made.examples, golds, strict=True))
    return replace(made, kind="extract", examples=examples, labels=(Label("a"), Label("b")))


def rated(rows):
    """The rows with two raters, who are both wrong on the first."""
    made = dataset(rows)
    examples = [replace(one, ratings={"r1": one.label, "r2": one.label}) for one in made.examples]
    examples[0] = replace(examples[0], ratings={"r1": "other", "r2": "other"})
    return replace(made, examples=tuple(examples))


# What is planted, the number of rows (or labels, or texts) that are wrong, and the fact that counts them.
PLANTS = {
    "answers": (of_fields, "rows", [20, 1, 1, 1]),
    "raters": (rated, None, [None, None]),
    "blanks": (lambda rows: [*rows, said(" edge of a text"), said("two\nlines of text")], "rows", [1, 1]),
    "characters": (
        lambda rows: [*rows, said("a bell\x07 rings"), said("zero\u200bwidth here"), said("👩\u200d🔧 mends")],
        "rows",
        [1, 1, 1],
    ),
    "conflicts": (
        lambda rows: [*rows, (rows[0][0], "bug", "test"), (rows[3][0].upper(), "bug", "train")],
        "texts",
        [2],
    ),
    "duplicates": (
        lambda rows: [*rows, rows[0], (rows[4][0].title(), *rows[4][1:])],
        "train normalised",
        [2],
    ),
    "encoding": (
        lambda rows: [
            *rows,
            said("the cafÃ© is closed"),
            said("one lost \ufffd character"),
            said("fish &amp; chips"),
            said('half a "quotation'),
        ],
        "rows",
        [1, 1, 1, 1],
    ),
    "giveaways": (
        lambda rows: [(f"{t} zebra" if label == "bug" else t, label, split) for t, label, split in rows],
        "labels",
        [1],
    ),
    "label-names": (lambda rows: [*rows, *[(f"{r[0]} more", "Bug", r[2]) for r in rows[:9]]], "spelt twice", [1]),
    "label-noise": (lambda rows: relabelled(rows, 6), "suspects", [6]),
    "languages": (
        lambda rows: [*rows, said("привет это другое письмо"), said("pаypal asks for money")],
        "rows",
        [1, 1],
    ),
    "leaks": (
        lambda rows: [
            *rows,
            (rows[0][0], "billing", "test"),
            (rows[3][0].upper(), "billing", "test"),
            (shuffled(rows[1][0]), "bug", "test"),
        ],
        "train to test",
        [3],
    ),
    "lengths": (lambda rows: [*rows, said("?!"), said("word " * 900)], "rows", [1, 1]),
    "near-duplicates": (lambda rows: [*rows, (shuffled(rows[0][0]), *rows[0][1:])], "train", [2]),
    "privacy": (
        lambda rows: [
            *rows,
            said(f"write to {MAIL}"),
            said("card 4111 1111 1111 1111"),
            said("call +44 20 7946 0958"),
            said("pay to GB82 WEST 1234 5698 7654 32"),
            said("order 1234 5678 1234 5678 has no check digit"),
        ],
        "rows",
        [4],
    ),
    "repairs": (
        lambda rows: replace(dataset(rows), source={"repaired": "one byte was read as a blank"}),
        "repaired",
        [1],
    ),
    "secrets": (lambda rows: [*rows, said(f"token {SECRET}"), said("my password: hunter2hunter2")], "rows", [2]),
    "small-classes": (lambda rows: without(without(rows, "bug", "dev", 0), "billing", "test", 3), None, [None, None]),
    "split-shares": (lambda rows: without(rows, "bug", "test", 2), None, [None, None]),
    "tags": (lambda rows: [*rows, ("a red kite", "bug", "train", ("bird", "A red  kite"))], "rows", [1]),
    "truncation": (
        lambda rows: [*rows, *[said(f"{row[0]} and on {row[0]}"[:100]) for row in rows[:8]]],
        "rows",
        [8],
    ),
    "tuning-leaks": (lambda rows: [*rows, (of_label(rows, "bug", "dev")[0][0], "bug", "test")], "dev to test", [1]),
}


def test_every_check_has_its_plant():
    """A new check comes with the defect that it must find."""
    assert set(PLANTS) == set(CHECKS)


@pytest.mark.parametrize("check", CHECKS)
def test_the_planted_defect_is_found(check, clean):
    """The check finds what was planted, all of it and nothing else, and says what to do."""
    plant, fact, counts = PLANTS[check]
    found = found_by(check, plant(clean))
    assert len(found) == len(counts)
    for finding, expected in zip(found, counts, strict=True):
        assert finding.remedy
        assert "\n" not in finding.message
        if fact:
            assert finding.facts[fact] == expected


@pytest.mark.parametrize("seed", range(5))
def test_a_clean_set_is_clean(seed):
    """No check raises a false alarm on five clean sets."""
    found = auditing.audit(dataset(clean_rows(seed=seed)))
    assert not found.findings, [finding.message for finding in found.findings]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("n", [1, 2])
def test_a_set_of_one_row_breaks_nothing(check, n):
    """A check of one row or two ends without an error."""
    found_by(check, [("only this", "a", "train"), ("and this", "b", "test")][:n])


@pytest.mark.parametrize("check", CHECKS)
def test_an_empty_set_breaks_nothing(check):
    """A check of no rows has nothing to say."""
    assert found_by(check, []) == []


@pytest.mark.parametrize("check", CHECKS)
def test_the_order_of_rows_does_not_matter(check, clean):
    """The same rows in another order have the same number of defects."""
    plant, _, _ = PLANTS[check]
    rows = plant(clean)
    mixed = in_another_order(rows)
    # Which rows a classifier is cross-validated on is drawn, so suspects at the edge may differ.
    slack = 2 if check == "label-noise" else 0
    for a, b in zip(found_by(check, rows), found_by(check, mixed), strict=True):
        assert (a.severity, a.check) == (b.severity, b.check)
        assert abs(len(a.items) - len(b.items)) <= slack


def test_a_secret_is_never_shown(clean):
    """No sentence and no cell of any finding holds the secret or the e-mail address, whichever check shows the row."""
    rows = [*clean, *[(f"token {SECRET} of {MAIL}", "bug", split) for split in ("train", "train", "test")]]
    found = auditing.audit(dataset(rows))
    assert {"secrets", "privacy", "duplicates", "leaks"} <= {finding.check for finding in found.findings}
    shown = repr([(finding.message, finding.evidence) for finding in found.findings])
    assert SECRET not in shown
    assert SECRET[4:24] not in shown


def test_groups_make_repeats_known(clean):
    """Repeats that share a group are a note, not a warning: splits and standard errors know them."""
    grouped = [(*row, (), f"g{i}") for i, row in enumerate(clean)]
    (found,) = found_by("duplicates", [*grouped, grouped[0]])
    assert found.severity == Severity.NOTE
    (found,) = found_by("duplicates", [*clean, clean[0]])
    assert found.severity == Severity.WARNING


def test_labels_that_are_no_classes_are_left_alone(clean, tmp_path):
    """Checks that count labels are not made of a task whose answers are no closed set."""
    (tmp_path / "kinds").mkdir()
    (tmp_path / "kinds" / "free.py").write_text(
        "from harness.datasets.kinds.single import METRICS, credit, parse, read_gold, reply_format\n\n"
        "IS_BINARY, HAS_CLASSES = True, False\n"
    )
    made = dataset(relabelled(clean, 6))
    counting = {"label-noise", "small-classes", "split-shares", "giveaways", "label-names"}
    assert counting <= set(auditing.audit(made).checks)
    assert not counting & set(auditing.audit(replace(made, kind=Located("free", tmp_path))).checks)
