"""Excel workbooks: what a table needs of them, and none of what a hostile one would do."""

import io
import zipfile

import pytest

from harness.datasets import spreadsheets, tables
from harness.datasets.notes import Notes
from harness.errors import DatasetError
from tests.datasets.workbooks import MAIN, workbook

HEADER = ["text", "label"]


def read(tmp_path, content):
    """The rows and the notes of a workbook with these bytes."""
    (tmp_path / "f.xlsx").write_bytes(content)
    notes = Notes()
    return [row for _, row in tables.read(tmp_path / "f.xlsx", notes=notes)], notes.all()


def test_cells_of_every_type(tmp_path):
    """Text, numbers, truth values, dates by their style, escapes and gaps; hidden sheets are passed over."""
    rows = [
        ["text", "n", "b", "day", "moment", "part", "err"],
        ["x < y", 1.0, True, (45_000, 1), (45_000.5, 2), (0.25, 2), "#N/A"],
        ["a_x000D_b", 2.5, False, None, None, 0.1],
    ]
    found, notes = read(tmp_path, workbook(rows))
    assert found == [
        {
            "text": "x < y",
            "n": "1",
            "b": "true",
            "day": "2023-03-15",
            "moment": "2023-03-15T12:00:00",
            "part": "06:00:00",
            "err": None,
        },
        {"text": "a\rb", "n": "2.5", "b": "false", "day": None, "moment": None, "part": "0.1", "err": None},
    ]
    assert [(note.what, note.n) for note in notes] == [("cells with an Excel error, taken as empty", 1)]


def test_shared_texts_and_references(tmp_path):
    """Texts held once for the whole book, with pronunciation left out; cells that name their column."""
    shared = (
        f'<sst xmlns="{MAIN}"><si><t>text</t></si><si><r><t>two </t></r><r><t>parts</t></r>'
        "<rPh><t>no</t></rPh></si></sst>"
    )
    sheet = (
        f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row r="2"><x:c r="B2" t="s"><x:v>0</x:v></x:c>'
        '<x:c r="D2" t="str"><x:f>A1</x:f><x:v>label</x:v></x:c></x:row>'
        '<x:row r="9"><x:c r="B9" t="s"><x:v>1</x:v></x:c><x:c r="D9"><x:v>7</x:v></x:c></x:row>'
        "</x:sheetData></x:worksheet>"
    )
    content = workbook([], parts={"xl/sharedStrings.xml": shared, "xl/worksheets/sheet2.xml": sheet})
    (tmp_path / "f.xlsx").write_bytes(content)
    ((where, row),) = tables.read(tmp_path / "f.xlsx")
    assert row == {"text": "two parts", "label": "7"}
    assert where.endswith("f.xlsx: row 9")


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda: workbook([HEADER], before=BOMB), "its XML declares a document type"),
        (lambda: workbook([HEADER])[:-40], "not readable as an Excel workbook"),
        (lambda: workbook([HEADER], parts={"xl/worksheets/sheet2.xml": "<worksheet>"}), "is not XML"),
        (lambda: workbook([HEADER], parts={"xl/workbook.xml": "<a/>"}), "the file is empty"),
        (lambda: b"PK\x03\x04 and no archive", "not readable as an Excel workbook"),
        (lambda: workbook([["x"] * 2_001]), "more than 2,000 columns"),
    ],
)
def test_broken_and_hostile_workbooks(tmp_path, content, message):
    """Entities, cut-off archives, broken XML and endless columns are one line."""
    with pytest.raises(DatasetError, match=message):
        read(tmp_path, content())


def test_what_unpacks_to_too_much(tmp_path, monkeypatch):
    """A part has a limit on its bytes, and the shared texts on their length together."""
    monkeypatch.setattr(spreadsheets, "MAX_PART_BYTES", 200_000)
    with pytest.raises(DatasetError, match="sheet2.xml unpacks to more than 200,000 bytes"):
        read(tmp_path, workbook([HEADER, *[["x" * 1_000, "a"]] * 1_000]))
    monkeypatch.setattr(spreadsheets, "MAX_SHARED_CHARS", 50_000)
    shared = f'<sst xmlns="{MAIN}">' + f"<si><t>{'y' * 500}</t></si>" * 300 + "</sst>"
    with pytest.raises(DatasetError, match="its texts are longer than 50,000 characters"):
        read(tmp_path, workbook([HEADER], parts={"xl/sharedStrings.xml": shared}))


def test_another_archive_is_no_workbook(tmp_path):
    """A ZIP archive that is named .xlsx and holds something else has no rows."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x.csv", "text,label\n")
    with pytest.raises(DatasetError, match="the file is empty"):
        read(tmp_path, out.getvalue())
