"""No table that goes out holds a cell that a spreadsheet would run."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import datasets
from harness.datasets import sampling
from harness.ground.spreadsheets import Rows, guarded, unguarded
from harness.report import drawings
from harness.types import Item
from tests.conftest import write_tickets

# The list of OWASP's page on CSV injection, with the full-width forms of its characters, and NUL.
DANGEROUS = ["=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
PAYLOAD = "1+HYPERLINK(A1)"


@pytest.mark.parametrize("first", DANGEROUS, ids=ascii)
def test_every_dangerous_first_character_is_guarded(first):
    """A quote before it, and it comes back as it was; the same character further on is left alone."""
    assert guarded(first + PAYLOAD) == f"'{first}{PAYLOAD}"
    assert unguarded(guarded(first + PAYLOAD)) == first + PAYLOAD
    assert guarded(f"a{first}{PAYLOAD}") == f"a{first}{PAYLOAD}"


@given(st.text(st.sampled_from(["'", "a", " ", *DANGEROUS]), max_size=6))
def test_what_was_guarded_comes_back(text):
    """Whatever the text, quotes of its own included; and no guarded cell begins with what is dangerous."""
    assert unguarded(guarded(text)) == text
    assert guarded(text)[:1] not in DANGEROUS


@pytest.mark.parametrize("first", DANGEROUS, ids=ascii)
def test_every_table_guards_every_column_of_text(first, tmp_path):
    """The table for labellers (id, text, tags) and the one behind a figure."""
    hostile = first + PAYLOAD
    drawn = [sampling.Drawn(Item(hostile, hostile, (hostile,)), 2.0)]
    made = [sampling.written(drawn), drawings.as_csv(("name",), ((hostile,),))]
    cells = [cell for table in made for row in csv.reader(io.StringIO(table.decode(), newline="")) for cell in row]
    assert sum(PAYLOAD in cell for cell in cells) == 4
    assert not [cell for cell in cells if cell[:1] in DANGEROUS]


def test_labels_find_their_item_by_a_guarded_id(tmp_path):
    """An id that looks like a formula comes back from the labellers as the id it was."""
    write_tickets(tmp_path)
    item = Item("-5", "=a new text", ("+t",))
    table = sampling.written([sampling.Drawn(item, 2.0)]).decode().replace(",,2", ",bug,2")
    (tmp_path / "labelled.csv").write_text(table)
    sampling.append_labels(tmp_path, "tickets@v1", "v2", tmp_path / "labelled.csv")
    [found] = [e for e in datasets.load(tmp_path, "tickets@v2").examples if e.item.id == "-5"]
    assert (found.item.text, found.item.tags, found.label) == ("=a new text", ("+t",), "bug")


CELLS = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]) | st.sampled_from('\r\n",'), max_size=8
)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=5))
def test_what_is_written_is_read_back(rows):
    """Every cell, whatever ends of lines it holds."""
    out = io.StringIO(newline="")
    Rows(out).write_all(rows)
    assert list(csv.reader(io.StringIO(out.getvalue(), newline=""))) == rows


@pytest.mark.parametrize("text", ["a\rb", "a\r\nb", "a\nb", "b\r", "\rb", "a\x85b\u2028c\x0bd"])
def test_a_version_keeps_the_ends_of_lines_in_its_texts(tmp_path, text):
    """What is imported can be loaded, and says the same to the letter."""
    rows = [{"text": text, "label": "x"}, {"text": "z", "label": "y"}]
    (tmp_path / "d.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    spec = datasets.ImportSpec(name="d", version="v1", text="text", label="label")
    datasets.import_file(tmp_path, spec, {None: tmp_path / "d.jsonl"})
    assert datasets.load(tmp_path, "d@v1").examples[0].item.text == text
