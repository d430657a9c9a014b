"""Every form of file, with every column that has a meaning: the same rows are the same dataset, with the same id."""

import csv
import gzip
import io
import json

import duckdb
import pytest

from harness import datasets
from harness.datasets.problems import ImportProblem
from harness.errors import DatasetError
from tests.datasets.workbooks import workbook

COLUMNS = ("key", "words", "mark", "part", "topics")
ROWS = [
    (f"k{i}", f"text {i}, with; every | separator\tbut no {'line' if i else 'break'}", ["refund", "billing"][i % 2],
     ("train", "dev", "test")[i % 3], "a|b" if i % 2 else "c")
    for i in range(12)
]  # fmt: skip
PLAIN = {"text": "words", "label": "mark"}
ROLES = {
    "text and label": {},
    "id": {"id": "key"},
    "splits": {"split_column": "part"},
    "tags": {"tags": "topics"},
    "all": {"id": "key", "split_column": "part", "tags": "topics"},
}


def delimited(separator, rows=None, lineterminator="\n"):
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator, lineterminator=lineterminator).writerows(rows or [COLUMNS, *ROWS])
    return out.getvalue()


def records():
    return [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]


def as_json(value):
    return json.dumps(value).encode()


def parquet(tmp_path):
    (tmp_path / "raw.csv").write_text(delimited(","))
    path = tmp_path / "made.parquet"
    duckdb.sql(f"copy (from read_csv('{tmp_path}/raw.csv', all_varchar=true, header=true)) to '{path}'")
    return path.read_bytes()


def by_column():
    return {name: [row[i] for row in ROWS] for i, name in enumerate(COLUMNS)}


FORMS = {
    "comma": ("f.csv", lambda _: delimited(",").encode()),
    "semicolon": ("f.csv", lambda _: delimited(";").encode()),
    "tab in .csv": ("f.csv", lambda _: delimited("\t").encode()),
    "pipe": ("f.csv", lambda _: delimited("|").encode()),
    "declared by Excel": ("f.csv", lambda _: b"sep=;\r\n" + delimited(";", lineterminator="\r\n").encode()),
    "byte order mark": ("f.csv", lambda _: delimited(";").encode("utf-8-sig")),
    "UTF-16": ("f.csv", lambda _: delimited(";").encode("utf-16")),
    "tsv": ("f.tsv", lambda _: delimited("\t").encode()),
    "csv.gz": ("f.csv.gz", lambda _: gzip.compress(delimited(";").encode())),
    "lines": ("f.jsonl", lambda _: b"\n".join(map(as_json, records()))),
    "lines, .json": ("f.json", lambda _: b"\n".join(map(as_json, records()))),
    "lines.gz": ("f.jsonl.gz", lambda _: gzip.compress(b"\n".join(map(as_json, records())))),
    "array": ("f.json", lambda _: as_json(records())),
    "array, indented": ("f.json", lambda _: json.dumps(records(), indent=1).encode()),
    "array, .jsonl": ("f.jsonl", lambda _: as_json(records())),
    "columns": ("f.json", lambda _: as_json(by_column())),
    "pandas": ("f.json", lambda _: as_json({c: {str(i): v for i, v in enumerate(x)} for c, x in by_column().items()})),
    "pandas split": (
        "f.json",
        lambda _: as_json({"columns": COLUMNS, "index": list(range(len(ROWS))), "data": ROWS}),
    ),
    "pandas index": ("f.json", lambda _: as_json({f"r{i}": row for i, row in enumerate(records())})),
    "document": ("f.json", lambda _: as_json({"version": 2, "data": records()})),
    "hub's server": (
        "f.json",
        lambda _: as_json(
            {
                "features": [
                    {"feature_idx": 2, "name": "mark", "type": {"names": ["billing", "refund"], "_type": "ClassLabel"}}
                ],
                "rows": [
                    {"row_idx": i, "row": row | {"mark": int(row["mark"] == "refund")}, "truncated_cells": []}
                    for i, row in enumerate(records())
                ],
            }
        ),
    ),
    "Excel": ("f.xlsx", lambda _: workbook([COLUMNS, *ROWS])),
    "parquet": ("f.parquet", parquet),
}


def imported(root, path, **more):
    """The dataset, and the notes of its import."""
    (root / "made").mkdir(exist_ok=True, parents=True)
    spec = datasets.ImportSpec(**({"name": "d", "version": "v1", "text": "text", "label": "label"} | more))
    made = datasets.import_files(root / "made", spec, {None: path})
    return datasets.load(root / "made", "d@v1"), made.notes


@pytest.mark.parametrize("roles", ROLES)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_dataset(tmp_path, form, roles):
    """A form says the same as plain CSV, whichever columns have a meaning; nothing is repaired or left out."""
    name, write = FORMS[form]
    (tmp_path / name).write_bytes(write(tmp_path))
    (tmp_path / "plain.csv").write_text(delimited(","))
    dataset, notes = imported(tmp_path, tmp_path / name, **PLAIN, **ROLES[roles])
    plain, _ = imported(tmp_path / "plain", tmp_path / "plain.csv", **PLAIN, **ROLES[roles])
    assert dataset.id == plain.id
    assert [e.item.text for e in dataset.examples] == [row[1] for row in ROWS]
    assert not [note for note in notes if note.how != "noticed"]


@pytest.mark.parametrize("roles", ROLES)
def test_columns_inside_columns(tmp_path, roles):
    """Any column may stand inside an object; no part of such an object stays behind to tell the label."""
    rows = [{"in": {"key": k, "deep": {"words": w}, "topics": t.split("|")}, "out": {"mark": m, "part": p, "by": 1}}
            for k, w, m, p, t in ROWS]  # fmt: skip
    (tmp_path / "f.jsonl").write_bytes(b"\n".join(map(as_json, rows)))
    path_of = {"key": "in.key", "part": "out.part", "topics": "in.topics"}
    asked = {role: path_of[column] for role, column in ROLES[roles].items()}
    dataset, _ = imported(tmp_path, tmp_path / "f.jsonl", text="in.deep.words", label="out.mark", **asked)
    assert [e.item.text for e in dataset.examples] == [row[1] for row in ROWS]
    for example, row in zip(dataset.examples, ROWS, strict=True):
        assert example.label == row[2]
        assert example.item.fields["out.by"] == "1"
        assert "out.mark" not in example.item.fields
        assert not any("refund" in cell or "billing" in cell for cell in example.item.fields.values())
    if "tags" in asked:
        assert dataset.examples[1].item.tags == ("a", "b")


def test_a_file_without_a_header_line(tmp_path):
    """`columns` names the columns of CSV, TSV and Excel files; another number of names is an error."""
    for name, content in (
        ("f.csv", delimited(";", [(row[1], row[2]) for row in ROWS]).encode()),
        ("f.tsv", "\n".join(f"text {i}\t{row[2]}" for i, row in enumerate(ROWS)).encode()),
        ("f.xlsx", workbook([(row[1], row[2]) for row in ROWS])),
    ):
        (tmp_path / name).write_bytes(content)
        dataset, _ = imported(tmp_path / name[2:], tmp_path / name, columns=("text", "label"))
        assert len(dataset.examples) == len(ROWS)
    with pytest.raises(DatasetError, match=r"f.csv:1: 2 cells; --columns names 3"):
        imported(tmp_path / "again", tmp_path / "f.csv", columns=("a", "text", "label"))


LABELS = ["refund", "billing", "refund", "shipping"]
TOOLS = {
    "doccano": ("f.jsonl", [{"id": i, "text": f"t {i}", "label": [x]} for i, x in enumerate(LABELS)], {}),
    "Label Studio": (
        "f.json",
        [
            {
                "id": i,
                "data": {"text": f"t {i}"},
                "annotations": [
                    {"was_cancelled": True, "result": [{"from_name": "c", "value": {"choices": ["wrong"]}}]},
                    {"result": [{"from_name": "c", "type": "choices", "value": {"choices": [x]}}]},
                ],
                "predictions": [],
            }
            for i, x in enumerate(LABELS)
        ],
        {},
    ),
    "Label Studio, by the control's name": (
        "f.json",
        [
            {
                "id": i,
                "data": {"text": f"t {i}"},
                "annotations": [{"result": [{"from_name": "c", "value": {"choices": [x]}}]}],
            }
            for i, x in enumerate(LABELS)
        ],
        {"text": "data.text", "label": "c"},
    ),
    "Prodigy": (
        "f.jsonl",
        [
            {"text": f"t {i}", "accept": [x], "options": [{"id": x}], "answer": "accept", "_task_hash": i}
            for i, x in enumerate(LABELS)
        ],
        {},
    ),
    "Prodigy, one label a task": (
        "f.jsonl",
        [{"text": f"t {i}", "label": x, "answer": "accept", "_input_hash": i} for i, x in enumerate(LABELS)],
        {},
    ),
    "Argilla 2": (
        "f.json",
        [
            {
                "id": str(i),
                "status": "completed",
                "fields": {"text": f"t {i}"},
                "responses": {
                    "q": [{"value": x, "status": "submitted"}, {"value": "no", "status": "discarded"}]
                },
                "suggestions": {},
            }
            for i, x in enumerate(LABELS)
        ],
        {},
    ),
    "Argilla 1, feedback": (
        "f.jsonl",
        [
            {
                "fields": {"text": f"t {i}"},
                "responses": [{"values": {"q": {"value": x}}, "status": "submitted"}],
                "metadata": {},
            }
            for i, x in enumerate(LABELS)
        ],
        {},
    ),
    "Argilla 1, classification": (
        "f.json",
        [
            {"id": i, "text": f"t {i}", "inputs": {"text": f"t {i}"}, "annotation": x, "prediction": None,
             "status": "Validated"}
            for i, x in enumerate(LABELS)
        ],
        {},
    ),
    "Argilla 2, flat": (
        "f.jsonl",
        [{"text": f"t {i}", "q.responses": [x, x]} for i, x in enumerate(LABELS)],
        {"label": "q.responses"},
    ),
    "chat": (
        "f.jsonl",
        [
            {"messages": [{"role": "system", "content": "sort"}, {"role": "user", "content": f"t {i}"},
                          {"role": "assistant", "content": x}]}
            for i, x in enumerate(LABELS)
        ],
        {"text": "user", "label": "assistant"},
    ),
    "labels as objects": (
        "f.jsonl",
        [{"text": f"t {i}", "labels": [{"name": x, "color": "red"}]} for i, x in enumerate(LABELS)],
        {"label": "labels.name"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("tool", TOOLS)
def test_what_annotation_tools_write(tmp_path, tool):
    """The tool's own form gives its texts and labels, and no field tells the label once more."""
    name, rows, asked = TOOLS[tool]
    content = as_json(rows) if name == "f.json" else b"\n".join(map(as_json, rows))
    (tmp_path / name).write_bytes(content)
    dataset, _ = imported(tmp_path, tmp_path / name, **asked)
    assert [(e.item.text, e.label) for e in dataset.examples] == [(f"t {i}", x) for i, x in enumerate(LABELS)]
    assert not any(x in cell for e in dataset.examples for x in LABELS for cell in e.item.fields.values())


def test_fasttext_lines(tmp_path):
    """A label before or behind the text; several labels ask for another kind."""
    (tmp_path / "f.txt").write_text("__label__a the  text\n\nbehind it __label__b\n__label__a x\n")
    dataset, _ = imported(tmp_path, tmp_path / "f.txt")
    assert [(e.item.text, e.label) for e in dataset.examples] == [("the  text", "a"), ("behind it", "b"), ("x", "a")]
    (tmp_path / "g.txt").write_text("__label__a __label__b text\n")
    with pytest.raises(ImportProblem, match=r"g.txt:1: .*several labels in one row, 'a' and 'b'; .*--kind multi"):
        imported(tmp_path / "g", tmp_path / "g.txt")
    (tmp_path / "h.txt").write_text("only words\n")
    with pytest.raises(DatasetError, match="begin with __label__NAME"):
        imported(tmp_path / "h", tmp_path / "h.txt")


def test_what_annotators_set_aside_is_counted(tmp_path):
    """Ignored tasks are left out; where annotators differ there is no label, and both are said."""
    answers = [(["a"], ["a"]), (["a"], ["b"]), (["b"], ["b"]), ([], [])]
    tasks = [
        {
            "data": {"text": f"t {i}"},
            "annotations": [{"result": [{"from_name": "c", "value": {"choices": x}}]} for x in two],
        }
        for i, two in enumerate(answers)
    ]
    (tmp_path / "f.json").write_bytes(as_json(tasks))
    with pytest.raises(ImportProblem, match=r"is empty, as it is in 2 of 4 rows \(in 1 of them annotators chose diff"):
        imported(tmp_path, tmp_path / "f.json")
    dataset, notes = imported(tmp_path, tmp_path / "f.json", drop_unlabelled=True)
    assert [e.label for e in dataset.examples] == ["a", "b"]
    assert {(note.how, note.n) for note in notes} == {("noticed", 1), ("left out", 2)}
    said = ["accept", "accept", "ignore", "reject"]
    ignored = [{"text": f"t {i}", "label": "ab"[i % 2], "answer": said[i % 4], "_task_hash": i} for i in range(8)]
    (tmp_path / "p.jsonl").write_bytes(b"\n".join(map(as_json, ignored)))
    dataset, notes = imported(tmp_path / "p", tmp_path / "p.jsonl")
    assert len(dataset.examples) == 4
    assert [note.n for note in notes] == [2, 2]
    assert "whose answer in Prodigy is 'ignore': 2" in dataset.source["repaired"]


def split_document(tmp_path, value):
    path = tmp_path / "doc.json"
    path.write_text(json.dumps(value))
    dataset, notes = imported(tmp_path, path)
    return sorted((one.item.text, one.label, one.split) for one in dataset.examples), notes


PARTS = {
    "train": [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}],
    "validation": [{"text": "c", "label": "x"}],
    "test": [{"text": "d", "label": "y"}],
}
PARTED = [("a", "x", "train"), ("b", "y", "train"), ("c", "x", "dev"), ("d", "y", "test")]


@pytest.mark.parametrize(
    "value",
    [
        PARTS,
        {"version": 3, **PARTS},
        {"data": PARTS, "about": {"by": "us"}},
        {**PARTS, "names": ["x", "y"], "none": []},
    ],
)
def test_a_document_with_its_rows_by_split_keeps_them(tmp_path, value):
    """The splits of the document are those of the dataset, whatever else the document says; nothing is drawn anew."""
    rows, _ = split_document(tmp_path, value)
    assert rows == PARTED


def test_a_list_that_is_called_as_no_split_is_one_of_rows(tmp_path):
    """A document with one list of rows under a usual name has no splits of its own."""
    rows, _ = split_document(tmp_path, {"data": [{"text": f"t{i}", "label": "xy"[i % 2]} for i in range(30)]})
    assert len({split for _, _, split in rows}) > 1


def test_a_column_of_splits_that_nobody_named_is_said(tmp_path):
    """It is kept as a field, and the option that takes the splits from it is named; one that is named is not."""
    path = tmp_path / "f.csv"
    path.write_text("text,label,Split\na,x,train\nb,y,train\nc,x,test\n")
    _, notes = imported(tmp_path / "one", path)
    assert [note.what for note in notes] == [
        "rows with a column 'Split' that is kept as a field: --split-column Split takes the splits from it"
    ]
    dataset, notes = imported(tmp_path / "other", path, split_column="Split")
    assert not notes
    assert [one.split for one in dataset.examples] == ["train", "train", "test"]
