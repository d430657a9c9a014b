"""The models that can be called here, and what they cost.

Example: harness models
"""

from __future__ import annotations

import click

from harness import outside, plugins, pricing
from harness.clock import SystemClock
from harness.commands import _options
from harness.commands._groups import print_table
from harness.types import Model, Usage

MILLION = 1_000_000
UNKNOWN: dict[str, object] = {"input_usd_per_million": None, "output_usd_per_million": None}


@click.command(help=__doc__)
@_options.gathered(_options.Where, *_options.WHERE)
def command(options: _options.Where) -> None:
    """The models that can be called here."""
    project = options.project()
    rows = [row for name in plugins.names("providers") for row in _rows(name)]
    rows += [
        {**UNKNOWN, "model": f"{name}/...", "missing": f"{_options.shown(project, path)}, loaded when it is named"}
        for name, path in outside.files("providers", project.workspace.extensions).items()
        if name not in plugins.names("providers")
    ]
    if options.as_json:
        _options.print_json(rows)
        return
    print_table(
        ("model", "usable here", "$ per million in", "$ per million out"),
        [
            (
                str(row["model"]),
                str(row["missing"] or "yes"),
                _dollars(row["input_usd_per_million"]),
                _dollars(row["output_usd_per_million"]),
            )
            for row in rows
        ],
        numeric=("$ per million in", "$ per million out"),
    )
    click.echo(f"Prices by {pricing.table_name()}; any other PROVIDER/MODEL name works too.")


def _rows(provider: str) -> list[dict[str, object]]:
    module = plugins.load("providers", provider)
    missing = module.available()
    return [
        {
            "model": f"{provider}/{name}",
            "missing": missing,
            "input_usd_per_million": _price(provider, name, Usage(input_fresh=MILLION)),
            "output_usd_per_million": _price(provider, name, Usage(output_visible=MILLION)),
        }
        for name in module.MODELS
    ]


def _price(provider: str, name: str, usage: Usage) -> float | None:
    price = pricing.price(Model(provider, name), usage, SystemClock().now())
    return None if price is None else price.usd


def _dollars(value: object) -> str:
    return "unknown" if value is None else f"{value:g}"
