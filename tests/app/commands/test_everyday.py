"""What surrounds the work: help by what one wants, names completed, the next step, other systems, other terminals."""

import asyncio
import io
import os
import re
import shlex
import signal
import subprocess
import sys

import click
import pytest
from click.shell_completion import ShellComplete

from harness.app import cli
from harness.app.commands import _stopping
from harness.app.project import Project
from harness.ground import escaping, plugins
from harness.ground.clock import SystemClock
from harness.ground.workspace import find
from harness.report import again, post
from harness.store import store as store_module


def test_help_is_grouped_by_what_one_wants(harness):
    """Every command stands once, under one of the headings, in their order; each says in its own file where."""
    out = harness("--help").out
    headings = re.findall(r"^(\w+):$", out, re.MULTILINE)
    assert headings == ["Options", "Start", "Ask", "Compare", "Decide", "Ship", "Look"]
    listed = re.findall(r"^  ([a-z]+) {2,}\S", out, re.MULTILINE)
    assert sorted(listed) == sorted(plugins.names("commands"))
    for name in plugins.names("commands"):
        assert plugins.constants("commands", name)["WANTED_TO"] in cli.WISHES


def completed(*words):
    *typed, begun = words
    return [
        one.value for one in ShellComplete(cli.group, {}, "harness", "_HARNESS_COMPLETE").get_completions(typed, begun)
    ]


def test_names_are_completed(root, monkeypatch):
    """Datasets, prompts, arms and models of the workspace; and no store is opened or made for it."""
    monkeypatch.chdir(root)
    assert completed("eval", "--dataset", "t") == ["tickets@v1"]
    assert completed("eval", "--prompt", "") == ["v1"]
    assert completed("prompt", "show", "v") == ["v1"]
    assert completed("baselines", "--arm", "tf") == ["tfidf-lr", "tfidf-ridge", "tfidf-svm"]
    assert "prompt:v1" in completed("compare", "p")
    assert "openai/gpt-4o-mini" in completed("eval", "--model", "openai/")
    assert completed("ini") == ["init"]
    assert not (root / "results").exists()


def test_a_completion_never_fails(tmp_path, monkeypatch):
    """Broken settings and empty folders offer nothing, and raise nothing."""
    monkeypatch.chdir(tmp_path)
    assert completed("eval", "--dataset", "") == []
    (tmp_path / "harness.toml").write_text("= broken")
    assert completed("eval", "--prompt", "") == []


def next_of(harness):
    return next(one["detail"] for one in harness("doctor", "--json").json if one["what"] == "next")


def test_doctor_says_the_next_step_each_time(harness, root):
    """Baselines, then the prompt, then its next version, then the decision, then the gate."""
    assert next_of(harness).startswith("harness baselines ")
    harness("baselines", "--arm", "majority")
    assert next_of(harness).startswith("harness eval --prompt v1 ")
    harness("eval", "--prompt", "v1")
    assert next_of(harness).startswith("harness decide ")
    harness("prompt", "new", "v2")
    assert next_of(harness).startswith("harness eval --prompt v2 ")
    harness("eval", "--prompt", "v2")
    settings = root / "harness.toml"
    settings.write_text(settings.read_text() + '[gate]\nbaseline = "results/baselines/p.parquet"\n')
    assert next_of(harness).startswith("harness gate ")
    assert harness("doctor").out.splitlines()[-1].startswith("Next: harness gate   (")
    other = ["--db", "results/other one.duckdb", "--root", "."]
    assert "Next: harness baselines --db 'results/other one.duckdb' --root .   (" in harness("doctor", *other).out


def test_doctor_begins_with_init(harness, root):
    """In an empty folder the next step is init; with settings and no data, an import."""
    empty = root / "empty"
    empty.mkdir()
    assert "harness init FILE" in harness("doctor", "--root", str(empty)).out
    (empty / "harness.toml").write_text("")
    assert "harness dataset import FILE" in harness("doctor", "--root", str(empty)).out


def test_doctor_sees_what_git_would_take_along(harness, root):
    """A repository whose .gitignore lets results/ through is a defect, said with the line that mends it."""
    (root / ".git").mkdir()
    done = harness("doctor")
    assert done.code == 1
    assert "write results/* to .gitignore" in done.out
    (root / ".gitignore").write_text("results/*\n")
    assert harness("doctor").code == 0


def test_a_pipe_gets_a_row_a_line_with_whole_names(root, harness):
    """However long a name is: `runs list | grep NAME` finds it, and the scorecard keeps it in one piece."""
    long = "a-name-that-is-longer-than-most-columns-would-like-it-to-be"
    folder = root / "prompts" / "tickets"
    (folder / f"{long}.j2").write_text((folder / "v1.j2").read_text())
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    for words in ("eval --prompt " + long, "runs list", "prompt list", "sql 'select arm from runs'"):
        done = subprocess.run(
            [sys.executable, "-m", "harness", *shlex.split(words)],
            cwd=root, env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert any(long in line for line in done.stdout.splitlines()), words


def test_long_names_do_not_break_letter_by_letter(harness, root, monkeypatch):
    """On a narrow terminal a name keeps at least 12 characters a line."""
    harness("baselines", "--arm", "majority")
    monkeypatch.setenv("COLUMNS", "40")
    out = harness("runs", "list").out
    assert "majority" in out
    assert "tickets@v1" in out


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_an_old_terminal_shows_twins_and_escapes(encoding):
    """What a stream's encoding lacks is printed as its plain twin or an escape; nothing raises."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    old, sys.stdout = sys.stdout, stream
    try:
        with escaping.cleaned_streams():
            print("── .8–.9 340 µs … 猫")
    finally:
        sys.stdout = old
    stream.flush()
    said = raw.getvalue().decode(encoding)
    assert said.startswith("-- ")
    assert "\\u732b" in said
    assert encoding != "ascii" or said == "-- .8-.9 340 us ~ \\u732b\n"


class _WindowsLoop(asyncio.SelectorEventLoop):
    """A loop like that of Windows: it takes no signal handlers."""

    def add_signal_handler(self, *_):
        raise NotImplementedError

    def remove_signal_handler(self, *_):
        raise NotImplementedError


def test_ctrl_c_ends_in_good_order_where_a_loop_takes_no_handlers(capsys):
    """The first signal asks to stop, the second drops what is under way; afterwards Ctrl-C is Ctrl-C again."""

    async def work():
        stop = asyncio.Event()
        with _stopping.orderly(stop):
            signal.raise_signal(signal.SIGINT)
            await asyncio.wait_for(stop.wait(), 30)
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(30)

    before = {number: signal.getsignal(number) for number in _stopping.SIGNALS}
    loop = _WindowsLoop()
    try:
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(work())
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        loop.close()
        for number, handler in before.items():
            signal.signal(number, handler)
    assert "once more drops them" in capsys.readouterr().err


def test_every_file_has_a_name_that_windows_takes(harness, root):
    """What a run, a report, figures and an export write has no character that Windows forbids."""
    (root / "recipe.toml").write_text('default = "billing"\n')
    harness("eval", "--prompt", "v1", "--model", "fake/recipe.toml", "--baselines")
    harness("figures")
    harness("runs", "export", "prompt:v1")
    names = [part for path in root.rglob("*") for part in path.relative_to(root).parts]
    assert any("@" in name for name in names)
    assert not [name for name in names if re.search(r'[<>:"|?*\\]', name) or name.endswith((".", " "))]


def test_a_store_that_is_read_elsewhere_is_waited_for_and_told(harness, root, monkeypatch):
    """An eval waits longer than a reader may hold the store, says who holds it, and goes on when it is let go."""
    harness("baselines", "--arm", "majority")
    path = root / "results" / "harness.duckdb"
    monkeypatch.setattr(store_module, "WAIT_S", 0.0)  # who only reads gives up at once; an eval does not
    code = f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print('open', flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with holder:
        assert holder.stdout.readline() == "open\n"
        told = []

        def hear(message, **_):
            told.append(str(message))
            if str(message or "").startswith("waiting: "):
                holder.communicate("")

        monkeypatch.setattr(click, "echo", hear)
        done = harness("eval", "--prompt", "v1", "--limit", "3")
    assert done.code == 0, told
    assert [line for line in told if f"waiting: harness.duckdb is held by process {holder.pid}" in line]


def test_the_post_says_how_to_do_it_again(harness, root):
    """Each line is a command that asks the same and sends nothing, repeats and all; the post has them."""
    harness("eval", "--prompt", "v1", "--repeat", "2")
    harness("baselines", "--arm", "majority", "--seed", "3")
    project = Project(find(root), SystemClock())
    results = project.results(project.dataset(None), "test")
    lines = again.commands(results)
    assert lines == [
        "harness baselines --arm majority --dataset tickets@v1 --split test --seed 3",
        "harness eval --prompt v1 --model fake/first --dataset tickets@v1 --split test --repeat 2",
        "harness report --dataset tickets@v1 --split test",
        "harness figures --dataset tickets@v1 --split test",
    ]
    assert "\n".join(lines) in post.draft(results, [])
    for line in lines[:2]:
        done = harness(*shlex.split(line)[1:])
        assert done.code == 0, done.err
        assert "This time: no " in done.out


def test_what_no_command_makes_is_a_comment(harness, root):
    """Predictions from elsewhere are named with the reason, and are no command."""
    rows = [f"{one},billing" for one in ("my card was charged twice 0", "the app crashes when I open it 0")]
    (root / "p.csv").write_text("text,said\n" + "\n".join(rows) + "\n")
    harness("baselines", "--arm", "majority", "--seed", "4")
    words = "runs import p.csv --arm old --prediction said --text text"
    assert harness(*words.split()).code == 3
    project = Project(find(root), SystemClock())
    results = project.run_results(project.anywhere("import:old").first.run_id)
    assert again.commands(results)[0] == "# import:old was predicted elsewhere"
