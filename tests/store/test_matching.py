"""Predictions made elsewhere find their items: by id, else by exact text; what does not is reported."""

from pathlib import Path

import pytest

from harness import datasets
from harness.errors import DatasetError
from harness.store.matching import Columns, Foreign, foreign, match, runs_of
from harness.types import Outcome
from tests.conftest import write_tickets

BY_ID = Columns(prediction="said", id="id")
ROWS = [
    ("one text", "bug", "t", "test"),
    ("twice there", "bug", "t", "test"),
    ("twice there", "billing", "t", "test"),
    ("of training", "billing", "t", "train"),
]


@pytest.fixture
def dataset(tmp_path):
    write_tickets(tmp_path, ROWS)
    return datasets.load(tmp_path, "tickets@v1")


def said(answer, **more):
    return Foreign("f:1", more.pop("id", None), more.pop("text", None), answer, **more)


def test_by_id_then_by_text(dataset):
    """An id that is known decides; without one the exact text does, as often as it occurs."""
    first, *twice = dataset.in_split("test")
    rows = [
        said("bug", id=first.item.id, text="something else"),
        said("billing", text="twice there"),
        said("bug", id="unknown", text="twice there"),
    ]
    found = match(rows, dataset, "test", "import:x")
    assert [p.label for p in found.predictions] == ["bug", "billing", "bug"]
    assert [p.item_id for p in found.predictions] == [e.item.id for e in (first, *twice)]
    assert (found.unmatched, found.duplicates, found.missing) == ((), (), ())


def test_what_does_not_match_is_reported(dataset):
    """Unknown rows, rows for an item that has its prediction, items of another split, items without one."""
    rows = [said("bug", text=t) for t in ("one text", "one text", "nowhere", "of training")]
    rows = [Foreign(f"f:{i}", None, r.text, r.answer) for i, r in enumerate(rows, start=2)]
    found = match(rows, dataset, "test", "import:x")
    assert (found.rows, len(found.predictions)) == (4, 1)
    assert (found.duplicates, found.unmatched, found.elsewhere) == (("f:3",), ("f:4",), 1)
    assert found.missing == tuple(e.item.id for e in dataset.in_split("test")[1:])


@pytest.mark.parametrize(
    ("answer", "outcome", "expected", "label"),
    [
        ("bug", None, Outcome.ANSWERED, "bug"),
        (" bug\n", None, Outcome.ANSWERED, "bug"),
        ("Bug", None, Outcome.ANSWERED, "bug"),
        ("{'bug'}", None, Outcome.ANSWERED, "bug"),
        ('{"label": "bug"}', None, Outcome.ANSWERED, "bug"),
        ('{"label": "bug", "label": "billing"}', None, Outcome.UNPARSED, None),
        ("it is a bug", None, Outcome.UNPARSED, None),
        (None, None, Outcome.ABSTAINED, None),
        ("bug", Outcome.REFUSED, Outcome.REFUSED, None),
        (None, Outcome.FAILED, Outcome.FAILED, None),
        ("nonsense", Outcome.ANSWERED, Outcome.UNPARSED, None),
    ],
)
def test_an_answer_is_read_as_a_reply_is(dataset, answer, outcome, expected, label):
    """Nothing is guessed: a label once its decoration is taken off, or unparsed with its text kept."""
    found = match([said(answer, text="one text", outcome=outcome, score=0.5)], dataset, "test", "import:x")
    (one,) = found.predictions
    assert (one.outcome, one.label) == (expected, label)
    assert one.score == (0.5 if label else None)
    assert expected is not Outcome.UNPARSED or one.raw == answer


def test_the_other_tools_judgement_is_compared(dataset):
    """Its accuracy is told, and the rows on which it and we differ are named."""
    rows = [said("bug", text="one text", was_right=True), said("billing", text="twice there", was_right=True)]
    found = match(rows, dataset, "test", "import:x")
    assert (found.judged, found.differently_judged) == (1.0, ("f:1",))


def test_the_run_is_what_it_says(dataset):
    """The same predictions are the same run; another answer, score or price is another run."""
    rows = [said("bug", text="one text", score=0.5, cost_usd=0.1)]

    def run(rows):
        [one] = runs_of(match(rows, dataset, "test", "import:x").times, dataset, "test", "import:x")
        return one.id

    assert run(rows) == run(list(rows))
    others = [said("billing", text="one text"), said("bug", text="one text", score=0.6)]
    assert len({run(rows), *(run([one]) for one in others)}) == 3


def test_each_time_that_the_items_were_asked_is_a_repeat(dataset):
    """One arm on the same items, told apart by the repeat; an item that one of the times lacks is missing."""
    texts = ("one text", "twice there", "twice there")
    rows = [said("bug" if k else "billing", text=text, repeat=k) for k in (0, 4) for text in texts]
    found = match(rows, dataset, "test", "import:x")
    assert [[one.label for one in time] for time in found.times] == [["billing"] * 3, ["bug"] * 3]
    assert (found.duplicates, found.missing) == ((), ())
    first, second = runs_of(found.times, dataset, "test", "import:x")
    assert (first.repeat, second.repeat) == (0, 1)
    assert (first.arm_id, first.item_set) == (second.arm_id, second.item_set)
    assert first.id != second.id
    short = match(rows[:-1], dataset, "test", "import:x")
    assert short.missing == (dataset.in_split("test")[-1].item.id,)


@pytest.mark.parametrize(
    ("row", "columns", "message"),
    [
        ({"id": "a"}, BY_ID, "^f.csv: there is no column 'said'; expected one of 'id'"),
        ({"id": "a", "said": ["x"]}, BY_ID, "holds a list"),
        ({"id": "a", "said": "x", "s": "1.5"}, Columns("said", id="id", score="s"), "expected a number from 0 to 1"),
        ({"id": "a", "said": "x", "s": "nan"}, Columns("said", id="id", cost="s"), "expected a number from 0"),
        ({"id": "a", "said": "x", "s": "inf"}, Columns("said", id="id", latency="s"), "expected a number from 0"),
        ({"id": "a", "said": "x", "s": "wrong"}, Columns("said", id="id", outcome="s"), "the outcome is 'wrong'"),
        ({"id": "a", "said": "x"}, Columns("said"), "--id COL or --text COL"),
    ],
)
def test_a_wrong_cell_is_named(row, columns, message):
    """Place, column, what was found and what was expected."""
    with pytest.raises(DatasetError, match=message):
        list(foreign([("f.csv:2", row)], columns, Path("f.csv")))


def test_columns_become_numbers(dataset):
    """Score, cost and latency are read; an empty cell is unknown, never 0."""
    columns = Columns("said", text="text", score="s", cost="c", latency="l", outcome="o")
    full = {"text": "one text", "said": "bug", "s": "0.25", "c": "0.001", "l": "2", "o": "Answered"}
    (one,) = foreign([("f.csv:2", full)], columns, Path("f.csv"))
    assert (one.score, one.cost_usd, one.latency_s, one.outcome) == (0.25, 0.001, 2.0, Outcome.ANSWERED)
    (one,) = foreign([("f.csv:2", dict.fromkeys(full, "") | {"text": "one text"})], columns, Path("f.csv"))
    assert (one.answer, one.score, one.cost_usd, one.latency_s, one.outcome) == (None,) * 5


@pytest.mark.parametrize(("answer", "label"), [("bug", "bug"), (" bug\n", "bug"), ("Bug", None), ("{'bug'}", None)])
def test_an_answer_is_its_label_exactly_where_that_is_asked_for(dataset, answer, label):
    """`exact`: spelled as the dataset spells it, or unparsed."""
    found = match([said(answer, text="one text")], dataset, "test", "import:x", exact=True)
    assert (found.predictions[0].label, found.unread) == (label, 0 if label else 1)


def test_another_spelling_of_the_same_answer_may_be_the_label(dataset):
    """A choice is known by its text, its letter or its number: the first that is a label counts."""
    rows = [said("a defect", text="one text", spellings=("A", "bug"))]
    assert match(rows, dataset, "test", "import:x").predictions[0].label == "bug"


def test_answers_that_are_no_label_are_counted(dataset):
    """With the first of them."""
    rows = [said(a, text=t) for a, t in (("bug", "one text"), ("Bugs?", "twice there"), ("none", "twice there"))]
    found = match(rows, dataset, "test", "import:x")
    assert (found.unread, found.first_unread) == (2, "Bugs?")


def test_failed_answers_are_in_no_judgement(dataset):
    """A call that failed is wrong for nobody: the file's accuracy and ours are of the answers that came."""
    rows = [
        said("bug", text="one text", was_right=True),
        said(None, text="twice there", outcome=Outcome.FAILED, was_right=False),
    ]
    found = match(rows, dataset, "test", "import:x")
    assert (found.judged, found.judged_here, found.disputed) == (1.0, 1.0, ())
