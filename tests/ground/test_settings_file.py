"""The first harness.toml is a documentation of every setting that can be carried out line by line."""

import tomllib
from dataclasses import fields

import pytest

from harness.ground import settings_file, workspace
from harness.ground.workspace import Preferences

TABLES = ("decide", "gate", "spread")
TEXT = settings_file.text({"dataset": "a@v1", "arms": ("majority",)})


def commented():
    """Every commented setting: its table, its line without the mark, whether it is an example."""
    table = ""
    for line in TEXT.splitlines():
        if line.startswith("["):
            table = line.strip("[]")
        elif line.startswith("# ") and " = " in line and not line.startswith("# What"):
            yield table, line.removeprefix("# "), settings_file.FOR_INSTANCE in line


def read(tmp_path, text):
    (tmp_path / workspace.FILE).write_text(text, encoding="utf-8")
    return workspace.find(tmp_path).preferences


def test_the_file_sets_what_was_chosen_and_nothing_else(tmp_path):
    """As written it is valid, and holds the defaults but for what was chosen."""
    assert read(tmp_path, TEXT) == Preferences(dataset="a@v1", arms=("majority",))


@pytest.mark.parametrize(
    ("table", "line", "is_example"), [one for one in commented() if one[0] or "dataset" not in one[1]]
)
def test_each_commented_line_is_a_setting(tmp_path, table, line, is_example):
    """Without its mark, alone, it is valid: the default's value, or an example where nothing is set by default."""
    found = read(tmp_path, (f"[{table}]\n" if table else "") + line)
    key = line.partition(" = ")[0]
    of, default = (getattr(one, table) if table else one for one in (found, Preferences()))
    assert (getattr(of, key) == getattr(default, key)) != is_example


def test_every_setting_stands_in_the_file_once():
    """No setting is missing, none stands twice, none is invented."""
    told = [(table, line.partition(" = ")[0]) for table, line, _ in commented()]
    told += [("", key) for key in tomllib.loads(TEXT) if key not in TABLES]
    expected = [
        (table, field.name)
        for table, _, kind, _ in settings_file.TABLES
        for field in fields(kind)
        if table or field.name not in TABLES
    ]
    assert sorted(told) == sorted(expected)
