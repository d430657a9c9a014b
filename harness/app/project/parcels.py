"""Runs of a project, handed to a service outside: each run and its repeats, as a `Parcel`."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from harness.app.parcel import Parcel
from harness.app.project import exchange
from harness.errors import ConfigError
from harness.ground import plugins

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.app.parcel import Receipt
    from harness.app.project.project import Project
    from harness.store import Selected

FOLDER = "exporters"
ROWS = """
    select example_id, text, gold, outcome, label, score, credit, correct, raw, error, input_fresh, cache_read,
        cache_write, output_visible, reasoning, cost_usd, billed_usd, latency_s, waited_s, cached, attempts, request_id
    from scored where run_id = ? order by example_id
"""


def hand_over(project: Project, chosen: Selected, service: str) -> Iterator[Receipt]:
    """What the service gave for each of the selected runs.

    Raises `ConfigError` when the service's packages are not installed, `NotTaken` when it takes no run.
    """
    try:
        exporter = plugins.load(FOLDER, service)
        for run_id in chosen.run_ids:
            with tempfile.TemporaryDirectory() as folder:
                yield exporter.send(_packed(project, run_id, Path(folder)))
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"--to {service} needs the package {error.name}, which is not installed; "
            f"pip install 'prompt-harness[{service}]' brings what it always needs"
        ) from None


def _packed(project: Project, run_id: str, folder: Path) -> Parcel:
    results = project.run_results(run_id)
    (result,) = results.runs
    file = folder / exchange.file_name(results.split.dataset, results.split.name, result.run.name)
    told = project.store.export([run_id], file)
    return Parcel(
        record=told.runs[0],
        result=result,
        labels=results.split.labels,
        prompt=next(iter(results.prompts), None),
        rows_sha256=told.rows_sha256,
        file=file,
        rows=partial(_rows, project, run_id),
    )


def _rows(project: Project, run_id: str) -> list[dict[str, object]]:
    with project.store.reader() as select:
        return select(ROWS, [run_id])
