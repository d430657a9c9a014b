"""Result files that the tools themselves write, in every form: the accuracy is the tool's own, and the planted one.

`HARNESS_TOOLS` names a folder with an environment a tool and version: `inspect*`, `pydantic*`, `lmeval*` and `oaieval*`
(Python, with `inspect_ai`, `pydantic-evals` and `openai`, `lm_eval[api]`, `evals`), `pf*` (Node, with `promptfoo`).
What is not there is skipped.
"""

import csv
import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.loopback import serve
from tests.processes import harness as started

pytestmark = pytest.mark.bench
TOOLS = Path(os.environ.get("HARNESS_TOOLS", "no folder of tools"))
HERE = Path(__file__).parent / "tools"
LABELS = ("billing", "refund", "shipping")
N, WRONG = 30, 6
OWN = (N - WRONG) / N
GRADED = "GRADED BY A MODEL"
OPENAI_EVALS = {
    "match": ("basic.match:Match", ""),
    "includes": ("basic.includes:Includes", ""),
    "fuzzy": ("basic.fuzzy_match:FuzzyMatch", ""),
    "graded": ("modelgraded.classify:ModelBasedClassify", "eval_type: classify\n    modelgraded_spec: tickets"),
}
OPENAI_EVAL = """
tickets:
  id: tickets.test.v1
  metrics: [accuracy]
tickets.test.v1:
  class: evals.elsuite.CLASS
  args:
    samples_jsonl: SAMPLES
    MORE
"""
GRADER = f"""
tickets:
  prompt: "{GRADED}: is {{completion}} the same as {{ideal}}?"
  choice_strings: YN
  choice_scores: {{"Y": 1.0, "N": 0.0}}
  input_outputs: {{input: completion}}
"""
LM_EVAL = """
task: tickets
dataset_path: json
dataset_kwargs: {data_files: {test: ITEMS}}
test_split: test
output_type: generate_until
doc_to_text: "{{text}}"
doc_to_target: "{{label}}"
generation_kwargs: {until: ["\\n"], max_gen_toks: 8}
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
filter_list:
  - {name: strict, filter: [{function: take_first}]}
  - {name: lower, filter: [{function: lowercase}, {function: take_first}]}
"""


def there(pattern, program):
    """The environments of a tool, by name; one that is skipped with the reason where there is none."""
    found = [path for path in sorted(TOOLS.glob(pattern)) if (path / program).exists()]
    missing = pytest.param(None, marks=pytest.mark.skip(reason=f"HARNESS_TOOLS has no {pattern}/{program}"))
    return [pytest.param(path / program, id=path.name) for path in found] or [missing]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A workspace with the items, and a server that is wrong about every fifth; letters where letters are asked for."""
    rows = [{"id": f"i{i}", "text": f"ticket {i} about {LABELS[i % 3]}", "label": LABELS[i % 3]} for i in range(N)]
    (tmp_path / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with (tmp_path / "d.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "split"])
        writer.writeheader()
        writer.writerows([row | {"split": "test"} for row in rows])
        old = [{"id": f"t{i}", "text": f"old {i}", "label": LABELS[i % 3], "split": "train"} for i in range(9)]
        writer.writerows(old)
    (tmp_path / "harness.toml").write_text("")
    ran(tmp_path, "dataset", "import", "d.csv", "--name", "tk", "--id", "id", "--text", "text", "--label", "label",
        "--split-column", "split")  # fmt: skip
    replies = {row["text"]: LABELS[(i + (i % 5 == 0)) % 3] for i, row in enumerate(rows)}

    def answer(said):
        if GRADED in said:
            said, _, gold = said.rpartition(" the same as ")
            return "Y" if gold.startswith(said.rpartition(" is ")[2].strip()) else "N"
        label = next(label for text, label in replies.items() if f"{text}\n" in f"{said}\n")
        return f"ANSWER: {'ABC'[LABELS.index(label)]}" if "ANSWER" in said else label

    with serve(answer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
        monkeypatch.setenv("ITEMS", str(tmp_path / "items.jsonl"))
        monkeypatch.chdir(tmp_path)
        yield tmp_path, server


def ran(folder, *arguments):
    process = started(folder, *arguments)
    out, err = process.communicate(timeout=240)
    return process.returncode, out, err


def tool(*command, **more):
    """A tool's own command, in the folder of the workspace."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=240, check=False, **more)
    assert done.returncode in (0, 100), done.stdout + done.stderr  # promptfoo ends with 100 where tests fail
    return done.stdout


def check(folder, path, *more):
    """The file is read, every row finds its item, and its accuracy is the planted one."""
    code, out, err = ran(folder, "runs", "import", str(path), "--dataset", "tk@v1", "--arm", "x", "--json", *more)
    assert code == 0, err
    assert json.loads(out)["n"] == N
    assert json.loads(out)["accuracy"]["value"] == pytest.approx(OWN)


@pytest.mark.parametrize("form", ["json", "eval"])
@pytest.mark.parametrize("task", ["free", "two", "letters"])
@pytest.mark.parametrize("program", there("inspect*", "bin/inspect"))
def test_inspect(place, program, task, form, monkeypatch):
    """Both formats of its logs (the first versions had one); of two scorers the one that is named."""
    folder, _ = place
    monkeypatch.setenv("INSPECT_LOG_FORMAT", form)
    monkeypatch.setenv("INSPECT_DISPLAY", "plain")
    asked = ("eval", f"{HERE / 'inspect_task.py'}@{task}", "--model", "openai/gpt-4o-mini")
    tool(program, *asked, "--log-dir", "logs")
    (log,) = (folder / "logs").glob("*.*")
    if log.suffix != f".{form}":
        pytest.skip(f"this version writes {log.suffix} alone")
    check(folder, log, *(("--scorer", "match") if task == "two" else ()))


@pytest.mark.parametrize("program", there("pydantic*", "bin/python"))
def test_pydantic_evals(place, program):
    """A report as JSON."""
    folder, _ = place
    tool(program, HERE / "pydantic_task.py", folder / "items.jsonl", folder / "report.json")
    check(folder, folder / "report.json")


@pytest.mark.parametrize("form", ["json", "jsonl", "yaml", "csv", "html"])
@pytest.mark.parametrize("program", there("pf*", "node_modules/.bin/promptfoo"))
def test_promptfoo(place, program, form, monkeypatch):
    """Both formats of its results that hold every test; of the others a line says which to write."""
    folder, _ = place
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")  # where it has a Node of its own
    for name in ("TELEMETRY", "UPDATE"):
        monkeypatch.setenv(f"PROMPTFOO_DISABLE_{name}", "1")
    monkeypatch.setenv("PROMPTFOO_CONFIG_DIR", str(folder / "home"))
    tests = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
    config = {
        "providers": ["openai:chat:gpt-4o-mini"],
        "prompts": ["{{text}}"],
        "tests": [
            {"vars": {"text": one["text"]}, "assert": [{"type": "equals", "value": one["label"]}]} for one in tests
        ],
    }
    (folder / "c.json").write_text(json.dumps(config))
    tool(program, "eval", "-c", folder / "c.json", "--no-cache", "--no-table", "-o", folder / f"r.{form}")
    if form in ("json", "jsonl"):
        check(folder, folder / f"r.{form}")
        return
    code, _, err = ran(folder, "runs", "import", f"r.{form}", "--dataset", "tk@v1", "--arm", "x")
    assert (code, "write them as JSON: promptfoo eval --output results.json" in err) == (2, True), err


@pytest.mark.parametrize("program", there("lmeval*", "bin/lm_eval"))
def test_lm_eval(place, program):
    """Samples of a task with two filters: the one that is named."""
    folder, server = place
    (folder / "task").mkdir()
    (folder / "task" / "t.yaml").write_text(LM_EVAL.replace("ITEMS", str(folder / "items.jsonl")))
    model = f"model=gpt-4o-mini,base_url={server.openai_url}/chat/completions,num_concurrent=1,tokenized_requests=False"
    version = tool(program.parent / "python", "-c", "import importlib.metadata as m; print(m.version('lm_eval'))")
    is_old = version.strip() in ("0.4.2", "0.4.3")  # these ask without a template, and do not name their filters
    of_chats = () if is_old else ("--apply_chat_template",)
    asked = ("--tasks", "tickets", "--include_path", folder / "task", *of_chats)
    tool(program, "--model", "local-chat-completions", "--model_args", model, *asked, "--log_samples",
         "--output_path", folder / "out")  # fmt: skip
    (samples,) = (folder / "out").rglob("samples_*.jsonl")
    check(folder, samples, "--filter", "1" if is_old else "strict")
    (averages,) = (folder / "out").rglob("results_*.json")
    code, _, err = ran(folder, "runs", "import", str(averages), "--dataset", "tk@v1", "--arm", "x")
    assert (code, "which --log_samples writes" in err) == (2, True), err


@pytest.mark.parametrize("form", OPENAI_EVALS)
@pytest.mark.parametrize("program", there("oaieval*", "bin/oaieval"))
def test_openai_evals(place, program, form, monkeypatch):
    """Records of the evals that hold answers: matched, included, nearly matched, and judged by a model."""
    folder, server = place
    server.raw_usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}  # it adds up nothing but numbers
    monkeypatch.setenv("EVALS_SEQUENTIAL", "1")
    tests = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
    samples = [{"input": [{"role": "user", "content": one["text"]}], "ideal": one["label"]} for one in tests]
    (folder / "samples.jsonl").write_text("".join(json.dumps(one) + "\n" for one in samples))
    (folder / "registry" / "evals").mkdir(parents=True)
    (folder / "registry" / "modelgraded").mkdir()
    class_, more = OPENAI_EVALS[form]
    told = OPENAI_EVAL.replace("CLASS", class_).replace("SAMPLES", str(folder / "samples.jsonl")).replace("MORE", more)
    (folder / "registry" / "evals" / "t.yaml").write_text(told)
    (folder / "registry" / "modelgraded" / "t.yaml").write_text(GRADER)
    tool(program, "gpt-3.5-turbo", "tickets", "--registry_path", folder / "registry", "--record_path",
         folder / "record.jsonl")  # fmt: skip
    check(folder, folder / "record.jsonl")
