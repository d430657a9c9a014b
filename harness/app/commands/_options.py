"""Options that several commands share, and the project they open."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from harness.app.commands import _completion
from harness.app.project import Project
from harness.errors import ConfigError, one_of
from harness.ground import escaping, workspace
from harness.ground.clock import SystemClock
from harness.store.lake.address import is_lake

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from harness.store import PassedOver
    from harness.types import JSON

T = TypeVar("T")


def option(*names: str, **rest: Any) -> Callable[..., Any]:  # noqa: ANN401  (click's own)
    """An option that shows its default, and completes its value where that is a name of the workspace's."""
    offer = next((_completion.OF[name] for name in names if name in _completion.OF), None)
    return click.option(*names, show_default=True, **({"shell_complete": offer} if offer else {}) | rest)


def argument(name: str, offer: _completion.Offer, **rest: Any) -> Callable[..., Any]:  # noqa: ANN401  (click's own)
    """An argument that completes names of the workspace's."""
    return click.argument(name, shell_complete=offer, **rest)


FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)

root = option("--root", type=FOLDER, default=None, help="Workspace folder; default: found upwards from here.")


class StoreType(click.Path):
    """A store: a file, or `ducklake:postgres:...`, which stays as it is written."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        """A path, or the address of a lake."""
        return value if is_lake(value) else super().convert(value, param, ctx)


STORE = StoreType(path_type=Path, dir_okay=False)
db = option("--db", type=STORE, default=None, metavar="STORE", help="Store to use; default: results/harness.duckdb.")
as_of = option("--as-of", type=click.IntRange(min=0), default=None, metavar="SNAPSHOT", help="Read a lake as it was.")
dataset = option("--dataset", metavar="NAME@VERSION", default=None, help="Dataset; default: the workspace's.")
split = option("--split", default="test", help="Split to score.")
arm_split = option("--split", default="test", help="Split of the arm's run.")
labelled_split = option("--split", default="test", help="Split to label.")
model = option("--model", metavar="PROVIDER/MODEL", default=None, help="Which, where an arm was run on several.")
limit = option("--limit", type=click.IntRange(min=1), default=None, help="Score a random part of this size.")
priced_as = option(
    "--priced-as", default=None, metavar="VENDOR/MODEL", help="Count at this model's list price: gateways, own servers."
)
seed = option("--seed", type=click.IntRange(min=0), default=0, help="Seed of whatever is random in an arm.")
sheet = option(
    "--sheet", metavar="NAME|NUMBER", default=None, help="Sheet of an Excel workbook; default: the first with cells."
)
header = option(
    "--header",
    metavar="N",
    type=click.IntRange(min=1),
    default=None,
    help="Line or row that names the columns; what stands above it is left out. Default: the first.",
)
TABLE = (sheet, header)
overwrite = option("--overwrite", is_flag=True, help="Write over a file that is there.")
METRIC_LIMITS = (
    option("--at-least", multiple=True, metavar="METRIC=VALUE", help="Least of a metric; repeatable."),
    option("--at-most", multiple=True, metavar="METRIC=VALUE", help="Most of a metric; repeatable."),
)
as_json = option("--json", "as_json", is_flag=True, help="Print JSON on stdout, and nothing else.")
WHERE = (db, root, as_json)
MOMENT = (as_of, *WHERE)
WHICH = (dataset, split, limit, seed, *WHERE)


def print_json(value: object) -> None:
    """One JSON document on stdout; unknown is null."""
    click.echo(escaping.in_json(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2, default=_plain)))


@dataclass(frozen=True, slots=True)
class Where:
    """Which project a command works on, and for whom it prints."""

    root: Path | None
    db: Path | str | None
    as_json: bool

    def project(self) -> Project:
        """The project, its store not opened yet."""
        return self._opened(None)

    def _opened(self, as_of: int | None) -> Project:
        project = Project(workspace.find(Path.cwd(), self.root), SystemClock(), self.db, as_of)
        project.store.database.tell = partial(click.echo, err=True)
        return project


@dataclass(frozen=True, slots=True)
class Moment(Where):
    """Which project a command reads, and at which snapshot; all that it reads is of one."""

    as_of: int | None

    def project(self) -> Project:
        """The project, its store not opened yet."""
        project = self._opened(self.as_of)
        project.store.pin()
        return project


@dataclass(frozen=True, slots=True)
class Which(Where):
    """Which items of which dataset."""

    dataset: str | None
    split: str
    limit: int | None
    seed: int


def passed_over(runs: Sequence[PassedOver]) -> list[str]:
    """What was passed over, a line a run: it stands beside whatever is said of the others."""
    return [f"passed over: {one.name} ({one.reason}; run {one.run_id})" for one in runs]


def again(dropped: Sequence[str] = (), **settled: object) -> str:
    """The command line that does the same once more: what was typed, and what else was settled, by parameter.

    `dropped` are options that would do something else the second time.
    """
    context = click.get_current_context()
    words = context.command_path.split()
    for parameter in context.command.params:
        name = parameter.name or ""
        was_typed = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        value = settled.get(name, context.params.get(name) if was_typed else None)
        if name not in dropped and value not in (None, False, ()):
            words += _typed(parameter, value)
    return shlex.join(words)


def here(following: str) -> str:
    """A command line to type next, for the store and the folder that were typed for this one, where it takes them."""
    context = click.get_current_context()
    taken = _parameters(context.find_root().command, following.split()[1:])
    words = [
        word
        for parameter in context.command.params
        if (name := parameter.name or "") in {"db", "root"} & taken
        and context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        for word in _typed(parameter, context.params[name])
    ]
    return f"{following} {shlex.join(words)}" if words else following


def _parameters(command: click.Command, words: Sequence[str]) -> set[str]:
    """The names of the parameters of the command that the words name, from `command` on."""
    while isinstance(command, click.Group) and words:
        named = command.get_command(click.Context(command), words[0])
        if named is None:
            return set()
        command, words = named, words[1:]
    return {parameter.name or "" for parameter in command.params}


def _typed(parameter: click.Parameter, value: object) -> list[str]:
    """A parameter as it is typed."""
    values = [str(one) for one in (value if isinstance(value, list | tuple) else [value])]
    if isinstance(parameter, click.Argument):
        return values
    return [parameter.opts[0]] if value is True else [word for one in values for word in (parameter.opts[0], one)]


def shown(project: Project, path: Path | str) -> str:
    """A path as the user would type it; the address of a store is one already."""
    if is_lake(path):
        return str(path)
    root, path = project.workspace.root, Path(path)
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def gathered(kind: type[T], *options: Callable[..., object]) -> Callable[[Callable[[T], None]], Callable[..., None]]:
    """The options, handed to the command as one record instead of as a dozen arguments."""

    def decorate(function: Callable[[T], None]) -> Callable[..., None]:
        @wraps(function)
        def command(**chosen: object) -> None:
            function(kind(**chosen))

        for one in reversed(options):
            one(command)
        return command

    return decorate


def limits(texts: Sequence[str], option: str) -> dict[str, float]:
    """Metrics and their limits, from `METRIC=VALUE`; whether there is such a metric the dataset says."""
    return dict(numbered(text, option, "METRIC=VALUE") for text in texts)


def numbered(text: str, option: str, form: str, known: Collection[str] | None = None) -> tuple[str, float]:
    """A name, one of those that are known, and its number; `ConfigError` says which form was expected."""
    name, _, number = text.rpartition("=")
    if known is not None and name not in known:
        raise ConfigError(f"{option} {text!r}: expected {form}; {one_of(name, known)}")
    try:
        return name, float(number)
    except ValueError:
        raise ConfigError(f"{option} {text!r}: {number!r} is not a number; expected {form}") from None


def _plain(value: object) -> JSON:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
