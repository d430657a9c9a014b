"""What `--dry-run` prints: the calls that would be sent, and what they can cost at most."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from harness.app.commands import _options
from harness.ground import formatting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.app.project import Project
    from harness.models.forecast import Forecast
    from harness.models.stack import Stack
    from harness.runs.job import Job


def show(project: Project, jobs: Sequence[Job], *, as_json: bool) -> None:
    """Print the forecast of every job; nothing is sent and nothing stored."""
    forecasts = [asyncio.run(project.dry_run(job)) for job in jobs]
    if as_json:
        _options.print_json({"sent": 0, "arms": [asdict(one) for one in forecasts], **_totals(forecasts)})
        return
    for one, job in zip(forecasts, jobs, strict=True):
        click.echo(_line(one))
        if job.model is not None and job.model.budget_usd is not None:
            click.echo(_budget_line(one, job.model))
    click.echo("Nothing was sent.")


def _totals(forecasts: Sequence[Forecast]) -> dict[str, float | int | None]:
    likely, worst = [one.likely_usd for one in forecasts], [one.worst_usd for one in forecasts]
    return {
        "calls": sum(one.calls for one in forecasts),
        "likely_usd": None if None in likely else sum(usd for usd in likely if usd is not None),
        "worst_usd": None if None in worst else sum(usd for usd in worst if usd is not None),
    }


def _line(one: Forecast) -> str:
    if one.model is None:
        return f"{one.arm}: {formatting.plural(one.items, 'item')}, asks no model"
    known = f", {one.answered_before:,} answered before" if one.answered_before else ""
    stored = f", {one.stored:,} stored" if one.stored else ""
    tokens = f"at most {one.most_tokens_in:,} tokens in and {one.most_tokens_out:,} out"
    return (
        f"{one.arm} with {one.model}: {formatting.plural(one.items, 'item')}{stored}, "
        f"{formatting.plural(one.calls, 'call')} to send{known}, {tokens}: "
        f"about {formatting.dollars(one.likely_usd)}, at worst {formatting.dollars(one.worst_usd)}"
    )


def _budget_line(one: Forecast, model: Stack) -> str:
    spent_usd = model.spent.total / 1e9
    left_usd = (model.budget_usd or 0.0) - spent_usd
    fits = one.worst_usd is not None and one.worst_usd <= left_usd
    return f"  budget {formatting.dollars(model.budget_usd)}, of which {formatting.dollars(spent_usd)} is spent: " + (
        "the worst case fits" if fits else "the worst case does not fit; the run stops before it is passed"
    )
