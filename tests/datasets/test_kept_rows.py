"""A large version stays in files: it says to the letter what one in memory says, and is checked as that is."""

import json
import os
import shutil
import stat

import pytest

from harness import datasets
from harness.datasets import kept_rows, loading, manifest
from harness.errors import DatasetError
from harness.runs.scope import KeptItems, Scope, item_set
from tests.conftest import write_tickets

TEXTS = ['said "no"', "two\nlines", "caf\u00e9 \U0001f600", "e\u0301", "a|b;c,d", "'; drop table rows; --"]


@pytest.fixture
def large(monkeypatch):
    """Every version counts as large, and is kept in blocks of seven rows, three of which are fetched at once."""
    monkeypatch.setattr(loading, "LARGE_BYTES", 0)
    monkeypatch.setattr(kept_rows, "BLOCK", 7)
    monkeypatch.setattr(kept_rows, "BATCH", 3)


def release(root, rows, name="made", **more):
    """A version of JSON lines that says its ids and splits itself."""
    path = root / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
    spec = datasets.ImportSpec(
        name=name, version="v1", text="text", label="label", id="id", split_column="split", **more
    )
    datasets.import_file(root, spec, {None: path})
    return f"{name}@v1"


def in_memory(root, ref):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "LARGE_BYTES", 1 << 40)
        found = datasets.load(root, ref)
    assert isinstance(found.examples, tuple)
    return found


def rows(n=25):
    return [
        {
            "id": f"i {n - i}é",
            "text": f"{TEXTS[i % len(TEXTS)]} {i}",
            "label": ("a", "b")[i % 3 == 2],
            "split": ("train", "test")[i % 4 == 1],
            "z": f"field {i}",
            "b": "",
            "who": ("a", "")[i % 2],
            "of": f"g{i // 3}",
        }
        for i in range(n)
    ]


def written(root, lines):
    """A version of JSON lines that nobody checked, under the name of what is in it; what it is called."""
    folder = root / "datasets" / "made" / "v1"
    folder.mkdir(parents=True)
    toml = folder / "dataset.toml"
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    toml.write_text(
        'name = "made"\nversion = "v1"\ntext = "text"\nlabel = "label"\nid = "id"\nfile = "rows.jsonl"\n'
        f'sha256 = "{loading.file_hash(folder / "rows.jsonl")}"\ncontent = "s1:0"\n'
        '[labels]\na = ""\nb = ""\n[splits]\ncolumn = "split"\n'
    )
    toml.write_text(toml.read_text().replace("s1:0", datasets.verify(root, "made@v1").id or "s1:0"))
    return "made@v1"


SHAPES = {
    "plain": lambda root: release(root, rows()),
    "groups": lambda root: release(root, rows(), group="of"),
    "raters": lambda root: release(root, rows(), raters=("who",)),
    "few labels": lambda root: written(
        root, [json.dumps(row | {"label": row["label"] * (i % 3 > 0)}) for i, row in enumerate(rows())]
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_kept_says_what_is_read(tmp_path, large, shape):
    """Ids, order, splits, labels, fields in their order, groups, ratings; by name, place and slice, whichever block."""
    ref = SHAPES[shape](tmp_path)
    here, kept = in_memory(tmp_path, ref), datasets.load(tmp_path, ref)
    assert isinstance(kept.examples, kept_rows.KeptRows)
    assert (kept.id, tuple(kept.examples), kept.splits) == (here.id, here.examples, here.splits)
    assert [list(one.item.fields) for one in kept.examples] == [list(one.item.fields) for one in here.examples]
    for split in ("train", "test", "none"):
        for which in ({}, {"labelled": True}, {"rated": True}, {"labelled": True, "rated": True}):
            mine, wanted = kept.part(split, **which), here.part(split, **which)
            assert (len(mine), tuple(mine), bool(mine)) == (len(wanted), wanted, bool(wanted))
    assert tuple(kept.labelled()) == here.labelled()
    for place in (0, 6, 7, -1, slice(5, 9), slice(None, None, -1), slice(20, 2, -4), slice(3, 3)):
        assert kept.examples[place] == here.examples[place]
    with pytest.raises(IndexError):
        kept.examples[25]


def test_an_arm_is_asked_the_same_items(tmp_path, large):
    """So that runs have the same ids: all of them, some, those of some ids; and without holding them."""
    ref = release(tmp_path, rows())
    here, kept = in_memory(tmp_path, ref), datasets.load(tmp_path, ref)
    assert isinstance(Scope(kept, "train").items(), KeptItems)
    for limit, ids in ((None, ()), (4, ()), (None, (here.in_split("train")[2].item.id,))):
        scopes = [Scope(one, "train", limit, ids) for one in (here, kept)]
        asked = [one.items() for one in scopes]
        assert tuple(asked[0]) == tuple(asked[1])
        assert item_set(asked[0]) == item_set(asked[1])
        assert scopes[0].is_whole(asked[0]) == scopes[1].is_whole(asked[1])
    assert Scope(kept, "test").training() == Scope(here, "test").training()


def test_rows_are_checked_once(tmp_path, large, monkeypatch):
    """What was kept is not read again; a command that verifies reads it all the same, and leaves nothing."""
    ref = release(tmp_path, rows())
    first = datasets.load(tmp_path, ref)
    (folder,) = (tmp_path / "results" / ref).iterdir()
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    read = []
    monkeypatch.setattr(loading, "_read_examples", lambda *given: read.append(given) or iter(()))
    assert datasets.load(tmp_path, ref).id == first.id
    assert read == []
    datasets.verify(tmp_path, ref)
    assert len(read) == 1
    assert [path.name for path in (tmp_path / "results" / ref).iterdir()] == [folder.name]


def test_a_version_that_was_changed_is_refused_as_ever(tmp_path, large):
    """One byte of a row, and a word of the manifest: the same words as of a small one, before and after it was kept."""
    ref = release(tmp_path, rows())
    datasets.load(tmp_path, ref)
    folder = tmp_path / "datasets" / "made" / "v1"
    path, toml = folder / manifest.read(folder).file, folder / "dataset.toml"
    before = path.read_bytes()
    path.write_bytes(before.replace(b"field 3", b"field 4"))
    with pytest.raises(DatasetError, match=r"was changed: the first row that differs is .*:6 \(id 'i 22"):
        datasets.load(tmp_path, ref)
    assert "was changed" in datasets.verify(tmp_path, ref).problems[0]
    path.write_bytes(before)
    toml.write_text(toml.read_text().replace("[labels]\n", '[labels]\n"c" = "more"\n'))
    with pytest.raises(DatasetError, match="labels, columns or splits are not those released"):
        datasets.load(tmp_path, ref)


def test_an_id_that_stands_twice_is_named_with_both_places(tmp_path, large):
    """As of a small version."""
    line = '{{"id": "{}", "text": "t", "label": "a", "split": "test"}}'
    written(tmp_path, [line.format(i % 9) for i in range(12)])
    with pytest.raises(DatasetError, match=r"rows.jsonl:10: id '0' stands at .*rows.jsonl:1 already"):
        datasets.load(tmp_path, "made@v1")
    assert not list((tmp_path / "results").rglob("*.rows"))


def test_what_cannot_be_kept_is_read_into_memory(tmp_path, large):
    """Results that cannot be written: the dataset is there all the same."""
    write_tickets(tmp_path)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "tickets@v1").write_text("in the way")
    assert isinstance(datasets.load(tmp_path, "tickets@v1").examples, tuple)


def test_half_a_folder_is_made_again(tmp_path, large):
    """What erases reports erases kept rows; and what a killed command left is no version."""
    ref = release(tmp_path, rows())
    wanted = tuple(datasets.load(tmp_path, ref).examples)
    (folder,) = (tmp_path / "results" / ref).iterdir()
    for path in folder.iterdir():
        path.unlink()
        assert tuple(datasets.load(tmp_path, ref).examples) == wanted
        assert len(os.listdir(folder)) == 5


def test_rows_that_go_while_they_are_read_are_missed(tmp_path, large):
    """Another process may keep another content, or erase: nobody takes no rows for all of them."""
    dataset = datasets.load(tmp_path, release(tmp_path, rows()))
    going = iter(dataset.examples)
    next(going)
    (folder,) = (tmp_path / "results" / dataset.ref).iterdir()
    shutil.rmtree(folder)
    with pytest.raises(DatasetError, match="rows were removed meanwhile"):
        list(going)
    with pytest.raises(DatasetError, match="rows were removed meanwhile"):
        len(dataset.in_split("test"))


def test_what_changes_no_row_keeps_them(tmp_path, large):
    """A description and a source are no part of the rows, nor is who reads at that time disturbed."""
    ref = release(tmp_path, rows())
    before = datasets.load(tmp_path, ref)
    toml = tmp_path / "datasets" / "made" / "v1" / "dataset.toml"
    toml.write_text(f'description = "of May"\n{toml.read_text()}')
    after = datasets.load(tmp_path, ref)
    assert (after.description, after.examples.folder) == ("of May", before.examples.folder)
    assert tuple(before.examples) == tuple(after.examples)


def test_long_texts_are_kept_in_smaller_blocks(tmp_path, large, monkeypatch):
    """So that a few of them are in memory at a time; and what a killed command left is removed a day later."""
    ref = release(tmp_path, rows())
    monkeypatch.setattr(kept_rows, "BLOCK_CHARS", 30)
    left = tmp_path / "results" / ref / ".rows-0.1.new"
    left.mkdir(parents=True)
    os.utime(left, (0, 0))
    kept = datasets.load(tmp_path, ref)
    assert tuple(kept.examples) == in_memory(tmp_path, ref).examples
    assert len(list(kept.examples.folder.glob("*.rows"))) > 4
    assert not left.exists()
