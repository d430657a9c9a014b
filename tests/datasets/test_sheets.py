"""Which sheet of a workbook is read, and which line of a table is its header: told, or found out and shown."""

from pathlib import Path

import pytest

from harness import datasets
from harness.datasets import tables, way_out
from harness.datasets.layouts import Layout
from harness.datasets.problems import ImportProblem
from harness.errors import DatasetError
from tests.datasets.test_forms import imported
from tests.datasets.workbooks import merged, two_sheets, workbook
from tests.datasets.workbooks import sheet as of_rows

TABLE = [["text", "label"], *([f"ticket {i}", "ab"[i % 2]] for i in range(8))]
TEXTS = [row[0] for row in TABLE[1:]]
WORDS = [["About", "this file"], ["made by", "Ann"]]
LINES = "\n".join(";".join(row) for row in TABLE) + "\n"


def texts(path, **layout):
    return [row["text"] for _, row in tables.read(path, Layout(**layout))]


@pytest.mark.parametrize("sheet", ["Rows", "rows ", "2"])
def test_a_sheet_by_its_name_or_its_place(tmp_path, sheet):
    """Names are the same but for case and blanks, as Excel's are; places count the sheets that are seen."""
    (tmp_path / "f.xlsx").write_bytes(two_sheets(WORDS, TABLE))
    dataset, notes = imported(tmp_path, tmp_path / "f.xlsx", sheet=sheet)
    assert [e.item.text for e in dataset.examples] == TEXTS
    assert not notes  # a sheet that was chosen needs no remark


def test_a_hidden_sheet_by_its_name(tmp_path):
    """It is read where it is named, and never by its place."""
    content = workbook(WORDS, parts={"xl/worksheets/sheet1.xml": of_rows(TABLE)})
    (tmp_path / "f.xlsx").write_bytes(content)
    assert texts(tmp_path / "f.xlsx", sheet="Hidden") == TEXTS
    assert [row["About"] for _, row in tables.read(tmp_path / "f.xlsx", Layout(sheet="1"))] == ["made by"]


@pytest.mark.parametrize(
    ("name", "layout", "message"),
    [
        ("f.xlsx", {"sheet": "Tickets"}, r"no sheet 'Tickets'; expected one of 'Read me', 'Rows', or a number"),
        ("f.xlsx", {"sheet": "3"}, r"no sheet '3'; expected one of"),
        ("f.xlsx", {"sheet": "0"}, r"no sheet '0'; expected one of"),
        ("f.csv", {"sheet": "1"}, r"--sheet is for Excel workbooks"),
        ("f.jsonl", {"header": 2}, r"--header is for CSV, TSV and Excel"),
        ("f.csv", {"header": 99}, r"line 99 is empty or there is none"),
        ("f.csv", {"header": 2, "columns": ("text", "label")}, r"--header says which line .* give one of them"),
    ],
)
def test_what_cannot_be(tmp_path, name, layout, message):
    """A sheet that is not there, and options that a format does not have, are one line."""
    content = {"f.xlsx": two_sheets(WORDS, TABLE), "f.csv": LINES.encode(), "f.jsonl": b'{"text": "a"}\n'}
    (tmp_path / name).write_bytes(content[name])
    with pytest.raises(DatasetError, match=message):
        texts(tmp_path / name, **layout)


TITLED = {
    "a title in one cell": ("f.xlsx", workbook([["Tickets of 2026"], *TABLE]), 2),
    "a merged title": ("f.xlsx", merged([["Tickets of 2026", None], *TABLE], "A1:B1"), 2),
    "a title in every cell": ("f.xlsx", workbook([["Tickets", "Tickets"], *TABLE]), 2),
    "a title of two cells": ("f.xlsx", workbook([["Tickets", "2026"], *TABLE]), 2),
    "three lines and a gap": ("f.xlsx", workbook([["Tickets"], [None], ["printed"], *TABLE]), 4),
    "lines of a CSV": ("f.csv", ("Tickets of 2026\nprinted, 1 May\n\n" + LINES).encode(), 4),
    "a title with the separator": ("f.tsv", ("Tickets\t2026\n" + LINES.replace(";", "\t")).encode(), 2),
    "behind what Excel declares": ("f.csv", ("sep=;\nTickets\n" + LINES).encode(), 3),
}


@pytest.mark.parametrize("named", [True, False], ids=["columns named", "columns guessed"])
@pytest.mark.parametrize("case", TITLED)
def test_what_stands_above_the_header(tmp_path, case, named):
    """It is never taken out in silence: the message says which line seems to be the header, and that goes through."""
    name, content, at = TITLED[case]
    path = tmp_path / name
    path.write_bytes(content)
    columns = {"text": "text", "label": "label"} if named else {"text": "", "label": ""}
    with pytest.raises(ImportProblem, match=f"the header seems to be line {at}: --header {at}") as raised:
        imported(tmp_path, path, **columns)
    spec = way_out.sought(raised.value, datasets.ImportSpec("d", "v1", **columns), {None: path})
    assert (spec.header, spec.text, spec.label) == (at, "text", "label")
    dataset, notes = imported(tmp_path, path, header=at)
    assert [e.item.text for e in dataset.examples] == TEXTS
    assert [(note.how, note.what) for note in notes if note.how != "noticed"] == [
        ("left out", "lines above the header")
    ]


@pytest.mark.parametrize(
    "content",
    [
        "text\nhello, world\nwell, no\n",
        ",text,label\n0,a,x\n1,b,y\n",
        "words,kind\nlabel this text,x\nb,y\n",
        "note,words\ntext,label me\nb,y\n",
    ],
)
def test_a_header_that_is_one_is_left_alone(tmp_path, content):
    """Nothing is said of another line where the first one may well be the header."""
    (tmp_path / "f.csv").write_text(content)
    with pytest.raises(DatasetError) as raised:
        imported(tmp_path, tmp_path / "f.csv", text="", label="")
    assert "--header 2" not in str(raised.value)


def test_the_sheet_that_holds_the_rows_is_offered(tmp_path):
    """The first sheet is words; the message names the one with the columns, and that goes through."""
    path = tmp_path / "f.xlsx"
    path.write_bytes(two_sheets(WORDS, TABLE))
    for columns in ({"text": "text", "label": "label"}, {"text": "", "label": ""}):
        with pytest.raises(ImportProblem, match="sheet 'Rows' has such columns: --sheet Rows") as raised:
            imported(tmp_path, path, **columns)
        spec = way_out.sought(raised.value, datasets.ImportSpec("d", "v1", **columns), {None: Path(path)})
        assert (spec.sheet, spec.text, spec.label) == ("Rows", "text", "label")
