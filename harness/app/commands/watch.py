"""A log of production against what the arm promised: drift, label shift, accuracy; exit code 1 on an alarm.

Every test may be looked at after every item: all of them together give a false alarm with at most --alpha.

Example: harness watch minilm-lr log.csv --gold gold
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.app.commands import _options
from harness.app.commands._groups import print_table
from harness.app.project import label_next, watching
from harness.app.project.watching import LogFile
from harness.app.serving.folder import MANIFEST
from harness.errors import AlarmRaised, DatasetError
from harness.ground import formatting, private
from harness.ground.workspace import checked_name
from harness.report import watch_page

if TYPE_CHECKING:
    from harness.analysis.watching import Watched
    from harness.app.project import Project
    from harness.app.project.watching import Reference

WANTED_TO = "ship"

SHOWN = 5
OPTIONS = (
    click.argument("arm", metavar="DIR|ARM"),
    click.argument("log", type=_options.FILE, metavar="LOG"),
    _options.option("--text", default=None, metavar="COLUMN", help="Column of texts; default: the dataset's."),
    _options.option(
        "--answer", default=None, metavar="COLUMN", help="Column of answers; default: harness_label, label."
    ),
    _options.option("--score", default=None, metavar="COLUMN", help="Column of scores; default: harness_score, score."),
    _options.option("--gold", default=None, metavar="COLUMN", help="Column of gold labels, empty where unknown."),
    _options.option("--alpha", type=click.FloatRange(0.0001, 0.5), default=0.05, help="Rate of false alarms, in all."),
    _options.option(
        "--promised", type=click.FloatRange(0, 1), default=None, help="Accuracy; default: the test split's low end."
    ),
    _options.option("--html", type=_options.FILE, default=None, metavar="FILE", help="Write all of it as a page."),
    _options.option(
        "--label-next", default=None, metavar="NAME", help="Make a dataset of the rows that are to be labelled next."
    ),
    _options.option("--model", default=None, metavar="PROVIDER/MODEL", help="Which, where an arm was run on several."),
)


@dataclass(frozen=True, slots=True)
class Options(_options.Where):
    """What the command line chose."""

    arm: str
    log: Path
    text: str | None
    answer: str | None
    score: str | None
    gold: str | None
    alpha: float
    promised: float | None
    html: Path | None
    label_next: str | None
    model: str | None
    dataset: str | None
    split: str
    seed: int


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, _options.dataset, _options.arm_split, _options.seed, *_options.WHERE)
def command(options: Options) -> None:
    """Watch an arm."""
    project = options.project()
    if options.label_next is not None:
        label_next.check_name(project, checked_name(options.label_next, "--label-next"))
    reference = _reference(project, options)
    log = LogFile(options.log, options.text, options.answer, options.score, options.gold)
    settings = {"alpha": options.alpha, "promised": options.promised, "seed": options.seed}
    found = watching.watched(project, reference, log, settings)
    files = [] if options.html is None else [str(options.html)]
    if options.html is not None:
        _write(options.html, watch_page.page(reference.arm, found, options.alpha))
    if options.label_next is not None:
        made = label_next.as_dataset(project, reference, log, found, options.label_next)
        files.append(_options.shown(project, made))
    if options.as_json:
        about = {"arm": reference.arm, "alpha": options.alpha, "alarmed": found.is_alarmed, "files": files}
        _options.print_json(asdict(found) | about)
    else:
        _show(reference.arm, found, options, files)
    if found.is_alarmed:
        raise AlarmRaised(f"{reference.arm}: alarm of {watch_page.alarmed(found)}")


def _reference(project: Project, options: Options) -> Reference:
    folder = Path(options.arm)
    if (folder / MANIFEST).is_file():
        return watching.of_folder(folder)
    selected = project.anywhere(options.arm, options.dataset, options.split, options.model).checked(options.arm)
    return watching.of_run(project, selected.first)


def _write(path: Path, content: bytes) -> None:
    try:
        with private.files():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise DatasetError(f"{path} cannot be written: {error.strerror}") from None


def _show(arm: str, found: Watched, options: Options, files: list[str]) -> None:
    gold = f"{found.n_gold:,} with a gold label"
    click.echo(f"{arm}: {formatting.plural(found.n, 'item')}, {gold}; together {options.alpha:g} of false alarms\n")
    print_table(watch_page.TESTS, [watch_page.cells(one) for one in found.alarms], numeric=watch_page.NUMERIC)
    for line in (*watch_page.untested(found), *watch_page.accuracy(found)):
        click.echo(line)
    moved = sorted(found.mix, key=lambda one: -abs(one.estimated - one.reference))[:SHOWN]
    for one in moved:
        click.echo(
            f"  {one.label}: {formatting.share(one.reference)} before, {formatting.share(one.estimated)} now "
            f"(answered {formatting.share(one.answered)})"
        )
    if found.label_next:
        rows = ", ".join(str(one.row + 1) for one in found.label_next)
        click.echo(f"label next: rows {rows}; --json says why, --label-next NAME makes a dataset of them")
    for file in files:
        click.echo(f"wrote {file}")
    if options.label_next is not None:
        click.echo(f"Next: {_options.here(f'harness label {options.label_next} --split train')}")
