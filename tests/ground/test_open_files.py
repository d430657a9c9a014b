"""Few open files are told in one line before a library ends the process."""

import resource

import pytest

from harness.errors import ConfigError
from harness.ground import open_files


def test_the_limit_is_raised_as_far_as_it_goes(monkeypatch):
    """To what is wanted, or to what the system allows; one that is higher stays."""
    said = []
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: said.append(limits))
    for limits, raised in [((256, 100_000), (4096, 100_000)), ((256, 1000), (1000, 1000)), ((9000, 9000), None)]:
        monkeypatch.setattr(resource, "getrlimit", lambda _, limits=limits: limits)
        open_files.allow_many()
        assert said == ([raised] if raised else [])
        said.clear()


def test_too_few_are_refused(monkeypatch):
    """With the number found, the number needed, and what raises it."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (16, 16))
    with pytest.raises(ConfigError, match="only 16 files .* 64 are needed; raise it: ulimit -n"):
        open_files.allow_many()
