"""What the commands about datasets print of one version."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from harness import datasets
from harness.app.commands import _options
from harness.app.commands._groups import print_table
from harness.datasets import loading, manifest, splits
from harness.ground import formatting

if TYPE_CHECKING:
    from pathlib import Path

    from harness.datasets.manifest import Manifest
    from harness.datasets.notes import Note


@dataclass(frozen=True, slots=True)
class Facts:
    """What is told of a version: its manifest, its content id, its rows by split and label, notes of its import."""

    read: Manifest
    id: str
    counts: dict[str, dict[str, int]]
    sizes: dict[str, int]
    notes: tuple[Note, ...] = ()

    @property
    def n(self) -> int:
        """All rows."""
        return sum(self.sizes.values())


def imported(made: datasets.Imported) -> Facts:
    """The facts of what was just imported, without reading a million rows once more."""
    read = manifest.read(made.folder)
    return Facts(read, read.content, splits.in_order(made.counts), made.sizes, made.notes)


def show(options: _options.Where, ref: str, written: list[Path] | None = None) -> None:
    """Print a version that is there: a table, or JSON."""
    project = options.project()
    dataset = project.dataset(ref)
    read = manifest.read(loading.find(project.workspace.root, dataset.ref))
    tell(options, Facts(read, dataset.id, datasets.split_counts(dataset), splits.split_sizes(dataset)), written)


def tell(options: _options.Where, facts: Facts, written: list[Path] | None) -> None:
    """Print the facts of a version, and which files were written."""
    project, read, counts = options.project(), facts.read, facts.counts
    paths = [_options.shown(project, folder) for folder in written or ()]
    ref = f"{read.name}@{read.version}"
    if options.as_json:
        _options.print_json(
            {
                "ref": ref,
                "id": facts.id,
                "kind": read.kind,
                "n": facts.n,
                "labels": list(read.labels),
                **({"fields": list(read.fields)} if read.fields else {}),
                **({"range": list(read.range)} if read.range is not None else {}),
                "splits": counts,
                "source": dict(read.source),
                "notes": [asdict(note) for note in facts.notes],
                "files": paths,
            }
        )
        return
    click.echo(f"{ref}  {formatting.plural(facts.n, 'item')}  {facts.id}")
    click.echo(read.description)
    rows = [(name, *(formatting.count(of_label.get(name, 0)) for of_label in counts.values())) for name in _told(read)]
    if waiting := sum(of_label.get("", 0) for of_label in counts.values()):
        each = (formatting.count(of_label.get("", 0)) for of_label in counts.values())
        rows.append((f"({formatting.count(waiting)} without a label)", *each))
    totals = ("all", *(formatting.count(facts.sizes[name]) for name in counts))
    head = {"extract": "field with a value", "score": "rows"}.get(read.kind, "label")
    print_table((head, *counts), [*rows, totals], numeric=tuple(counts))
    for key, value in read.source.items():
        if not (facts.notes and key == "repaired"):  # the notes say it, one a line
            click.echo(f"{key}: {value}")
    for note in facts.notes:
        click.echo(f"{note.how}: {note.sentence}")
    for path in paths:
        click.echo(f"Wrote {path}")


def _told(read: Manifest) -> list[str]:
    """The names whose rows are counted: labels, or fields; the ends of a range are none."""
    return [] if read.range is not None else list(read.names)
