"""Several labels: what gold and a reply are, their credit, and metrics beside scikit-learn's."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.preprocessing import MultiLabelBinarizer

from harness.datasets.kinds import multi
from harness.errors import ConfigError, DatasetError
from harness.types import Outcome

LABELS = ("billing", "bug", "how to", "other", "red, white and blue")
TEXT = multi.reply_format("label", LABELS)
JSON = multi.reply_format("json", LABELS)

ANSWERED = [
    ("billing, bug", ["billing", "bug"]),
    ("bug\nbilling", ["billing", "bug"]),
    ("- Bug\n- **How to**", ["bug", "how to"]),
    ("1. bug\n2) other", ["bug", "other"]),
    ("Labels: bug; billing", ["billing", "bug"]),
    ("bug, bug", ["bug"]),
    ("red, white and blue, bug", ["bug", "red, white and blue"]),
    ("none", []),
    ("Labels: none.", []),
    ("<think>billing?</think>bug", ["bug"]),
    ('["bug", "billing"]', ["billing", "bug"]),
    ("[]", []),
    ('{"labels": []}', []),
    ('{"labels": null}', []),
    ('{"labels": ["BUG"]}', ["bug"]),
    ('{"label": "bug, billing"}', ["billing", "bug"]),
    ('{"labels": ["bug", "bug"]}', ["bug"]),
    ('{"why": "it crashed", "labels": ["bug"]}', ["bug"]),
    ('```json\n{"labels": ["bug"]}\n```', ["bug"]),
    ('Here it is:\n```json\n["bug"]\n```', ["bug"]),
    ('I think it is {"labels": ["bug"]}. Good luck!', ["bug"]),
    ('<think>{"labels": ["other"]}</think>{"labels": ["bug"]}', ["bug"]),
]
UNPARSED = [
    "",
    "   ",
    "it is a bug and a bill",
    "bug, nonsense",
    '{"labels": ["bug", "nonsense"]}',
    '{"labels": ["bug"',
    '{"labels": ["bug"], "labels": ["other"]}',
    '{"labels": ["bug"]} or {"labels": ["other"]}',
    '{"labels": ["bug"], "label": ["other"]}',
    '{"labels": [["bug"]]}',
    '{"labels": {"bug": true}}',
    '{"labels": ["bug", null]}',
    '{"why": "it crashed", "how": "bug"}',
    "<think>bug",
]


@pytest.mark.parametrize(("reply", "labels"), ANSWERED)
@pytest.mark.parametrize("expected", [TEXT, JSON], ids=["label", "json"])
def test_what_a_reply_names(reply, labels, expected):
    """A reply names its labels, whatever stands around them; a label counts once."""
    assert multi.parse(reply, LABELS, expected) == (Outcome.ANSWERED, multi.canonical(labels))


@pytest.mark.parametrize("reply", UNPARSED)
@pytest.mark.parametrize("expected", [TEXT, JSON], ids=["label", "json"])
def test_what_a_reply_does_not_say_is_not_guessed(reply, expected):
    """A name that is no label, an object that ends nowhere, two answers: all unparsed."""
    assert multi.parse(reply, LABELS, expected) == (Outcome.UNPARSED, None)


def test_a_pattern_takes_every_match():
    """With a pattern each match is a label."""
    expected = multi.reply_format("text", LABELS, r"#(\w+)")
    assert multi.parse("it has #bug and #billing", LABELS, expected) == (Outcome.ANSWERED, '["billing","bug"]')
    assert multi.parse("it has none", LABELS, expected)[0] is Outcome.UNPARSED


def test_the_schema_lists_the_labels():
    """JSON answers are a list out of the closed set; what is said before it comes first."""
    schema = json.loads(multi.reply_format("json", LABELS, fields={"why": "string"}).schema)
    assert list(schema["properties"]) == ["why", "labels"]
    assert schema["properties"]["labels"]["items"]["enum"] == list(LABELS)
    with pytest.raises(ConfigError, match="several"):
        multi.reply_format("choice", LABELS)


def test_gold_is_one_text_for_a_set():
    """Order and repeats say nothing, and a label that is none is named with the nearest."""
    assert multi.read_gold('["bug", "billing", "bug"]', LABELS, "x:1") == '["billing","bug"]'
    with pytest.raises(DatasetError, match="x:1: label 'bugs' .*'bug'"):
        multi.read_gold('["bugs"]', LABELS, "x:1")
    with pytest.raises(DatasetError, match="x:1: found 'bug'; expected a JSON list"):
        multi.read_gold("bug", LABELS, "x:1")


@given(st.sets(st.sampled_from(LABELS)), st.sampled_from(["label", "json"]))
def test_an_answer_that_is_shown_is_read_back(labels, mode):
    """A few-shot example teaches what the parser reads."""
    answer = multi.canonical(labels)
    assert multi.parse(multi.shown(answer, mode), LABELS, multi.reply_format(mode, LABELS))[1] == answer


def test_a_vote_goes_label_by_label():
    """A label stays that more than half of the weight is for."""
    votes = [('["a","b"]', 1.0), ('["a"]', 1.0), ('["c"]', 1.0)]
    assert multi.combined(votes)[0] == '["a"]'


def drawn(n, rng, labels=("a", "b", "c", "d", "never")):
    gold = rng.random((n, len(labels))) < [0.5, 0.3, 0.1, 0.05, 0]
    answer = gold ^ (rng.random(gold.shape) < [0.1, 0.1, 0.1, 0.1, 0])
    texts = [[multi.canonical(np.array(labels)[row]) for row in held] for held in (gold, answer)]
    return labels, gold, answer, *texts


def test_metrics_are_those_of_scikit_learn():
    """Mean F1, micro-F1, macro-F1, subset accuracy and Hamming loss equal scikit-learn's."""
    rng = np.random.default_rng(5)
    labels, gold, answer, golds, answers = drawn(400, rng)
    found = {name: metric.estimate(golds, answers, labels, rng) for name, metric in multi.METRICS.items()}
    held = gold.any(axis=0) | answer.any(axis=0)
    assert found["mean_f1"].value == pytest.approx(metrics.f1_score(gold, answer, average="samples", zero_division=1))
    assert found["micro_f1"].value == pytest.approx(metrics.f1_score(gold, answer, average="micro"))
    assert found["macro_f1"].value == pytest.approx(metrics.f1_score(gold[:, held], answer[:, held], average="macro"))
    assert found["subset_accuracy"].value == pytest.approx(metrics.accuracy_score(gold, answer))
    assert found["hamming_loss"].value == pytest.approx(metrics.hamming_loss(gold, answer))
    assert MultiLabelBinarizer(classes=labels).fit_transform([json.loads(text) for text in golds]).sum() == gold.sum()
    for estimate in found.values():
        assert estimate.low <= estimate.value <= estimate.high


def test_no_answer_costs_recall():
    """An item without an answer has F1 0, also where nothing was to be found, and misses all its labels."""
    rng = np.random.default_rng(0)
    found = {n: m.estimate(["[]", '["a"]'], [None, None], ("a", "b"), rng).value for n, m in multi.METRICS.items()}
    assert found == {
        "mean_f1": 0, "micro_f1": 0, "macro_f1": 0, "subset_accuracy": 0, "hamming_loss": 1, "coverage": 0
    }  # fmt: skip


def test_both_empty_is_right():
    """To name no label where there is none is worth 1."""
    assert multi.credit("[]", "[]", ()) == 1
    assert multi.credit("[]", '["a"]', ()) == 0
    assert multi.credit('["a","b"]', '["a"]', ()) == pytest.approx(2 / 3)


@pytest.mark.parametrize("name", list(multi.METRICS))
def test_no_items_no_number(name):
    """Without items there is no number."""
    found = multi.METRICS[name].estimate([], [], ("a",), np.random.default_rng(0))
    assert (found.value, found.n) == (None, 0)


def test_whole_groups_widen_the_intervals():
    """Items of one group count as what they are worth: copies do not narrow an interval."""
    rng = np.random.default_rng(1)
    labels, _, _, golds, answers = drawn(40, rng)
    for name, metric in multi.METRICS.items():
        alone = metric.estimate(golds, answers, labels, np.random.default_rng(2))
        copied = metric.estimate(
            golds * 5, answers * 5, labels, np.random.default_rng(2), clusters=np.tile(np.arange(40), 5)
        )
        assert copied.value == pytest.approx(alone.value)
        if name != "coverage":
            assert copied.high - copied.low > 0.8 * (alone.high - alone.low), name
