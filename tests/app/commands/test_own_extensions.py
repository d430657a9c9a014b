"""A Python file in a workspace's `extensions/` is an arm, a provider or an encoder like one of ours."""

import pickle
import re
import sys

import pytest

from harness import datasets
from harness.arms import encoding
from harness.errors import ConfigError
from harness.ground import extensions, plugins
from harness.ground.clock import SystemClock
from harness.ground.workspace import Preferences, Workspace
from harness.runs import building
from harness.runs.scope import Scope

ARM = '''"""The first label it learns, always."""
from sklearn.base import BaseEstimator, ClassifierMixin
import numpy as np

VERSION = {version}

class Always(ClassifierMixin, BaseEstimator):
    def fit(self, items, labels):
        self.classes_ = np.unique(labels)
        return self

    def predict_proba(self, items):
        return np.tile(np.eye(len(self.classes_))[{column}], (len(items), 1))

def build(seed=0):
    return Always()
'''
PROVIDER = '''"""Answers with the last word it is allowed to say."""
from harness.types import Model, Response

DEFAULT_MODEL = "m"
MODELS = ("m",)
RUNS_HERE = False
GIVES_SCORES = False

def available():
    return None

class Last:
    def __init__(self, model):
        self.model = model

    async def send(self, request):
        return Response(request.reply.options[-1], "stop", None, None, 0.25, "me")

    async def close(self):
        pass

def connect(model, base_url=None):
    return Last(Model("my-provider", model))
'''
ENCODER = '''"""How often a few letters occur."""
import numpy as np

class Letters:
    id = "letters-{version}"
    dim = 26

    def embed(self, texts):
        rows = np.array([[text.count(chr(97 + i)) + 1 for i in range(26)] for text in texts], dtype=np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

def connect(cache=None, model=""):
    return Letters()
'''


def write(root, folder, name, content):
    path = root / "extensions" / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


@pytest.fixture
def arm(root):
    return write(root, "baselines", "my_arm.py", ARM.format(version=1, column=0))


def test_a_file_is_an_arm(harness, arm):
    """It is named by its file, fitted, scored, stored and found again like one of ours."""
    done = harness("baselines", "--arm", "my-arm", "--json")
    assert done.code == 0
    (run,) = done.json
    assert (run["arm"], run["outcomes"]["answered"]) == ("my-arm", 30)
    assert run["accuracy"]["value"] == pytest.approx(1 / 3)
    harness("baselines", "--arm", "majority")
    assert harness("compare", "my-arm", "majority", "--json").json["n"] == 30
    again = harness("baselines", "--arm", "my-arm", "--json").json[0]
    assert (again["run_id"], again["calls"]["cached"]) == (run["run_id"], 30)


def test_it_is_a_default_arm_where_the_settings_name_it(harness, arm, root):
    """`arms` of the settings takes its name, and a plan does."""
    (root / "harness.toml").write_text('dataset = "tickets@v1"\narms = ["majority", "my-arm"]\n')
    assert {run["arm"] for run in harness("baselines", "--json").json} == {"majority", "my-arm"}
    (root / "plan.toml").write_text('arms = ["my-arm"]\ndatasets = ["tickets@v1"]\nlabels = [10]\nprocesses = 1\n')
    assert harness("run", "plan.toml").code == 0


def test_its_version_is_a_part_of_the_runs_identity(harness, arm):
    """Another VERSION is another run, in one process too; the same VERSION is the run that is stored."""
    first = harness("baselines", "--arm", "my-arm", "--json").json[0]
    arm.write_text(ARM.format(version=2, column=1))
    second = harness("baselines", "--arm", "my-arm", "--json").json[0]
    assert second["run_id"] != first["run_id"]
    arm.write_text(ARM.format(version=1, column=1))
    assert harness("baselines", "--arm", "my-arm", "--json").json[0]["run_id"] == first["run_id"]


def test_it_has_a_learning_curve_over_processes(harness, arm):
    """Processes that open the workspace themselves find the file there."""
    done = harness("curve", "my-arm", "--processes", "2", "--labels", "10,20", "--seeds", "2", "--json")
    assert done.code == 0, done.err
    assert [point["n_labels"] for point in done.json["points"]][:2] == [10, 20]


def test_a_file_is_a_provider(harness, root):
    """`--model NAME/MODEL` asks it; the model's name stands on the run."""
    write(root, "providers", "my_provider.py", PROVIDER)
    done = harness("eval", "--prompt", "v1", "--model", "my-provider/m", "--json")
    assert done.code == 0, done.err
    assert (done.json["model"], done.json["latency_s"]["p50"]) == ("my-provider/m", 0.25)
    assert done.json["accuracy"]["value"] == pytest.approx(1 / 3)
    unknown = harness("eval", "--prompt", "v1", "--model", "my-provder/m")
    assert (unknown.code, "my-provider/..." in unknown.err) == (2, True)


def test_a_file_is_an_encoder(harness, root):
    """`--encoder` embeds with it; another id is another run; nearest examples of a prompt may use it."""
    path = write(root, "embedders", "my_encoder.py", ENCODER.format(version=1))
    given = ("baselines", "--arm", "minilm-knn", "--encoder", "my-encoder", "--json")
    first = harness(*given)
    assert first.code == 0, first.err
    assert first.json[0]["arm"] == "minilm-knn:my-encoder"
    path.write_text(ENCODER.format(version=2))
    assert harness(*given).json[0]["run_id"] != first.json[0]["run_id"]
    (root / "prompts" / "tickets" / "v2.j2").write_text(
        "---\nmodel: {max_tokens: 8}\nexamples: {how: knn, k: 2, encoder: my-encoder}\n---\n"
        "{% block user %}{% for one in examples %}{{ one.text }}{% endfor %}{{ item.text }}{% endblock %}\n"
    )
    assert harness("eval", "--prompt", "v2").code == 0


def test_two_workspaces_do_not_meet(root, tmp_path_factory):
    """The same names in two folders are two arms and two encoders, in one process and by turns."""
    there = tmp_path_factory.mktemp("other")
    for place, version in ((root, 1), (there, 7)):
        write(place, "baselines", "my_arm.py", ARM.format(version=version, column=0))
        write(place, "embedders", "my_encoder.py", ENCODER.format(version=version))
    for _ in range(2):
        for place, version in ((root, 1), (there, 7)):
            at = Workspace(place, Preferences()).extensions
            assert plugins.declared("baselines", "my-arm", at).constants["VERSION"] == version
            assert version == plugins.load("baselines", "my-arm", at).VERSION
            assert encoding.connect(encoding.Located("my-encoder", at)).id == f"letters-{version}"
    assert "my-arm" not in plugins.names("baselines")
    with pytest.raises(ConfigError, match="unknown embedder 'my-encoder'"):
        encoding.connect("my-encoder")


def test_a_fitted_arm_can_be_pickled(workspace, arm):
    """In this process a pickle finds its class, and an estimator carries where its encoder lies."""
    module = plugins.load("baselines", "my-arm", workspace.extensions)
    fitted = module.build(seed=0).fit([1], ["a"])
    assert pickle.loads(pickle.dumps(fitted)).classes_.tolist() == ["a"]
    located = pickle.loads(pickle.dumps(encoding.Located("my-encoder", workspace.extensions)))
    assert (located, located.extensions) == ("my-encoder", workspace.extensions)


def test_ours_come_first_and_nothing_is_imported_until_it_is_named(harness, root):
    """A file called like one of ours is not it; listing, doctor and models run nobody's code."""
    write(root, "baselines", "majority.py", "raise SystemExit('imported')")
    write(root, "providers", "fake.py", "raise SystemExit('imported')")
    write(root, "providers", "loud.py", "raise SystemExit('imported')")
    write(root, "baselines", "_shared.py", "raise SystemExit('imported')")
    assert harness("baselines", "--arm", "majority").code == 0
    assert harness("eval", "--prompt", "v1").code == 0
    assert "extensions/providers/loud.py" in harness("doctor").out
    assert "extensions/providers/loud.py" in harness("models", "--json").out
    named = harness("eval", "--prompt", "v1", "--model", "loud/x")
    assert (named.code, "loud.py:1: SystemExit: imported" in named.err) == (2, True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("VERSION = 1\ndef build(seed=0:\n", r"my_arm.py:2: SyntaxError"),
        ("VERSION = 1\nimport not_there\ndef build(seed=0): ...\n", r"my_arm.py:2: ModuleNotFoundError.*not_there"),
        ("VERSION = 1\n\nx = 1 / 0\ndef build(seed=0): ...\n", r"my_arm.py:3: ZeroDivisionError"),
        ("VERSION = 1\nimport sys\nsys.exit(0)\ndef build(seed=0): ...\n", r"my_arm.py:3: SystemExit"),
        ("VERSION = 1\ndef build(seed=0):\n    raise KeyError('mine')\n", r"my_arm.py:3: KeyError: 'mine'"),
        ("VERSION = 1\ndef build(seed=0):\n    return None\n", r"my_arm.py gave NoneType.*predict_proba"),
        ("def build(seed=0): ...\n", r"my_arm.py says no VERSION; expected a whole number"),
        ("VERSION = 'x'\ndef build(seed=0): ...\n", r"my_arm.py says VERSION = 'x'"),
        ("VERSION = 1\n", r"my_arm.py has no build that takes a seed"),
        ("VERSION = 1\ndef build(): ...\n", r"my_arm.py has no build that takes a seed"),
        ("\0", r"my_arm.py.*null bytes"),
        (b"\xff\xfe", r"my_arm.py.*utf-8"),
    ],
)
def test_an_authors_mistake_is_one_line(harness, root, content, said):
    """File, line and what was raised; exit 2, no traceback, and no run begun by code that cannot be read."""
    path = write(root, "baselines", "my_arm.py", "")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = harness("baselines", "--arm", "my-arm")
    line = done.err.strip().splitlines()[-1]
    assert done.code == 2
    assert "Traceback" not in done.err
    assert re.search(said, line), line


def test_what_fails_at_work_names_the_file_too(harness, root):
    """An error in fit, in predict_proba, in a provider: the last line of the author's file that ran."""
    broken = ARM.format(version=1, column=0).replace(
        "        return np.tile", "        raise OSError('gone')\n        #"
    )
    path = write(root, "baselines", "my_arm.py", broken)
    done = harness("baselines", "--arm", "my-arm")
    line = 1 + broken.splitlines().index("        raise OSError('gone')")
    assert (done.code, f"{path}:{line}: OSError: gone" in done.err) == (2, True)


@pytest.mark.parametrize("name", ["../my_arm", "extensions/baselines/my_arm.py", "my_arm", "My-Arm", "_shared"])
def test_only_listed_names_are_files(harness, arm, root, name):
    """A path, or a name that is not in the listing, never becomes an import."""
    done = harness("baselines", "--arm", name)
    assert done.code == 2
    assert "unknown baseline" in done.err
    assert "'my-arm'" in done.err


def test_what_is_asked_for_and_missing_is_named(harness, root):
    """A provider that lacks a constant is refused when it is named, not when it is half-way."""
    write(root, "providers", "half.py", "def connect(model, base_url=None): ...\n")
    done = harness("eval", "--prompt", "v1", "--model", "half/m")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "does not offer available, DEFAULT_MODEL, MODELS, RUNS_HERE, GIVES_SCORES" in done.err


def test_nothing_is_left_behind(workspace, arm):
    """No bytecode in the workspace, and a file that failed leaves no half module."""
    plugins.load("baselines", "my-arm", workspace.extensions)
    arm.write_text("VERSION = 1\nbuild = 1 / 0\n")
    before = {name for name in sys.modules if name.startswith(extensions.PREFIX)}
    with pytest.raises(ConfigError):
        plugins.load("baselines", "my-arm", workspace.extensions)
    assert {name for name in sys.modules if name.startswith(extensions.PREFIX)} == before
    assert [path.name for path in arm.parent.iterdir()] == ["my_arm.py"]


def test_an_encoder_of_a_file_is_the_same_in_another_place(root, tmp_path_factory):
    """Where a workspace lies is no part of what its arms are: moved, they have the same ids."""
    ids = []
    dataset = datasets.load(root, "tickets@v1")
    for place in (root, tmp_path_factory.mktemp("moved")):
        write(place, "embedders", "my_encoder.py", ENCODER.format(version=1))
        there = Workspace(place, Preferences(encoder="my-encoder"))
        ids.append(building.baseline_job("minilm-lr", Scope(dataset), there, SystemClock()).run.id)
    assert ids[0] == ids[1]
