"""Several labels, fields and numbers from end to end: planted answers come out as planted, over both wires."""

import json
import re

import numpy as np
import pytest

from harness.app.project import scaffold
from harness.arms.answers import KindSpec
from harness.arms.baselines import majority, rules
from harness.arms.prompts import files as prompt_files
from harness.datasets.kinds import extract, multi, score
from harness.datasets.task import Task
from tests import kind_examples
from tests.loopback import serve

KINDS = {"multi": multi, "extract": extract, "score": score}
MALFORMED = {"multi": '{"labels": ["nonsense"]}', "extract": '{"time": {"hour": 8}}', "score": '{"score": 99}'}
WRONG = {"multi": '{"labels": ["bug", "bug"]}', "extract": '{"time": "8 PM", "mood": "x"}', "score": '{"score": 0}'}
WORDS = ("accuracy", "confusion", "macro-F1")


@pytest.fixture
def root(tmp_path):
    (tmp_path / "harness.toml").write_text("", encoding="utf-8")
    return tmp_path


def planted(dataset, kind, mode="json"):
    """What the model says of each text: two thirds right, one sixth wrong but readable, one sixth malformed."""
    replies = {}
    for place, example in enumerate(dataset.examples):
        right = KINDS[kind].shown(example.label, "json" if kind == "extract" else mode)
        if mode == "json" and kind != "extract":
            right = json.dumps({"labels" if kind == "multi" else "score": json.loads(right)})
        replies[example.item.text] = (right, right, right, right, WRONG[kind], MALFORMED[kind])[place % 6]
    return replies


def brute_force(dataset, replies, kind):
    """The credit of each test item, by the kind's own reader and a count by hand."""
    credits = []
    for example in dataset.in_split("test"):
        expected = KINDS[kind].reply_format("json", dataset.label_names)
        _, answer = KINDS[kind].parse(replies[example.item.text], dataset.label_names, expected)
        if answer is None:
            credits.append(0.0)
        elif kind == "score":
            credits.append(1 - abs(float(answer) - float(example.label)) / 4)
        else:
            gold, given = (set(_members(kind, text)) for text in (example.label, answer))
            credits.append(2 * len(gold & given) / (len(gold) + len(given)) if gold or given else 1.0)
    return credits


def _members(kind, text):
    if kind == "multi":
        return json.loads(text)
    return [
        (name, (one["text"] if isinstance(one, dict) else one).casefold()) for name, one in json.loads(text).items()
    ]


CELLS = [(kind, wire) for kind in KINDS for wire in ("openai", "anthropic")]
QUICK = {("multi", "anthropic"), ("extract", "openai"), ("score", "anthropic")}  # the others go with the simulations


@pytest.mark.parametrize(
    ("kind", "wire"), [pytest.param(*cell, marks=[] if cell in QUICK else [pytest.mark.sims]) for cell in CELLS]
)
def test_planted_answers_are_printed(harness, root, monkeypatch, kind, wire):
    """The headline equals brute force, malformed replies are unparsed, and the kind's schema goes over the wire."""
    dataset = kind_examples.write(root, kind)
    replies = planted(dataset, kind)
    monkeypatch.setenv(f"{wire.upper()}_API_KEY", "sk-test")
    model = "openai/gpt-4o-mini" if wire == "openai" else "anthropic/claude-haiku-4-5"
    with serve(lambda asked: replies[re.sub(r"^\d+ names\. ", "", asked.splitlines()[-1])]) as server:
        url = server.openai_url if wire == "openai" else server.url
        done = harness("eval", "--prompt", "v1", "--dataset", kind, "--model", model, "--base-url", url, "--json")
        if wire == "openai":
            shots = harness("eval", "--prompt", "v3", "--dataset", kind, "--model", model, "--base-url", url, "--json")
    assert done.code == 0, done.err
    credits = brute_force(dataset, replies, kind)
    assert done.json["headline"]["value"] == pytest.approx(np.mean(credits))
    unread = [replies[one.item.text] == MALFORMED[kind] for one in dataset.in_split("test")]
    assert done.json["outcomes"]["unparsed"] == sum(unread)
    sent = server.requests[0]
    schema = (
        sent["response_format"]["json_schema"]["schema"]
        if wire == "openai"
        else sent["output_config"]["format"]["schema"]
    )
    expected = json.loads(KINDS[kind].reply_format("json", dataset.label_names).schema)
    if wire == "anthropic" and kind == "score":  # this API refuses the ends of a range
        expected["properties"]["score"] = {"type": "number", "description": "a number from -2 to 2"}
    assert schema == expected
    if wire != "openai":
        return
    assert shots.json["headline"]["value"] == pytest.approx(np.mean(credits))
    shown = server.requests[-1]["messages"][-1]["content"]
    assert "=>" in shown
    assert '"start"' not in shown


@pytest.mark.parametrize(
    "kind", ["multi", *(pytest.param(kind, marks=pytest.mark.sims) for kind in KINDS if kind != "multi")]
)
def test_everything_else_goes_on_credit(harness, root, kind):
    """Baselines, compare, cascade, curve, decide, gate, report and the store take what answers are worth."""
    kind_examples.write(root, kind)
    learnt = {"multi": "tag-odds", "extract": "gazetteer", "score": "tfidf-ridge"}[kind]
    done = harness("baselines", "--dataset", kind, "--arm", "rules", "--arm", learnt, "--arm", "majority", "--json")
    assert done.code == 0, done.err
    by_arm = {one["arm"]: one for one in done.json}
    headline = {name: one["headline"]["value"] for name, one in by_arm.items()}
    assert headline[learnt] > headline["majority"]
    assert by_arm[learnt]["accuracy"] is None
    compared = harness("compare", "rules", learnt, "--dataset", kind, "--json").json
    assert compared["difference"]["value"] == pytest.approx(headline["rules"] - headline[learnt])
    assert compared["both"] is None
    stored = harness("sql", "select arm, avg(credit) as c from scored group by arm", "--json").json
    assert {row["arm"]: row["c"] for row in stored} == pytest.approx(headline)
    assert harness("decide", "--dataset", kind, "--json").code == 0
    curve = harness(
        "curve", learnt, "--dataset", kind, "--labels", "12,48", "--seeds", "2", "--against", "rules", "--json"
    )
    assert [point["n_labels"] for point in curve.json["points"]] == [12, 48]


def test_a_report_of_numbers(harness, root):
    """It speaks of no accuracy, confusion or macro-F1, and says what each rater reaches, as numpy has it."""
    dataset = kind_examples.write(root, "score")
    done = harness("baselines", "--dataset", "score", "--arm", "rules", "--arm", "majority", "--json")
    (place,) = [path for path in done.json[0]["files"] if path.endswith("report.md")]
    report = re.sub(r"\([\w-]+\.svg\)", "", (root / place).read_text(encoding="utf-8"))  # names of files stay
    assert not [word for word in WORDS if word in report]
    section = report.partition("## Single people against the gold")[2]
    rated = dataset.in_split("test")
    gold = np.array([float(one.label) for one in rated])
    each = [np.corrcoef(gold, [float(one.ratings[rater]) for one in rated])[0, 1] for rater in ("r1", "r2")]
    (row,) = [line for line in section.splitlines() if line.startswith("| pearson")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1] == f"{np.mean(each):.3f}".lstrip("0")
    assert cells[2] == "–".join(f"{value:.3f}".lstrip("0") for value in (min(each), max(each)))
    assert f"2 raters on {len(rated)} items" in section


@pytest.mark.sims
def test_fusions_take_fields(harness, root):
    """A cascade is tried on credits, a vote goes field by field, and a vote that learns a single label is refused."""
    kind_examples.write(root, "extract")
    for split in ("dev", "test"):
        arms = ("--arm", "rules", "--arm", "gazetteer", "--arm", "majority")
        assert harness("baselines", "--dataset", "extract", "--split", split, *arms).code == 0
    tried = harness("cascade", "rules", "gazetteer", "--dataset", "extract", "--json")
    assert tried.code == 0, tried.err
    voted = harness(
        "cascade", "rules", "gazetteer", "majority", "--how", "vote-weighted", "--dataset", "extract", "--json"
    )
    assert voted.code == 0, voted.err
    refused = harness("cascade", "rules", "gazetteer", "--how", "vote-stacked", "--dataset", "extract")
    assert (refused.code, "vote-weighted" in refused.err) == (2, True)


def test_an_arm_of_another_kind_is_left_out(harness, root):
    """A baseline that cannot answer the kind is refused with the reason, and left out of the default ones."""
    kind_examples.write(root, "score")
    refused = harness("baselines", "--dataset", "score", "--arm", "tfidf-lr")
    assert refused.code == 2
    assert "learns tasks of kind single, multi, and score@v1 is of kind score" in refused.err


@pytest.mark.parametrize("kind", list(KINDS))
def test_init_drafts_a_prompt_and_rules_of_the_kind(tmp_path, kind):
    """What `init` writes beside a file of a kind reads as a prompt and as rules, and the rules beat a constant."""
    rows = kind_examples.ROWS[kind](120)
    file = tmp_path / f"{kind}.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    root = tmp_path / "new"
    root.mkdir()
    ends = (-2.0, 2.0) if kind == "score" else None
    made = scaffold.make(root, scaffold.Wanted(str(file), kind=kind, text="text", label="label", range=ends))
    task = Task.of(made.dataset)
    training, test = (made.dataset.in_split(name) for name in ("train", "test"))
    spec = KindSpec(kind, tuple((label.name, label.description) for label in made.dataset.labels))
    drafted = (root / "prompts" / kind / "rules-v1.toml").read_text(encoding="utf-8")
    mean = {}
    for name, built in (("rules", rules.build(drafted, spec)), ("majority", majority.build(spec))):
        built.fit([one.item for one in training], [one.label for one in training])
        given = built.answers([one.item for one in test])
        mean[name] = np.mean([task.credit(one.label, said.label) for one, said in zip(test, given, strict=True)])
    assert mean["rules"] > mean["majority"] + 0.05
    assert prompt_files.load(root, kind, "v1").header.output == "json"
