import json

import pytest

from harness import datasets
from tests.loopback import serve

FAKE = 'default = "no idea"\n[answers]\n"charged" = "billing"\n"error" = "bug"\n"password" = "question"\n'


def truth(root):
    """What the recipe's answers amount to, counted by hand from the rows."""
    test = datasets.load(root, "tickets@v1").in_split("test")
    answers = {"charged": "billing", "error": "bug", "password": "question"}
    given = [next((a for piece, a in answers.items() if piece in e.item.text), None) for e in test]
    return (
        sum(a == e.label for a, e in zip(given, test, strict=True)),
        sum(a is not None for a in given),
        len(test),
    )


@pytest.fixture
def recipe(root):
    path = root / "fake.toml"
    path.write_text(FAKE)
    return f"fake/{path}"


def test_the_planted_truth_comes_out(harness, root, recipe):
    """Accuracy, outcomes, calls and n are exactly what the fake model was told to answer."""
    done = harness("eval", "--prompt", "v1", "--model", recipe, "--json")
    right, answered, n = truth(root)
    result = done.json
    assert done.code == 0
    assert (result["n"], result["accuracy"]["value"]) == (n, pytest.approx(right / n))
    assert result["outcomes"] == {
        "answered": answered,
        "abstained": 0,
        "unparsed": n - answered,
        "refused": 0,
        "failed": 0,
    }
    assert result["calls"] == {"sent": n, "cached": 0, "retried": 0}
    assert result["cost_usd"] is None
    assert (result["arm"], result["dataset"], result["split"]) == ("prompt:v1", "tickets@v1", "test")
    assert all((root / path).is_file() for path in result["files"])


def test_the_same_command_again_sends_nothing(harness, recipe):
    """The second run is the first one, read back."""
    first = harness("eval", "--prompt", "v1", "--model", recipe, "--json").json
    again = harness("eval", "--prompt", "v1", "--model", recipe, "--json").json
    assert again["run_id"] == first["run_id"]
    assert again["calls"] == {"sent": 0, "cached": first["n"], "retried": 0}
    assert again["accuracy"] == first["accuracy"]
    assert again["billed_usd"] == 0


def test_a_removed_run_is_served_by_the_ledger(harness, recipe):
    """What was paid for once is not paid for again, even when the store forgot the run."""
    first = harness("eval", "--prompt", "v1", "--model", recipe, "--json").json
    assert harness("runs", "rm", first["run_id"]).code == 0
    again = harness("eval", "--prompt", "v1", "--model", recipe, "--json").json
    assert again["calls"]["sent"] == 0
    assert again["accuracy"] == first["accuracy"]


def test_fresh_asks_again_and_a_repeat_is_a_new_draw(harness, recipe):
    """--repeat is a run of its own and is asked; --fresh asks although the ledger has answers."""
    first = harness("eval", "--prompt", "v1", "--model", recipe, "--json").json
    both = harness("eval", "--prompt", "v1", "--model", recipe, "--repeat", "2", "--json").json
    assert [one["calls"]["sent"] for one in both["repeats"]] == [0, first["n"]]
    assert [one["run_id"] == first["run_id"] for one in both["repeats"]] == [True, False]
    harness("runs", "rm", first["run_id"])
    assert harness("eval", "--prompt", "v1", "--model", recipe, "--fresh", "--json").json["calls"]["sent"] == first["n"]


def test_baselines_stand_beside_the_prompt_on_the_same_items(harness, recipe):
    """`--baselines` runs what is missing; the scorecard has every arm, on the limited items too."""
    done = harness("eval", "--prompt", "v1", "--model", recipe, "--baselines", "--limit", "12")
    assert done.code == 0
    for arm in ("majority", "rules", "tag-odds", "prompt:v1"):
        assert arm in done.out
    assert "12 items, 3 labels" in done.out
    frame = harness("sql", "select arm, count(*) n from scored group by arm order by arm", "--json").json
    assert frame == [{"arm": arm, "n": 12} for arm in ("majority", "prompt:v1", "rules", "tag-odds")]


def test_a_limit_is_a_part_of_a_larger_limit(harness, recipe):
    """A first look at few items is never wasted: a larger run asks only the rest."""
    few = harness("eval", "--prompt", "v1", "--model", recipe, "--limit", "5", "--json").json
    more = harness("eval", "--prompt", "v1", "--model", recipe, "--limit", "9", "--json").json
    assert (few["calls"]["sent"], more["calls"]["sent"], more["calls"]["cached"]) == (5, 4, 5)


def test_looks_at_the_split_are_counted(harness, recipe):
    """Every new run on a split is a look at it; reading one back is none."""
    harness("eval", "--prompt", "v1", "--model", recipe)
    harness("eval", "--prompt", "v1", "--model", recipe)
    assert "scored once" in harness("eval", "--prompt", "v1", "--model", recipe).out
    assert "scored 2 times" in harness("baselines", "--arm", "majority").out


def test_runs_can_be_found_shown_and_tagged(harness, recipe):
    """By id, unique prefix, arm name and tag: the same run."""
    run_id = harness("eval", "--prompt", "v1", "--model", recipe, "--json").json["run_id"]
    assert harness("runs", "tag", run_id[:9], "production").code == 0
    for name in (run_id, run_id.removeprefix("s1:")[:8], "prompt:v1", "production"):
        assert harness("runs", "show", name, "--json").json["run_id"] == run_id
    assert [row["tag"] for row in harness("runs", "list", "--json").json] == ["production"]
    missing = harness("runs", "show", "prompt:v9")
    assert (missing.code, missing.err.count("\n")) == (2, 1)
    assert "did you mean 'prompt:v1'" in missing.err


def test_the_report_tells_the_same_numbers(harness, root, recipe):
    """Page, Markdown and CSV carry the accuracy that the command printed."""
    result = harness("eval", "--prompt", "v1", "--model", recipe, "--baselines", "--json").json
    shown = f"{result['accuracy']['value']:.3f}".removeprefix("0")
    folder = root / "results" / "tickets@v1" / "test"
    assert shown in (folder / "report.html").read_text()
    assert shown in (folder / "report.md").read_text()
    assert f"{result['accuracy']['value']!r}"[:6] in (folder / "accuracy-cost.csv").read_text()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert harness("report").code == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_unknown_is_null_in_json(harness, recipe):
    """Numbers are JSON numbers and unknown is null: the text parses strictly."""
    out = harness("eval", "--prompt", "v1", "--model", recipe, "--json").out
    assert json.loads(out, parse_constant=pytest.fail)["cost_per_1000_usd"] is None


def test_replies_without_a_label_are_shown(harness, root, recipe):
    """The scorecard and the report say how many replies are no label, and show one with the nearest label."""
    text = (root / "fake.toml").read_text().replace('"no idea"', '"Billings"')
    (root / "fake.toml").write_text(text)
    done = harness("eval", "--prompt", "v1", "--model", recipe)
    _, answered, n = truth(root)
    said = f"{n - answered} of {n} replies are no label; the first: 'Billings' (nearest label 'billing')."
    assert said in " ".join(done.out.split())
    assert said in (root / "results/tickets@v1/test/report.md").read_text()


def test_cut_off_replies_are_named(harness, root, monkeypatch):
    """A limit that is spent on thinking is said as that, with its number, and so is what one of the replies was."""
    write_prompt(root, "json", "fields: {reason: string}\n")
    with serve(lambda _: '{"reason": "it was charged', faults={-1: "cut"}) as server:
        monkeypatch.setenv("OPENAI_API_KEY", "x")
        done = harness("eval", "--prompt", "v2", "--model", "openai/m", "--base-url", server.openai_url)
    n = truth(root)[2]
    said = f'{n} of {n} replies were cut off at max_tokens 8; the first: \'{{"reason": "it was charged\'.'
    assert said in " ".join(done.out.split())


def test_own_fields_are_stored_and_shown(harness, root, monkeypatch):
    """What the model says before its label is in the store, and beside the mistakes in the report."""
    write_prompt(root, "json", "fields: {reason: string}\n")
    with serve(lambda _: '{"reason": "it was charged", "label": "billing"}') as server:
        monkeypatch.setenv("OPENAI_API_KEY", "x")
        assert harness("eval", "--prompt", "v2", "--model", "openai/m", "--base-url", server.openai_url).code == 0
    assert "| reason: it was charged |" in (root / "results/tickets@v1/test/report.md").read_text()
    query = (
        "select distinct raw::json->>'reason' as reason from predictions where label = 'billing' and raw is not null"
    )
    assert [row["reason"] for row in harness("sql", query, "--json").json] == ["it was charged"]


def write_prompt(root, output, more=""):
    header = f"---\noutput: {output}\n{more}model: {{max_tokens: 8}}\n---\n"
    (root / "prompts/tickets/v2.j2").write_text(header + "{% block user %}{{ item.text }}{% endblock %}\n")
