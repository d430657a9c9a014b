"""Labels go out to other tools and come back: every format, whatever the texts, and nothing is taken by halves."""

import json
from dataclasses import replace

import pytest

from harness.app.project import Project, labelling
from harness.datasets import label_files
from harness.datasets.label_files import FORMATS, Labelled
from harness.errors import ConfigError, DatasetError
from harness.ground.clock import SystemClock
from harness.ground.workspace import find
from tests.app.labelling.conftest import LABELS, dataset
from tests.report.conftest import HOSTILE

ITEMS = [
    Labelled("i000", HOSTILE[0], {"ann": LABELS[0], "bob": LABELS[3]}, 2.5),
    Labelled("i001", "=1+1\nsecond line", {"ann": LABELS[1]}, 1.0),
    Labelled("i002", HOSTILE[1], {}, 7.25),
]


@pytest.fixture
def desk(tmp_path):
    return labelling.Desk(Project(find(tmp_path, tmp_path), SystemClock()), dataset(12))


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "doccano"])
def test_what_goes_out_comes_back(kind):
    """Items, people, labels and weights are what they were; an item that nobody labelled has no answer."""
    found = {}
    for one in label_files.read(kind, label_files.written(kind, ITEMS), "file", "me"):
        before = found.get(one.item)
        found[one.item] = (
            one if before is None else Labelled(one.item, one.text, {**before.answers, **one.answers}, 2.5)
        )
    assert list(found.values()) == ITEMS[:2]


ANSWERS = {
    "multi": ('["a","b"]', "[]"),
    "score": ("-2.5", "3"),
    "extract": ('{"n":[{"end":1,"start":0,"text":"x"},{"end":5,"start":4,"text":"z"}]}', "{}"),
    "grade": ("A+", "B"),
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", ANSWERS)
def test_every_kind_goes_out_and_comes_back(kind, form):
    """Several labels, places, numbers and a kind of somebody's own; that nothing fits is an answer where it can be."""
    items = [Labelled(f"i{i}", "x y z", {"ann": answer}, 2.0) for i, answer in enumerate(ANSWERS[kind])]
    if (kind, form) == ("score", "doccano"):
        with pytest.raises(ConfigError, match="doccano knows no numbers"):
            label_files.written(form, items, kind)
        return
    found = label_files.read(form, label_files.written(form, items, kind), "file", "ann", kind)
    if form == "doccano" and kind != "grade":  # which cannot tell 'none fits' from 'not labelled'
        del items[1]
    canonical = [replace(one, answers={who: _same(kind, a) for who, a in one.answers.items()}) for one in found]
    assert canonical == [replace(one, answers={who: _same(kind, a) for who, a in one.answers.items()}) for one in items]


def _same(kind, answer):
    return float(answer) if kind == "score" else json.loads(answer) if kind in ("multi", "extract") else answer


def test_what_a_tool_cannot_hold():
    """A value without a place goes into a CSV file alone, and doccano takes one answer of an item only."""
    unplaced = [Labelled("i0", "x", {"ann": '{"n":"x"}'})]
    assert label_files.read("csv", label_files.written("csv", unplaced, "extract"), "f", "me", "extract") == unplaced
    for form in ("label-studio", "doccano", "argilla"):
        with pytest.raises(ConfigError, match="whose place in the text is not known"):
            label_files.written(form, unplaced, "extract")
    with pytest.raises(ConfigError, match="people differ on item 'i0'"):
        label_files.written("doccano", [Labelled("i0", "x", {"ann": "[]", "bob": '["a"]'})], "multi")


def test_doccano_knows_no_names():
    """A line has the labels of all; one label is the annotator's, two are none of kind single."""
    one = label_files.written("doccano", ITEMS[1:])
    assert label_files.read("doccano", one, "file", "me") == [Labelled("i001", ITEMS[1].text, {"me": LABELS[1]}, 1.0)]
    with pytest.raises(DatasetError, match="has 2 labels; of kind single it has one"):
        label_files.read("doccano", label_files.written("doccano", ITEMS), "file", "me")


def test_what_the_tools_add():
    """Numbers for people, cancelled and discarded answers, and further fields are read as the tools write them."""
    task = {
        "id": 4, "project": 83, "data": {"item": "i003", "text": "x", "sampling_weight": 2},
        "annotations": [
            {"completed_by": 10, "was_cancelled": False, "result": [
                {"id": "a", "from_name": "label", "type": "choices", "value": {"choices": ["refund"]}}
            ]},
            {"completed_by": 11, "was_cancelled": True, "result": []},
        ],
        "predictions": [],
    }  # fmt: skip
    found = label_files.read("label-studio", json.dumps([task]), "file", "me")
    assert found == [Labelled("i003", "x", {"10": "refund"}, 2.0)]
    record = {
        "id": "i004", "fields": {"text": "x"}, "metadata": {}, "vectors": {}, "status": "completed",
        "responses": {"label": [
            {"value": "refund", "user_id": "u1", "status": "submitted"},
            {"value": "other", "user_id": "u2", "status": "discarded"},
        ]},
    }  # fmt: skip
    assert label_files.read("argilla", json.dumps([record]), "file", "me") == [
        Labelled("i004", "x", {"u1": "refund"}, None)
    ]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("text", ["{", "[1]", '{"a": 1}', "item\ni000", '[{"data": {}}]', "[" * 5000])
def test_a_file_that_is_none(kind, text):
    """It is named with what was expected, whatever stands in it; nothing else is raised."""
    with pytest.raises(DatasetError, match="file is no"):
        label_files.read(kind, text, "file", "me")


@pytest.mark.parametrize("kind", FORMATS)
def test_through_the_journal(desk, kind):
    """A draw goes out with its weights, is labelled elsewhere, and stands in the journal; twice is once."""
    draw, who = labelling.Draw("test", 5, "random", 1), labelling.People("ann")
    text, n = desk.exported(draw, who, kind)
    assert n == 5
    drawn = desk.session(draw, who).drawn
    answered = [Labelled(one.item.id, one.item.text, {"ann": LABELS[3]}, one.weight) for one in drawn]
    assert desk.take(text, kind, "empty", "ann") == (0, 0)
    labelled = label_files.written(kind, answered)
    assert desk.take(labelled, kind, "file", "ann") == (5, 0)
    assert desk.take(labelled, kind, "file", "ann") == (0, 5)
    assert desk.labels() == {one.item.id: LABELS[3] for one in drawn}
    assert {e.item: e.weight for e in desk.journal.entries()} == {one.item.id: one.weight for one in drawn}


@pytest.mark.parametrize(
    ("item", "answer", "message"),
    [("i999", LABELS[0], "has no item 'i999'"), ("i001", "refunds", "label 'refunds' is not in")],
)
def test_nothing_is_taken_by_halves(desk, item, answer, message):
    """One answer that is none, and the journal stays as it was; the file and the item are named."""
    rows = [Labelled("i000", "", {"ann": LABELS[0]}), Labelled(item, "", {"ann": answer})]
    with pytest.raises(DatasetError, match=message):
        desk.take(label_files.written("csv", rows), "csv", "file", "ann")
    assert desk.journal.entries() == []


def test_a_split_that_is_not_there(desk):
    """It is said, with those there are; nobody is told that its items have labels."""
    draw = labelling.Draw("nope", 5, "random")
    with pytest.raises(ConfigError, match="has no split 'nope'; expected one of"):
        desk.session(draw, labelling.People("ann"))
