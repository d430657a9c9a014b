"""The real command line, in this process: arguments in, exit code and output out."""

import json
import shutil
import sys
from dataclasses import dataclass

import pytest

from harness.app import cli
from tests.app.standing import made

BEGUN = {}


@dataclass
class Finished:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def harness(capsys, monkeypatch, root):
    """Runs a command in the small workspace; standing in it, like a user would."""
    monkeypatch.chdir(root)

    def run(*arguments: str) -> Finished:
        monkeypatch.setattr(sys, "argv", ["harness", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return Finished(ended.value.code or 0, printed.out, printed.err)

    return run


@pytest.fixture(scope="session")
def standing(tmp_path_factory):
    """A workspace with every baseline, a prompt, and fusions with choices on dev: made once, and only looked at."""
    return made(tmp_path_factory.mktemp("standing"))


@pytest.fixture
def once(request, root, tmp_path_factory):
    """Make what the tests of a module begin with one time; the others get a copy of the workspace as it was then."""

    def begin(make) -> None:
        kept = BEGUN.get(request.module.__name__)
        if kept is not None:
            shutil.copytree(kept, root, dirs_exist_ok=True)
            return
        make()
        BEGUN[request.module.__name__] = shutil.copytree(root, tmp_path_factory.mktemp("begun") / "workspace")

    return begin
