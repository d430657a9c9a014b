"""Files with several labels, fields or numbers become versions whose gold is one text an item."""

import io
import json
import tarfile

import pytest

from harness import datasets
from harness.datasets import splits, versions
from harness.datasets.fetching import member
from harness.errors import DatasetError, HarnessError


def imported(tmp_path, content, name="rows.csv", **spec):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    chosen = {"name": "d", "version": "v1", "text": "text", "label": "label"} | spec
    made = datasets.import_files(tmp_path, datasets.ImportSpec(**chosen), {None: path})
    assert datasets.verify(tmp_path, "d").problems == ()
    return datasets.load(tmp_path, "d"), made


def golds(dataset):
    return {example.item.text: json.loads(example.label) for example in dataset.examples}


SEVERAL = {"one": ["a", "b"], "two": [], "three": ["a"]}


@pytest.mark.parametrize(
    ("name", "content", "spec"),
    [
        ("x.csv", 'text,label\none,"a;b"\ntwo,[]\nthree,a\n', {"labels_separator": ";"}),
        ("x.csv", 'text,label\none," b ; a;a"\ntwo,;\nthree,a;\n', {"labels_separator": ";"}),
        ("x.csv", """text,label\none,"['b', 'a']"\ntwo,[]\nthree,"[""a""]"\n""", {}),
        (
            "x.jsonl",
            '{"text":"one","label":["a","b"]}\n{"text":"two","label":[]}\n{"text":"three","label":["a"]}\n',
            {},
        ),
        ("x.csv", "text,label\none,b\ntwo,[]\none,a\nthree,a\n", {}),
    ],
    ids=["separator", "blanks", "lists", "json", "rows"],
)
def test_several_labels(tmp_path, name, content, spec):
    """A separator, a list, JSON and several rows say the same; `[]` says that there is none."""
    if name == "x.csv" and "two,[]\none" in content:
        content = content.replace("two,[]\n", "")
        dataset, made = imported(tmp_path, content, name, kind="multi", **spec)
        assert golds(dataset) == {"one": ["a", "b"], "three": ["a"]}
        assert [note.how for note in made.notes] == ["repaired"]
        return
    dataset, made = imported(tmp_path, content, name, kind="multi", **spec)
    assert golds(dataset) == SEVERAL
    assert dataset.label_names == ("a", "b")
    assert sum(made.sizes.values()) == 3


def test_rows_of_one_id_are_one_item(tmp_path):
    """With an id, rows of that id are put together, whatever their texts."""
    dataset, _ = imported(tmp_path, "id,text,label\n1,x,a\n2,x,b\n1,x,c\n", kind="multi", id="id")
    assert {example.item.id: example.label for example in dataset.examples} == {"1": '["a","c"]', "2": '["b"]'}


def test_labels_that_look_like_lists_ask_for_the_kind(tmp_path):
    """A list under kind single names the option that reads it."""
    with pytest.raises(DatasetError, match="--kind multi") as raised:
        imported(tmp_path, """text,label\none,"['b', 'a']"\n""")
    assert raised.value.change == {"kind": "multi"}


def test_labels_are_renamed_one_by_one(tmp_path):
    """--relabel gives a label of several another name, or takes it away."""
    dataset, _ = imported(tmp_path, 'text,label\none,"a,b"\ntwo,b\n', kind="multi", labels_separator=",",
                          relabel={"a": "", "b": "c"})  # fmt: skip
    assert golds(dataset) == {"one": ["c"], "two": ["c"]}


PLACED = {"time": {"start": 9, "end": 13, "text": "8 pm"}}


@pytest.mark.parametrize(
    ("cell", "gold"),
    [
        ({"time": "8 pm", "people": None}, {"time": "8 pm"}),
        ({"time": ["8 pm", "9"], "people": 4}, {"time": ["8 pm", "9"], "people": "4"}),
        ({"time": {"start": 9, "end": 13}}, PLACED),
        ([{"start": 9, "end": 13, "label": "time"}], PLACED),
        ([{"start": 9, "end": 13, "labels": ["time"], "text": "8 pm"}], PLACED),
        ([[9, 13, "time"]], PLACED),
        ([], {}),
        ({}, {}),
    ],
)
def test_fields_of_an_object_or_of_places(tmp_path, cell, gold):
    """Objects of values and lists of places, as tools write them, are one gold."""
    rows = [
        {"text": "table at 8 pm for 4", "label": cell},
        {"text": "other", "label": {"time": "x", "people": "y"}},
    ]
    dataset, _ = imported(tmp_path, "\n".join(map(json.dumps, rows)), "x.jsonl", kind="extract")
    assert golds(dataset)["table at 8 pm for 4"] == gold
    assert dataset.label_names == ("people", "time")


def test_fields_of_columns(tmp_path):
    """A column a field: what is blank is absent, and no arm sees the columns."""
    content = "text,t,p,city\ntable at 8,8 pm,4,Rome\nhi,,,Oslo\n"
    dataset, made = imported(tmp_path, content, label="", kind="extract", fields={"time": "t", "people": "p"})
    assert golds(dataset) == {"table at 8": {"people": "4", "time": "8 pm"}, "hi": {}}
    assert {key for example in dataset.examples for key in example.item.fields} == {"city"}
    assert made.sizes == {split: n for split, n in splits.split_sizes(dataset).items() if n}


@pytest.mark.parametrize(
    ("content", "spec", "message"),
    [
        ("text,label\na,1\n", {"kind": "score"}, "--range LOW HIGH"),
        ("text,label\na,9\n", {"kind": "score", "range": (1.0, 5.0)}, "rows.csv:2: 9 lies outside the range 1 to 5"),
        ('text,label\na,"3,5"\n', {"kind": "score", "range": (1.0, 5.0)}, "'3,5'; expected a number; write a point"),
        ("text,label\na,b\n", {"range": (1.0, 5.0)}, "--range goes with --kind score"),
        ("text,label\na,b\n", {"kind": "extract"}, "rows.csv:2: column 'label' holds 'b'; expected a JSON object"),
        ('text,label\nab,"[[1, 9, ""t""]]"\n', {"kind": "extract"}, "and the text has 2 characters"),
        ("text,label\na,\n", {"kind": "multi"}, "--drop-unlabelled"),
        ("text,label\na,[]\n", {"kind": "multi"}, "no row holds a single label"),
        ("text,label\na,b\n", {"kind": "multi", "raters": ("who",)}, "--rater: there is no column 'who'"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, content, spec, message):
    """Each defect names the row, what was found and what to give; nothing is written."""
    with pytest.raises(HarnessError) as raised:
        imported(tmp_path, content, **spec)
    assert message in str(raised.value)
    assert not list((tmp_path / "datasets").glob("*/*"))


def test_raters_stand_beside_the_gold(tmp_path):
    """Raters' answers are read like gold, kept by rater, and no arm sees them."""
    content = "text,label,r1,r2\ngood,4.50,4,5\nbad,1,1,\n"
    dataset, _ = imported(tmp_path, content, kind="score", range=(1.0, 5.0), raters=("r1", "r2"))
    assert {one.label: dict(one.ratings) for one in dataset.examples} == {
        "4.5": {"r1": "4", "r2": "5"},
        "1": {"r1": "1"},
    }
    assert not any(example.item.fields for example in dataset.examples)
    single, _ = imported(tmp_path, "text,label,r1\na,x,y\nb,y,y\n", name="single.csv", version="v2", raters=("r1",))
    assert [dict(one.ratings) for one in single.examples] == [{"r1": "y"}, {"r1": "y"}]


def test_a_new_version_keeps_its_kind(tmp_path):
    """Edits and drops leave range and fields as they are, and labels of several follow their rows."""
    imported(tmp_path, "id,text,label\n1,good,4\n2,bad,1\n3,so,3\n", kind="score", range=(1.0, 5.0), id="id")
    versions.new_version(tmp_path, "d@v1", "v2", versions.Edits(cells={"1": {"label": "5"}}, drop=frozenset({"3"})))
    made = datasets.load(tmp_path, "d@v2")
    assert (made.label_names, sorted(one.label for one in made.examples)) == (("1", "5"), ["1", "5"])


def test_splits_keep_the_shares_of_labels(tmp_path):
    """Iterative stratification: labels that come together, rare ones too, have their share in every split."""
    rows = [
        (f"t{i}", ";".join(name for name, k in (("a", 2), ("b", 5), ("c", 25)) if i % k == 0) or "d")
        for i in range(500)
    ]
    content = "text,label\n" + "".join(f"{text},{label}\n" for text, label in rows)
    imported(tmp_path, content, kind="multi", labels_separator=";")
    datasets.resplit(tmp_path, "d@v1", "v2", datasets.Draw({"train": 0.6, "dev": 0.2, "test": 0.2}, 3, stratify=True))
    counts = datasets.split_counts(datasets.load(tmp_path, "d@v2"))
    for name, n in (("a", 250), ("b", 100), ("c", 20), ("d", 200)):
        for split, share in (("train", 0.6), ("dev", 0.2), ("test", 0.2)):
            assert abs(counts[split][name] - share * n) <= 1.5, (split, name)


def test_splits_keep_the_shares_of_numbers(tmp_path):
    """Numbers go by tenths: every split has the whole range."""
    content = "text,label\n" + "".join(f"t{i},{i / 100}\n" for i in range(300))
    imported(tmp_path, content, kind="score", range=(0.0, 3.0))
    datasets.resplit(tmp_path, "d@v1", "v2", datasets.Draw({"train": 0.5, "dev": 0.2, "test": 0.3}, 0, stratify=True))
    dataset = datasets.load(tmp_path, "d@v2")
    for split in ("train", "dev", "test"):
        numbers = [float(one.label) for one in dataset.in_split(split)]
        assert abs(sum(numbers) / len(numbers) - 1.5) < 0.05


def test_groups_stay_together_when_labels_are_several():
    """A key that stands in many rows goes to one split, and all keys are dealt out."""
    keys = [f"g{i // 3}" for i in range(90)]
    strata = [("a", "b") if i % 2 else () for i in range(90)]
    drawn = splits.assign_iteratively(keys, strata, {"train": 0.5, "test": 0.5}, 0)
    assert set(drawn) == set(keys)
    assert abs(sum(drawn[key] == "train" for key in keys) - 45) <= 3


def test_a_member_of_an_archive_is_taken_by_its_name(tmp_path):
    """A recipe's file may lie in a .tar.gz; what is none, or lacks it, is said."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as archive:
        entry = tarfile.TarInfo("folder/a.txt")
        entry.size = 2
        archive.addfile(entry, io.BytesIO(b"ok"))
    assert member(held.getvalue(), "a.txt", "x") == b"ok"
    for content, message in ((held.getvalue(), "holds no file 'b.txt'"), (b"no", "no readable .tar.gz")):
        with pytest.raises(DatasetError, match=message):
            member(content, "b.txt", "x")
