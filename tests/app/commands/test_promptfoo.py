"""`prompt import`: a promptfoo configuration becomes prompts and a dataset that run here."""

import json
import shutil
from pathlib import Path

import pytest

from harness import datasets

SAMPLES = Path(__file__).parents[2] / "store" / "importers" / "samples"
CHAT = json.dumps([{"role": "system", "content": "Sort {{kind}}."}, {"role": "user", "content": "{{ body }} now"}])


def config(root, prompts, tests, **more):
    (root / "c.yaml").write_text(json.dumps({"prompts": prompts, "tests": tests} | more))


def case(label="bug", **variables):
    return {"vars": variables, "assert": [{"type": "equals", "value": label}]}


def test_a_configuration_that_promptfoo_ran(harness, root):
    """The very file that promptfoo ran: twelve rows with its ids and labels, and its prompt."""
    for name in ("promptfooconfig.yaml", "promptfoo_tests.json"):
        shutil.copy(SAMPLES / name, root)
    done = harness("prompt", "import", "promptfooconfig.yaml", "--name", "pf", "--json")
    assert (done.code, done.json["rows"], done.json["without_label"]) == (0, 12, [])
    rows = [json.loads(line) for line in (SAMPLES / "items.jsonl").read_text().splitlines()]
    found = {e.item.id: (e.item.text, e.label) for e in datasets.load(root, "pf@v1").examples}
    assert found == {row["id"]: (row["text"], row["label"]) for row in rows}
    assert "Classify: {{item.text}}" in (root / "prompts/pf/v1.j2").read_text()


def test_chat_prompts_files_and_variables(harness, root):
    """Messages become blocks, variables the item's text and fields; prompts and tests may lie in files."""
    (root / "p.json").write_text(CHAT)
    (root / "t.csv").write_text("body,kind,__expected\n" + "".join(f"text {i},mail,{'ab'[i % 2]}\n" for i in range(20)))
    config(root, ["file://p.json", "Plain {{body}}"], "file://t.csv")
    assert harness("prompt", "import", "c.yaml", "--name", "chat", "--text", "body").code == 0
    item = datasets.load(root, "chat@v1").in_split("test")[0].item
    said = harness("prompt", "render", "v1", "--dataset", "chat@v1", "--json").json["messages"]
    assert [(m["role"], m["content"]) for m in said] == [("system", "Sort mail."), ("user", f"{item.text} now")]
    assert harness("eval", "--prompt", "v2", "--dataset", "chat@v1").code == 0


@pytest.mark.parametrize(
    ("prompts", "tests", "said"),
    [
        ("x {{a}}", [case(a="1", b="2")], "which variable is the item's text"),
        ("x {{a}}", [{"vars": {"a": "1"}, "assert": [{"type": "contains", "value": "x"}]}], "0 tests with an `equals`"),
        ("file://../../etc/passwd", [case(a="1")], "leads out of its folder"),
        ("file://p.js", [case(a="1")], "there is no such file"),
        ("x {% if %}", [case(a="1"), case("b", a="2")], "v1.j2"),
        ({"raw": 3}, [case(a="1")], "expected text, or file://PATH"),
        ("x", 3, "expected keys and values"),
    ],
)
def test_what_cannot_be_taken_over_is_one_line(harness, root, prompts, tests, said):
    """Exit code 2, and nothing is written."""
    config(root, prompts, tests)
    done = harness("prompt", "import", "c.yaml", "--name", "no")
    assert (done.code, done.err.strip().count("\n")) == (2, 0)
    assert said in done.err
    assert not (root / "prompts/no").exists()
    assert not (root / "datasets/no").exists()
