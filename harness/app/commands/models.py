"""The models that can be called here, and what they cost: per million tokens of each kind, and in a batch.

Example: harness models
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from harness.app.commands import _options
from harness.app.commands._groups import print_table
from harness.ground import extensions, plugins
from harness.ground.clock import SystemClock
from harness.ground.workspace import place
from harness.models import pricing
from harness.types import Model, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

WANTED_TO = "start"

SMALL = 1_000  # tokens of a price: some models charge more per token for long requests
# What a call is billed for, and what a million of it is called in JSON.
KINDS = {
    "input": Usage(input_fresh=SMALL),
    "cache_read": Usage(cache_read=SMALL),
    "cache_write": Usage(cache_write=SMALL),
    "output": Usage(output_visible=SMALL),
    "reasoning": Usage(reasoning=SMALL),
}
BATCHES = {"batch_input": "input", "batch_output": "output"}
COLUMNS = {
    "in": "input",
    "cached": "cache_read",
    "cache write": "cache_write",
    "out": "output",
    "reasoning": "reasoning",
    "batch in": "batch_input",
    "batch out": "batch_output",
}


@click.command(help=__doc__)
@_options.gathered(_options.Where, *_options.WHERE)
def command(options: _options.Where) -> None:
    """The models that can be called here."""
    project = options.project()
    now = SystemClock().now()
    own = pricing.rates(project.workspace.preferences.prices, place(), now)
    rows = [row for name in plugins.names("providers") for row in _rows(name, own, now)]
    rows += [
        {"model": f"{name}/...", "missing": f"{_options.shown(project, path)}, loaded when it is named"} | _unknown()
        for name, path in extensions.files("providers", project.workspace.extensions).items()
        if name not in plugins.names("providers")
    ]
    if options.as_json:
        _options.print_json(rows)
        return
    print_table(
        ("model", "usable here", *COLUMNS),
        [
            (str(row["model"]), str(row["missing"] or "yes"), *(_dollars(row[_key(kind)]) for kind in COLUMNS.values()))
            for row in rows
        ],
        numeric=tuple(COLUMNS),
    )
    click.echo(
        f'Dollars per million tokens by {pricing.table_name()} and your own settings; "-" is not known. Any other '
        "PROVIDER/MODEL name works too."
    )


def _rows(provider: str, own: Mapping[str, pricing.Rates | Model], now: datetime) -> list[dict[str, object]]:
    module = plugins.load("providers", provider)
    missing, batches = module.available(), getattr(module, "BATCHES", False)
    return [
        {"model": f"{provider}/{name}", "missing": missing}
        | _prices(pricing.Tariff(Model(provider, name), own), now, batches=batches)
        for name in module.MODELS
    ]


def _prices(tariff: pricing.Tariff, now: datetime, *, batches: bool) -> dict[str, object]:
    """What a million tokens of each kind cost; None where it is not known, or batches are not asked for there."""
    plain = {_key(kind): tariff.per_million(usage, now) for kind, usage in KINDS.items()}
    batch = {_key(name): tariff.per_million(KINDS[kind], now, batch=True) for name, kind in BATCHES.items()}
    return {**_unknown(), **plain, **(batch if batches else {})}


def _unknown() -> dict[str, object]:
    return dict.fromkeys(map(_key, (*KINDS, *BATCHES)))


def _key(kind: str) -> str:
    return f"{kind}_usd_per_million"


def _dollars(value: object) -> str:
    return "-" if value is None else f"{value:g}"
