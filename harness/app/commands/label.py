"""Label items by keyboard on a page of this machine; every answer is on the disk before the next item shows.

Example: harness label tickets --n 80
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.app.commands import _options
from harness.app.labelling import LabelServer, Shown
from harness.app.project import drawing, labelling
from harness.datasets.label_files import FORMATS
from harness.errors import ConfigError, not_read
from harness.ground import formatting, outputs, private

if TYPE_CHECKING:
    from harness.app.project import Project

WANTED_TO = "start"

OPTIONS = (
    click.argument("ref", metavar="NAME"),
    _options.option("--n", type=click.IntRange(min=1), default=200, help="How many items are drawn."),
    _options.option("--how", type=click.Choice(drawing.HOW), default="random", help="How items are drawn."),
    _options.option("--annotator", metavar="NAME", default="me", help="Who labels here; several share one journal."),
    _options.option("--per-item", type=click.IntRange(min=1), default=1, help="How many people label each item."),
    _options.option("--adjudicate", is_flag=True, help="Settle what people disagree on."),
    _options.option("--suggest", metavar="ARM", default=None, help="Show this arm's answers; recorded, for it biases."),
    _options.option("--export", type=_options.FILE, default=None, help="Write the draw for another tool, and end."),
    _options.overwrite,
    _options.option("--import", "take", type=_options.FILE, default=None, help="Take the labels of such a file."),
    _options.option("--format", type=click.Choice(tuple(FORMATS)), default="csv", help="Of --export and --import."),
    _options.option("--guide", type=_options.FILE, default=None, help="Text file of the guideline."),
    _options.option("--release", metavar="VERSION", default=None, help="Make a version of the labels, and no page."),
    _options.option("--port", type=click.IntRange(0, 65535), default=0, help="Port; 0 takes a free one."),
)


@dataclass(frozen=True, slots=True)
class Options(_options.Where):
    """What the command line chose."""

    ref: str
    n: int
    how: str
    annotator: str
    per_item: int
    adjudicate: bool
    suggest: str | None
    export: Path | None
    overwrite: bool
    take: Path | None
    format: str
    guide: Path | None
    release: str | None
    port: int
    split: str
    seed: int


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, _options.labelled_split, _options.seed, *_options.WHERE)
def command(options: Options) -> None:
    """Label items."""
    project = options.project()
    desk = labelling.Desk(project, project.dataset(options.ref))
    if options.release is not None:
        _release(options, project, desk)
        return
    if options.take is not None:
        _take(options, desk, options.take)
        return
    draw = labelling.Draw(options.split, options.n, options.how, options.seed)
    people = labelling.People(options.annotator, options.per_item, options.suggest, is_adjudicating=options.adjudicate)
    if options.export is not None:
        outputs.check_free(options.export, "--export", overwrites=options.overwrite)
        _export(options, project, *desk.exported(draw, people, options.format))
        return
    session = desk.session(draw, people)
    desk.check_writable()
    shown = Shown(_guideline(options.guide), lambda: desk.progress(session, options.split), desk.now)
    try:
        server = LabelServer(session, shown, options.port)
    except OSError as error:
        raise ConfigError(f"--port {options.port}: {error.strerror}; choose another, or 0 for a free one") from None
    if options.as_json:
        _options.print_json({"address": server.address, "journal": str(desk.journal.path)})
    else:
        items = formatting.plural(session.counts()["all"], "item")
        click.echo(f"{server.address}  {items} to label; answers go to {_options.shown(project, desk.journal.path)}")
    with server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
    _end(options, desk)


def _export(options: Options, project: Project, text: str, n: int) -> None:
    path = Path(str(options.export))
    try:
        with private.files():
            path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise ConfigError(f"--export {path}: {error.strerror}") from None
    written = _options.shown(project, path)
    if options.as_json:
        _options.print_json({"items": n, "files": [written]})
        return
    click.echo(f"Wrote {written}, {formatting.plural(n, 'item')} for {options.format}")
    following = _options.here(f"harness label {options.ref} --import FILE --format {options.format}")
    click.echo(f"Next: {following}, once they are labelled")


def _take(options: Options, desk: labelling.Desk, path: Path) -> None:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--import {path}: {not_read(error)}") from None
    new, again = desk.take(text, options.format, path.name, options.annotator)
    if options.as_json:
        _options.print_json({"labels": new, "known": again, "in_the_journal": len(desk.labels())})
        return
    click.echo(f"{formatting.plural(new, 'label')} taken, {again:,} known already")
    _end(options, desk)


def _guideline(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--guide {path}: {not_read(error)}") from None


def _release(options: Options, project: Project, desk: labelling.Desk) -> None:
    folder, n = desk.release(str(options.release), lambda line: click.echo(line, err=True))
    agreement = desk.agreement()
    if options.as_json:
        _options.print_json(
            {"labels": n, "agreement": [asdict(one) for one in agreement], "files": [_options.shown(project, folder)]}
        )
        return
    for one in agreement:
        click.echo(f"{one.name.replace('_', ' ')}: {formatting.with_interval(one)}, {formatting.plural(one.n, 'item')}")
    click.echo(f"Wrote {_options.shown(project, folder)}, {formatting.plural(n, 'label')}")
    following = f"harness estimate --dataset {desk.dataset.name}@{options.release} --split {options.split}"
    click.echo(f"Next: {_options.here(following)}")


def _end(options: Options, desk: labelling.Desk) -> None:
    if options.as_json:
        return
    click.echo(f"{formatting.plural(len(desk.labels()), 'label')} in the journal", err=True)
    click.echo(f"Next: {_options.here(f'harness label {desk.dataset.ref} --release VERSION')}", err=True)
