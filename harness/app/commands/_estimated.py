"""`compare --estimate`: arms against each other by the estimates of `harness estimate`, in words and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from harness.analysis import comparison, estimated_panel, measures
from harness.app.commands import _comparing, _options
from harness.app.commands._groups import print_table
from harness.app.project import estimating
from harness.datasets.task import Task
from harness.errors import ConfigError, one_of
from harness.ground import formatting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.analysis.comparison import Comparison
    from harness.analysis.few_labels import FewLabels
    from harness.analysis.panel import Panel
    from harness.app.project.estimating import Estimated
    from harness.types import JSON, Dataset

OPTION = _options.option(
    "--estimate", is_flag=True, help="By few gold labels and the predictions on all items, as harness estimate."
)
COLUMNS = ("a", "b", "a minus b", "95%", "p, Holm", "gold alone", "labels saved")


def check(task: Task, metric: str | None, model: str | None) -> None:
    """`ConfigError` for what estimates cannot be asked by."""
    headline = measures.headline(task).name
    if metric is not None and measures.named(task, metric).name != headline:
        raise ConfigError(f"--estimate has no --metric {metric}; it compares by {headline}")
    if model is not None:
        raise ConfigError("--estimate takes no --model; name an arm as harness estimate names it")


def pair(made: Estimated, dataset: Dataset, arms: tuple[str, ...], items: int, *, as_json: bool) -> None:
    """Two arms by name: a difference that nobody else's correction widens, and the gold items on which they differ."""
    together = _of(made, arms)
    (one,) = comparison.compare_pairs(together, [(0, 1)])
    one = comparison.by_itself(one, estimating.changed(made, dataset, *together.names))
    few = _few(together)
    if as_json:
        _options.print_json(_json(one, few, made))
        return
    click.echo(few.sentence)
    click.echo(f"{one.a} against {one.b} on {formatting.plural(one.n, 'gold label')}\n")
    found = few.found[0][1]
    click.echo("\n".join(_comparing.sentences(one)))
    click.echo(
        f"gold alone: {formatting.with_interval(found.gold_alone)}; "
        f"{formatting.plural(found.labels_saved or 0, 'label')} saved"
    )
    if one.changed and items:
        click.echo()
        shown = one.changed[:items]
        _comparing.print_changes(one, shown)
        click.echo(f"{len(shown)} of {len(one.changed):,} labelled items on which they differ")


def every_pair(made: Estimated, *, as_json: bool) -> None:
    """All arms: p-values and intervals hold for all pairs at once."""
    together = estimated_panel.panel_of(made.estimation)
    if len(together.names) < 2:
        raise ConfigError(f"{made.dataset} / {made.split}: one arm can be estimated; two can be compared")
    few = _few(together)
    compared = comparison.compare_all(together)
    if as_json:
        _options.print_json([_json(one, few, made, together.names) for one in compared])
        return
    click.echo(few.sentence)
    print_table(COLUMNS, [_row(one, few, together.names) for one in compared], numeric=COLUMNS[2:])
    click.echo(
        f"{len(compared)} comparisons; p (Holm) and the interval hold for all of them at once, gold alone is each by "
        "itself"
    )


def _row(one: Comparison, few: FewLabels, names: Sequence[str]) -> tuple[str, ...]:
    found = few.found[names.index(one.a)][names.index(one.b)]
    return (
        one.a,
        one.b,
        formatting.share(one.difference.value),
        formatting.interval(one.lead),
        formatting.p_value(one.adjusted_p),
        formatting.span(found.gold_alone),
        formatting.count(found.labels_saved),
    )


def _of(made: Estimated, arms: tuple[str, ...]) -> Panel:
    together, known = estimated_panel.panel_of(made.estimation), made.estimation.answered.names
    for arm in arms:
        if arm not in known:
            raise ConfigError(f"no arm {arm!r} can be estimated here; {one_of(arm, known)}")
    if arms[0] == arms[1]:
        raise ConfigError(f"{arms[0]!r} and {arms[1]!r} are the same arm; compare takes two")
    return together.taken([known.index(arm) for arm in arms])


def _few(together: Panel) -> FewLabels:
    if together.few is None:
        raise ValueError("a panel of estimates has them")
    return together.few


def _json(one: Comparison, few: FewLabels, made: Estimated, names: Sequence[str] | None = None) -> dict[str, JSON]:
    places = names or (one.a, one.b)
    found = few.found[places.index(one.a)][places.index(one.b)]
    return {
        **_comparing.as_json(one),
        "gold_alone": asdict(found.gold_alone),
        "labels_saved": found.labels_saved,
        "trust": found.trust,
        "n_gold": few.n_gold,
        "n_all": few.n_all,
        "left_out": made.unweighted,
        "passed_over": [asdict(run) for run in made.passed_over],
    }
