"""Fields with values: what gold and a reply are, their credit, and metrics beside a count by hand."""

import json

import numpy as np
import pytest

from harness.datasets.kinds import extract
from harness.errors import ConfigError, DatasetError
from harness.types import Outcome

FIELDS = ("time", "people", "first_name")
FORMAT = extract.reply_format("json", FIELDS)

ANSWERED = [
    ('{"time": "8 pm", "people": null, "first_name": null}', {"time": "8 pm"}),
    ('{"time": "8 pm"}', {"time": "8 pm"}),
    ("{}", {}),
    ('{"time": null, "people": "", "first_name": []}', {}),
    ('{"time": ["8 pm", "9 pm"]}', {"time": ["8 pm", "9 pm"]}),
    ('{"time": ["8 pm", "8 pm"]}', {"time": "8 pm"}),
    ('{"people": 4}', {"people": "4"}),
    ('{"TIME": " 8 pm "}', {"time": "8 pm"}),
    ('{"time": "8 pm", "mood": "good"}', {"time": "8 pm"}),
    ('{"time": {"text": "8 pm", "start": 3, "end": 7}}', {"time": "8 pm"}),
    ('{"fields": {"time": "8 pm"}}', {"time": "8 pm"}),
    ('[{"time": "8 pm"}]', {"time": "8 pm"}),
    ('```json\n{"time": "8 pm"}\n```', {"time": "8 pm"}),
    ('Sure: {"time": "8 pm"} as asked', {"time": "8 pm"}),
    ('<think>{"time": "9"}</think>{"time": "8 pm"}', {"time": "8 pm"}),
]
UNPARSED = [
    "",
    "8 pm",
    "null",
    '{"time": "8 pm"',
    '{"time": "8 pm", "time": "9 pm"}',
    '{"time": "8 pm", "Time": "9 pm"}',
    '{"time": "8 pm"} or {"time": "9 pm"}',
    '{"mood": "good", "weather": "fair"}',
    '{"time": {"hour": 8}}',
    '{"time": [["8 pm"]]}',
    '[{"time": "8 pm"}, {"time": "9 pm"}]',
]


@pytest.mark.parametrize(("reply", "values"), ANSWERED)
def test_what_a_reply_gives(reply, values):
    """A field that is missing, null or empty has no value, and a key that is no field says nothing."""
    assert extract.parse(reply, FIELDS, FORMAT) == (Outcome.ANSWERED, json.dumps(values, separators=(",", ":")))


@pytest.mark.parametrize("reply", UNPARSED)
def test_what_a_reply_does_not_say_is_not_guessed(reply):
    """No object, one that ends nowhere, a field twice, a value of another shape: all unparsed."""
    assert extract.parse(reply, FIELDS, FORMAT) == (Outcome.UNPARSED, None)


def test_gold_keeps_places_and_order():
    """Gold is one text, whatever the order of its keys, and keeps where a value stands."""
    placed = '{"time": {"end": 7, "start": 3, "text": "8 pm"}, "people": ["4", "2"]}'
    read = extract.read_gold(placed, FIELDS, "x:1")
    assert json.loads(read) == {"people": ["2", "4"], "time": {"end": 7, "start": 3, "text": "8 pm"}}
    assert extract.shown(read, "json") == '{"people":["2","4"],"time":"8 pm"}'
    for cell, message in [
        ("8 pm", "x:1: found '8 pm'; expected a JSON object"),
        ('{"tme": "8"}', "x:1: field 'tme' .*'time'"),
        ('{"time": 8}', "x:1: field 'time' holds 8; expected a text"),
        ('{"time": {"text": "8", "start": 5, "end": 5}}', "x:1: field 'time' holds"),
    ]:
        with pytest.raises(DatasetError, match=message):
            extract.read_gold(cell, FIELDS, "x:1")


def test_values_are_compared_folded():
    """Case, width and runs of blanks make no difference, places neither; another field does."""
    gold = '{"time":{"end":7,"start":3,"text":"8 PM"}}'
    assert extract.credit(gold, '{"time":"８  pm"}', FIELDS) == 1
    assert extract.credit(gold, '{"people":"8 pm"}', FIELDS) == 0
    assert extract.credit("{}", "{}", FIELDS) == 1
    assert extract.credit('{"people":"4","time":"8"}', '{"time":"8"}', FIELDS) == pytest.approx(2 / 3)


def test_fields_are_nullable_in_the_schema():
    """Every field is asked for, and may be null, a text or several; other modes than JSON have no schema."""
    schema = json.loads(FORMAT.schema)
    assert sorted(schema["required"]) == sorted(FIELDS)
    assert {"type": "null"} in schema["properties"]["time"]["anyOf"]
    for mode, pattern in (("choice", None), ("text", "(.*)")):
        with pytest.raises(ConfigError, match="output: json"):
            extract.reply_format(mode, FIELDS, pattern)


def test_metrics_equal_a_count_by_hand():
    """Mean and micro-F1 over pairs, whole items, and F1 of exact places."""
    gold = ['{"time":{"end":4,"start":0,"text":"8 pm"}}', "{}", '{"people":{"end":1,"start":0,"text":"4"}}']
    answers = ['{"time":{"end":4,"start":0,"text":"8 pm"}}', "{}", '{"people":{"end":6,"start":5,"text":"4"}}']
    rng = np.random.default_rng(0)
    found = {name: metric.estimate(gold, answers, FIELDS, rng) for name, metric in extract.METRICS.items()}
    assert found["mean_f1"].value == 1
    assert found["micro_f1"].value == 1
    assert found["item_exact"].value == 1
    assert found["span_f1"].value == pytest.approx(0.5)  # the second 4 stands elsewhere
    half = extract.METRICS["micro_f1"].estimate(gold, [answers[0], "{}", None], FIELDS, rng)
    assert half.value == pytest.approx(2 / 3)
    assert half.n == 3


def test_no_places_no_figure_of_places():
    """Answers without places, as a prompt's are, have no F1 of places."""
    found = extract.METRICS["span_f1"].estimate(['{"time":"8"}'], ['{"time":"8"}'], FIELDS, np.random.default_rng(0))
    assert found.value is None


def test_a_vote_goes_field_by_field():
    """A value stays that more than half of the weight is for, with its place where a member knows it."""
    votes = [('{"time":"8 PM"}', 1.0), ('{"people":"4","time":{"end":4,"start":0,"text":"8 pm"}}', 1.0), ("{}", 1.0)]
    assert json.loads(extract.combined(votes)[0]) == {"time": {"end": 4, "start": 0, "text": "8 pm"}}
