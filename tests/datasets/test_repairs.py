"""What is repaired, left out or noticed is counted and said; what a person may have meant is left alone."""

import csv
import json
import unicodedata
from pathlib import Path

import duckdb
import pytest

from harness import datasets
from harness.datasets import relabelling, way_out
from harness.datasets.problems import ImportProblem
from harness.errors import DatasetError
from tests.datasets.test_forms import imported
from tests.datasets.workbooks import merged, two_sheets, workbook


def of_labels(root, labels, **more):
    """The labels of the rows that are kept, and the notes, of a CSV with these labels."""
    root.mkdir(exist_ok=True)
    with (root / "f.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *((f"text {i}", label) for i, label in enumerate(labels))])
    dataset, notes = imported(root, root / "f.csv", **more)
    return [example.label for example in dataset.examples], {note.what: note for note in notes}


NFC, NFD = "café", unicodedata.normalize("NFD", "café")


@pytest.mark.parametrize(
    ("labels", "become", "said"),
    [
        (["a ", " a", "a", "b"], ["a", "a", "a", "b"], {"labels with blanks at an edge": 2}),
        (["1.0", "0.0", "2.0"], ["1", "0", "2"], {"labels '1.0' written '1'": 1}),
        (["1.0", "1", "x"], ["1", "1", "x"], {"labels '1.0' written '1'": 1}),
        (["1.0", "1.5", "2.0"], ["1.0", "1.5", "2.0"], {}),
        (["-1", "1", "0"], ["-1", "1", "0"], {}),
        (["True", "TRUE", "False"], ["True", "True", "False"], {"labels 'TRUE' written 'True'": 1}),
        (["True", "False"], ["True", "False"], {}),
        (["['a']", '["b"]', "a"], ["a", "b", "a"], {"lists of one label": 2}),
        (["[urgent]", "[other]"], ["[urgent]", "[other]"], {}),
        (["Re", "re", "x"], ["Re", "re", "x"], {"the labels 'Re' and 're' differ in case alone": 1}),
        (["null", "a", "b"], ["null", "a", "b"], {"the label 'null' may mean that there is none": 1}),
        (["Null", "Null", "a"], ["Null", "Null", "a"], {"the label 'Null' may mean that there is none": 2}),
        (["-", "a"], ["-", "a"], {"the label '-' may mean that there is none": 1}),
        (["none", "a"], ["none", "a"], {}),
    ],
)  # fmt: skip
def test_labels_in_one_spelling(tmp_path, labels, become, said):
    """Blanks, truth values, whole numbers and lists of one have one spelling; what may be two labels stays two."""
    found, notes = of_labels(tmp_path, labels)
    assert found == become
    assert {what: notes[what].n for what in said} == said
    assert len(notes) == len(said) + sum("written" in what and what not in said for what in notes)


def test_composed_and_decomposed_are_one_label(tmp_path):
    """Two ways to write an accent are one label; texts keep the characters they have."""
    (tmp_path / "f.csv").write_text(f"text,label\n{NFD} one,{NFC}\ntwo,{NFD}\nthree,b\n")
    dataset, notes = imported(tmp_path, tmp_path / "f.csv")
    assert dataset.label_names == ("b", NFC)
    assert dataset.examples[0].item.text == f"{NFD} one"
    assert [note.n for note in notes] == [1]


@pytest.mark.parametrize(
    ("form", "rows"),
    [
        ("jsonl", '{"text": "a", "label": NaN}\n{"text": "b", "label": "x"}\n{"text": "c", "label": "y"}\n'),
        ("jsonl", '{"text": "a", "label": null}\n{"text": "b", "label": "x"}\n{"text": "c", "label": "y"}\n'),
        ("jsonl", '{"text": "a"}\n{"text": "b", "label": "x"}\n{"text": "c", "label": "y"}\n'),
        ("csv", "text,label\na,\nb,x\nc,y\n"),
        ("csv", "text,label\na,NaN\nb,x\nc,y\n"),
        ("csv", "text,label\na,#N/A\nb,x\nc,y\n"),
        ("csv", "text,label\na,nan\nb,1.0\nc,2.0\n"),
        ("csv", "text,label\na,[]\nb,x\nc,y\n"),
        ("parquet", "select 'a' as text, 'nan'::double as label union all select 'b', 1.0 union all select 'c', 2.0"),
        ("xlsx", [["text", "label"], ["a", None], ["b", "x"], ["c", "y"]]),
        ("xlsx", [["text", "label"], ["a", "#N/A"], ["b", "x"], ["c", "y"]]),
    ],
)
def test_a_missing_label_is_missing_in_every_form(tmp_path, form, rows):
    """None, NaN, an empty cell, an error of Excel and an empty list are no label: refused and counted, or left out."""
    path = tmp_path / f"f.{form}"
    if form == "parquet":
        duckdb.sql(f"copy ({rows}) to '{path}' (format parquet)")
    else:
        path.write_bytes(workbook(rows) if form == "xlsx" else rows.encode())
    with pytest.raises(ImportProblem, match="in 1 of 3 rows: leave them out with --drop-unlabelled"):
        imported(tmp_path, path)
    dataset, notes = imported(tmp_path, path, drop_unlabelled=True)
    assert len(dataset.examples) == 2
    assert set(dataset.label_names) in ({"x", "y"}, {"1", "2"})
    assert [note.n for note in notes if note.what.startswith("rows without a label")] == [1]


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_a_nul_character_is_taken_out(tmp_path, form):
    """A version is a text file, which holds none: it was released, and could not be read."""
    path = tmp_path / f"f.{form}"
    rows = [{"text": f"a\x00b {i}", "label": ("x", "y\x00")[i % 2], "tags": ["one\x00", "two"]} for i in range(4)]
    if form == "jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    else:
        each = "select 'a' || chr(0) || 'b ' || i as text, if(i % 2 = 1, 'y' || chr(0), 'x') as label"
        duckdb.sql(f"copy ({each}, ['one' || chr(0), 'two'] as tags from range(4) t(i)) to '{path}' (format parquet)")
    dataset, notes = imported(tmp_path, path, tags="tags")
    assert [one.item.text for one in dataset.examples] == [f"ab {i}" for i in range(4)]
    assert ({one.label for one in dataset.examples}, dataset.examples[0].item.tags) == ({"x", "y"}, ("one", "two"))
    assert [(note.what, note.n) for note in notes if "NUL" in note.what] == [
        ("rows with NUL characters, which were taken out", 4)
    ]


def test_texts_that_are_missing(tmp_path):
    """A row without a text is refused with their number, or left out and counted."""
    (tmp_path / "f.jsonl").write_text(
        '{"text": NaN, "label": "a"}\n{"text": "x", "label": "a"}\n'
        '{"text": " ", "label": "b"}\n{"text": "y", "label": "b"}\n'
    )
    with pytest.raises(ImportProblem, match=r"f.jsonl:1: the text is empty; .* and 2 of 4 rows have none"):
        imported(tmp_path, tmp_path / "f.jsonl")
    dataset, notes = imported(tmp_path, tmp_path / "f.jsonl", drop_empty=True)
    assert [e.item.text for e in dataset.examples] == ["x", "y"]
    assert [(note.what, note.n) for note in notes] == [("rows without a text", 2)]


@pytest.mark.parametrize("typed", [(True, "true"), (1.0, "1"), (3, "3"), (2.5, "2.5"), (-0.0, "0")])
def test_values_have_one_spelling_in_every_typed_form(tmp_path, typed):
    """JSON, Parquet and Excel spell a truth value and a number alike."""
    value, spelt = typed
    rows = [("one", value), ("two", "other")]
    (tmp_path / "f.json").write_text(json.dumps([{"text": t, "label": x} for t, x in rows]))
    (tmp_path / "f.xlsx").write_bytes(workbook([["text", "label"], *rows]))
    kind = "boolean" if value is True else "double"
    other = "false" if value is True else "7"
    duckdb.sql(
        f"copy (select 'one' as text, {value}::{kind} as label union all select 'two', {other}::{kind}) "
        f"to '{tmp_path}/f.parquet' (format parquet)"
    )
    for name in ("f.json", "f.xlsx", "f.parquet"):
        dataset, _ = imported(tmp_path / name[2:], tmp_path / name)
        assert dataset.examples[0].label == spelt


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        (["Train ", "validation", "TEST"], ["train", "dev", "test"]),
        (["training", "val", "test"], ["train", "dev", "test"]),
        (["dev", "validation", "train"], ["dev", "validation", "train"]),
        (["fold 1", " fold 2", "train"], ["fold 1", "fold 2", "train"]),
    ],
)
def test_splits_by_other_words(tmp_path, raw, named):
    """Another word or spelling for train, dev or test is read as it; two words for one split stay two splits."""
    rows = "".join(f"t {i},{'ab'[i % 2]},{split}\n" for i, split in enumerate(raw * 2))
    (tmp_path / "f.csv").write_text("text,label,part\n" + rows)
    dataset, notes = imported(tmp_path, tmp_path / "f.csv", split_column="part")
    assert [e.split for e in dataset.examples] == named * 2
    changed = {old: new for old, new in zip(raw, named, strict=True) if old != new}
    assert {note.what for note in notes} == {f"splits {old!r} written {new!r}" for old, new in changed.items()}


def test_a_tsv_without_quoting(tmp_path):
    """Quotation marks that quote nothing belong to the texts of a .tsv; where they quote, they quote."""
    lines = ["text\tlabel", '"he said\ta', "more\tb", 'end"\ta', 'a 5" screen\tb']
    (tmp_path / "f.tsv").write_text("\n".join(lines) + "\n")
    dataset, notes = imported(tmp_path, tmp_path / "f.tsv")
    assert [e.item.text for e in dataset.examples] == ['"he said', "more", 'end"', 'a 5" screen']
    assert [note.n for note in notes] == [3]
    (tmp_path / "g.tsv").write_text('text\tlabel\n"two\nlines"\ta\n"say ""hi"""\tb\n')
    dataset, notes = imported(tmp_path / "g", tmp_path / "g.tsv")
    assert [e.item.text for e in dataset.examples] == ["two\nlines", 'say "hi"']
    assert [(note.what, note.where[-7:]) for note in notes] == [("records that span several lines", "g.tsv:2")]


def test_rows_and_columns_without_content(tmp_path):
    """Rows whose cells are all empty and columns without a name are left out, and counted."""
    (tmp_path / "f.csv").write_text(",text,label,,\n0,one,a,,\n,,,,\n1,two,b,,,\n,,,,\n")
    dataset, notes = imported(tmp_path, tmp_path / "f.csv")
    assert [(note.how, note.n) for note in notes] == [("left out", 3), ("left out", 2)]
    assert dataset.examples[0].item.fields == {}


class TestRelabel:
    def test_pairs_and_files(self, tmp_path):
        """Pairs, CSV, JSON and TOML name the same new labels; all at once, and each is counted."""
        (tmp_path / "m.csv").write_text("old,new\nrefnd,refund\nbill,billing\n")
        (tmp_path / "m.json").write_text('{"refnd": "refund", "bill": "billing"}')
        (tmp_path / "m.toml").write_text('refnd = "refund"\nbill = "billing"\n')
        from_pairs = relabelling.read(["refnd=refund", "bill=billing"])
        for name in ("m.csv", "m.json", "m.toml"):
            assert relabelling.read([str(tmp_path / name)]) == from_pairs
        labels, notes = of_labels(tmp_path / "x", ["refnd", "bill", "refund", "refnd"], relabel=from_pairs)
        assert labels == ["refund", "billing", "refund", "refund"]
        assert notes["labels 'refnd' written 'refund'"].n == 2

    def test_names_may_change_places(self, tmp_path):
        """New names are given at once: `a` becomes `b` while `b` becomes `a`."""
        assert of_labels(tmp_path, ["a", "b", "b"], relabel={"a": "b", "b": "a"})[0] == ["b", "a", "a"]

    def test_an_empty_new_name_takes_the_label_away(self, tmp_path):
        """The rows then have no label, and are refused or left out like others."""
        with pytest.raises(ImportProblem, match="it is 'null'.* in 1 of 3 rows"):
            of_labels(tmp_path / "x", ["null", "a", "b"], relabel={"null": ""})
        labels, _ = of_labels(tmp_path / "y", ["null", "a", "b"], relabel={"null": ""}, drop_unlabelled=True)
        assert labels == ["a", "b"]

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            (["a"], "expected OLD=NEW, or a file"),
            (["a=b", "a=c"], "'a' is to become 'b' and 'c'"),
            (["=c"], "there is no old name"),
            (["gone.csv"], "there is no such file"),
        ],
    )
    def test_what_cannot_be_read(self, given, message):
        """One line says what is wrong."""
        with pytest.raises(DatasetError, match=message):
            relabelling.read(given)

    def test_a_label_that_no_row_has(self, tmp_path):
        """Names the labels there are, and the nearest."""
        with pytest.raises(ImportProblem, match=r"no row has the label 'refnd' .*did you mean 'refund'\?"):
            of_labels(tmp_path, ["refund", "billing"], relabel={"refnd": "refund"})


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (["a", "b"], r"several labels in one row, 'a' and 'b'; .* give --kind multi"),
        ("['a', 'b']", r"several labels in one row, 'a' and 'b'; .* give --kind multi"),
        ('["a", "b"]', r"several labels in one row, 'a' and 'b'; .* give --kind multi"),
        ({"choices": ["a"]}, r"holds an object, .*name its part, --label label.choices"),
        ('{"choices": ["a"]}', r"holds an object, .*name its part, --label label.choices"),
        ([{"role": "user"}, {"role": "assistant"}], r"holds objects"),
    ],
)
def test_what_is_no_label(tmp_path, label, message):
    """Several labels, objects and conversations are refused with the row and what to do."""
    (tmp_path / "f.json").write_text(json.dumps([{"text": "x", "label": label}]))
    with pytest.raises(ImportProblem, match=rf"f.json: row 1: column 'label' {message}|f.json: row 1: .*{message}"):
        imported(tmp_path, tmp_path / "f.json")


TABLE = [["text", "label"], ["a", "x"], ["b", "y"], ["c", "x"]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            workbook([["Tickets of 2026"], *TABLE]),
            r"f.xlsx: row 2: 2 cells; the header has 1 column: take out what stands beside .* --header 2",
        ),
        (workbook([*TABLE[:2], ["b", "y", "look again"]]), r"row 3: 3 cells; the header has 2 columns: take out what"),
        (
            two_sheets([["Ask Ann"], ["Bye"]], TABLE),
            r"^f.xlsx: sheet 'Read me': there is no column 'text'; sheet 'Rows' has such columns: --sheet Rows",
        ),
        (two_sheets(TABLE, TABLE[:1]), None),
        (
            merged([*TABLE[:2], ["b", None], ["c", "y"]], "B2:B3"),
            r"row 3: .* fill them in: the sheet has merged cells, of",
        ),
    ],
    ids=["a title above", "a remark beside", "a first sheet of words", "a second sheet", "merged labels"],
)
def test_a_messy_sheet_is_told_in_its_own_words(tmp_path, monkeypatch, content, said):
    """What stands where in a workbook, by sheet, and what to do in Excel; nothing about separators of lines."""
    monkeypatch.chdir(tmp_path)
    Path("f.xlsx").write_bytes(content)
    if said is None:
        _, notes = imported(tmp_path, Path("f.xlsx"))
        assert [note.what for note in notes] == ["sheets, of which 'Read me' was read; --sheet NAME takes another"]
        return
    with pytest.raises(DatasetError, match=said):
        imported(tmp_path, Path("f.xlsx"))


def test_a_total_below_the_table_is_noticed(tmp_path):
    """It is taken, for it may be a text, and said with the label that it would make."""
    rows = [["text", "label"], ["a", "x"], ["the total is wrong", "y"], ["Grand total:", 2]]
    (tmp_path / "f.xlsx").write_bytes(workbook(rows))
    dataset, (note,) = imported(tmp_path, tmp_path / "f.xlsx")
    assert dataset.label_names == ("2", "x", "y")
    assert (note.what, note.n) == ("rows that are perhaps a total of the others, not a text", 1)
    assert note.where.endswith("row 4")


@pytest.mark.parametrize("mark", ["\u200b", "\u2060", "\ufeff", " \u200f"])
def test_labels_with_characters_at_an_edge_that_nobody_sees(tmp_path, mark):
    """They are blanks; what is nothing else is no label, and the last part of a flag is no such character."""
    labels, notes = of_labels(tmp_path, ["a", f"a{mark}", f"{mark}b", "b"])
    assert (labels, notes["labels with blanks at an edge"].n) == (["a", "a", "b", "b"], 2)
    with pytest.raises(ImportProblem, match="is empty, as it is in 1 of 3 rows"):
        of_labels(tmp_path / "empty", ["a", mark, "b"])
    england = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
    labels, notes = of_labels(tmp_path / "flags", [england, "\U0001f3f4", england])
    assert (labels, list(notes)) == ([england, "\U0001f3f4", england], [])


def test_annotators_who_differ_are_named_as_the_reason(tmp_path):
    """The refusal of rows without a label says how many have several."""
    chosen = [("a", "a"), ("a", "b"), ("b", "b")]
    tasks = [
        {
            "data": {"text": f"text {i}"},
            "annotations": [{"result": [{"from_name": "x", "value": {"choices": [one]}}]} for one in each],
        }
        for i, each in enumerate(chosen)
    ]
    (tmp_path / "f.json").write_text(json.dumps(tasks))
    with pytest.raises(ImportProblem, match=r"in 1 of 3 rows \(in 1 of them annotators chose different labels\)"):
        imported(tmp_path, tmp_path / "f.json")


def test_judged_labels_of_prodigy_without_its_hashes(tmp_path):
    """What was rejected or ignored is no label, and is counted."""
    answers = ["accept", "reject", "ignore", "accept"]
    rows = [{"text": f"t{i}", "label": "ab"[i % 2], "answer": answer} for i, answer in enumerate(answers)]
    (tmp_path / "f.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    dataset, notes = imported(tmp_path, tmp_path / "f.jsonl")
    assert [(e.item.text, e.label) for e in dataset.examples] == [("t0", "a"), ("t3", "b")]
    assert [(note.how, note.n) for note in notes] == [("left out", 1), ("left out", 1)]


def test_a_column_is_not_offered_in_two_places(tmp_path):
    """A file of one column is no text and label, whatever the names have in common."""
    (tmp_path / "f.csv").write_text("text^label\n" + "".join(f"t{i}^a\n" for i in range(4)))
    with pytest.raises(ImportProblem, match="no column 'text'; expected one of 'text\\^label'") as raised:
        imported(tmp_path, tmp_path / "f.csv")
    assert (
        way_out.sought(raised.value, datasets.ImportSpec("d", "v1", "text", "label"), {None: tmp_path / "f.csv"})
        is None
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<!DOCTYPE html><html><body>Log in</body></html>", "this is a web page: was a page to log in saved"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"),
    ],
)
def test_what_stands_in_the_place_of_a_file(tmp_path, content, message):
    """A page to log in and a pointer are called by their names."""
    (tmp_path / "f.csv").write_text(content)
    with pytest.raises(DatasetError, match=message):
        imported(tmp_path, tmp_path / "f.csv")
