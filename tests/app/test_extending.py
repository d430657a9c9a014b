"""The examples of docs/extending.md are extensions: they keep the contract, and every command takes them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from harness import Workbench, datasets
from harness.app import cli
from harness.errors import DatasetError
from harness.ground import formatting, plugins
from harness.report import html
from harness.report.view import pages
from tests.conftest import small_workspace

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"
BLOCK = re.compile(r"```python\n# (extensions/(\w+)/(\w+)\.py)\n(.*?)```", re.DOTALL)
MISSED = {3: 5, 8: 0}  # what the fake model says of these grades, instead of what they are
PROMPT = "---\noutput: label\nmodel: {max_tokens: 8}\n---\n{% block user %}{{ item.text }}{% endblock %}\n"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A workspace with every example in its extensions, and a dataset of grades beside that of tickets."""
    at = tmp_path_factory.mktemp("extended")
    small_workspace(at)
    for place, _, _, content in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        (at / place).parent.mkdir(parents=True, exist_ok=True)
        (at / place).write_text(content, encoding="utf-8")
    grades(at)
    return at


def grades(at):
    """120 items whose text names their grade, a model that knows most of them, and one that knows none."""
    rng = np.random.default_rng(0)
    splits = ("train", "train", "dev", "test")
    rows = [f"g{i},essay {i} mark{grade}x,{grade},{splits[i % 4]}" for i, grade in enumerate(rng.integers(0, 11, 240))]
    (at / "g.csv").write_text("id,text,label,split\n" + "\n".join(rows) + "\n", encoding="utf-8")
    columns = ("--text", "text", "--label", "label", "--id", "id", "--split-column", "split")
    run(at, "dataset", "import", "g.csv", "--name", "grades", *columns)
    path = at / "datasets" / "grades" / "v1" / "dataset.toml"
    text = path.read_text(encoding="utf-8").replace('kind = "single"', 'kind = "grade"')
    path.write_text(re.sub(r"^content = .*\n", "", text, flags=re.M), encoding="utf-8")
    with pytest.raises(DatasetError) as told:  # which says what releases it as it is
        datasets.load(at, "grades@v1")
    released = re.search(r'content = "[^"]*"', str(told.value)).group()
    path.write_text(re.sub(r"^content = .*$", released, text, flags=re.M), encoding="utf-8")
    (at / "prompts" / "grades").mkdir(parents=True)
    (at / "prompts" / "grades" / "v1.j2").write_text(PROMPT, encoding="utf-8")
    said = "\n".join(f'"mark{grade}x" = "I say {MISSED.get(grade, grade)}"' for grade in range(11) if grade != 6)
    (at / "knows.toml").write_text(f'default = "no idea"\n[answers]\n{said}\n', encoding="utf-8")


def run(at, *words, code=0):
    before = Path.cwd()
    os.chdir(at)
    try:
        done = CliRunner().invoke(cli.group, list(words))
    finally:
        os.chdir(before)
    assert done.exit_code == code, f"{words}: {done.output}\n{done.exception!r}"
    return done.stdout


def of(at, *words, code=0):
    return json.loads(run(at, *words, "--dataset", "grades@v1", "--json", code=code))


def test_there_is_an_example_of_each():
    """No sort of extension that is open to a workspace is without one."""
    assert {folder for _, folder, _, _ in BLOCK.findall(PAGE.read_text(encoding="utf-8"))} == set(plugins.OPEN)


def test_the_examples_keep_the_contract(root):
    """`pytest --harness-contract` finds every file of the workspace, and all checks pass."""
    asked = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--harness-contract",
        "--rootdir",
        str(root),
    ]
    done = subprocess.run(asked, cwd=root, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 20


def test_each_is_used_by_a_command(root):
    """The baseline, the provider, the encoder, the section, the figure and the check, by name."""
    (made,) = json.loads(run(root, "baselines", "--arm", "my-arm", "--json"))
    assert made["arm"] == "my-arm"
    asked = json.loads(run(root, "eval", "--prompt", "v1", "--model", "my-provider/last", "--json"))
    assert asked["model"] == "my-provider/last"
    (near,) = json.loads(run(root, "baselines", "--arm", "minilm-knn", "--encoder", "my-encoder", "--json"))
    assert near["arm"] == "minilm-knn:my-encoder"
    files = json.loads(run(root, "report", "--json"))["files"]
    page = next(root / file for file in files if file.endswith(".md")).read_text(encoding="utf-8")
    assert "## Surest" in page
    assert "## Answered" in page
    assert "shouting" in json.loads(run(root, "dataset", "audit", "tickets@v1", "--json", code=1))["checks"]


@pytest.fixture(scope="module")
def rows(root):
    """What every arm said of the grades, and what a person with a pencil makes of it."""
    model = f"fake/{root / 'knows.toml'}"
    asked = [of(root, "eval", "--prompt", "v1", "--model", model, "--split", split) for split in ("dev", "test")]
    for split in ("dev", "test"):
        of(root, "baselines", "--arm", "my-arm", "--arm", "majority", "--split", split)
    of(root, "curve", "my-arm", "--labels", "20,60", "--seeds", "2", "--processes", "1")
    found = json.loads(
        run(
            root,
            "sql",
            "--json",
            "select r.arm, r.purpose, p.example_id, e.gold, p.label from predictions p "
            "join runs r using (run_id) join examples e on e.dataset_id = r.dataset_id and e.example_id = p.example_id "
            "where r.dataset like 'grades%' and r.split = 'test' and r.purpose = 'whole'",
        )
    )
    table = {}
    for row in found:
        table.setdefault(row["arm"], {})[row["example_id"]] = (int(row["gold"]), row["label"])
    assert asked[1]["headline"]["metric"] == "closeness"
    return table


def off(gold, label):
    return 10 if label is None else abs(gold - int(label))


def mean_off(rows, arm):
    return np.mean([off(*one) for one in rows[arm].values()])


def closeness(rows, arm):
    return 1 - mean_off(rows, arm) / 10  # no answer is worth 0, and ten points off


PROMPT_ARM = "prompt:v1"


def test_runs_and_comparisons_are_what_a_pencil_says(root, rows):
    """Headline and metric of every run, and the paired difference by either, in the metric's own unit."""
    shown = {one["arm"]: one for one in of(root, "runs", "list") if one.get("split") == "test"}
    assert set(rows) <= set(shown) | {PROMPT_ARM}
    for arm in rows:
        run_id = shown[arm]["run_id"]
        one = json.loads(run(root, "runs", "show", run_id, "--json"))
        assert one["headline"]["value"] == pytest.approx(closeness(rows, arm))
        assert one["metrics"]["points-off"]["value"] == pytest.approx(mean_off(rows, arm))
        assert one["accuracy"] is None
    by_credit = of(root, "compare", PROMPT_ARM, "my-arm")
    by_points = of(root, "compare", PROMPT_ARM, "my-arm", "--metric", "points-off")
    gap = mean_off(rows, PROMPT_ARM) - mean_off(rows, "my-arm")
    assert by_credit["difference"]["value"] == pytest.approx(-gap / 10)
    assert by_points["difference"]["value"] == pytest.approx(gap)
    assert by_points["difference"]["low"] <= gap <= by_points["difference"]["high"]
    assert by_points["both"] is None
    assert by_points["metric"] == "points-off"
    every = of(root, "compare", "--metric", "points_off")
    assert {one["metric"] for one in every} == {"points-off"}


def test_the_verdict_follows_the_objective(root, rows):
    """Candidates carry the metric that they are chosen by; limits hold on this and on the other."""
    found = of(root, "decide", "--objective", "points-off", "--at-least", "closeness=0.2", "--at-most", "points-off=9")
    assert found["objective"] == "points-off"
    for one in found["candidates"]:
        assert one["headline"]["metric"] == "points-off"
        assert one["headline"]["value"] == pytest.approx(mean_off(rows, one["arm"]))
        assert [limit["name"] for limit in one["limits"]] == ["closeness", "points-off"]
    with pytest.raises(AssertionError, match="set min_credit, the least closeness"):
        run(root, "decide", "--dataset", "grades@v1", "--min-accuracy", "0.5")


def test_a_gate_limits_any_metric(root, rows):
    """`at_least` and `at_most` of the settings, by the metric's name; the check says what was found."""
    settings = root / "harness.toml"
    before = settings.read_text()
    settings.write_text(
        before + '\n[gate]\nmargin = 0.9\n[gate.at_most]\n"points-off" = 9.5\n[gate.at_least]\ncloseness = 0.05\n'
    )
    try:
        found = of(root, "gate", PROMPT_ARM, "--baseline", "my-arm")
    finally:
        settings.write_text(before)
    checks = {one["name"].rpartition(" ")[0]: one for one in found["checks"]}
    assert checks["points-off at most"]["estimate"]["value"] == pytest.approx(mean_off(rows, PROMPT_ARM))
    assert checks["closeness at least"]["estimate"]["value"] == pytest.approx(closeness(rows, PROMPT_ARM))
    assert found["candidate"]["accuracy"] is None
    assert found["candidate"]["headline"]["value"] == pytest.approx(closeness(rows, PROMPT_ARM))


def test_a_cascade_and_a_curve_take_it(root, rows):
    """The cascade keeps a limit on points off; the curve is drawn in points, and by closeness as well."""
    cascade = of(root, "cascade", "my-arm", PROMPT_ARM, "--at-most", "points-off=9")
    assert cascade["test"]["limited"][0]["name"] == "points-off"
    assert cascade["test"]["limited"][0]["value"] == pytest.approx(10 * (1 - cascade["test"]["estimate"]["value"]))
    told = ("curve", "my-arm", "--labels", "20,60", "--seeds", "2", "--processes", "1", "--against", PROMPT_ARM)
    points, close = of(root, *told, "--metric", "points-off"), of(root, *told)
    assert points["level"]["value"] == pytest.approx(mean_off(rows, PROMPT_ARM))
    for one, other in zip(points["points"], close["points"], strict=True):
        assert one["estimate"]["value"] == pytest.approx(10 * (1 - other["estimate"]["value"]))


def test_no_word_of_labels_that_are_right(root, rows):
    """Nowhere, in no command and on no page, is a grade accurate, right or wrong, or one label for another."""
    texts = {
        "decide": run(root, "decide", "--dataset", "grades@v1"),
        "compare": run(root, "compare", PROMPT_ARM, "my-arm", "--items", "0", "--dataset", "grades@v1"),
        "cascade": run(root, "cascade", "my-arm", PROMPT_ARM, "--dataset", "grades@v1"),
        "curve": run(root, "curve", "my-arm", "--labels", "20,60", "--seeds", "2", "--dataset", "grades@v1"),
        "gate": run(root, "gate", "my-arm", "--baseline", "my-arm", "--dataset", "grades@v1"),
    }
    files = [*of(root, "report")["files"], *of(root, "report", "--post")["files"]]
    texts |= {file: (root / file).read_text(encoding="utf-8") for file in files if file.endswith(".md")}
    for name, printed in texts.items():
        text = re.sub(r"\([\w/-]+\.(?:svg|png)\)", "", printed)  # the figures' files keep their names
        found = re.findall(r".*(?:[Aa]ccura|right on|was right|were right|macro-F1|confus).*", text)
        assert not found, f"{name}: {found}"
        assert "closeness" in text.lower(), name


def test_the_workbench_shows_it(root, rows):
    """From Python as from the command line."""
    bench = Workbench(root)
    one = bench.evaluate("my-arm", "grades@v1")
    assert one.headline.value == pytest.approx(closeness(rows, "my-arm"))
    with pytest.raises(AssertionError, match="closeness"):
        one.assert_at_least(0.999)
    asked = bench.evaluate("prompt:v1", "grades@v1", model=f"fake/{root / 'knows.toml'}")
    gap = bench.compare(asked, one).comparison.difference.value
    assert gap == pytest.approx(closeness(rows, PROMPT_ARM) - closeness(rows, "my-arm"))


def test_the_pages_of_the_store_show_it(root, rows):
    """The split's page and the run's have the headline's name, and no labels that could be confused."""
    workspace = Workbench(root).project
    with workspace.store.reader() as select:
        book = pages.Book(select, {}, workspace.store.extensions)
        run_id, dataset_id = next(
            (one["run_id"], one["dataset_id"])
            for one in select(
                "select run_id, dataset_id from runs where dataset like 'grades%' and split = 'test' "
                "and purpose = 'whole' and arm = 'my-arm'",
                [],
            )
        )
        _, of_split = pages.split(book, pages.Wanted({"dataset": dataset_id, "split": "test"}))
        _, of_run = pages.run(book, pages.Wanted({"run": run_id}))
    page = html.render("grades", [*of_split, *of_run], {})
    assert "closeness" in page
    assert formatting.share(closeness(rows, "my-arm")) in page
    assert not {"Labels", "Confusions"} & {section.title for section in of_run}
    assert "ccuracy" not in page


def test_an_arm_of_another_kind_is_refused_by_name(root, rows):
    """Naming it is no way around what it learns."""
    with pytest.raises(
        AssertionError, match="tag-odds: it learns tasks of kind single, multi, and grades@v1 is of kind grade"
    ):
        of(root, "baselines", "--arm", "tag-odds")
