"""Label new rows with a stored arm, fusions included: CSV, JSON lines or Parquet in and out, of any size.

The file's own columns come first, then label, score, outcome, path and cost_usd.

Example: harness predict minilm-lr new.csv --to labelled.csv
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.app.commands import _asking, _labelling, _options, _sharding
from harness.app.project import part_files, predicting
from harness.app.project.predicting import Job, Terms
from harness.errors import MissingAnswers
from harness.ground import formatting
from harness.runs.failures import Failures

if TYPE_CHECKING:
    from harness.analysis.shadow import Shadow
    from harness.app.project.predicting import Predicted
    from harness.ground.shards import Shard

WANTED_TO = "ship"

ALPHA = 0.05
OPTIONS = (
    click.argument("arm", metavar="ARM"),
    click.argument("file", type=_options.FILE, metavar="FILE"),
    _options.option(
        "--to", type=_options.FILE, default=None, metavar="OUT", help="Default: FILE with .labelled in it."
    ),
    _options.overwrite,
    _options.option("--shadow", default=None, metavar="OTHER", help="Ask this arm too, and say when it may take over."),
    _options.option("--gold", default=None, metavar="COLUMN", help="With --shadow: gold labels, empty where unknown."),
    _options.option("--margin", type=click.FloatRange(0, 1), default=0.01, help="With --shadow: accuracy to give up."),
    _options.option("--text", default=None, metavar="COLUMN", help="Column of texts; default: the dataset's."),
    _options.option("--id", "id_", default=None, metavar="COLUMN", help="Column of ids; default: the dataset's."),
    _options.option("--tags", default=None, metavar="COLUMN", help="Column of tags; default: the dataset's."),
    _sharding.option,
    _asking.stored_model,
    *_asking.OPTIONS,
)


@dataclass(frozen=True, slots=True)
class Options(_asking.Asked, _options.Where):
    """What the command line chose."""

    arm: str
    file: Path
    to: Path | None
    overwrite: bool
    shadow: str | None
    gold: str | None
    margin: float
    text: str | None
    id_: str | None
    tags: str | None
    shard: Shard | None
    dataset: str | None
    split: str


class FailedRows(MissingAnswers):
    """Rows that have no answer because their call failed; the others are written."""

    is_aside = True


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, _options.dataset, _options.arm_split, *_options.WHERE)
def command(options: Options) -> None:
    """Label new rows."""
    project = options.project()
    terms = None if options.shadow is None else Terms(options.margin, ALPHA, options.gold)
    job = Job(options.file, options.to, options.text, options.id_, options.tags, terms)
    job = replace(job, overwrites=options.overwrite, shard=options.shard)
    job.check()
    asking = options.asking(project.workspace.preferences, model=options.model or "auto")
    chosen = [
        _labelling.selected(project, name, options.dataset, options.split, asking, options.model)
        for name in (options.arm, options.shadow)
        if name is not None
    ]
    for line in (line for one in chosen for line in _options.passed_over(one.passed_over)):
        click.echo(line, err=True)
    selected = chosen[0]
    start_s = project.clock.monotonic()
    with ExitStack() as opened:
        arms = predicting.ready(project, [one.first for one in chosen], asking, job, opened)
        for note in dict.fromkeys(note for arm in arms for note in arm.said):
            click.echo(note, err=True)
        work = partial(predicting.predict, project, arms, job)
        told, beside = asyncio.run(_labelling.carry_out(work, arms, selected.name))
    predicted = told[0]
    _show(options, job, selected.name, predicted, (project.clock.monotonic() - start_s, beside))
    failed = sum(one.outcomes.get("failed", 0) for one in told)
    if failed:
        reasons = Failures()
        for one in told:
            reasons.merge(one.labelled.failures)
        raise FailedRows(
            f"{formatting.plural(failed, 'row')} failed: {reasons.sentence}; the same command asks them again"
        )


def _show(options: Options, job: Job, name: str, predicted: Predicted, rest: tuple[float, Shadow | None]) -> None:
    labelled, (wall_s, beside) = predicted.labelled, rest
    if options.as_json:
        _options.print_json(
            {
                "arm": name,
                "rows": labelled.rows,
                "answered_before": labelled.before,
                "without_text": labelled.blank,
                "outcomes": {**dict.fromkeys(_labelling.OUTCOMES, 0), **predicted.outcomes},
                "columns": dict(predicted.names),
                "cost_usd": predicted.cost_usd,
                "billed_usd": labelled.billed_usd,
                "calls": labelled.sent,
                "wall_s": wall_s,
                "shadow": None if beside is None else {"arm": options.shadow, **asdict(beside)},
                "shard": None if job.shard is None else asdict(job.shard),
                "files": [str(path) for path in _written(job)],
            }
        )
        return
    counts = ", ".join(f"{n:,} {outcome}" for outcome, n in sorted(predicted.outcomes.items(), key=lambda one: -one[1]))
    before = f", {labelled.before:,} of them by an earlier call" if labelled.before else ""
    click.echo(f"{name}: {formatting.plural(labelled.rows, 'row')} in {formatting.duration(wall_s)}{before}: {counts}")
    if labelled.blank:
        click.echo(f"{formatting.plural(labelled.blank, 'row')} without a text: nobody was asked")
    click.echo(f"cost {formatting.dollars(predicted.cost_usd)}, billed now {formatting.dollars(labelled.billed_usd)}")
    if beside is not None:
        click.echo(_beside(str(options.shadow), beside))
    click.echo(f"wrote {' and '.join(map(str, _written(job)))}")
    if job.shard is not None:
        parts = part_files.named(job.whole, job.shard).name.replace(f".{job.shard.part}-of-", ".*-of-")
        click.echo(f"when all {job.shard.of} parts are there: harness runs merge {job.target.with_name(parts)}")


def _written(job: Job) -> list[Path]:
    return [job.target] if job.shard is None else [job.target, part_files.beside(job.target)]


def _beside(name: str, found: Shadow) -> str:
    """The newcomer in two sentences."""
    saved = "unknown" if found.saved_usd is None else formatting.dollars(found.saved_usd)
    alone = f"it alone is right on {found.only_new_right:,}, the other alone on {found.only_old_right:,}"
    right = f"; of {found.n_gold:,} with a gold label {alone}"
    at = found.may_take_over_at
    verdict = (
        f"it may take over: after {at:,} items it was shown to lose at most {formatting.share(found.margin)}"
        if at is not None
        else f"not shown yet to lose at most {formatting.share(found.margin)}"
    )
    return (
        f"{name} says otherwise on {formatting.with_interval(found.differing)} of the items, saved {saved}"
        f"{right if found.n_gold else ''}; {verdict} (by {found.shown_by})"
    )
