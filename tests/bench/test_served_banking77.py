"""One arm, four ways, on Banking77: the stored run, `predict`, the shipped folder alone, and its server.

Needs the two CSV files of PolyAI's task-specific-datasets beside the checkout, in `../shared/data/banking77`. Each
folder answers in an environment of its own, with its requirements from the package index and nothing else (this
checkout stands for the package itself). `-k minilm-lr` takes one arm.
"""

import csv
import http.client
import json
import subprocess
from contextlib import contextmanager
from hashlib import sha256
from types import SimpleNamespace
from urllib.parse import urlsplit

import numpy as np
import pytest

from harness import datasets
from harness.app.project import Project, trying
from harness.app.project.fusions import Splits
from harness.app.project.trying import FusionSpec
from harness.arms.prompts import files
from harness.ground import workspace as workspaces
from harness.ground.clock import SystemClock
from harness.ground.constraints import Constraints
from harness.ground.ids import unit_interval
from harness.models import stack
from harness.runs import building
from harness.runs.scope import Scope
from tests.app.standing import BASELINES, carried_out
from tests.bench.conftest import CHECKOUT, HOMES, install, measured
from tests.conftest import PUBLIC_DATA

FOLDER = PUBLIC_DATA / "banking77"
REF = "banking77@v1"
CASCADE = "cascade:rules>minilm-lr>prompt:v1"
MODEL = "fake/recipe.toml"
PROMPT = "---\nmodel: {max_tokens: 20}\n---\n{% block user %}\nQuery: {{ item.text }}\nLabel:\n{% endblock %}\n"
RULES = {
    "exchange_rate": "exchange rate",
    "apple_pay_or_google_pay": "apple pay|google pay",
    "passcode_forgotten": "passcode",
    "lost_or_stolen_phone": "(lost|stole).*phone",
    "terminate_account": "(delete|close|terminate) my account",
}
ONE_BY_ONE = 400
CLOCK = SystemClock()

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="Banking77 is not in ../shared/data beside the checkout"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A workspace with the data, rules, and a model that is right on 80% of what it is asked.

    Every fourth training row is train, every twentieth dev, for what is asked here does not depend on how much was
    learnt; long words are tags. Vectors are kept from one bench to the next.
    """
    root = tmp_path_factory.mktemp("banking77")
    (root / "results").mkdir()
    HOMES.mkdir(parents=True, exist_ok=True)
    (root / "results" / "embeddings.sqlite").symlink_to(HOMES / "banking77-vectors.sqlite")
    rows = [
        {"id": f"{name}{i}", "text": row["text"], "label": row["category"], "tags": tags(row["text"]), "split": split}
        for name in ("train", "test")
        for i, row in enumerate(read(FOLDER / f"{name}.csv"))
        for split in ("dev" if name == "train" and i % 20 == 1 else name,)
        if name == "test" or i % 4 == 0 or i % 20 == 1
    ]
    with (root / "all.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    (root / "harness.toml").write_text(f'dataset = "{REF}"\nmodel = "{MODEL}"\n')
    columns = ["--text", "text", "--label", "label", "--id", "id", "--tags", "tags", "--split-column", "split"]
    done = measured(root, "-m", "harness", "dataset", "import", "all.csv", "--name", "banking77", *columns)
    assert done.code == 0, done.err
    prompts = root / "prompts" / "banking77"
    prompts.mkdir(parents=True)
    (prompts / "v1.j2").write_text(PROMPT)
    (prompts / "rules-v1.toml").write_text(
        "".join(f"[[rule]]\nlabel = '{label}'\nregex = '{regex}'\n" for label, regex in RULES.items())
    )
    known = [row for row in rows if row["split"] != "train" and unit_interval("right", row["id"]) < 0.8]
    (root / "recipe.toml").write_text(
        'default = "card_arrival"\n[answers]\n'
        + "".join(f"{json.dumps(text)} = {json.dumps(label)}\n" for text, label in answers_of(known).items())
    )
    project = Project(workspaces.find(root, root), CLOCK)
    return SimpleNamespace(root=root, project=project, dataset=datasets.load(root, REF), ready=set())


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def tags(text):
    return "|".join(dict.fromkeys(word for word in text.lower().split() if len(word) > 6 and word.isalpha()))


def answers_of(rows):
    return {f"Query: {row['text'].strip()}\nLabel": row["label"] for row in rows}


def stored(made, arm):
    """What the run of an arm has stored on test, by item, and its p95 in seconds; it is run where it was not yet."""
    if arm not in made.ready:
        with made.project.ledger() as ledger:
            if arm == CASCADE:
                members = ("rules", "minilm-lr", "prompt:v1")
                for one in members:
                    for split in ("dev", "test"):
                        carried_out(made.project, made.dataset, job(made, one, split, ledger))
                spec = FusionSpec("cascade", members, Splits("dev", "test"))
                tried = trying.tried(made.project, made.dataset, spec, Constraints())
                carried_out(made.project, made.dataset, trying.job(made.project, made.dataset, tried))
            else:
                carried_out(made.project, made.dataset, job(made, arm, "test", ledger))
        made.ready.add(arm)
    with made.project.store.reader() as select:
        rows = select(
            "select example_id, label, score, outcome, path from scored where split = 'test' and arm = ?", [arm]
        )
    results = made.project.results(made.dataset, "test")
    result = next(one for one in results.runs if one.run.arm == arm)
    return {row["example_id"]: row for row in rows}, result.latency_s["p95"]


def job(made, arm, split, ledger):
    scope = Scope(made.dataset, split)
    if not arm.startswith("prompt:"):
        return building.baseline_job(arm, scope, made.project.workspace, CLOCK)
    prompt = files.load(made.root, "banking77", "v1")
    asking = stack.Asking(f"fake/{made.root / 'recipe.toml'}")
    return building.prompt_job(prompt, scope, asking, made.project.workspace, ledger, CLOCK)


def command(made, *arguments):
    done = measured(made.root, "-m", "harness", *arguments, "--dataset", REF, "--model", MODEL, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def alone(folder):
    """The Python of an environment that has the folder's requirements."""
    needed = (folder / "requirements.txt").read_text().split()
    home = HOMES / f"served-{sha256(' '.join(needed).encode()).hexdigest()[:12]}"
    packages = [str(CHECKOUT) if one.startswith("prompt-harness") else one for one in needed]
    reason = install(home, packages)
    if reason:
        pytest.skip(f"the folder's requirements cannot be installed: {reason}")
    return [str(home / "bin" / "python"), "-I", str(folder / "serve.py")]


def options(folder):
    return ["--model", MODEL] if "prompt-harness" in (folder / "requirements.txt").read_text() else []


def answered_lines(made, folder, items):
    given = "".join(json.dumps(item) + "\n" for item in items)
    done = subprocess.run(
        [*alone(folder), "--lines", *options(folder)],
        check=False,
        input=given,
        capture_output=True,
        text=True,
        cwd=made.root,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@contextmanager
def asked(made, folder):
    """Asks the folder's server, on one connection: a body in, what it answers and the seconds it took out."""
    process = subprocess.Popen(
        [*alone(folder), "--port", "0", *options(folder)], stdout=subprocess.PIPE, text=True, cwd=made.root
    )
    try:
        connection = http.client.HTTPConnection(urlsplit(process.stdout.readline().split()[-1]).netloc, timeout=600)

        def ask(value):
            body = json.dumps(value)
            start_s = CLOCK.monotonic()
            connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
            content = connection.getresponse().read()
            return json.loads(content), CLOCK.monotonic() - start_s

        yield ask
        connection.close()
    finally:
        process.terminate()
        process.communicate()


def farthest(told, known, label="label"):
    """The greatest difference of a score; every label and every outcome is the stored one."""
    assert len(told) == len(known)
    differences = [0.0]
    for one in told:
        before = known[one["id"]]
        assert (one[label], one["outcome"]) == (before["label"], before["outcome"]), one
        assert (one["score"] is None) == (before["score"] is None), one
        differences.append(abs((one["score"] or 0.0) - (before["score"] or 0.0)))
    return max(differences)


@pytest.mark.parametrize("arm", [*BASELINES, CASCADE])
def test_an_arm_answers_the_same_everywhere(made, table, arm):
    """All 3,080 labels, and the scores: within 1e-6, or 1e-4 behind an encoder, which computes in single precision.

    The p95 of one item through the server is at most 1.2 times the scorecard's plus 2 ms.
    """
    known, scorecard_s = stored(made, arm)
    rows = [row for row in read(made.root / "all.csv") if row["split"] == "test"]
    with (made.root / "test.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["id", "text", "tags"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    items = [{"id": row["id"], "text": row["text"], "tags": row["tags"].split("|")} for row in rows]
    assert len(known) == len(items) == 3_080
    command(made, "predict", arm, "test.csv", "--to", "told.jsonl", "--overwrite")
    predicted = [json.loads(line) for line in (made.root / "told.jsonl").read_text(encoding="utf-8").splitlines()]
    folder = made.root / command(made, "ship", arm, "--to", f"shipped/{sha256(arm.encode()).hexdigest()[:8]}")["to"]
    lines = answered_lines(made, folder, items)
    with asked(made, folder) as ask:
        served = [one for start in range(0, 3_080, 616) for one in ask(items[start : start + 616])[0]["answers"]]
        one_by_one = [ask(item) for item in items[: ONE_BY_ONE + 50]]
    apart = {
        "predict": farthest(predicted, known),
        "folder": farthest(lines, known),
        "server": farthest(served, known),
        "one by one": farthest(
            [told for told, _ in one_by_one], {told["id"]: known[told["id"]] for told, _ in one_by_one}
        ),
    }
    p95_s = float(np.quantile([seconds for _, seconds in one_by_one[50:]], 0.95))
    table(
        f"{arm}: 3,080 labels alike; scores differ by at most "
        + ", ".join(f"{value:.1e} ({name})" for name, value in apart.items())
        + f"; p95 {1000 * p95_s:.2f} ms served, {1000 * scorecard_s:.2f} on the scorecard"
    )
    has_encoder = (folder / "encoder.onnx").exists() or arm == CASCADE
    assert max(apart.values()) <= (1e-4 if has_encoder else 1e-6)
    assert p95_s <= 1.2 * scorecard_s + 0.002
