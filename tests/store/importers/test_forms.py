"""Forms times versions: every layout in which a tool writes its results comes out with the tool's own accuracy.

Files under samples/forms were written by the tools. The other layouts are written here, after each tool's own
definition of them, from the same twelve items: t3 and t7 have another label, t9 is a sentence.
"""

import json
from pathlib import Path

import pytest

from harness import datasets
from harness.errors import ConfigError, DatasetError
from harness.store import importing, matching
from harness.types import Outcome

SAMPLES = Path(__file__).parent / "samples"
ITEMS = [json.loads(line) for line in (SAMPLES / "items.jsonl").read_text().splitlines()]
LABELS = ["billing", "bug", "question"]
SENTENCE = "I would say this is a question."
PLANTED = {"t3": "bug", "t7": "question", "t9": SENTENCE}
ANSWERS = {item["id"]: PLANTED.get(item["id"], item["label"]) for item in ITEMS}
RIGHT = 9 / 12


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    root = tmp_path_factory.mktemp("forms")
    path = root / "items.jsonl"
    path.write_text("".join(json.dumps(row | {"split": "test"}) + "\n" for row in ITEMS))
    datasets.import_file(
        root, datasets.ImportSpec("items", "v1", "text", "label", id="id", split_column="split"), {None: path}
    )
    return datasets.load(root, "items@v1")


def each(row):
    """One record an item: `row` takes the item, the answer and whether it is right."""
    return [row(item, ANSWERS[item["id"]], ANSWERS[item["id"]] == item["label"]) for item in ITEMS]


def lines(records):
    return "".join(json.dumps(record) + "\n" for record in records)


def lm_generated(item, answer, right, **more):
    return {
        "doc_id": int(item["id"][1:]) - 1,
        "doc": item,
        "target": item["label"],
        "arguments": {"gen_args_0": {"arg_0": item["text"], "arg_1": {"until": []}}},
        "resps": [[answer]],
        "filtered_resps": [answer],
        "doc_hash": "d",
        "exact_match": float(right),
    } | more


def likelihoods(answer):
    """The likeliest choice is the answer; for a sentence, a wrong one."""
    best = answer if answer in LABELS else "billing"
    return [-1.0 if label == best else -5.5 for label in LABELS]


def lm_choices(item, answer, right, continuations=LABELS, doc=None, *, twice=False, as_text=True):
    responses = [[str(x), "False"] if as_text else [x, False] for x in likelihoods(answer)]
    pairs = [[f"{item['text']}\nLabel:", f" {one}"] for one in continuations]
    if twice:
        responses, pairs = responses + responses[::-1], pairs + [["Label:", second] for _, second in pairs]
    arguments = {f"gen_args_{i}": {"arg_0": a, "arg_1": b} for i, (a, b) in enumerate(pairs)} if as_text else pairs
    return {
        "doc_id": int(item["id"][1:]) - 1,
        "doc": {"sentence": item["text"], "label": LABELS.index(item["label"]), "idx": 0} | (doc or {}),
        "target": str(LABELS.index(item["label"])),
        "arguments": arguments,
        "resps": [[one] for one in responses],
        "filtered_resps": responses,
        "acc": float(right),
    }


def filters(named):
    """As a task with two filters is written: one filter after the other, the first takes the whole reply."""
    strict = each(lambda item, answer, right: lm_generated(item, "The answer: " + answer + "!", False))
    flexible = each(lm_generated)
    if named:
        return [one | {"filter": "strict"} for one in strict] + [one | {"filter": "flexible"} for one in flexible]
    return strict + flexible


def promptfoo(item, answer, right, **more):
    return {
        "cost": 0.0001,
        "gradingResult": {"pass": right, "score": int(right), "reason": "x"},
        "latencyMs": 120,
        "prompt": {"raw": f"Classify: {item['text']}", "label": "Classify: {{text}}"},
        "promptIdx": 0,
        "provider": {"id": "openai:gpt-4o-mini", "label": ""},
        "response": {"output": answer},
        "success": right,
        "vars": {"id": item["id"], "text": item["text"]},
    } | more


def older(record, provider):
    return {key: value for key, value in record.items() if key != "promptIdx"} | {"provider": provider}


def with_price_too_high(item, answer, right):
    """The answer was right, and the test failed all the same: it cost too much."""
    judged = [{"pass": right, "assertion": {"type": "equals"}}, {"pass": False, "assertion": {"type": "cost"}}]
    return promptfoo(item, answer, right, success=False, gradingResult={"pass": False, "componentResults": judged})


def inspect_v1(item, answer, right, **more):
    return {
        "id": item["id"],
        "epoch": 1,
        "input": [{"role": "user", "content": item["text"]}],
        "choices": None,
        "target": item["label"],
        "output": {
            "model": "m",
            "choices": [{"message": {"role": "assistant", "content": answer}, "stop_reason": "stop"}],
        },
        "score": {"value": "C" if right else "I", "answer": answer, "explanation": None},
    } | more


def inspect_log(samples, version=2):
    return json.dumps(
        {"version": version, "status": "success", "eval": {"task": "t", "model": "m"}, "samples": samples}
    )


def inspect_choices(item, answer, right):
    letter = "ABC"[LABELS.index(answer)] if answer in LABELS else ""
    scores = {"choice": {"value": "C" if right else "I", "answer": letter}}
    output = {"completion": f"ANSWER: {letter}" if letter else answer}
    more = {"choices": LABELS, "target": "ABC"[LABELS.index(item["label"])], "output": output, "scores": scores}
    return {key: value for key, value in (inspect_v1(item, answer, right) | more).items() if key != "score"}


def inspect_first_choices(item, answer, right):
    """The scorer of the first versions said whether the letter was right, and not which it was."""
    sample = inspect_choices(item, answer, right)
    reply = f"I see.\n{sample['output']['completion']}."
    message = {"message": {"role": "assistant", "content": reply}, "stop_reason": "stop"}
    scores = {"choice": {"value": "C" if right else "I", "explanation": reply}}
    return sample | {"output": {"model": "m", "choices": [message]}, "scores": scores}


def with_attachment(item, answer, right):
    sample = inspect_v1(item, answer, right, input="attachment://abc", attachments={"abc": item["text"]}, id="no id")
    return {key: value for key, value in sample.items() if key != "score"} | {"scores": {"exact": sample["score"]}}


def oai(spec, *events):
    first = {"spec": spec | {"eval_name": "tickets.test.v1", "run_id": "r"}}
    made = [
        {
            "sample_id": f"tickets.{item['id']}",
            "type": kind,
            "data": data(item, ANSWERS[item["id"]], ANSWERS[item["id"]] == item["label"]),
        }
        for item in ITEMS
        for kind, data in events
    ]
    return lines([first, *made, {"final_report": {"accuracy": RIGHT}}])


SAMPLING = (
    "sampling",
    lambda item, answer, right: {"prompt": [{"role": "user", "content": item["text"]}], "sampled": [answer]},
)
AS_MATCH = (
    "match",
    lambda item, answer, right: {"correct": right, "expected": item["label"], "picked": answer, "sampled": answer},
)
AS_METRICS = ("metrics", lambda item, answer, right: {"accuracy": float(right)})


def hosted(item, answer, right, **more):
    return {
        "object": "eval.run.output_item",
        "id": f"outputitem_{item['id']}",
        "datasource_item_id": int(item["id"][1:]),
        "datasource_item": {"item": {"text": item["text"], "label": item["label"]}},
        "results": [{"name": "match", "type": "string_check", "passed": right, "score": float(right)}],
        "sample": {
            "input": [{"role": "user", "content": f"Classify: {item['text']}"}],
            "output": [{"role": "assistant", "content": answer}],
            "finish_reason": "stop",
            "error": None,
        },
        "status": "pass" if right else "fail",
    } | more


def own_output(item, answer, right):
    return hosted(item, answer, right, sample=None, datasource_item=item | {"output": answer})


FORMS = {
    "lm-eval generated": ("s.jsonl", lambda: lines(each(lm_generated)), {}),
    "lm-eval generated, a JSON list (0.4.0)": ("s.jsonl", lambda: json.dumps(each(lm_generated), indent=2), {}),
    "lm-eval choices in arguments (0.4.3 on)": ("s.jsonl", lambda: lines(each(lm_choices)), {}),
    "lm-eval choices in lists (before 0.4.3)": (
        "s.jsonl",
        lambda: json.dumps(each(lambda i, a, r: lm_choices(i, a, r, as_text=False)), indent=2),
        {},
    ),
    "lm-eval choices in the document": (
        "s.jsonl",
        lambda: lines(each(lambda i, a, r: lm_choices(i, a, r, continuations="ABC", doc={"choices": LABELS}))),
        {},
    ),
    "lm-eval choices as ARC has them": (
        "s.jsonl",
        lambda: lines(
            each(lambda i, a, r: lm_choices(i, a, r, "ABC", {"choices": {"text": LABELS, "label": [*"ABC"]}}))
        ),
        {},
    ),
    "lm-eval letters in the document, labels in the arguments": (
        "s.jsonl",
        lambda: lines(each(lambda i, a, r: lm_choices(i, a, r, doc={"choices": [*"ABC"]}))),
        {},
    ),
    "lm-eval mutual information": ("s.jsonl", lambda: lines(each(lambda i, a, r: lm_choices(i, a, r, twice=True))), {}),
    "lm-eval two filters": ("s.jsonl", lambda: lines(filters(named=True)), {"filter": "flexible"}),
    "lm-eval two filters without names (0.4.0)": ("s.jsonl", lambda: lines(filters(named=False)), {"filter": "2"}),
    "promptfoo 3": (
        "r.json",
        lambda: json.dumps({"evalId": "e", "results": {"version": 3, "results": each(promptfoo)}}),
        {},
    ),
    "promptfoo JSONL": ("r.jsonl", lambda: lines(each(promptfoo)), {}),
    "promptfoo 2": (
        "r.json",
        lambda: json.dumps(
            {
                "results": {
                    "version": 2,
                    "results": [older(one, {"id": "openai:m"}) for one in each(promptfoo)],
                    "table": {},
                }
            }
        ),
        {},
    ),
    "promptfoo 1": (
        "r.json",
        lambda: json.dumps({"results": {"version": 1, "results": [older(one, "openai:m") for one in each(promptfoo)]}}),
        {},
    ),
    "promptfoo objects": (
        "r.json",
        lambda: json.dumps(
            {
                "evalId": "e",
                "results": {"results": each(lambda i, a, r: promptfoo(i, a, r, response={"output": {"label": a}}))},
            }
        ),
        {},
    ),
    "promptfoo a test that failed for its price": (
        "r.json",
        lambda: json.dumps({"evalId": "e", "results": {"results": each(with_price_too_high)}}),
        {},
    ),
    "inspect version 1": ("l.json", lambda: inspect_log(each(inspect_v1), version=1), {}),
    "inspect choices": ("l.json", lambda: inspect_log(each(inspect_choices)), {}),
    "inspect choices of its first versions": ("l.json", lambda: inspect_log(each(inspect_first_choices)), {}),
    "inspect attachments": ("l.json", lambda: inspect_log(each(with_attachment)), {}),
    "openai-evals match": ("l.jsonl", lambda: oai({"completion_fns": ["m"]}, SAMPLING, AS_MATCH), {}),
    "openai-evals before completion functions": ("l.jsonl", lambda: oai({"model_name": "m"}, SAMPLING, AS_MATCH), {}),
    "openai-evals metrics": ("l.jsonl", lambda: oai({"completion_fns": ["m"]}, SAMPLING, AS_METRICS), {}),
    "openai-hosted lines": ("o.jsonl", lambda: lines(each(hosted)), {}),
    "openai-hosted list": ("o.json", lambda: json.dumps(each(hosted), indent=1), {}),
    "openai-hosted page": (
        "o.json",
        lambda: json.dumps({"object": "list", "data": each(hosted), "has_more": False}),
        {},
    ),
    "openai-hosted page, indented": (
        "o.json",
        lambda: json.dumps({"data": each(hosted), "object": "list"}, indent=2),
        {},
    ),
    "openai-hosted pages": (
        "o.jsonl",
        lambda: lines([{"object": "list", "data": each(hosted)[:5]}, {"object": "list", "data": each(hosted)[5:]}]),
        {},
    ),
    "openai-hosted own outputs": ("o.jsonl", lambda: lines(each(own_output)), {}),
}
WRITTEN = {
    "inspect-0.3.285-choices.json": {},
    "inspect-0.3.285-choices.eval": {},
    "inspect-0.3.285-two-scorers.json": {},
    "pydantic-evals-0.8.1.json": {},
    "pydantic-evals-1.107.10.json": {},
    "pydantic-evals-2.62.0-objects.json": {},
}


def check(path, tool, variants, dataset):
    assert importing.recognised(path) == tool
    found = matching.match(importing.rows(path, None, None, variants), dataset, "test", "import:x")
    gold = {example.item.id: example.label for example in dataset.examples}
    right = sum(one.label == gold[one.item_id] for one in found.predictions)
    assert (found.rows, found.unmatched, found.duplicates, found.missing) == (12, (), (), ())
    assert (right / 12, found.judged, found.judged_here) == (RIGHT, RIGHT, RIGHT)
    assert found.differently_judged == ()
    return {one.item_id: one for one in found.predictions}


@pytest.mark.parametrize("name", FORMS)
def test_every_layout_has_the_tools_own_accuracy(name, tmp_path, dataset):
    """Recognised without being named; every row finds its item; accuracy and each item's judgement are the tool's."""
    file, content, variants = FORMS[name]
    (tmp_path / file).write_text(content())
    found = check(tmp_path / file, name.partition(" ")[0], variants, dataset)
    assert (found["t3"].label, found["t7"].label) == ("bug", "question")


@pytest.mark.parametrize("name", WRITTEN)
def test_every_file_of_a_tool_has_its_accuracy(name, dataset):
    """What the tools wrote themselves, version by version."""
    tool = name.partition("-0")[0] if "inspect" in name else "pydantic-evals"
    found = check(SAMPLES / "forms" / name, tool, WRITTEN[name], dataset)
    assert (found["t3"].label, found["t7"].label, found["t9"].outcome) == ("bug", "question", Outcome.UNPARSED)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda: lines(filters(named=True)), "answers of 2 filters.*--filter strict or --filter flexible"),
        (lambda: lines(filters(named=False)), "answers of 2 filters.*--filter 1 or --filter 2"),
    ],
)
def test_several_filters_are_named(content, message, tmp_path):
    """A task with two filters has two answers to everything: which one counts is said, not guessed."""
    (tmp_path / "s.jsonl").write_text(content())
    with pytest.raises(ConfigError, match=message):
        list(importing.rows(tmp_path / "s.jsonl", None, None))
    with pytest.raises(ConfigError, match="no filter 'x'; expected one of"):
        list(importing.rows(tmp_path / "s.jsonl", None, None, {"filter": "x"}))


def test_several_scorers_with_answers_are_named(tmp_path):
    """Where two scorers say what the answer was, one of them is to be named; one without answers never counts."""

    def two(item, answer, right):
        score = {"value": "C" if right else "I", "answer": answer}
        sample = inspect_v1(item, answer, right) | {"scores": {"exact": score, "loose": score, "length": {"value": 7}}}
        return {key: value for key, value in sample.items() if key != "score"}

    (tmp_path / "l.json").write_text(inspect_log(each(two)))
    with pytest.raises(ConfigError, match="answers of 2 scorers.*--scorer exact or --scorer loose"):
        list(importing.rows(tmp_path / "l.json", None, None))
    assert len(list(importing.rows(tmp_path / "l.json", None, None, {"scorer": "loose"}))) == 12
    with pytest.raises(ConfigError, match="no scorer 'exakt'.*did you mean 'exact'"):
        list(importing.rows(tmp_path / "l.json", None, None, {"scorer": "exakt"}))


def test_an_option_of_another_tool_is_refused(tmp_path):
    """A filter means nothing to promptfoo."""
    (tmp_path / "r.jsonl").write_text(lines(each(promptfoo)))
    with pytest.raises(ConfigError, match="--filter does not go with promptfoo"):
        list(importing.rows(tmp_path / "r.jsonl", None, None, {"filter": "x"}))


def ended_in_error(item, answer, right):
    failed = {"error": "timed out", "failureReason": 2, "success": False, "gradingResult": None}
    return (
        promptfoo(item, answer, right, **failed) | {"response": None}
        if item["id"] in ("t1", "t2")
        else promptfoo(item, answer, right)
    )


FAILED = {
    "promptfoo": ("r.jsonl", lambda: lines(each(ended_in_error))),
    "openai-hosted": (
        "o.jsonl",
        lambda: lines(
            each(
                lambda i, a, r: (
                    hosted(
                        i,
                        a,
                        r,
                        sample={"input": [], "output": [], "error": {"code": "x", "message": "timed out"}},
                        results=[],
                    )
                    if i["id"] in ("t1", "t2")
                    else hosted(i, a, r)
                )
            )
        ),
    ),
}


@pytest.mark.parametrize("name", FAILED)
def test_a_failed_call_is_no_wrong_answer(name, tmp_path, dataset):
    """It is in nobody's accuracy, and keeps its error."""
    file, content = FAILED[name]
    (tmp_path / file).write_text(content())
    found = matching.match(importing.rows(tmp_path / file, None, None), dataset, "test", "import:x")
    failed = [one for one in found.predictions if one.outcome is Outcome.FAILED]
    assert [(one.item_id, one.error) for one in failed] == [("t1", "timed out"), ("t2", "timed out")]
    assert found.judged == found.judged_here == 7 / 10


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        (
            "s.jsonl",
            lambda: lines(each(lambda i, a, r: lm_choices(i, a, r, continuations=LABELS[:2]))),
            "3 log-likelihoods",
        ),
        ("l.jsonl", lambda: lines([{"spec": {"completion_fns": ["m"]}}]), "no match, metrics or sampling events"),
        ("l.json", lambda: inspect_log(None), "holds no samples"),
    ],
)
def test_what_cannot_be_read_is_said(file, content, message, tmp_path):
    """One line that says what is missing, instead of a run of nothing."""
    (tmp_path / file).write_text(content())
    with pytest.raises(DatasetError, match=message):
        list(importing.rows(tmp_path / file, None, None))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("r.yaml", "evalId: eval-1\nresults:\n  version: 3\n", "promptfoo's results as .yaml; write them as JSON"),
        ("r.html", "<html><title>LLM Eval | promptfoo</title></html>", "promptfoo's results as .html; write them as"),
        ("old.html", "<title>Eval Output</title><style>td[data-content^='[PASS]'] {}</style>", "results as .html"),
        ("r.csv", 'text,[openai:m] {{text}}\na,"[FAIL] (0.00)"\n', "results as .csv"),
        ("new.csv", "text,[openai:m] {{text}},Status,Score,Comment\na,b,PASS,1.00,\n", "results as .csv"),
        ("results_1.json", '{"results": {"t": {"alias": "t", "exact_match,none": 0.5}}}', "which --log_samples writes"),
    ],
)
def test_what_a_tool_writes_beside_the_file_that_is_read(tmp_path, name, content, message):
    """The line says which file or form to give."""
    (tmp_path / name).write_text(content)
    with pytest.raises(ConfigError, match=message):
        list(importing.rows(tmp_path / name, None, None))
