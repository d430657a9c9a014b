"""Rows without a label are rows: imported, kept, predicted; whoever needs gold leaves them out."""

import csv

import pytest

from harness import datasets
from harness.datasets import ImportSpec, label_names
from harness.datasets.audit.auditing import audit
from harness.datasets.versions import Edits, new_version
from harness.errors import DatasetError

LABELS = {"billing": "money", "refund": "", "other": ""}
ROWS = [("pay me", "billing"), ("give it back", ""), ("hello", " "), ("return it", "refund"), ("what", "")] * 6


def imported(root, rows=ROWS, label="queue", **more):
    path = root / "tickets.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("body", "queue"), *((f"{text} {number}", said) for number, (text, said) in enumerate(rows))])
    spec = ImportSpec("tickets", "v1", "body", label, labels=LABELS, is_closed=True, **more)
    made = datasets.import_files(root, spec, {None: path})
    return made, datasets.load(root, "tickets@v1")


def test_an_empty_cell_is_a_row_without_a_label(tmp_path):
    """Where the labels are given, a row with an empty label cell stays, and the count is said."""
    made, dataset = imported(tmp_path)
    assert len(dataset.examples) == 30
    assert len(dataset.labelled()) == 12
    assert {one.label for one in dataset.labelled()} == {"billing", "refund"}
    assert dataset.label_names == ("billing", "refund", "other")
    assert dataset.labels[0].description == "money"
    assert [(note.how, note.n) for note in made.notes if "without a label" in note.what] == [("noticed", 18)]


def test_without_a_column_of_labels(tmp_path):
    """Nobody has labelled anything: all rows wait, split like any others."""
    _, dataset = imported(tmp_path, label="")
    assert dataset.labelled() == ()
    assert {example.split for example in dataset.examples} <= {"train", "dev", "test"}
    assert "queue" in dataset.examples[0].item.fields


def test_labels_grow_and_no_row_moves(tmp_path):
    """A further version with more labels has every row in the split it was in, and all labels of the set."""
    _, old = imported(tmp_path, label="")
    first = old.examples[0].item.id
    new_version(tmp_path, "tickets@v1", "v2", Edits(cells={first: {"label": "other"}}))
    new = datasets.load(tmp_path, "tickets@v2")
    assert {e.item.id: e.split for e in new.examples} == {e.item.id: e.split for e in old.examples}
    assert new.label_names == old.label_names
    assert [e.item.id for e in new.labelled()] == [first]


def test_labels_that_are_none_of_the_set(tmp_path):
    """A label outside the given set is refused, and the nearest one is named."""
    with pytest.raises(DatasetError, match="label 'refnd' is none of --labels.*refund"):
        imported(tmp_path, rows=[("a", "refnd"), ("b", "billing")])


def test_dropped_when_asked(tmp_path):
    """Rows without a label are left out with drop_unlabelled all the same."""
    _, dataset = imported(tmp_path, drop_unlabelled=True)
    assert len(dataset.examples) == 12


def test_the_audit_is_of_labelled_rows(tmp_path):
    """An audit looks at the rows with a label and says how many it left out; without any there is nothing to audit."""
    _, dataset = imported(tmp_path)
    made = audit(dataset)
    assert (made.n, made.unlabelled) == (12, 18)
    (tmp_path / "other").mkdir()
    with pytest.raises(DatasetError, match="no row has a label yet"):
        audit(imported(tmp_path / "other", label="")[1])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "label,description\nbilling,money\nrefund,\n"),
        ("a.json", '{"billing": "money", "refund": ""}'),
        ("a.toml", 'billing = "money"\nrefund = ""\n'),
    ],
)
def test_files_of_labels(tmp_path, name, text):
    """A table, JSON or TOML names the labels and what they mean; a list or lines only name them."""
    (tmp_path / name).write_text(text)
    assert label_names.read(str(tmp_path / name)) == {"billing": "money", "refund": ""}
    assert label_names.read("billing, refund") == {"billing": "", "refund": ""}


@pytest.mark.parametrize(("name", "text"), [("a.csv", "label\nbilling\nrefund\n"), ("a.tsv", "billing\nrefund\n")])
def test_a_table_of_names_alone(tmp_path, name, text):
    """One column of labels is a table too; a row of three cells is refused for what the two columns expect."""
    (tmp_path / name).write_text(text)
    assert label_names.read(str(tmp_path / name)) == {"billing": "", "refund": ""}
    (tmp_path / "b.csv").write_text("billing,money,more\n")
    with pytest.raises(DatasetError, match="names 2"):
        label_names.read(str(tmp_path / "b.csv"))


@pytest.mark.parametrize("given", ["a,,b", "a,b,a"])
def test_wrong_labels(given):
    """An empty label and one that is named twice are refused."""
    with pytest.raises(DatasetError, match="empty label|twice"):
        label_names.read(given)
