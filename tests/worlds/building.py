"""Worlds: small workspaces in which names and runs are hard, each made through the command line and the Python API.

A world says itself which rows its tables must have: every row's name, and the runs that are one row. What
the figures of a row are is for `brute` to reckon, from the raw tables.
"""

import contextlib
import csv
import io
import json
import os
import shutil
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import harness
from harness.app import cli
from harness.errors import BudgetExceeded

LABELS = ("billing", "bug", "question")
WORDS = {
    "billing": ("invoice", "refund", "charged", "payment"),
    "bug": ("crash", "error", "blank", "broken"),
    "question": ("how", "where", "which", "when"),
}
SPLITS = ("train", "dev", "test")
PER_SPLIT = 60
REF = "tk@v1"
SETTINGS = """dataset = "tk@v1"
model = "fake/first"
arms = ["majority", "tag-odds"]
encoder = "letters"
deadline_s = 0.2
concurrency = 4

[prices."fake/good"]
input_fresh = 10.0
output_visible = 30.0

[prices."fake/poor"]
input_fresh = 0.1
output_visible = 0.3

[prices."served/steady"]
input_fresh = 10.0
output_visible = 30.0
"""
PROMPT = (
    "---\nmodel: {{max_tokens: 8}}\n---\n{{% block user %}}\n{words}: {{{{ item.text }}}}\nLabel:\n{{% endblock %}}\n"
)
ENCODER = '''"""How often each letter occurs."""
import numpy as np

class Letters:
    id = "letters-1"
    dim = 26

    def embed(self, texts):
        rows = np.array([[text.count(chr(97 + i)) + 1 for i in range(26)] for text in texts], dtype=np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

def connect(cache=None, model=""):
    return Letters()
'''
PROVIDER = '''"""Answers planted in answers/NAME.json, by item and repeat; a file NAME.down beside it is an outage."""
import json
from pathlib import Path

from harness.errors import TransientError
from harness.types import Model, Response, Usage

DEFAULT_MODEL = "steady"
MODELS = ("steady",)
RUNS_HERE = False
GIVES_SCORES = False
HERE = Path(__file__).parents[2] / "answers"

def available():
    return None

class Served:
    def __init__(self, model, name):
        self.model, self.name = model, name

    async def send(self, request):
        if (HERE / f"{self.name}.down").exists():
            raise TransientError("503 the server is down", status=503)
        planted = json.loads((HERE / f"{self.name}.json").read_text())
        token = next(word for word in request.messages[-1].content.split() if word in planted)
        answers = planted[token]
        text = answers[request.sample % len(answers)]
        return Response(text, "stop", Usage(input_fresh=10, output_visible=1), None, 0.01, self.name)

    async def close(self):
        pass

def connect(model, base_url=None):
    port = "" if base_url is None else "-" + base_url.rpartition(":")[2].partition("/")[0]
    return Served(Model("served", model, base_url or ""), model + port)
'''


@dataclass(frozen=True)
class Finished:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        assert self.out.strip(), f"exit {self.code}, nothing on stdout; stderr: {self.err}"
        return json.loads(self.out)


def command(root, *arguments):
    """The command line in this process, standing in the workspace, on a screen wide enough for every name."""
    before = Path.cwd(), sys.argv, os.environ.get("COLUMNS")
    out, err, code = io.StringIO(), io.StringIO(), 0
    os.chdir(root)
    sys.argv, os.environ["COLUMNS"] = ["harness", *map(str, arguments)], "900"
    try:
        with redirect_stdout(out), redirect_stderr(err):
            cli.main()
    except SystemExit as ended:
        code = ended.code or 0
    finally:
        os.chdir(before[0])
        sys.argv = before[1]
        os.environ["COLUMNS"] = before[2] or "100"
    return Finished(code, out.getvalue(), err.getvalue())


@dataclass
class World:
    """A workspace, and what its tables must say on `ref` / test.

    `rows` are names and the runs behind each, pooled. `alone` are the names of runs shown by themselves.
    `optional` runs need not be a row of their own (they are not complete, or not whole), by the arm they are of;
    where they are none, they are passed over. `passed` are those of them that have to be named as passed over.
    `bare` says what an arm's name alone means: a row, or None where it fits several. `cheap` and `dear` can be
    fused; `gated` are candidate and baseline; `learns` is an arm with a learning curve.
    """

    root: Path
    ref: str = REF
    rows: dict = field(default_factory=dict)
    alone: dict = field(default_factory=dict)
    optional: dict = field(default_factory=dict)
    passed: tuple = ()
    bare: dict = field(default_factory=dict)
    missing: dict = field(default_factory=dict)
    cheap: str = "tfidf-lr"
    dear: str = "prompt:v1"
    gated: tuple = ("tfidf-lr", "majority")
    prompt: tuple = ()
    kept: dict = field(default_factory=dict)

    def run(self, *arguments):
        return command(self.root, *arguments)

    def copied(self, to):
        """The same world in another folder, to be changed."""
        shutil.copytree(self.root, to)
        return World(**{**self.__dict__, "root": to})

    # -- making ----------------------------------------------------------------------------------

    def must(self, *arguments, code=0):
        done = self.run(*arguments)
        assert done.code == code, (arguments, done.code, done.out[-500:], done.err[-500:])
        return done

    def evaluated(self, what, split="test", **options):
        """The id of an arm's run, by the Python API, which writes no report."""
        here = Path.cwd()
        os.chdir(self.root)  # the recipe of a fake model is a path
        try:
            return harness.Workbench(self.root).evaluate(what, self.ref, split=split, **options).run_id
        finally:
            os.chdir(here)

    def add(self, name, what, splits=("test", "dev"), **options):
        """A row, run on these splits."""
        ids = [self.evaluated(what, split, **options) for split in splits]
        self.rows[name] = (ids[0],)
        return ids[0]

    def imported(self, arm, share, splits=("test", "dev"), *, leave_out=(), with_score=True):
        """A row of predictions made elsewhere, right on about this share of the items."""
        for split in reversed(splits):
            path = self.root / f"{arm}-{split}.csv"
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(["id", "said", "score"])
                for item, gold in self.gold(split).items():
                    if item not in leave_out:
                        said, score = planted(arm, item, gold, share), round(0.2 + 0.8 * unit("score", arm, item), 3)
                        writer.writerow([item, said, score])
            columns = ["--prediction", "said", "--id", "id", *(["--score", "score"] if with_score else [])]
            arguments = ["runs", "import", path, "--dataset", self.ref, "--split", split, "--arm", arm, *columns]
            done = self.must(*arguments, "--json", code=3 if leave_out and split == "test" else 0)
            self.rows[f"import:{arm}"] = (json.JSONDecoder().raw_decode(done.out)[0]["run_id"],)

    def gold(self, split, ref=None):
        name, _, version = (ref or self.ref).partition("@")
        path = self.root / f"{name}-{version}.csv"
        with path.open(newline="", encoding="utf-8") as file:
            return {row["id"]: row["label"] for row in csv.DictReader(file) if row["split"] == split}

    def serve(self, name, share, repeats=1):
        """What the model served/NAME says: right on about this share of the items, each repeat drawn anew."""
        folder = self.root / "answers"
        folder.mkdir(exist_ok=True)
        said = {
            token(item): [planted(f"{name}{k}", item, gold, share) for k in range(repeats)]
            for split in SPLITS
            for item, gold in self.gold(split).items()
        }
        (folder / f"{name}.json").write_text(json.dumps(said))

    def down(self, name, *, is_down=True):
        """An outage of served/NAME begins or ends."""
        path = self.root / "answers" / f"{name}.down"
        path.touch() if is_down else path.unlink()

    def write_prompt(self, version, words):
        folder = self.root / "prompts" / "tk"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{version}.j2"
        path.write_text(PROMPT.format(words=words), encoding="utf-8")
        return path

    def recipe(self, name, share):
        """What fake/NAME.toml says: right on about this share of the items."""
        lines = [
            f'"{token(item)}" = "{planted(name, item, gold, share)}"'
            for split in SPLITS
            for item, gold in self.gold(split).items()
        ]
        (self.root / f"{name}.toml").write_text('default = "bug"\n[answers]\n' + "\n".join(lines) + "\n")

    def arm_id(self, run_id):
        rows = self.must("runs", "list", "--json").json
        return next(row["arm_id"] for row in rows if row["run_id"] == run_id)


def unit(*parts):
    """A number in [0, 1) that depends on the parts alone."""
    return int.from_bytes(sha256(":".join(map(str, parts)).encode()).digest()[:6], "big") / 2**48


def planted(name, item, gold, share):
    """What an arm of that name says about an item: wrong ones are wrong in their own way."""
    if unit("right", name, item) < share:
        return gold
    return LABELS[(LABELS.index(gold) + 1 + int(2 * unit("wrong", name, item))) % 3]


def token(item):
    return f"t{item[1:]}x"


def write_items(path, *, group=False, relabelled=0, more=0):
    """Items whose words and tags mostly go with their label; some of the test split say another label, some are new."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "label", "tags", "split", *(["thread"] if group else [])])
        for i in range(3 * PER_SPLIT + more):
            split, gold = SPLITS[min(i // PER_SPLIT, 2)], LABELS[i % 3]
            if split == "test" and i % PER_SPLIT < relabelled:
                gold = LABELS[(i + 1) % 3]
            meant = gold if unit("clear", i) < 0.7 else LABELS[int(3 * unit("other", i))]
            words = [WORDS[meant][int(4 * unit("word", k, i))] for k in range(2)]
            tag = WORDS[gold if unit("tag", i) < 0.5 else meant][int(4 * unit("tagged", i))]
            thread = [f"{split}{i % PER_SPLIT // 3}"] if group else []
            writer.writerow([f"i{i:03}", f"case {token(f'i{i:03}')} {' '.join(words)}", gold, tag, split, *thread])
    return path


IMPORT = ("--id", "id", "--text", "text", "--label", "label", "--tags", "tags", "--split-column", "split")


def bare(root, *, group=False):
    """A workspace with a dataset, a prompt, two recipes, and no run."""
    root.mkdir(parents=True)
    world = World(root)
    (root / "harness.toml").write_text(SETTINGS, encoding="utf-8")
    for folder, name, content in (("embedders", "letters.py", ENCODER), ("providers", "served.py", PROVIDER)):
        path = root / "extensions" / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    path = write_items(root / "tk-v1.csv", group=group)
    world.must("dataset", "import", path, "--name", "tk", *IMPORT, *(("--group", "thread") if group else ()))
    world.write_prompt("v1", "Ticket")
    world.recipe("good", 0.9)
    world.recipe("poor", 0.35)
    return world


def with_baselines(root, **options):
    """The same with three baselines, on test and on dev; made once, and copied."""
    template = root.parent / ("template" + "".join(f"-{name}" for name in options))
    if not template.exists():
        made = _baselines(bare(template, **options))
        (template / "rows.json").write_text(json.dumps(made.rows))
    shutil.copytree(template, root)
    rows = json.loads((root / "rows.json").read_text())
    return World(root, rows={name: tuple(ids) for name, ids in rows.items()})


def _baselines(world):
    for arm in BASELINES:
        world.add(arm, arm)
    return world


BASELINES = ("majority", "tag-odds", "tfidf-lr")


GOOD, POOR = {"model": "fake/good.toml"}, {"model": "fake/poor.toml"}
AS_GOOD = ("--model", "fake/good.toml")


def plain(root):
    """One world in which nothing is hard: what it says is what was always said."""
    world = with_baselines(root)
    world.add("prompt:v1", "prompt:v1", **GOOD)
    world.prompt = ("v1", *AS_GOOD)
    return world


def two_models(root):
    """One prompt on two models, the dear one far better; the cheap one came last."""
    world = with_baselines(root)
    world.add("prompt:v1 (fake/good)", "prompt:v1", **GOOD)
    world.add("prompt:v1 (fake/poor)", "prompt:v1", **POOR)
    world.bare = {"prompt:v1": None}
    world.dear = "prompt:v1 (fake/good)"
    world.gated = ("prompt:v1 (fake/good)", "prompt:v1 (fake/poor)")
    world.prompt = ("v1", *AS_GOOD)
    return world


def edited(root):
    """A prompt that was edited after it was run, and run again: one name, one model, two contents."""
    world = with_baselines(root)
    world.serve("steady", 0.8)
    first = world.add("old", "prompt:v1", model="served/steady")
    world.write_prompt("v1", "Kind of ticket")
    world.serve("steady", 0.5)
    second = world.add("new", "prompt:v1", model="served/steady")
    for key, run_id in (("old", first), ("new", second)):
        world.rows[f"prompt:v1 ({world.arm_id(run_id).partition(':')[2][:6]})"] = world.rows.pop(key)
    names = list(world.rows)[-2:]
    world.bare = {"prompt:v1": None}
    world.dear, world.gated = names[0], (names[0], names[1])
    world.prompt = ("v1", "--model", "served/steady")
    return world


def addresses(root):
    """One prompt on one model at two addresses, which do not answer alike."""
    world = with_baselines(root)
    for port, share in ((8001, 0.85), (8002, 0.45)):
        world.serve(f"steady-{port}", share)
        url = f"http://127.0.0.1:{port}/v1"
        world.add(f"prompt:v1 ({url})", "prompt:v1", model="served/steady", base_url=url)
    names = list(world.rows)[-2:]
    world.bare = {"prompt:v1": None}
    world.dear, world.gated = names[0], (names[0], names[1])
    world.prompt = ("v1", "--model", "served/steady", "--base-url", "http://127.0.0.1:8001/v1")
    return world


def repeats(root):
    """A prompt that was asked three times, right on four of five; the rest is right on half."""
    world = bare(root)
    world.serve("steady", 0.8, repeats=3)
    world.imported("half", 0.5)
    world.add("majority", "majority")
    asked = {split: [world.evaluated("prompt:v1", split, model="served/steady", repeat=k) for k in range(3)]
             for split in ("dev", "test")}  # fmt: skip
    world.rows["prompt:v1"] = tuple(asked["test"])
    names = ("prompt:v1", "prompt:v1 #2", "prompt:v1 #3")
    world.alone = dict(zip(names, asked["test"], strict=True))
    world.cheap, world.gated = "import:half", ("prompt:v1", "import:half")
    world.prompt = ("v1", "--model", "served/steady", "--repeat", "3")
    return world


def seeds(root):
    """An arm that is random, fitted with three seeds."""
    world = with_baselines(root)
    (root / "seeds.toml").write_text('arms = ["random"]\nseeds = [0, 1, 2]\nsplits = ["dev", "test"]\n')
    fits = {(run["split"], run["seed"]): run["run_id"] for run in world.must("run", "seeds.toml", "--json").json}
    world.rows["random"] = tuple(fits["test", seed] for seed in range(3))
    world.alone = {"random" + (f" seed {seed}" if seed else ""): fits["test", seed] for seed in range(3)}
    world.add("prompt:v1", "prompt:v1", **GOOD)
    world.gated = ("prompt:v1", "random")
    world.prompt = ("v1", *AS_GOOD)
    return world


PLAN = 'arms = ["tag-odds", "tfidf-lr"]\nlabels = [10, 30]\nseeds = [0]\nprocesses = 1\n'
CURVE = ("curve", "tfidf-lr", "--labels", "9,18,36", "--seeds", "2", "--processes", "1", "--all-sizes")


def parts(root):
    """A learning curve and a plan with `labels`, before everything else."""
    world = bare(root)
    world.must(*CURVE, "--json")
    (root / "plan.toml").write_text(PLAN)
    world.must("run", "plan.toml", "--json")
    _baselines(world)
    world.add("prompt:v1", "prompt:v1", **GOOD)
    rows = world.must("runs", "list", "--json").json
    world.kept["parts"] = tuple(row["run_id"] for row in rows if "training_part" in str(row["params"]))
    assert len(world.kept["parts"]) == 10
    world.prompt = ("v1", *AS_GOOD)
    return world


def after(root):
    """After the whole runs: a limited one, a failed one, one that its budget stopped, and one on the train split."""
    world = with_baselines(root)
    world.serve("steady", 0.9)
    world.write_prompt("v2", "Which kind of ticket")
    steady = {"model": "served/steady"}
    world.add("prompt:v1", "prompt:v1", **steady)
    limited = world.evaluated("prompt:v1", limit=10, **steady)
    fewer = world.evaluated("tfidf-lr", limit=12)
    world.down("steady")
    failed = world.evaluated("prompt:v1", limit=20, fresh=True, **steady)
    world.down("steady", is_down=False)
    # What a request may cost at most is reserved for it: this is enough for some of the items.
    with contextlib.suppress(BudgetExceeded):
        world.evaluated("prompt:v2", budget_usd=0.005, workers=1, **steady)
    world.kept["train"] = world.evaluated("prompt:v1", "train", **steady)
    stopped = next(row["run_id"] for row in world.must("runs", "list", "--json").json if row["arm"] == "prompt:v2")
    world.kept |= {"limited": limited, "failed": failed, "stopped": stopped, "fewer": fewer}
    world.optional = {"prompt:v2": (stopped,), "prompt:v1": (limited, failed), "tfidf-lr": (fewer,)}
    world.passed = (limited, failed)
    world.prompt = ("v1", "--model", "served/steady")
    return world


def folds(root):
    """After the whole runs an arm was cross-validated on the same split."""
    world = with_baselines(root)
    world.add("prompt:v1", "prompt:v1", **GOOD)
    crossed = world.must("baselines", "--arm", "tfidf-lr", "--folds", "3", "--split", "test", "--json").json[0]
    world.kept["folds"] = crossed["run_id"]
    world.optional = {"tfidf-lr": (crossed["run_id"],)}
    world.prompt = ("v1", *AS_GOOD)
    return world


def groups(root):
    """Items that come in threads."""
    world = with_baselines(root, group=True)
    world.add("prompt:v1", "prompt:v1", **GOOD)
    world.imported("legacy", 0.6)
    world.prompt = ("v1", *AS_GOOD)
    return world


def versions(root):
    """A second version of the dataset, with five labels mended and six items more; its runs came last."""
    world = with_baselines(root)
    world.add("prompt:v1", "prompt:v1", **GOOD)
    path = write_items(root / "tk-v2.csv", relabelled=5, more=6)
    world.must("dataset", "import", path, "--name", "tk", "--version", "v2", *IMPORT)
    later = World(root, ref="tk@v2")
    for arm in BASELINES:
        later.add(arm, arm)
    later.add("prompt:v1", "prompt:v1", **POOR)
    world.kept["v2"] = later.rows
    world.prompt = ("v1", *AS_GOOD)
    return world


def missing(root):
    """The most accurate arm of all has no prediction for one item."""
    world = with_baselines(root)
    world.imported("gappy", 0.97, leave_out=(list(world.gold("test"))[7],))
    world.add("prompt:v1", "prompt:v1", **POOR)
    world.missing = {"import:gappy": 1}
    world.prompt = ("v1", "--model", "fake/poor.toml")
    return world


def twelve(root):
    """Twelve arms, no two of them far apart."""
    world = bare(root)
    for k in range(11):
        world.imported(f"arm-{k:02}", 0.4 + 0.04 * k, ("test", "dev") if k in (3, 10) else ("test",))
    world.add("prompt:v1", "prompt:v1", **POOR)
    world.cheap, world.gated = "import:arm-03", ("import:arm-10", "import:arm-00")
    world.prompt = ("v1", "--model", "fake/poor.toml")
    return world


LONG = "a-prompt-whose-name-is-eighty-letters-long-and-says-very-little-of-what-it-asks"
HARD_NAMES = (f"{LONG}x", f"{LONG}y", "first, second", "cat 😺 | dog")


def names(root):
    """Prompts whose names have a comma, an emoji, a bar, or eighty letters of which the last one tells."""
    world = with_baselines(root)
    for k, name in enumerate(HARD_NAMES):
        path = world.write_prompt(name, f"Ticket {k}")
        world.recipe(f"m{k}", 0.9 - 0.1 * k)
        world.add(f"prompt:{name}", str(path.relative_to(root)), model=f"fake/m{k}.toml")
    world.dear = f"prompt:{HARD_NAMES[2]}"
    world.gated = (f"prompt:{HARD_NAMES[0]}", f"prompt:{HARD_NAMES[1]}")
    world.prompt = (f"prompts/tk/{HARD_NAMES[2]}.j2", "--model", "fake/m2.toml")
    return world


WORLDS = {
    made.__name__: made
    for made in (
        plain, two_models, edited, addresses, repeats, seeds, parts, after, folds, groups, versions, missing, twelve,
        names,
    )
}  # fmt: skip
