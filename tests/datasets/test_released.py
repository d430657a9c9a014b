"""Released versions are read to the letter, whatever people's files are read like: their ids never move."""

from pathlib import Path

import pytest

from harness import datasets

TOML = """name = "old"
version = "v1"
kind = "single"
file = "examples.{ending}"
text = "text"
label = "label"
id = "id"
sha256 = "{sha256}"
content = "{content}"

[labels]
" padded " = ""
"1.0" = ""
"True" = ""
"NaN" = ""

[splits]
column = "split"
"""
ROWS = {
    "csv": 'id,text,label,split,\n1,a;b," padded ",Train ,left\n'
    '2,"x, y",1.0,validation,right\n3,NaN,True,test,\n4,z,NaN,test,w\n',
    "tsv": "id\ttext\tlabel\tsplit\n1\ta;b\t padded \tTrain \n"
    '2\t"x\ty"\t1.0\tvalidation\n3\tNaN\tTrue\ttest\n4\tz\tNaN\ttest\n',
    "jsonl": '{"id": 1, "text": "a;b", "label": " padded ", "split": "Train ", "deep": {"a": 1.0}}\n'
    '{"id": 2, "text": "x", "label": "1.0", "split": "validation", "deep": [1, 2]}\n'
    '{"id": 3, "text": "NaN", "label": "True", "split": "test", "deep": true}\n'
    '{"id": 4, "text": "z", "label": "NaN", "split": "test", "deep": 1.5}\n',
}
RELEASED = {
    "csv": ("f6dbce8acdc632d46fec44af6df5bfbb6c4cff49ee76241b9c68939e20cf3a9e", "s1:558642bf8c52b791"),
    "tsv": ("8abff3480a2cf384647b0edb4f4c716b7f49a4cf996c4e213a211d671a3f195a", "s1:7173ddecc871854e"),
    "jsonl": ("65e977c98f61e4146d20ea960748133ed66d42e97a3d1c0b6d853db3b59308ba", "s1:3cef9ae4356ba2fa"),
}
"""Their ids as they were before people's files were read in other ways."""


def test_the_shipped_dataset_keeps_its_id():
    """The default task is the version that it was when it was released."""
    root = Path(__file__).resolve().parents[2]
    assert datasets.load(root, "emoji-tags@v1").id == "s1:fcf376163d287ede"


@pytest.mark.parametrize("ending", ROWS)
def test_released_rows_are_not_repaired(tmp_path, ending):
    """Labels with blanks, `1.0`, `True`, `NaN`, unnamed columns and odd splits stay what they were."""
    folder = tmp_path / "datasets" / "old" / "v1"
    folder.mkdir(parents=True)
    sha256, content = RELEASED[ending]
    (folder / f"examples.{ending}").write_text(ROWS[ending])
    (folder / "dataset.toml").write_text(TOML.format(ending=ending, sha256=sha256, content=content))
    dataset = datasets.load(tmp_path, "old@v1")
    assert dataset.id == content
    assert [e.label for e in dataset.examples] == [" padded ", "1.0", "True", "NaN"]
    assert [e.split for e in dataset.examples] == ["Train ", "validation", "test", "test"]
