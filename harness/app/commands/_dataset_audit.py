"""`harness dataset audit`: every check over one version, as a table, JSON and a page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import click
from rich.console import Console

from harness.app.commands import _options
from harness.app.commands._groups import print_table
from harness.app.project import spreading
from harness.errors import ConfigError
from harness.ground import private
from harness.ground.spreadsheets import Rows
from harness.report import audited
from harness.report.blocks import Table, Text

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from harness.app.project import Project
    from harness.datasets.audit.auditing import Audit
    from harness.datasets.audit.subject import Near
    from harness.types import Dataset

SEVERITIES = ("note", "warning", "error")
AUDIT = (
    click.argument("ref", metavar="NAME@VERSION"),
    _options.option(
        "--severity", type=click.Choice(SEVERITIES), default="error", help="Exit 1 for findings this bad or worse."
    ),
    _options.option(
        "--near", type=click.FloatRange(0.5, 1), default=0.90, help="Cosine that is near; of character n-grams."
    ),
    _options.option(
        "--encoder", default=None, metavar="NAME", help="Near by meaning: compare embeddings, such as minilm's."
    ),
    _options.option(
        "--corrections",
        type=_options.FILE,
        default=None,
        metavar="FILE",
        help="Write a .csv of labels to correct, for new-version --edits.",
    ),
    _options.option(
        "--near-by-train", is_flag=True, help="Weigh n-grams by the train split alone, as an arm that learned it."
    ),
)


@dataclass(frozen=True, slots=True)
class Options(_options.Where):
    """What `dataset audit` was given."""

    ref: str
    severity: str
    near: float
    encoder: str | None
    corrections: Path | None
    near_by_train: bool


@click.command()
@_options.gathered(Options, *AUDIT, *_options.WHERE)
def audit(options: Options) -> None:
    """Look for duplicates, leaks, wrong labels, broken texts and secrets; exit 1 when there are defects.

    Example: harness dataset audit emoji-tags@v1 --severity warning
    """
    project = options.project()
    dataset = project.dataset(options.ref)
    severity = _part("findings").Severity[options.severity.upper()]
    if options.encoder is not None and options.near_by_train:
        raise ConfigError("--near-by-train weighs n-grams and --encoder compares embeddings; give one of them")
    found = run(dataset, near(project, options.near, options.encoder, by_train=options.near_by_train))
    said = _part("record").written(found, severity)
    text = json.dumps(said, ensure_ascii=False, allow_nan=False, indent=1)
    files = _write(project, dataset, {"audit.html": audited.page(found), "audit.json": text.encode()})
    if options.corrections is not None:
        files.append(_correct(project, dataset, options.corrections))
    if options.as_json:
        _options.print_json({**said, "files": files})
    else:
        _show(found, files)
    if found.at_least(severity):
        raise click.exceptions.Exit(1)


def _correct(project: Project, dataset: Dataset, path: Path) -> str:
    """Write the table of corrections; one that somebody may have filled in is not written over."""
    if path.suffix.lower() != ".csv":
        raise ConfigError(f"--corrections {path}: expected the name of a .csv file")
    if path.exists():
        raise ConfigError(f"--corrections {path} is there already, and may be filled in; choose another name")
    part = _part("corrections")
    with private.files(), path.open("x", encoding="utf-8", newline="") as file:
        writer = Rows(file)
        writer.write(part.COLUMNS)
        writer.write_all(one.cells for one in part.suggested(dataset))
    return _options.shown(project, path.resolve())


def near(project: Project, cosine: float, encoder: str | None, *, by_train: bool = False) -> Near:
    """What counts as nearly the same text, as the command line says it."""
    embed = None if encoder is None else spreading.embedder(project, encoder)
    how: Near = _part("subject").Near(cosine, by_train, embed, encoder)
    return how


def run(dataset: Dataset, how: Near) -> Audit:
    """The audit, with the name of the check under way on stderr for whoever waits."""
    with Console(stderr=True).status("") as status:
        found: Audit = _part("auditing").audit(dataset, how, lambda name: status.update(f"checking {name}"))
    return found


def _part(name: str) -> ModuleType:
    # Imported when it is needed: it loads scikit-learn, which `dataset list` can do without.
    return import_module(f"harness.datasets.audit.{name}")


def _show(found: Audit, files: list[str]) -> None:
    for block in audited.summary(found).blocks:
        if isinstance(block, Text):
            click.echo(_visible(block.text))
        elif isinstance(block, Table):
            print_table([column.title for column in block.columns], [tuple(map(_visible, row)) for row in block.rows])
    click.echo(f"Wrote {' and '.join(files)}: the rows, and what to do about them")


def _visible(text: str) -> str:
    """The text without control characters: the name of a split or a label could hold them."""
    return "".join(char if char.isprintable() else "�" for char in text)


def _write(project: Project, dataset: Dataset, contents: dict[str, bytes]) -> list[str]:
    folder: Path = project.audit_folder(dataset)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [_options.shown(project, folder / name) for name in contents]
