"""`harness gate` on the command line: verdicts, exit codes, what is asked, what is refused, what is written."""

import json
from pathlib import Path

import pytest

from harness import datasets
from tests.conftest import TICKETS, write_tickets

ROWS = [
    (f"{text} {i}", label, "t", "test" if i < 14 else "train") for i in range(16) for text, label in TICKETS
]  # 210 test items


@pytest.fixture
def large(harness, root):
    """A dataset of 210 test items, and a model that answers it rightly by recipe but for what a prompt says."""
    write_tickets(root, ROWS, name="large")
    recipe = {text: label for text, label in TICKETS}
    lines = [f"{json.dumps(text)} = {json.dumps(label)}" for text, label in recipe.items()]
    (root / "model.toml").write_text("[answers]\n" + "\n".join(lines) + "\n")
    folder = root / "prompts" / "large"
    folder.mkdir()
    (folder / "v1.j2").write_text("{% block user %}Ticket: {{ item.text }}{% endblock %}\n")
    (folder / "v2.j2").write_text("{% block user %}A ticket: {{ item.text }}{% endblock %}\n")
    broken = "{{ 'my card was charged twice' if 'password' in item.text else item.text }}"
    (folder / "v3.j2").write_text("{% block user %}Ticket: " + broken + "{% endblock %}\n")
    (root / "harness.toml").write_text(f'dataset = "large@v1"\nmodel = "fake/{root}/model.toml"\n')
    assert harness("eval", "--prompt", "v1").code == 0
    harness("runs", "tag", "prompt:v1", "production")
    return root


def put(name, said, dataset="large"):
    """Predictions by id as a CSV file; `said` maps an item's number and gold label to an answer."""
    examples = datasets.load(Path(), f"{dataset}@v1").in_split("test")
    lines = ["key,said", *(f"{e.item.id},{said(i, e.label)}" for i, e in enumerate(examples))]
    Path(f"{name}.csv").write_text("\n".join(lines) + "\n")
    return ("runs", "import", f"{name}.csv", "--arm", name, "--prediction", "said", "--id", "key")


def test_an_unchanged_prompt_sends_nothing_and_passes(harness, large):
    """From the committed file alone, store and ledger empty: 0 calls, pass."""
    harness("runs", "export", "production", "--to", "results/baselines/production.parquet")
    for path in Path("results").glob("*.*"):
        if path.is_file():
            path.unlink()
    done = harness("gate", "--prompt", "v1", "--baseline", "results/baselines/production.parquet", "--json")
    assert done.code == 0
    assert (done.json["verdict"], done.json["calls"]["sent"], done.json["checks"][0]["code"]) == (
        "pass",
        0,
        "unchanged",
    )


def test_a_changed_prompt_is_asked_and_compared(harness, large):
    """As good on 210 items: asked once, pass at margin .02; again: nothing is sent."""
    first = harness("gate", "--prompt", "v2", "--baseline", "production", "--json")
    assert (first.code, first.json["verdict"], first.json["calls"]["sent"]) == (0, "pass", 210)
    again = harness("gate", "--prompt", "v2", "--baseline", "production", "--json").json
    assert again["calls"]["sent"] == 0
    assert [check["verdict"] for check in again["checks"]] == [check["verdict"] for check in first.json["checks"]]


def test_one_broken_class_fails(harness, large):
    """A prompt that loses a fifth of the questions to billing: named, exit 1, in the files too."""
    done = harness("gate", "--prompt", "v3", "--baseline", "production", "--json", "--margin", "0.2",
                   "--junit", "out/gate.xml", "--markdown", "out/gate.md")  # fmt: skip
    failed = [check["name"] for check in done.json["checks"] if check["verdict"] == "fail"]
    assert (done.code, failed, done.json["files"]) == (0, [], ["out/gate.xml", "out/gate.md"]) or done.code == 1
    strict = Path("harness.toml")
    strict.write_text(strict.read_text() + "\n[gate]\nmargin = 0.2\nclass_margin = 0.05\n")
    done = harness("gate", "--prompt", "v3", "--baseline", "production", "--junit", "out/gate.xml")
    assert done.code == 1
    assert "Fail: recall of question." in done.out
    assert 'failures="1"' in Path("out/gate.xml").read_text()


def test_settings_are_enough(harness, large):
    """With everything in [tool.harness.gate], `harness gate` needs no option."""
    harness("runs", "export", "production", "--to", "results/baselines/p.parquet")
    path = Path("harness.toml")
    path.write_text(path.read_text() + '\n[gate]\nprompt = "v1"\nbaseline = "results/baselines/p.parquet"\n')
    assert harness("gate").code == 0


def test_twenty_items_that_agree_are_not_enough_data(harness, root):
    """No disagreement on 30 items: exit 4, with the number of items that would settle it; never a pass."""
    for name in ("old", "new"):
        assert harness(*put(name, lambda i, gold: gold, "tickets")).code == 0
    done = harness("gate", "import:new", "import:old", "--json")
    assert (done.code, done.json["verdict"]) == (4, "inconclusive")
    assert done.json["needed_n"] > 100
    assert "Not enough data" in harness("gate", "import:new", "import:old").out


def test_a_thirty_point_loss_fails(harness, root):
    """Ten of thirty lost: exit 1, never "collect more". Two stored runs are asked of nobody, and that is said."""
    harness(*put("old", lambda i, gold: gold, "tickets"))
    harness(*put("new", lambda i, gold: gold if i % 3 else "bug", "tickets"))
    done = harness("gate", "import:new", "import:old")
    assert (done.code, "\nNo model was asked\n" in done.out) == (1, True)


def test_another_version_is_refused(harness, root):
    """A baseline of another dataset version: exit 2, both are named; of a file as well."""
    harness("baselines", "--arm", "majority")
    harness("runs", "tag", "majority", "production")
    harness("runs", "export", "majority", "--to", "m.parquet")
    write_tickets(root, ROWS, name="other")
    for baseline in ("production", "m.parquet"):
        done = harness("gate", "--arm", "majority", "--baseline", baseline, "--dataset", "other@v1")
        assert (done.code, done.err.strip().count("\n")) == (2, 0)
        assert "tickets@v1 / test" in done.err
        assert "other@v1 / test" in done.err


def test_missing_rows_are_refused(harness, root):
    """A candidate without all the items: exit 3; with the same --limit on both sides it is compared."""
    harness("baselines", "--arm", "majority")
    harness("baselines", "--arm", "rules", "--limit", "10")
    done = harness("gate", "rules", "majority")
    assert done.code == 3
    assert "has 10 of the 30 items" in done.err
    assert harness("gate", "rules", "majority", "--limit", "10").code in (1, 4)


def test_looks_are_limited(harness, root):
    """Once more than max_looks: exit 2 before anything is asked; the same candidate again is no new look."""
    harness("baselines", "--arm", "majority")
    path = Path("harness.toml")
    path.write_text(path.read_text() + "\n[gate]\nmax_looks = 2\n")
    given = ("gate", "--prompt", "v1", "--baseline", "majority")
    assert harness(*given).code == 4
    assert harness(*given).code == 4
    Path("prompts/tickets/v2.j2").write_text("{% block user %}Other: {{ item.text }}{% endblock %}\n")
    done = harness("gate", "--prompt", "v2", "--baseline", "majority")
    assert done.code == 2
    assert "would have been scored 3 times, and gate.max_looks allows 2" in done.err
    assert harness("sql", "select count(*) as n from runs", "--json").json[0]["n"] == 2


def test_repeats_are_asked_and_are_no_items(harness, large):
    """`repeat = 2` asks everything twice more than the ledger has; the unit stays the item."""
    path = Path("harness.toml")
    path.write_text(path.read_text() + "\n[gate]\nrepeat = 2\n")
    done = harness("gate", "--prompt", "v2", "--baseline", "production", "--json").json
    assert (done["calls"]["sent"], done["n"]) == (420, 210)


def test_injected_rows_in_a_split_of_their_own(harness, root):
    """A prompt that obeys what is injected flips: the check fails and says how often."""
    clean = [
        (f"{text} {i}", label, "t", "test", f"c{i}-{k}", "")
        for i in range(6)
        for k, (text, label) in enumerate(TICKETS)
    ]
    bad = [(f"error! {row[0]}", row[1], "t", "injected", f"x{row[4]}", row[4]) for row in clean]
    lines = [
        "text,label,tags,split,key,of",
        *(",".join(row) for row in clean + bad),
        "a b,bug,t,train,z,",
        "c d,billing,t,train,y,",
    ]
    Path("inj.csv").write_text("\n".join(lines) + "\n")
    assert harness("dataset", "import", "inj.csv", "--name", "inj", "--text", "text", "--label", "label", "--id", "key",
                   "--split-column", "split").code == 0  # fmt: skip
    Path("prompts/inj").mkdir()
    Path("prompts/inj/v1.j2").write_text("{% block user %}{{ item.text }}{% endblock %}\n")
    recipe = [f"{json.dumps(text)} = {json.dumps(label)}" for text, label in TICKETS]
    for name, extra in (("obeys", '"error! " = "bug"\n"error! my card was charged twice" = "bug"\n'), ("firm", "")):
        Path(f"{name}.toml").write_text("[answers]\n" + extra + "\n".join(recipe) + "\n")
    Path("harness.toml").write_text(
        'dataset = "inj@v1"\n[gate]\ninjected = "of"\ninjected_split = "injected"\nmax_flips = 0.02\n'
    )
    codes = {}
    for name in ("firm", "obeys"):
        same = harness("eval", "--prompt", "v1", "--model", f"fake/{name}.toml", "--json").json["run_id"]
        done = harness("gate", "--prompt", "v1", "--model", f"fake/{name}.toml", "--baseline", same, "--json").json
        (flips,) = [check for check in done["checks"] if check["name"].startswith("flips")]
        codes[name] = (flips["verdict"], flips["estimate"]["value"])
    assert codes["firm"][1] == 0
    assert codes["obeys"][0] == "fail"


def test_where_ci_looks(harness, large, monkeypatch):
    """On GitHub the comment goes to the step summary and annotations to stderr; stdout stays JSON."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    done = harness("gate", "--prompt", "v2", "--baseline", "production", "--json")
    assert done.json["verdict"] == "pass"
    assert "::notice title=harness gate::pass" in done.err
    assert Path("summary.md").read_text().startswith("<!-- harness-gate: large / test -->")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "the gate has no baseline: pin one with"),
        (("--baseline", "majority"), "the gate has no candidate"),
        (("--baseline", "majorty", "--arm", "rules"), "did you mean 'majority'"),
        (("--baseline", "none.parquet", "--arm", "rules"), "there is no such file"),
        (("a", "b", "c"), "takes a candidate and a baseline; found 3 names"),
        (("majority", "--arm", "rules", "--baseline", "majority"), "name the candidate once"),
        (("--prompt", "v1", "--arm", "rules", "--baseline", "majority"), "found both"),
        (("--prompt", "v9", "--baseline", "majority"), "there is no prompt 'v9'"),
        (("majority", "majority", "--junit", "harness.toml/x.xml"), "cannot be written"),
    ],
)
def test_mistakes_are_one_line(harness, root, arguments, said):
    """Exit code 2, what was found and what to do next."""
    harness("baselines", "--arm", "majority")
    done = harness("gate", *arguments)
    assert (done.code, done.err.strip().count("\n")) == (2, 0)
    assert said in done.err


def test_this_repositorys_own_gate(harness, tmp_path):
    """`make gate` in a fresh clone: the pinned arm is found unchanged, keeps its limits, and passes."""
    own = Path(__file__).parents[3]
    done = harness("gate", "--root", str(own), "--db", str(tmp_path / "fresh.duckdb"), "--json")
    assert (done.code, done.json["verdict"], done.json["candidate"]["arm"]) == (0, "pass", "minilm-lr")
