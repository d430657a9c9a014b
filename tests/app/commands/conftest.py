"""The real command line, in this process: arguments in, exit code and output out."""

import json
import sys
from dataclasses import dataclass

import pytest

from harness.app import cli


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
