import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.ground import plugins


def test_a_file_is_an_extension():
    """The listing is the folder; files that start with an underscore are not extensions."""
    names = plugins.names("commands")
    assert "eval" in names
    assert not [name for name in names if name.startswith(("_", "-"))]


@pytest.mark.parametrize("name", ["../errors", "os", "single; import os", "", "Single"])
def test_only_listed_names_are_loaded(name):
    """A name that is not a file of the folder never reaches the import system."""
    with pytest.raises(ConfigError, match="unknown kind"):
        plugins.load("kinds", name)


def test_listing_imports_nothing():
    """Names and help lines of all commands are read without importing one of them."""
    code = (
        "import sys; from harness.ground import plugins; "
        "[plugins.introduction('commands', n)[0] for n in plugins.names('commands')]; "
        "assert not [m for m in sys.modules if m.startswith('harness.app.commands')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_import_harness_loads_no_sdk():
    """`import harness` costs nothing: no SDK, no data-frame library, no model."""
    heavy = [
        "openai",
        "anthropic",
        "pandas",
        "duckdb",
        "sklearn",
        "matplotlib",
        "onnxruntime",
        "xllamacpp",
        "numpy",
        "pydantic",
    ]
    code = f"import sys, harness; assert not set({heavy!r}) & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_choosing_what_to_run_loads_neither_sdks_nor_scikit_learn():
    """`auto` without a key, and which arms suit a dataset, cost no import of a second or more."""
    code = (
        "import sys; from harness.ground import plugins; from harness.models.stack import resolve_model; "
        "[plugins.declared('baselines', name) for name in plugins.names('baselines')]; "
        "assert resolve_model('auto')[0].startswith('local/'); "
        "assert not {'openai', 'anthropic', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PATH": "/usr/bin:/bin"})


def test_evaluating_a_prompt_loads_no_scikit_learn():
    """It takes a second to load, and only what learns needs it; nor is any extra loaded before it is asked for."""
    code = (
        "import sys; from harness.ground import plugins; plugins.load('commands', 'eval'); "
        "plugins.load('commands', 'baselines'); "
        "assert not {'sklearn', 'scipy.stats', 'ray', 'psycopg', 'onnxruntime'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", plugins.names("commands"))
def test_every_command_says_what_it_does_and_how(name):
    """A command's docstring is one line for `--help` and an example."""
    module = plugins.load("commands", name)
    assert plugins.introduction("commands", name)[0].endswith(".")
    assert "Example: harness " + name in module.__doc__


MY_ARM = """
from sklearn.dummy import DummyClassifier
VERSION = 1
def build(seed=0):
    return DummyClassifier(strategy="{strategy}", random_state={seed})
"""


def installed(folder, strategy="prior", seed="seed", name="my-arm", group="harness.baselines"):
    """A package with an entry point, as an installer leaves it."""
    (folder / "my_package.py").write_text(MY_ARM.format(strategy=strategy, seed=seed))
    metadata = folder / "my_package-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{group}]\n{name} = my_package\n")
    return {"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", "HOME": str(folder)}


def run(folder, environment, *arguments):
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_an_installed_package_adds_an_arm(root, tmp_path_factory):
    """Its entry point is listed with ours, and `harness baselines --arm` runs it."""
    folder = tmp_path_factory.mktemp("site")
    done = run(root, installed(folder), "-m", "harness", "baselines", "--arm", "my-arm", "--json")
    assert done.returncode == 0, done.stderr
    assert '"arm": "my-arm"' in done.stdout


@pytest.mark.parametrize(("name", "group"), [("../x", "harness.baselines"), ("my-arm", "harness.commands")])
def test_only_open_folders_take_names_from_outside(tmp_path, name, group):
    """A name that is no name, and a folder that is not open, are passed over."""
    code = "from harness.ground import plugins; print(plugins.names('baselines'), plugins.names('commands'))"
    done = run(tmp_path, installed(tmp_path, name=name, group=group), "-c", code)
    assert done.returncode == 0
    assert name not in done.stdout


def test_the_documented_arm_keeps_the_contract(root):
    """The file in docs/extending.md, as it stands there, passes the checks and is run by its name."""
    page = (Path(__file__).parents[2] / "docs" / "extending.md").read_text(encoding="utf-8")
    path = root / "extensions" / "baselines" / "my_arm.py"
    path.parent.mkdir(parents=True)
    path.write_text(re.search(r"```python\n(.*?)```", page, re.DOTALL)[1], encoding="utf-8")
    here = {"PATH": "/usr/bin:/bin", "HOME": str(root)}
    given = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--harness-contract", "baselines/my-arm")
    checked = run(root, here, *given)
    assert "9 passed" in checked.stdout, checked.stdout + checked.stderr
    done = run(root, here, "-m", "harness", "baselines", "--arm", "my-arm", "--json")
    assert json.loads(done.stdout)[0]["arm"] == "my-arm"


def test_the_contract_names_an_authors_mistake(root):
    """A workspace's file that cannot be imported fails every check with its one line, and no traceback of ours."""
    path = root / "extensions" / "embedders" / "mine.py"
    path.parent.mkdir(parents=True)
    path.write_text("def connect(cache=None, model=''):\n    pass\n\nraise OSError('no weights')\n")
    given = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--harness-contract", "embedders/mine")
    done = run(root, {"PATH": "/usr/bin:/bin", "HOME": str(root)}, *given)
    assert "2 failed" in done.stdout
    assert f"{path}:4: OSError: no weights" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(
    ("strategy", "seed", "failed"), [("prior", "seed", 0), ("uniform", "None", 0), ("nonsense", "0", 7)]
)
def test_authors_can_run_the_contract(tmp_path, strategy, seed, failed):
    """`pytest --harness-contract` checks an extension and says what is wrong with it."""
    given = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
    done = run(tmp_path, installed(tmp_path, strategy, seed), *given, "--harness-contract", "baselines/my-arm")
    assert f"{failed} failed" in done.stdout if failed else "9 passed" in done.stdout, done.stdout + done.stderr
