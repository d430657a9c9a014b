"""Whatever is written as CSV, with whatever separator and quoting, is read back to the letter."""

import csv
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.datasets import tables
from harness.datasets.layouts import Layout
from harness.datasets.notes import Notes
from harness.errors import DatasetError
from tests.datasets.test_forms import imported

# A carriage return alone is what Python's writer leaves without quotes, and no reader then reads back.
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r")
ANY = st.text(CHARACTERS, min_size=1, max_size=20).map(lambda text: f"x{text}")
PUNCTUATED = st.text("ab ,;|\"\n'", max_size=12).map(lambda text: f"x{text}")
QUOTING = st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
ROWS = st.lists(st.tuples(st.one_of(ANY, PUNCTUATED), PUNCTUATED), min_size=1, max_size=6)


def written(path, rows, **dialect):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, **dialect).writerows([("text", "label"), *rows])


@settings(max_examples=150, deadline=None)
@given(ROWS, st.sampled_from(",;\t|"), QUOTING, st.sampled_from(["\n", "\r\n"]))
def test_the_separator_is_found_out(rows, separator, quoting, end):
    """Of comma, semicolon, tab and pipe the one that was written is found, given the names of the columns."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f.csv"
        written(path, rows, delimiter=separator, quoting=quoting, lineterminator=end)
        read = [row for _, row in tables.read(path, Layout(wanted=("text", "label")))]
    assert read == [{"text": text, "label": label} for text, label in rows]


@settings(max_examples=100, deadline=None)
@given(ROWS, st.sampled_from("~^:#*"), QUOTING)
def test_any_separator_that_is_told(rows, separator, quoting):
    """Any character may stand between cells when it is given."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f.csv"
        written(path, rows, delimiter=separator, quoting=quoting, lineterminator="\n")
        read = [row for _, row in tables.read(path, Layout(separator=separator))]
    assert read == [{"text": text, "label": label} for text, label in rows]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(PUNCTUATED, PUNCTUATED), min_size=1, max_size=6), QUOTING)
def test_tab_separated_files_with_quoting(rows, quoting):
    """A .tsv that quotes cells with line ends and quotation marks is read as it was meant."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f.tsv"
        written(path, rows, delimiter="\t", quoting=quoting, lineterminator="\n")
        read = [row for _, row in tables.read(path)]
    assert read == [{"text": text, "label": label} for text, label in rows]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.text('ab "', min_size=1, max_size=8), st.sampled_from("ab")), min_size=1, max_size=6))
def test_tab_separated_files_without_quoting(rows):
    """A .tsv that nobody quoted keeps every quotation mark, as soon as one of them quotes nothing."""
    told = [("x" + text, label) for text, label in rows] + [('x"', "a")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f.tsv"
        path.write_text("".join(f"{text}\t{label}\n" for text, label in [("text", "label"), *told]))
        read = [row for _, row in tables.read(path)]
    assert read == [{"text": text, "label": label} for text, label in told]


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_an_import_changes_no_text(rows):
    """Texts come out of an import as they are in the file; labels without blanks at their edges."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f.csv"
        written(path, [*rows, ("one", "one"), ("two", "two")], lineterminator="\n")
        dataset, _ = imported(Path(folder), path)
    assert [e.item.text for e in dataset.examples] == [*(text for text, _ in rows), "one", "two"]
    assert [e.label for e in dataset.examples] == [*(label.strip() for _, label in rows), "one", "two"]


@settings(max_examples=200, deadline=None)
@given(st.text(CHARACTERS, max_size=300), st.sampled_from(["csv", "tsv", "json", "jsonl", "txt"]))
def test_any_text_is_rows_or_one_line(text, ending):
    """Whatever a text file holds, reading it ends with rows or with one error of one line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"f.{ending}"
        path.write_text(text, encoding="utf-8", newline="")
        try:
            for _ in tables.read(path, Layout(), Notes()):
                pass
        except DatasetError as error:
            assert str(path) in str(error)  # noqa: PT017  (either way is right)
