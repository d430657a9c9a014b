import subprocess
import sys

import pytest

from harness import plugins
from harness.errors import ConfigError


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
        "import sys; from harness import plugins; "
        "[plugins.summary('commands', n) for n in plugins.names('commands')]; "
        "assert not [m for m in sys.modules if m.startswith('harness.commands')]"
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


@pytest.mark.parametrize("name", plugins.names("commands"))
def test_every_command_says_what_it_does_and_how(name):
    """A command's docstring is one line for `--help` and an example."""
    module = plugins.load("commands", name)
    assert plugins.summary("commands", name).endswith(".")
    assert "Example: harness " + name in module.__doc__
