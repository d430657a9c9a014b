"""The command line: a group over the files of `commands/`, and what becomes of errors.

Listing the commands imports none of them: names come from the folder, help lines from the files'
docstrings. So `harness --help` answers at once, and a command pays only for what it uses.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from typing import TYPE_CHECKING, cast

import click

from harness import __version__
from harness.app.commands import _signals
from harness.errors import HarnessError, meant
from harness.ground import escaping, extensions, open_files, plugins

if TYPE_CHECKING:
    from typing import NoReturn

FOLDER = "commands"
DONE, MISTAKE, INTERRUPTED = 0, 2, 3
PASSING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
COMPLETION = "_HARNESS_COMPLETE"
WISHES = {
    "start": "Start",
    "ask": "Ask",
    "compare": "Compare",
    "decide": "Decide",
    "ship": "Ship",
    "look": "Look",
    "more": "More",
}
"""What one may want of a command, in the order of an afternoon, and its heading."""
OTHERWISE = "more"
EPILOG = "Begin with: harness init FILE   (harness doctor says the next step; every command has --help with an example)"


class Commands(click.Group):
    """The commands of a folder, loaded when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        """The names of the files."""
        return list(plugins.names(FOLDER))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of a file, or None when there is no such file."""
        if cmd_name not in plugins.names(FOLDER):
            return None
        return cast("click.Command", plugins.load(FOLDER, cmd_name).command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands in `--help` by what one wants, from the files' own words: `WANTED_TO` and docstring."""
        by_wish: dict[str, list[tuple[str, str]]] = {wish: [] for wish in WISHES}
        for name in self.list_commands(ctx):
            summary, constants = plugins.introduction(FOLDER, name)
            wish = str(constants.get("WANTED_TO"))
            by_wish[wish if wish in WISHES else OTHERWISE].append((name, summary))
        width = max(len(name) for rows in by_wish.values() for name, _ in rows)
        for wish, rows in by_wish.items():
            if rows:
                with formatter.section(WISHES[wish]):
                    formatter.write_dl([(name.ljust(width), said) for name, said in rows])


@click.command(
    cls=Commands,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="harness")
def group() -> None:
    """Which tool should serve a labelled text task: a regex, tags, similarity search, a trained
    classifier, an LLM prompt, or a fusion of them? Answers with evidence, cost and latency.
    """  # noqa: D205  (click shows it as one paragraph)


def main() -> NoReturn:
    """Run the command line; a user's mistake is one line on stderr and the contract's exit code."""
    _signals.as_ctrl_c()
    try:
        open_files.allow_many()
        open_files.check_streams()
        with escaping.cleaned_streams():
            _called()
        sys.exit(DONE)
    except (click.Abort, KeyboardInterrupt):
        _complain("stopped; the same command goes on where this one ended", INTERRUPTED)
    except HarnessError as error:
        _complain(str(error), error.exit_code, is_aside=error.is_aside)
    except BrokenPipeError:
        # The reader has gone, as in `harness sql ... | head`; Python would complain once more at exit.
        open_files.discard(sys.stdout)
        sys.exit(DONE)
    except Exception as error:
        # What an extension of the workspace raised is its author's to mend, and said in one line; the rest is ours.
        told = extensions.blamed(error)
        if told is not None:
            _complain(str(told), told.exit_code)
        if isinstance(error, OSError):
            _complain(*_of_the_system(error))
        raise


def _called() -> None:
    if COMPLETION in os.environ:
        group.main(standalone_mode=False)
    try:
        # Not by `main`: that ends with 1 when the reader of a pipe has gone.
        with group.make_context("harness", sys.argv[1:]) as context:
            group.invoke(context)
    except click.ClickException as error:
        _complain(_said(error), error.exit_code)
    except click.exceptions.Exit as ending:
        sys.exit(ending.exit_code)


def _said(error: click.ClickException) -> str:
    """What is wrong with a command line, with the nearest right word and where the others stand."""
    said = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    if isinstance(error, click.NoSuchOption):
        options = [name for one in context.command.params for name in one.opts] if context is not None else []
        said = f"no such option {error.option_name!r}{meant(error.option_name, options)}"
    elif said.startswith("No such command") and context is not None:
        typed = said.partition("'")[2].partition("'")[0]
        said = f"No such command {typed!r}{meant(typed, context.command.list_commands(context))}"
    elif isinstance(error, click.BadParameter) and isinstance(getattr(error.param, "type", None), click.Choice):
        typed = error.message.partition("'")[2].partition("'")[0]
        said += meant(typed, error.param.type.choices)  # type: ignore[union-attr]  # it is one, see above
    return said if context is None else f"{said}; see: {context.command_path} --help"


def _of_the_system(error: OSError) -> tuple[str, int]:
    """What the system refused, and whether the same command can go on later."""
    where = f"{error.filename}: " if error.filename else ""
    said = f"{where}{error.strerror or error}"
    if error.errno in PASSING:
        return f"{said}; what was paid is kept; free some, and the same command goes on", INTERRUPTED
    return f"{said}; check that the folder is there and may be written, or choose another with --root or --db", MISTAKE


def _complain(message: str, exit_code: int, *, is_aside: bool = False) -> NoReturn:
    line = " ".join(message.split())
    for stream in (sys.stdout, sys.stderr):
        open_files.flush_or_discard(stream)
    with escaping.cleaned_streams():
        if "--json" in sys.argv and not is_aside:
            click.echo(json.dumps({"error": line, "exit_code": exit_code}))
        click.echo(f"harness: {line}", err=True)
    sys.exit(exit_code)
