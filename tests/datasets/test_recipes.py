"""Recipes on the real files, exact to the row; skipped where the public data is not beside the checkout."""

import hashlib
from pathlib import Path

import pytest

from harness import datasets
from harness.datasets.recipes import banking77, emoji_tags, sms_spam, trec
from harness.errors import DatasetError
from harness.ground import plugins
from tests.conftest import PUBLIC_DATA

FOLDERS = {
    "banking77": "banking77",
    "clinc150": "clinc150",
    "trec": "trec",
    "sms-spam": "sms_spam",
    "emoji-tags": "emoji",
    "restaurants8k": "restaurants8k",
    "nlupp-banking": "nlupp-banking",
    "vader-tweets": "vader-tweets",
}
SIZES = {
    "banking77": ({"train": 10_003, "test": 3_080}, 77),
    "clinc150": ({"train": 15_100, "dev": 3_100, "test": 5_500}, 151),
    "trec": ({"train": 5_452, "test": 500}, 6),
    "sms-spam": ({"train": 3_374, "dev": 1_086, "test": 1_114}, 2),
    "emoji-tags": ({"train": 869, "dev": 306, "test": 304}, 8),
    "restaurants8k": ({"train": 8_198, "test": 3_731}, 5),
    "nlupp-banking": ({"train": 1_658, "dev": 209, "test": 204}, 48),
    "vader-tweets": ({"train": 2_517, "dev": 835, "test": 848}, 2),
}
with_public_data = pytest.mark.skipif(not PUBLIC_DATA.is_dir(), reason=f"needs the public data sets in {PUBLIC_DATA}")


def test_every_recipe_has_its_size_written_down():
    """A new recipe is a new row of this table."""
    assert set(SIZES) == set(plugins.names("datasets/recipes"))


@with_public_data
@pytest.mark.parametrize("recipe", sorted(SIZES))
def test_published_sizes_come_out(recipe, tmp_path):
    """Rows by split and number of labels, exactly; what is loaded is what was released."""
    (folder,) = datasets.fetch(tmp_path, recipe, PUBLIC_DATA / FOLDERS.get(recipe, recipe))
    dataset = datasets.load(tmp_path, f"{folder.parent.name}@v1")
    splits = datasets.split_sizes(dataset)
    assert (splits, len(dataset.labels)) == SIZES[recipe]
    assert datasets.verify(tmp_path, dataset.ref).problems == ()


@with_public_data
def test_the_committed_emoji_rows_are_what_the_recipe_makes(tmp_path):
    """Bytes for bytes: the default task can be rebuilt from Unicode's files."""
    committed = Path(__file__).resolve().parents[2] / "datasets" / "emoji-tags" / "v1"
    (made,) = datasets.fetch(tmp_path, "emoji-tags", PUBLIC_DATA / "emoji")
    assert {p.name: p.read_bytes() for p in made.iterdir()} == {p.name: p.read_bytes() for p in committed.iterdir()}


@with_public_data
def test_equal_messages_share_a_split(tmp_path):
    """The 403 repeats of SMS Spam never stand on both sides."""
    datasets.fetch(tmp_path, "sms-spam", PUBLIC_DATA / "sms_spam")
    split_of = {}
    for example in datasets.load(tmp_path, "sms_spam").examples:
        assert split_of.setdefault(example.group, example.split) == example.split


def test_quoted_newlines_blanks_and_capitals_are_kept():
    """Banking77's traps, on rows of our own making."""
    train = 'text,category\n"one\ntwo", a_label\n " edge ",Capital_label?\n'.replace(", a_label", ",a_label")
    rows = list(banking77.rows({"train.csv": train.encode(), "test.csv": b"text,category\nx,a_label\n"}))
    assert [(split, row["text"], row["category"]) for split, _, row in rows] == [
        ("train", "one\ntwo", "a_label"),
        ("train", ' " edge "', "Capital_label?"),
        ("test", "x", "a_label"),
    ]


def test_stray_quotes_do_not_swallow_rows():
    """SMS Spam is not quoted: a quotation mark is a character."""
    content = b'ham\t"hello\nspam\twin "now\nham\t HELLO  "x" \n'
    rows = [row for _, _, row in sms_spam.rows({"SMSSpamCollection": content})]
    assert [row["text"] for row in rows] == ['"hello', 'win "now', ' HELLO  "x" ']
    assert rows[2]["group"] == 'hello "x"'


def test_the_bad_byte_of_trec_is_a_blank():
    """One byte that is not UTF-8; the fine type stays a field."""
    files = {"train_5500.label": b"LOC:city Where\xf0is it ?\n", "TREC_10.label": b"HUM:ind Who ?\n"}
    rows = list(trec.rows(files))
    assert rows[0][2] == {"text": "Where is it ?", "label": "LOC", "fine": "LOC:city"}
    assert [split for split, _, _ in rows] == ["train", "test"]


def test_emoji_rows_leave_out_what_would_give_the_answer():
    """No name among the tags, no flags, no skin tones, no emoji without a keyword of its own."""
    xml = """<ldml><annotations>
      <annotation cp="😀">face | grin | grinning face</annotation>
      <annotation cp="😀" type="tts">grinning face</annotation>
      <annotation cp="🕳">hole</annotation><annotation cp="🕳" type="tts">hole</annotation>
      <annotation cp="🏁">flag | race</annotation><annotation cp="🏁" type="tts">chequered flag</annotation>
      <annotation cp="👋🏻">hand</annotation><annotation cp="👋🏻" type="tts">waving hand: light</annotation>
    </annotations></ldml>"""
    test = """# group: Smileys & Emotion
1F600                 ; fully-qualified     # 😀 E1.0 grinning face
1F573 FE0F            ; fully-qualified     # 🕳️ E0.7 hole
# group: People & Body
1F44B 1F3FB           ; fully-qualified     # 👋🏻 E1.0 waving hand: light skin tone
# group: Flags
1F3C1                 ; fully-qualified     # 🏁 E0.6 chequered flag
"""
    rows = list(emoji_tags.rows({"annotations-en.xml": xml.encode(), "emoji-test.txt": test.encode()}))
    assert [row for _, _, row in rows] == [
        {"id": "1F600", "text": "grinning face", "tags": ["face", "grin"], "label": "Smileys & Emotion", "emoji": "😀"}
    ]


def test_other_bytes_than_the_recipes_are_refused(tmp_path):
    """The hash that was found and the one expected are both told; nothing is written."""
    (tmp_path / "SMSSpamCollection").write_bytes(b"ham\tx\n")
    found = hashlib.sha256(b"ham\tx\n").hexdigest()
    with pytest.raises(DatasetError, match=f"sha256 is {found}; the recipe 'sms_spam' expects 7d039a24"):
        datasets.fetch(tmp_path, "sms_spam", tmp_path)
    assert not (tmp_path / "datasets").exists()
