"""Fit and evaluate the arms that need no model: rules, tags, similarity, classifiers.

Example: harness baselines --dataset banking77@v1 --arm tfidf-lr --arm minilm-lr
"""

from __future__ import annotations

from dataclasses import dataclass

import click

from harness import wiring
from harness.commands import _evaluation, _options

OPTIONS = (
    _options.option("--arm", "arms", multiple=True, metavar="NAME", help="Repeatable; default: the workspace's."),
)


@dataclass(frozen=True, slots=True)
class Options(_options.Which):
    """What the command line chose."""

    arms: tuple[str, ...]


@click.command(help=__doc__)
@_options.gathered(Options, *OPTIONS, *_options.WHICH)
def command(options: Options) -> None:
    """Fit and evaluate baselines."""
    project = options.project()
    dataset = project.dataset(options.dataset)
    scope = wiring.Scope(dataset, options.split, options.limit)
    jobs = [
        wiring.baseline_job(name, scope, project.workspace, project.clock, options.seed) for name in options.arms
    ] or _evaluation.default_baselines(project, scope, options.seed)
    done = _evaluation.carry_out(project, dataset, jobs)
    results = project.results(dataset, options.split, first=done[-1].run_id)
    written = _evaluation.write_report(project, results)
    if options.as_json:
        objects = [_evaluation.run_json(results, project.result(results, one), written) for one in done]
        _options.print_json(objects)
    else:
        _evaluation.print_scorecard(results)
        again = f"harness baselines --dataset {dataset.ref} --split {options.split}"
        _evaluation.say_where(done, written, again)
