"""Draw the figures of a split, of all its arms or some, with the tables behind them; the same bytes every time.

Example: harness figures --dataset emoji-tags@v1 --arms minilm-lr,prompt:v3 --size 1200x630 --format png
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import click

from harness.analysis import chosen_arms
from harness.app.commands import _evaluation, _options
from harness.report import drawings

WANTED_TO = "look"
SIZE = re.compile(r"(\d{3,4})[x×](\d{3,4})", re.IGNORECASE)
SMALLEST, LARGEST = 400, 8000  # pixels


class Size(click.ParamType[tuple[int, int]]):
    """Width and height in pixels."""

    name = "WxH"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """The two numbers; the message names the form and the range."""
        if isinstance(value, tuple):
            return value
        found = SIZE.fullmatch(str(value).strip())
        sides = (int(found[1]), int(found[2])) if found else (0, 0)
        if not SMALLEST <= min(sides) <= max(sides) <= LARGEST:
            self.fail(
                f"{value!r} is not a size; expected WIDTHxHEIGHT in pixels, each {SMALLEST} to {LARGEST}, as 1200x630",
                param,
                ctx,
            )
        return sides


OPTIONS = (
    _options.option(
        "--arms", metavar="A,B", default=None, help="Only these arms, as the scorecard names them; default: all."
    ),
    _options.option(
        "--size",
        type=Size(),
        default=None,
        help="Pixels of each figure, as 1200x630; default: 1600 wide, as high as it needs.",
    ),
    _options.option(
        "--format",
        "formats",
        type=click.Choice(drawings.FORMATS),
        multiple=True,
        default=("svg", "png"),
        help="Repeatable.",
    ),
)


@dataclass(frozen=True, slots=True)
class Options(_options.Moment):
    """What the command line chose."""

    dataset: str | None
    split: str
    arms: str | None
    size: tuple[int, int] | None
    formats: tuple[str, ...]


@click.command(help=__doc__)
@_options.gathered(Options, _options.dataset, _options.split, *OPTIONS, *_options.MOMENT)
def command(options: Options) -> None:
    """Draw the figures of a split."""
    project = options.project()
    dataset = project.dataset(options.dataset)
    results = project.results(dataset, options.split)
    if options.arms is not None:
        results = chosen_arms.of_arms(results, [name.strip() for name in options.arms.split(",") if name.strip()])
    made = drawings.files(results, drawings.Wanted(options.formats, options.size))
    written = _evaluation.write_files(project, results, made)
    if options.as_json:
        _options.print_json({"files": written})
    else:
        click.echo("\n".join(f"Wrote {path}" for path in written))
