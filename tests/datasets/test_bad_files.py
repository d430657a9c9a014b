"""Files that are wrong, hostile or in another encoding: one clear line, exit 2, no half-made version."""

import gzip
import io
import json
import sys
import zipfile
from contextlib import redirect_stderr
from unittest.mock import patch

import duckdb
import pytest

from harness import datasets
from harness.app import cli
from harness.datasets import parquet, remote, tables
from harness.errors import DatasetError

SPEC = {"name": "d", "version": "v1", "text": "text", "label": "label"}
ROWS = "text,label\ncafé,a\nüber,b\n"


def imported(root, path, **more):
    spec = datasets.ImportSpec(**(SPEC | more))
    return datasets.import_files(root, spec, {None: path})


def refused(root, path, **more):
    """The one line that the import is refused with; nothing is left behind."""
    with pytest.raises(DatasetError) as caught:
        imported(root, path, **more)
    folder = root / "datasets"
    assert not folder.exists() or not list(folder.rglob("*"))
    assert "\n" not in str(caught.value)
    if not more.keys() - {"encoding"}:
        code, line = by_command(root, path, **more)
        said, _, following = line.rstrip("\n").partition("; next: ")
        assert (code, said) == (2, f"harness: {' '.join(str(caught.value).split())}")
        assert not following or following.startswith("harness dataset import ")
        assert not folder.exists() or not list(folder.rglob("*"))
    return str(caught.value)


def by_command(root, path, encoding=None):
    """The exit code, and what stands on stderr."""
    words = ["harness", "dataset", "import", str(path), "--name", "d", "--text", "text", "--label", "label"]
    words += ["--root", str(root), *([] if encoding is None else ["--encoding", encoding])]
    told = io.StringIO()
    with patch.object(sys, "argv", words), redirect_stderr(told), pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code, told.getvalue()


def zip_bomb():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.csv", b"text,label\n" + b"0" * 20_000_000)
    return out.getvalue()


OTHER = {
    "a ZIP archive": zip_bomb,
    "a gzip archive": lambda: gzip.compress(b"text,label\n" + b"0" * 1_000_000),
    "a PNG image": lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "an SQLite database": lambda: b"SQLite format 3\x00" + bytes(100),
    "a Parquet file": lambda: b"PAR1" + bytes(100),
    "an old Excel file": lambda: b"\xd0\xcf\x11\xe0" + bytes(100),
}


@pytest.mark.parametrize("what", OTHER)
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_other_formats_are_named(tmp_path, what, ending):
    """A file that is something else is refused by its first bytes, whatever its ending; archives are never unpacked."""
    path = tmp_path / f"f.{ending}"
    path.write_bytes(OTHER[what]())
    said = refused(tmp_path, path)
    assert what in said
    assert ("archives are not unpacked" in said) == what.endswith("archive")


def test_binary_without_a_known_beginning(tmp_path):
    """Random bytes are refused with the line and the byte."""
    (tmp_path / "f.csv").write_bytes(b"text,label\n" + bytes(range(128, 256)))
    said = refused(tmp_path, tmp_path / "f.csv")
    assert "f.csv:2: byte 11 of the file is not UTF-8; is this a text file?" in said


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_giant_line_is_never_read_whole(tmp_path, ending):
    """200 MB without a line end (here a sparse file of blanks' worth) are refused at the cap, with the line."""
    path = tmp_path / f"f.{ending}"
    with path.open("wb") as file:
        file.write(b"text,label\n" if ending == "csv" else b'{"text": "x", "label": "a"}\n')
        for _ in range(200):
            file.write(b"x" * 1_000_000)
    said = refused(tmp_path, path)
    assert f"f.{ending}:2: the line is longer than {tables.MAX_LINE_CHARS:,} characters" in said


def test_a_giant_cell_is_refused(tmp_path):
    """A quotation mark without its partner swallows the rest of the file: the line where it begins is named."""
    rows = "".join(f"row {i} with some words,a\n" for i in range(60_000))
    (tmp_path / "f.csv").write_text(f'text,label\nx,a\n"open,b\n{rows}')
    said = refused(tmp_path, tmp_path / "f.csv")
    assert "f.csv:3: a cell is longer than 1,048,576 characters; is there a quotation mark" in said


def test_a_quote_that_never_ends(tmp_path):
    """A file that ends inside quotes is an error at the line where the row begins."""
    (tmp_path / "f.csv").write_text('text,label\nx,a\n"open,b\n')
    assert "f.csv:3: a quotation mark opens a cell there and has no partner" in refused(tmp_path, tmp_path / "f.csv")


def test_nul_bytes_and_utf16_without_a_mark(tmp_path):
    """NUL bytes are refused with the line; the way to read UTF-16 without a mark is named, and works."""
    (tmp_path / "f.csv").write_bytes(ROWS.encode("utf-16-le"))
    said = refused(tmp_path, tmp_path / "f.csv")
    assert "f.csv:2: it holds a NUL byte" in said  # the first that is not UTF-8
    assert "--encoding utf-16-le" in said
    assert imported(tmp_path, tmp_path / "f.csv", encoding="utf-16-le").counts


@pytest.mark.parametrize(
    ("encoding", "read_as"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("utf-32", "utf-32")],
)
def test_what_the_file_declares_is_read(tmp_path, encoding, read_as):
    """A byte order mark says the encoding; the rows are the same, and the manifest keeps how they were read."""
    (tmp_path / "f.csv").write_text(ROWS, encoding=encoding)
    made = imported(tmp_path, tmp_path / "f.csv")
    assert made.encodings == {"f.csv": read_as}
    dataset = datasets.load(tmp_path, "d@v1")
    assert [example.item.text for example in dataset.examples] == ["café", "über"]
    assert ("encoding of f.csv" in dataset.source) == (encoding in ("utf-16", "utf-32"))


def test_western_encodings_are_said_and_not_guessed(tmp_path):
    """A cp1252 file is an error that shows how it would read; with the option it is read so."""
    (tmp_path / "f.csv").write_text(ROWS, encoding="cp1252")
    said = refused(tmp_path, tmp_path / "f.csv")
    assert "f.csv:2: byte 14 of the file is not UTF-8; as cp1252 it reads 'café,a'" in said
    imported(tmp_path, tmp_path / "f.csv", encoding="cp1252")
    assert datasets.load(tmp_path, "d").examples[0].item.text == "café"


def test_an_unknown_encoding_is_refused(tmp_path):
    """The option takes the names of encodings."""
    (tmp_path / "f.csv").write_text(ROWS)
    assert "--encoding 'utf-seven' is not known" in refused(tmp_path, tmp_path / "f.csv", encoding="utf-seven")


def test_half_a_character(tmp_path):
    """A lone surrogate in JSON is refused with its line."""
    (tmp_path / "f.jsonl").write_text('{"text": "x", "label": "a"}\n{"text": "\\ud83d", "label": "b"}\n')
    assert "f.jsonl:2: it holds half a character" in refused(tmp_path, tmp_path / "f.jsonl")


def test_a_parquet_file_that_unpacks_to_too_much(tmp_path, monkeypatch):
    """A small Parquet file of a great many equal cells is refused before they fill the memory."""
    path = tmp_path / "f.parquet"
    query = "select repeat('x', 100000) as text, 'a' as label from range(20000)"
    duckdb.sql(f"copy ({query}) to '{path}' (format parquet)")
    assert path.stat().st_size < 2_000_000
    monkeypatch.setattr(parquet, "MAX_UNPACKED_BYTES", 50_000_000)
    assert "unpacks to more than 50,000,000 bytes" in refused(tmp_path, path)


def test_a_parquet_cell_that_is_too_long(tmp_path):
    """Cells have a limit there too, with the row's number."""
    path = tmp_path / "f.parquet"
    duckdb.sql(f"copy (select repeat('x', 2000000) as text, 'a' as label) to '{path}' (format parquet)")
    assert "f.parquet: row 1: a cell is longer than 1,048,576 characters" in refused(tmp_path, path)


def test_a_broken_parquet_file(tmp_path):
    """A file cut in half is not readable as Parquet."""
    path = tmp_path / "f.parquet"
    duckdb.sql(f"copy (select 'x' as text, 'a' as label from range(5000)) to '{path}' (format parquet)")
    path.write_bytes(path.read_bytes()[:-40])
    assert "f.parquet: not readable as Parquet" in refused(tmp_path, path)


def test_many_equal_texts_get_ids_in_linear_time(tmp_path):
    """Fifty thousand rows with one text have fifty thousand ids."""
    rows = "".join(f"ok,{'ab'[i % 2]}\n" for i in range(50_000))
    (tmp_path / "f.csv").write_text("text,label\n" + rows)
    made = imported(tmp_path, tmp_path / "f.csv", group=None)
    assert sum(sum(of_label.values()) for of_label in made.counts.values()) == 50_000


def test_one_reading_and_two_give_the_same(tmp_path):
    """CSV is read once and JSONL twice; the same rows are the same version."""
    rows = [{"text": f"row {i}", "label": "ab"[i % 2], "extra": str(i), "g": str(i // 3)} for i in range(300)]
    lines = ["text,label,extra,g", *(",".join(row.values()) for row in rows)]
    (tmp_path / "f.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "f.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    ids = set()
    for name in ("csv", "jsonl"):
        (tmp_path / name).mkdir()
        imported(tmp_path / name, tmp_path / f"f.{name}", group="g")
        ids.add(datasets.load(tmp_path / name, "d").id)
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("http://127.0.0.1:1/f.csv", "only https addresses are fetched"),
        ("file:///etc/passwd", "only https addresses are fetched"),
        ("ftp://127.0.0.1/f.csv", "only https addresses are fetched"),
        ("https://127.0.0.1:1/f.exe", "the ending says no format"),
        ("https://127.0.0.1:1/f.csv", "cannot be fetched"),
        ("hub:someone/f.csv", "expected hub:OWNER/NAME/PATH"),
    ],
)
def test_addresses_that_are_refused(tmp_path, source, said):
    """Only https is fetched, only what can be read, and a failure is one line."""
    assert remote.is_remote(source)
    with pytest.raises(DatasetError, match=said) as caught:
        remote.fetched(source, tmp_path)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
