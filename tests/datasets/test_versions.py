"""Versions: what is imported is what is loaded, frozen, split by hash, and refused when it is not right."""

import json
import random
from dataclasses import replace

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import datasets
from harness.datasets import content, releasing, splits, versions
from harness.errors import ConfigError, DatasetError
from harness.types import Example, Item, Label

SPEC = {"name": "d", "version": "v1", "text": "text", "label": "label"}
ROWS = [("one", "a"), ("two", "b"), ("three\nlines", "a"), (" edge ", "b"), ('quo"te', "a")]


def imported(root, path, **more):
    spec = datasets.ImportSpec(**(SPEC | more))
    datasets.import_file(root, spec, {None: path})
    return datasets.load(root, f"{spec.name}@{spec.version}")


def csv_of(rows, header="text,label"):
    quoted = ['"' + '","'.join(cell.replace('"', '""') for cell in row) + '"' for row in rows]
    return "\n".join([header, *quoted]) + "\n"


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "parquet", "bom", "crlf"])
def test_every_format_gives_the_same_dataset(tmp_path, form):
    """CSV, TSV, JSONL, Parquet, with BOM or CRLF: the same rows, so the same id."""
    text = csv_of(ROWS)
    path = tmp_path / f"f.{form if form in ('tsv', 'jsonl', 'parquet') else 'csv'}"
    if form == "parquet":
        (tmp_path / "x.csv").write_text(text)
        duckdb.sql(f"copy (from read_csv('{tmp_path}/x.csv', header=true)) to '{path}' (format parquet)")
    elif form == "jsonl":
        path.write_text("\n".join(json.dumps({"text": t, "label": label}) for t, label in ROWS))
    elif form == "tsv":
        path.write_text(text.replace('","', '"\t"').replace("text,label", "text\tlabel"))
    else:
        body = text.replace("\n", "\r\n") if form == "crlf" else text
        path.write_bytes((b"\xef\xbb\xbf" if form == "bom" else b"") + body.encode())
    dataset = imported(tmp_path, path)
    texts = [example.item.text.replace("\r\n", "\n") for example in dataset.examples]
    assert texts == [text for text, _ in ROWS]
    assert dataset.label_names == ("a", "b")
    (tmp_path / "again").mkdir()
    (tmp_path / "plain.csv").write_text(text)
    if form != "crlf":  # a newline inside quotes is part of the text, and there it was another one
        assert imported(tmp_path / "again", tmp_path / "plain.csv").id == dataset.id


BAD = [
    ("f.csv", b"text,label\nx,a\ny\n", r"f.csv:3: 1 cell; the header has 2 columns: is the line cut off\?"),
    ("f.csv", b"text,text\nx,a\n", r"f.csv:1: the header names 'text' twice"),
    ("f.csv", b"", r"f.csv: the file is empty"),
    ("f.csv", b"text,label\n", r"f.csv: there are no rows"),
    ("f.csv", b"text,label\n  ,a\n", r"f.csv:2: the text is empty"),
    ("f.csv", b"text,label\nx,\ny,b\n", r"f.csv:2: the label in column 'label' is empty"),
    ("f.csv", b"text,label\nx,a\ny,a\n", r"f.csv: column 'label' holds one label only: 'a'"),
    ("f.csv", b'text,label\nx,a\n"y"z,b\n', r"f.csv:3: .*expected CSV with doubled quotes"),
    (
        "f.csv",
        b"text,label\nx,a\ncaf\xe9,b\n",
        r"f.csv:3: byte 18 of the file is not UTF-8; as cp1252 it reads 'café,b'.*--encoding cp1252",
    ),
    ("f.csv", b"text,label\nx\x00y,a\n", r"f.csv:2: it holds a NUL byte"),
    ("f.csv", b"body,label\nx,a\n", r"f.csv: there is no column 'text'; expected one of 'body', 'label'"),
    ("f.jsonl", b'{"text": "x", "label": "a"}\nnope\n', r"f.jsonl:2: not JSON"),
    ("f.jsonl", b"[1]\n", r"f.jsonl: row 1: found a JSON int; expected an object"),
    (
        "f.jsonl",
        b'{"text": "x", "label": null}\n',
        r"f.jsonl:1: the label in column 'label' is empty, as it is in 1 of 1 rows",
    ),
    ("f.parquet", b"PAR1 nonsense", r"f.parquet: not readable as Parquet"),
    ("f.xlsx", b"PK", r"f.xlsx: this is not a ZIP archive, as its ending .xlsx says"),
    ("f.docx", b"text,label\n", r"f.docx: the ending says no format"),
]


@pytest.mark.parametrize(("name", "content_bytes", "message"), BAD, ids=[message[:40] for _, _, message in BAD])
def test_bad_files_name_the_line_and_leave_nothing(tmp_path, name, content_bytes, message):
    """One line with file and line; no half-made version."""
    (tmp_path / name).write_bytes(content_bytes)
    with pytest.raises(DatasetError, match=message) as caught:
        imported(tmp_path, tmp_path / name)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "datasets").exists() or not list((tmp_path / "datasets").rglob("*.csv"))


def test_duplicate_ids_are_named_with_both_places(tmp_path):
    """An id stands for one row."""
    (tmp_path / "f.csv").write_text("id,text,label\n1,x,a\n2,y,b\n1,z,a\n")
    with pytest.raises(DatasetError, match=r"f.csv:4: id '1' stands at .*f.csv:2 already"):
        imported(tmp_path, tmp_path / "f.csv", id="id")


def test_a_version_is_never_written_twice(tmp_path):
    """The second import is refused, and the first one stays as it was."""
    (tmp_path / "f.csv").write_text(csv_of(ROWS))
    first = imported(tmp_path, tmp_path / "f.csv")
    with pytest.raises(DatasetError, match="is there already; a released version is frozen"):
        imported(tmp_path, tmp_path / "f.csv")
    assert datasets.load(tmp_path, "d@v1").id == first.id


def test_a_failure_half_way_leaves_nothing(tmp_path, monkeypatch):
    """The folder appears in one rename, or not at all."""
    (tmp_path / "f.csv").write_text(csv_of(ROWS))

    def full(*_):
        raise OSError("disk full")

    monkeypatch.setattr(releasing.manifest, "written", full)
    with pytest.raises(OSError, match="disk full"):
        imported(tmp_path, tmp_path / "f.csv")
    assert not list((tmp_path / "datasets").rglob("*"))


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("examples.csv", "two", "tow", r"the first row that differs is .*examples.csv:3"),
        ("examples.csv", ",b,", ",a,", r"the first row that differs"),
        ("dataset.toml", '"a" = ""', '"a" = "the first"', r"dataset.toml was changed"),
        ("dataset.toml", 'name = "d"', 'name = "e"', r"says e@v1; its folder says otherwise"),
        ("dataset.toml", "[labels]", "colour = 1\n[labels]", r"unknown key 'colour'"),
        ("dataset.toml", '"a" = ""\n', "", r"label 'a' is not in \[labels\]"),
        ("dataset.toml", 'kind = "single"', 'kind = "sinlge"', r"unknown kind 'sinlge'.*did you mean 'single'"),
        ("dataset.toml", 'file = "examples.csv"', 'file = "../x.csv"', "cannot be a name"),
    ],
)
def test_an_edit_is_found(tmp_path, file, old, new, message):
    """A changed row, label, column or name of a released version is an error that says where."""
    (tmp_path / "f.csv").write_text(csv_of(ROWS))
    imported(tmp_path, tmp_path / "f.csv")
    path = tmp_path / "datasets" / "d" / "v1" / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises((DatasetError, ConfigError), match=message):
        datasets.load(tmp_path, "d@v1")
    assert datasets.verify(tmp_path, "d@v1").problems


def test_a_link_out_of_the_workspace_is_refused(tmp_path):
    """A version holds its own rows."""
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    (tmp_path / "f.csv").write_text(csv_of(ROWS))
    imported(outside, tmp_path / "f.csv")
    (inside / "datasets").mkdir(parents=True)
    (inside / "datasets" / "d").symlink_to(outside / "datasets" / "d")
    with pytest.raises(DatasetError, match="leads out of the workspace"):
        datasets.load(inside, "d@v1")


@given(st.lists(st.text(min_size=1), min_size=1, max_size=40, unique=True), st.text(min_size=1))
def test_adding_rows_moves_none(keys, another):
    """A row's split depends on its own key and the seed alone."""
    shares = {"train": 0.6, "dev": 0.2, "test": 0.2}
    before = {key: splits.assign(key, shares, seed=3) for key in keys}
    assert {key: splits.assign(key, shares, seed=3) for key in [*keys, another] if key in before} == before


def test_shares_are_met():
    """Ten thousand keys fall into the splits as often as asked."""
    shares = {"train": 0.6, "dev": 0.1, "test": 0.3}
    drawn = [splits.assign(str(i), shares, seed=0) for i in range(10_000)]
    for name, share in shares.items():
        assert abs(drawn.count(name) / 10_000 - share) < 0.02


def test_the_id_ignores_the_order_of_rows_and_nothing_else():
    """Text, tags, fields, label, split and group each make another dataset."""
    row = Example(Item("1", "x", ("t",), {"f": "v"}), "a", "train", "g")
    other = Example(Item("2", "y"), "b", "test")
    labels = (Label("a"), Label("b"))

    def identity(*examples):
        return content.dataset_id("single", labels, map(content.row_digest, examples))

    assert identity(row, other) == identity(other, row)
    variants = [
        Example(Item("9", "x", ("t",), {"f": "v"}), "a", "train", "g"),
        Example(Item("1", "X", ("t",), {"f": "v"}), "a", "train", "g"),
        Example(Item("1", "x", ("u",), {"f": "v"}), "a", "train", "g"),
        Example(Item("1", "x", ("t",), {"f": "w"}), "a", "train", "g"),
        Example(Item("1", "x", ("t",), {"f": "v"}), "b", "train", "g"),
        Example(Item("1", "x", ("t",), {"f": "v"}), "a", "test", "g"),
        Example(Item("1", "x", ("t",), {"f": "v"}), "a", "train", "h"),
    ]
    assert len({identity(one, other) for one in [row, *variants]}) == 8


def test_splits_tags_groups_and_fields_survive(tmp_path):
    """What is imported is what is loaded, column by column, in names that clash too."""
    (tmp_path / "f.csv").write_text("text,label,tags,split,group,extra\nx,a,p;q,train,g1,e1\ny,b,,test,g2,\n")
    dataset = imported(
        tmp_path, tmp_path / "f.csv", tags="tags", tags_separator=";", split_column="split", group="group"
    )
    first, second = dataset.examples
    assert (first.item.tags, first.split, first.group, first.item.fields) == (
        ("p", "q"),
        "train",
        "g1",
        {"extra": "e1"},
    )
    assert (second.item.tags, second.split, second.item.fields) == ((), "test", {"extra": ""})


def test_a_new_split_is_a_new_version(tmp_path):
    """`dataset split` leaves the old version alone; groups stay together."""
    rows = [f"text {i},{'ab'[i % 2]},{i // 4}" for i in range(200)]
    random.Random(0).shuffle(rows)
    (tmp_path / "f.csv").write_text("\n".join(["text,label,thread", *rows]) + "\n")
    before = imported(tmp_path, tmp_path / "f.csv", group="thread")
    datasets.resplit(tmp_path, "d@v1", "v2", datasets.Draw({"train": 0.5, "dev": 0.0, "test": 0.5}, seed=1))
    after = datasets.load(tmp_path, "d")
    assert after.version == "v2"
    assert datasets.load(tmp_path, "d@v1").id == before.id != after.id
    split_of = {}
    for example in after.examples:
        assert split_of.setdefault(example.group, example.split) == example.split
    assert {example.item.id for example in after.examples} == {example.item.id for example in before.examples}
    assert datasets.refs(tmp_path) == ["d@v1", "d@v2"]


def test_a_stratified_split_gives_every_label_its_shares(tmp_path):
    """Ten rows of a rare label are cut 6, 2, 2 and groups stay together; by hash alone they fall as they fall."""
    rows = [f"text {i},{'rare' if i % 21 == 0 else 'often'}" for i in range(210)]
    (tmp_path / "f.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    imported(tmp_path, tmp_path / "f.csv")
    draw = datasets.Draw({"train": 0.6, "dev": 0.2, "test": 0.2}, seed=3, stratify=True)
    datasets.resplit(tmp_path, "d@v1", "v2", draw)
    counts = datasets.split_counts(datasets.load(tmp_path, "d@v2"))
    assert {split: of_label["rare"] for split, of_label in counts.items()} == {"train": 6, "dev": 2, "test": 2}
    assert {split: of_label["often"] for split, of_label in counts.items()} == {"train": 120, "dev": 40, "test": 40}


def test_a_time_split_learns_from_the_past(tmp_path):
    """No test row is older than a training row; a group is as old as its youngest row; no date is an error."""
    rows = [f"text {i},{'ab'[i % 2]},2026-01-{i % 28 + 1:02d},g{i // 2}" for i in range(100)]
    (tmp_path / "f.csv").write_text("\n".join(["text,label,day,g", *rows]) + "\n")
    imported(tmp_path, tmp_path / "f.csv", group="g")
    draw = datasets.Draw({"train": 0.5, "dev": 0.1, "test": 0.4}, time="day")
    datasets.resplit(tmp_path, "d@v1", "v2", draw)
    dataset = datasets.load(tmp_path, "d@v2")
    youngest = {}
    for example in dataset.examples:
        youngest[example.group] = max(youngest.get(example.group, ""), example.item.fields["day"])
    days = {s: [youngest[e.group] for e in dataset.in_split(s)] for s in ("train", "dev", "test")}
    assert max(days["train"]) <= min(days["dev"])
    assert max(days["dev"]) <= min(days["test"])
    with pytest.raises(DatasetError, match="a time split needs dates"):
        datasets.resplit(tmp_path, "d@v1", "v3", datasets.Draw({"train": 0.5, "test": 0.5}, time="text"))


@pytest.fixture
def threads(tmp_path):
    """40 rows in threads of two: 24 train, 4 dev, 12 test."""
    split = ["train"] * 24 + ["dev"] * 4 + ["test"] * 12
    rows = [f"text {i},{'ab'[i % 2]},{i // 2},{name}" for i, name in enumerate(split)]
    (tmp_path / "f.csv").write_text("\n".join(["text,label,thread,split", *rows]) + "\n")
    return imported(tmp_path, tmp_path / "f.csv", group="thread", split_column="split")


def test_a_fresh_split_has_only_items_that_trained(threads, tmp_path):
    """As many as before, threads whole, none of the old ones; those train now, and dev is as it was."""
    cells = versions.fresh(threads, "test")
    versions.new_version(tmp_path, "d@v1", "v2", versions.Edits(cells=cells, note="drawn anew"))
    after = datasets.load(tmp_path, "d@v2")
    before = {name: {e.item.id for e in threads.in_split(name)} for name in ("train", "dev", "test")}
    now = {name: {e.item.id for e in after.in_split(name)} for name in ("train", "dev", "test")}
    assert now["test"] < before["train"]
    assert len(now["test"]) == 12
    assert now["train"] == before["train"] - now["test"] | before["test"]
    assert now["dev"] == before["dev"]
    assert not {e.group for e in after.in_split("train")} & {e.group for e in after.in_split("test")}
    assert cells == versions.fresh(threads, "test")
    assert cells != versions.fresh(threads, "test", seed=1)


def test_a_fresh_split_takes_at_most_half_of_the_training_items(threads):
    """Where the test split is the larger one, something is left to learn from; an unknown split is named."""
    few = replace(threads, examples=tuple(e for e in threads.examples if e.split != "train" or int(e.group) < 4))
    drawn = [cell for cell in versions.fresh(few, "test").values() if cell["split"] == "test"]
    assert len(drawn) == 4
    with pytest.raises(DatasetError, match="no split 'tset' to draw anew"):
        versions.fresh(threads, "tset")
    with pytest.raises(DatasetError, match="no training items.*harness dataset sample d@v1 --pool FILE"):
        versions.fresh(replace(threads, examples=tuple(threads.in_split("test"))), "test")
