"""Mistakes of every kind, made from what is right: one line, the nearest right word, exit 2."""

import re
from difflib import SequenceMatcher

import pytest

from harness.app import cli
from harness.ground import plugins, settings_file


def misspelt(word):
    """The word with two neighbours changed, or one letter missing where that would be the same."""
    at = len(word) // 2
    swapped = word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]
    return swapped if swapped != word else word[:at] + word[at + 1 :]


def leaves(group, path=()):
    """Every command that does something, with the words that lead to it."""
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        if hasattr(command, "list_commands"):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name), command


def options():
    """A command line for every option, misspelt; the word that was meant."""
    for path, command in leaves(cli.group):
        for name in (name for one in command.params for name in one.opts if name.startswith("--") and len(name) > 5):
            yield (*path, f"--{misspelt(name[2:])}"), name


def commands():
    """A command line for every command, misspelt; the word that was meant."""
    for path, _ in leaves(cli.group):
        if len(path[-1]) > 3:
            yield (*path[:-1], misspelt(path[-1])), path[-1]


def settings():
    """Every setting, misspelt, as the text of a harness.toml; the word that was meant."""
    for table, _, _, meanings in settings_file.TABLES:
        for name in meanings:
            if len(name) > 4:
                yield f"{f'[{table}]' if table else ''}\n{misspelt(name)} = 1\n", name


def names():
    """A name of each kind, misspelt where it is used; the word that was meant."""
    yield from (
        ("eval --prompt v1 --dataset tickest@v1", "tickets@v1"),
        ("eval --prompt v1 --split tset", "test"),
        ("report --split tset", "test"),
        ("compare majorty rules", "majority"),
        ("runs show majorty", "majority"),
        ("decide --split tran", "train"),
        ("dataset show tickest@v1", "tickets@v1"),
        ("dataset fetch bankin77", "banking77"),
        ("dataset import tickets.csv --name x --text txet --label label", "text"),
        ("dataset import tickets.csv --name x --text text --label lable", "label"),
        ("prompt show v11", "v1"),
        ("prompt diff v1 v11", "v1"),
        ("prompt new v2 --from v11", "v1"),
        ("init --kind sngle", "single"),
        ("decide --hosting shred", "shared"),
        ("eval --prompt v1 --model openai", "openai/MODEL"),
    )
    for arm in plugins.names("baselines"):
        yield f"baselines --arm {misspelt(arm)}", arm
    for provider in plugins.names("providers"):
        yield f"eval --prompt v1 --model {misspelt(provider)}/m", f"{provider}/m"


def told(done):
    """The line of a mistake: exit 2, one line on stderr, nothing on stdout, no traceback."""
    assert done.code == 2, done
    assert done.out == ""
    lines = done.err.strip().splitlines()
    assert len(lines) == 1, done.err
    assert lines[0].startswith("harness: ")
    return lines[0]


def near(line):
    """The word that a line takes for the one that was meant."""
    return re.findall(r"did you mean '([^']+)'", line)[-1:]


def is_near(line, typed, meant):
    """Whether the line names the word that was meant, or another one that is as near to what was typed."""
    found = near(line)
    return bool(found) and (found == [meant] or alike(found[0], typed) >= alike(meant, typed))


def alike(word, typed):
    return SequenceMatcher(None, typed, word).ratio()


def test_there_are_more_than_sixty():
    """The tables are made from what there is, so they grow with it."""
    assert sum(len(list(table())) for table in (options, commands, settings, names)) > 200


def test_every_misspelt_option_is_understood(harness):
    """The nearest option of that command is named, or another that is as near."""
    for words, meant in options():
        line = told(harness(*words))
        assert is_near(line, words[-1], meant), line
        assert f"see: harness {' '.join(words[:-1])} --help" in line


def test_every_misspelt_command_is_understood(harness):
    """The nearest command of that group is named."""
    for words, meant in commands():
        line = told(harness(*words))
        assert is_near(line, words[-1], meant), line


def test_every_misspelt_setting_is_understood(harness, root):
    """The nearest setting of that table is named, and the file."""
    for text, meant in settings():
        (root / "harness.toml").write_text(text)
        line = told(harness("prompt", "list"))
        assert near(line) == [meant]
        assert "harness.toml" in line


def test_every_misspelt_name_is_understood(harness, root):
    """Datasets, splits, arms, prompts, columns, models, kinds: the nearest that there is."""
    harness("baselines", "--arm", "majority")
    for words, meant in names():
        line = told(harness(*words.split()))
        assert meant in line, line
        assert near(line) == [meant], line


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("eval", "Missing option '--prompt'"),
        ("eval --prompt v1 --limit x", "'x' is not a valid integer"),
        ("eval --prompt v1 --limit 0", "0 is not in the range"),
        ("compare majority", "two arms, or none"),
        ("eval --prompt v1 extra", "unexpected extra argument"),
        ("init --text a", "harness init FILE"),
    ],
)
def test_what_has_no_nearest_word_is_said_plainly(harness, words, said):
    """One line that says what was found and what was expected."""
    assert said in told(harness(*words.split()))


def test_a_mistaken_command_line_is_json_when_that_was_asked_for(harness):
    """A program that reads stdout gets the same line there."""
    done = harness("eval", "--json", "--promt", "v1")
    assert done.code == done.json["exit_code"] == 2
    assert "did you mean '--prompt'" in done.json["error"]
