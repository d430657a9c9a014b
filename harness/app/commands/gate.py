"""Block a deploy that makes things worse: a candidate against the pinned baseline; pass, fail or not enough data.

Example: harness gate --prompt v4 --baseline results/baselines/production.parquet --junit gate.xml

The rest is set under [gate] in harness.toml ([tool.harness.gate] in pyproject.toml). Exit codes: 0 pass,
1 fail, 4 not enough data; 2 the comparison cannot be made (another dataset version, too many looks),
3 answers are missing.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from harness.analysis import gate
from harness.app.commands import _console, _estimated, _evaluation, _options
from harness.app.commands import _label_mix as label_mix
from harness.app.project import gates
from harness.errors import ConfigError, DatasetError, HarnessError
from harness.ground import formatting
from harness.models import stack
from harness.report import gate_github, gate_junit, gate_page, terminal

if TYPE_CHECKING:
    from harness.analysis.gate import Report
    from harness.app.project import Done, Project
    from harness.ground.gate_settings import GateSettings
    from harness.types import JSON

WANTED_TO = "ship"

SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)
OPTIONS = (
    click.argument("runs", nargs=-1, metavar="[CANDIDATE [BASELINE]]"),
    _options.option("--prompt", default=None, metavar="VERSION|FILE", help="Candidate: only what is new is asked."),
    _options.option("--arm", default=None, metavar="NAME", help="Candidate: a baseline arm, fitted and run."),
    _options.option("--model", default=None, metavar="PROVIDER/MODEL", help="For --prompt; default: the workspace's."),
    _options.option("--base-url", default=None, metavar="URL", help="An OpenAI-compatible server."),
    _options.option("--baseline", "--against", default=None, metavar="FILE|RUN", help="Exported file, run, tag, arm."),
    _options.option("--margin", type=SHARE, default=None, help="Accuracy that may be given away."),
    _options.option("--label-mix", multiple=True, metavar="FILE|LABEL=SHARE", help="Labels in production; repeatable."),
    _options.option("--budget", type=click.FloatRange(min=0), default=None, metavar="USD", help="Never bill more."),
    _options.option("--junit", type=_options.FILE, default=None, metavar="FILE", help="Write JUnit XML for CI."),
    _options.option("--markdown", type=_options.FILE, default=None, metavar="FILE", help="Write the comment of a PR."),
    _options.dataset,
    _options.option("--split", default=None, help="Split to compare on; default: the setting, test."),
    _options.limit,
    _options.seed,
    _estimated.OPTION,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Options(_options.Where):
    """What the command line chose; None leaves the setting."""

    runs: tuple[str, ...]
    prompt: str | None
    arm: str | None
    model: str | None
    base_url: str | None
    baseline: str | None
    margin: float | None
    label_mix: tuple[str, ...]
    budget: float | None
    junit: Path | None
    markdown: Path | None
    dataset: str | None
    split: str | None
    limit: int | None
    seed: int
    estimate: bool


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, *_options.WHERE)
def command(options: Options) -> None:
    """The gate."""
    try:
        exit_code = _checked(options)
    except HarnessError as error:
        _write_unchecked(options, " ".join(str(error).split()), error.exit_code)
        raise
    raise click.exceptions.Exit(exit_code)


def _checked(options: Options) -> int:
    project = options.project()
    dataset = project.dataset(options.dataset)
    settings = _settings(options, project.workspace.preferences.gate)
    mix = label_mix.parsed(options.label_mix, dataset.label_names)
    settings = replace(settings, label_mix=mix) if mix else settings
    base = gates.pinned(project, dataset, settings)
    done: list[Done] = []
    asked = gates.asked(
        project,
        dataset,
        base,
        _candidate(project, options, settings),
        lambda jobs: done.extend(_evaluation.carry_out(project, dataset, jobs)),
    )
    report = gate.check(gates.measured(project, dataset, settings, base, asked, estimate=options.estimate), settings)
    files = _Files(gate_page.comment(report), gate_junit.render(report), gate_github.lines(report))
    written = [_options.shown(project, path) for path in _write(options, files)]
    if options.as_json:
        _options.print_json(_json(report, done, written))
    else:
        _show(report, done, written)
    return report.exit_code


def _write_unchecked(options: Options, message: str, exit_code: int) -> None:
    """The files where there is no verdict: an old "Pass" must not stay on a pull request."""
    dataset, split = options.dataset, options.split
    with suppress(HarnessError):
        preferences = options.project().workspace.preferences
        dataset, split = dataset or preferences.dataset, split or preferences.gate.split
    comment = gate_page.unchecked(dataset or "no dataset", split or "test", message, exit_code)
    with suppress(HarnessError):  # what is wrong is said already
        _write(options, _Files(comment, gate_junit.unchecked(message, exit_code), gate_github.unchecked(message)))


def _settings(options: Options, settings: GateSettings) -> GateSettings:
    if len(options.runs) > 2:
        raise ConfigError(f"gate takes a candidate and a baseline; found {len(options.runs)} names")
    baseline = options.baseline or (options.runs[1] if len(options.runs) == 2 else settings.baseline)
    given = {"margin": options.margin, "split": options.split, "model": options.model, "baseline": baseline}
    if options.runs and (options.prompt or options.arm):
        raise ConfigError("name the candidate once: as a run of the store, or with --prompt or --arm")
    if options.prompt or options.arm:
        settings = replace(settings, prompt=options.prompt, arm=options.arm)
    if settings.prompt and settings.arm:
        raise ConfigError("the candidate is a prompt or an arm; found both")
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return replace(settings, **chosen)


def _candidate(project: Project, options: Options, settings: GateSettings) -> gates.Candidate:
    asking = stack.Asking.of(
        project.workspace.preferences, model=settings.model, base_url=options.base_url, budget_usd=options.budget
    )
    run = options.runs[0] if options.runs else None
    return gates.Candidate(settings, asking, run, options.limit, options.seed)


class _Files(NamedTuple):
    """What is written for a pull request, for a CI server, and as GitHub's annotations."""

    comment: str
    junit: bytes
    annotations: list[str]


def _write(options: Options, files: _Files) -> list[Path]:
    written = []
    for path, content in ((options.junit, files.junit), (options.markdown, files.comment.encode())):
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            except OSError as error:
                raise DatasetError(f"{path} cannot be written: {error.strerror}") from None
            written.append(path)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(files.comment)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        # On stderr, which the runner reads as well: stdout may be JSON.
        click.echo("\n".join(files.annotations), err=True)
    return written


def _show(report: Report, done: list[Done], written: list[str]) -> None:
    console = _console.stdout()
    for part in terminal.render(gate_page.section(report)):
        terminal.print_on(console, part)
    for line in gate_page.error_bars(report):
        console.print(line)
    sent, cached = (sum(getattr(one.calls, name) for one in done) for name in ("sent", "cached"))
    calls = f"{formatting.plural(sent, 'call')} sent, {cached:,} answered before" if sent or cached else ""
    click.echo(f"\n{calls or 'No model was asked'}")
    if written:
        click.echo(f"Wrote {', '.join(written)}")


def _json(report: Report, done: list[Done], written: list[str]) -> dict[str, JSON]:
    bills = [one.progress.billed_usd for one in done]
    return {
        "verdict": report.verdict,
        "exit_code": report.exit_code,
        "needed_n": report.needed_n,
        "candidate": asdict(report.candidate),
        "baseline": asdict(report.baseline),
        "dataset": report.dataset,
        "dataset_id": report.dataset_id,
        "split": report.split,
        "n": report.n,
        "rests_on": report.rests_on or None,
        "looks": report.looks,
        "label_mix": dict(report.label_mix),
        "checks": [asdict(check) for check in report.checks],
        "passed_over": [asdict(one) for one in report.passed_over],
        "calls": {name: sum(getattr(one.calls, name) for one in done) for name in ("sent", "cached", "retried")},
        "billed_usd": None if None in bills else sum(bill for bill in bills if bill is not None),
        "files": written,
    }
