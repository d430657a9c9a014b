"""Shards put together in a project: those of its store, of other stores and of exported files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness import datasets
from harness.app.project import stores
from harness.errors import ConfigError, MissingAnswers
from harness.ground import formatting
from harness.store import Store, shard_runs
from harness.store.merging import Merged, Merger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.app.project.project import Project
    from harness.store.shard_runs import Part

PARQUET = ".parquet"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What merging came to: runs, the shards that were removed from the store, and which runs lack parts (and why)."""

    merged: tuple[Merged, ...]
    removed: int
    lacking: tuple[str, ...]


def merge(project: Project, places: Sequence[Path | str], *, keep: bool = False) -> Outcome:
    """Every run whose parts are all there, put together; its shards leave the store, unless `keep`.

    `places` are other stores, a lake among them, or files of `runs export`; they stay as they are. What lacks a part
    is left as it is.
    """
    merger = Merger(project.store)
    merged, lacking, removed = [], [], 0
    for parts in _by_run(project, places):
        try:
            merged.append(_merged(project, merger, parts))
        except MissingAnswers as error:
            lacking.append(str(error))
            continue
        if not keep:
            mine = [part for part in parts if part.is_here and merger.is_contained(part)]
            for part in mine:
                project.store.remove_run(part.run_id)
            removed += len(mine)
    return Outcome(tuple(merged), removed, tuple(lacking))


class MissingParts(MissingAnswers):
    """Parts are missing; what was whole is merged."""

    is_aside = True


def sentences(came: Outcome) -> list[str]:
    """What merging came to, in words."""
    told = []
    for run in came.merged:
        times = f"; {formatting.duration(run.wall_s)} of machines in all" if run.wall_s is not None else ""
        fit = f", the longest fit {formatting.duration(run.fit_s)}" if run.fit_s is not None else ""
        how = f"merged from {run.parts} parts{times}{fit}" if run.is_new else "is whole already; nothing changed"
        failed = f", {run.n_failed:,} of them failed" if run.n_failed else ""
        told.append(f"{run.run_id}: {run.arm} on {run.where}, {formatting.plural(run.n, 'item')}{failed}: {how}")
    if came.removed:
        told.append(f"{formatting.plural(came.removed, 'shard')} left the store, being part of the whole now")
    return told or ["there are no shards to merge" if not came.lacking else "nothing was merged"]


def complain_about_missing(came: Outcome) -> None:
    """Raise where a run lacks parts, or items of it failed: the rest is merged, and the exit code says so."""
    failed = [run for run in came.merged if run.n_failed]
    if came.lacking:
        more = f" (and {len(came.lacking) - 1} runs more)" if len(came.lacking) > 1 else ""
        raise MissingParts(f"{came.lacking[0]}{more}")
    if failed:
        run = failed[0]
        raise MissingParts(f"{run.n_failed:,} items of {run.arm} failed; its command without --shard asks them again")


def _merged(project: Project, merger: Merger, parts: Sequence[Part]) -> Merged:
    first, whole = parts[0], parts[0].whole()
    if merger.is_whole(whole.id):
        return merger.standing(whole, first.shard.shard.of, is_new=False)
    all_parts = shard_runs.complete(parts)
    dataset = datasets.load(project.workspace.root, str(first.facts["dataset"]))
    if dataset.id != whole.dataset_id:
        raise ConfigError(
            f"{first.words} was run on another {dataset.ref} ({whole.dataset_id}) than the one in datasets/ "
            f"({dataset.id}); run it again"
        )
    project.store.add_dataset(dataset)
    for store in dict.fromkeys(part.store for part in all_parts if part.store is not None and not part.is_here):
        _take_prompt(project, store, str(whole.params.get("prompt", "")))
    return merger.merge(all_parts, dataset.ref)


def _by_run(project: Project, places: Sequence[Path | str]) -> list[list[Part]]:
    """The parts that belong together, those of the project's own store first."""
    found = shard_runs.parts_of(project.store, is_here=True)
    for place in places:
        found += _elsewhere(project, place)
    together: dict[tuple[str, int], list[Part]] = {}
    for part in found:
        together.setdefault((part.shard.run_id, part.shard.shard.of), []).append(part)
    return list(together.values())


def _elsewhere(project: Project, place: Path | str) -> list[Part]:
    """The parts in another store, or in a file; none in the project's own store, whose parts are known."""
    if isinstance(place, Path) and not place.is_file():
        raise ConfigError(f"{place}: there is no such file; expected a store or a file of harness runs export")
    if isinstance(place, Path) and place.suffix.lower() == PARQUET:
        parts = shard_runs.parts_in_file(place)
    else:
        store = Store(stores.at(project.workspace, place), project.clock)
        store.database.tell = project.store.database.tell
        if project.store.name in (store.name, str(Path(store.name).resolve())):
            return []
        parts = shard_runs.parts_of(store)
    if not parts:
        raise ConfigError(f"{place} holds no run of a shard; a whole run comes in by harness runs import")
    return parts


def _take_prompt(project: Project, store: Store, prompt_id: str) -> None:
    """The text of the prompt, from another store; a file of runs has none."""
    if prompt_id:
        for row in store.prompts([prompt_id]).to_dict("records"):
            project.store.add_prompt(row["id"], row["task"], row["version"], row["content"])
