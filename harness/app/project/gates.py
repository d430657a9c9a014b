"""The gate's two sides, found in a project: the pinned baseline, the candidate's runs, what the items are.

The verdicts themselves are `harness.analysis.gate`'s, which is pure; carrying jobs out is the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.analysis.estimated_panel import panel_of
from harness.analysis.gate import Measured, Side
from harness.app.project import estimating, exchange
from harness.arms.prompts import files
from harness.datasets.task import Task
from harness.errors import ConfigError
from harness.ground import plugins
from harness.ground.workspace import place
from harness.runs import building
from harness.runs.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd

    from harness.analysis.few_labels import FewLabels
    from harness.app.project.project import Project
    from harness.ground.gate_settings import GateSettings
    from harness.models.ledger import Ledger
    from harness.models.stack import Asking
    from harness.runs.job import Job
    from harness.store import PassedOver, Selected
    from harness.types import Dataset, Example

PARQUET = ".parquet"


@dataclass(frozen=True)
class Pinned:
    """The baseline: its run and repeats, their rows with gold labels, and the hash of each run's rows.

    `name` is what it was called; None where it came in a file.
    """

    side: Side
    hashes: Mapping[str, str]
    rows: pd.DataFrame
    looks: int = 0
    name: str | None = None
    passed_over: tuple[PassedOver, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is checked: a stored run, or the prompt or arm of the settings; how its model is asked; of how many items.

    Without a `limit` it is all of them; `seed` is that of an arm that is fitted.
    """

    settings: GateSettings
    asking: Asking
    run: str | None = None
    limit: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Asked:
    """The candidate's runs (one, or its repeats), its runs on the split of injected rows, and which part was asked.

    `name` is what the candidate was called; None where it was made now.
    """

    run_ids: tuple[str, ...]
    injected_ids: tuple[str, ...] = ()
    limit: int | None = None
    name: str | None = None
    passed_over: tuple[PassedOver, ...] = ()


def pinned(project: Project, dataset: Dataset, settings: GateSettings) -> Pinned:
    """The baseline that the settings name: an exported file, or a run of the store.

    A file's runs are entered into the store where they are missing, so that a candidate which is the
    same run need not be asked again.
    """
    name = settings.baseline
    if name is None:
        raise ConfigError(
            "the gate has no baseline: pin one with `harness runs export RUN`, commit the file and set "
            f"baseline = FILE in {place('gate')}; or name a run with --baseline"
        )
    if name.endswith(PARQUET):
        return _from_file(project, dataset, settings.split, _path(project, name))
    return _from_store(project, dataset, settings, name)


def _from_file(project: Project, dataset: Dataset, split: str, path: Path) -> Pinned:
    told, rows = exchange.read_runs(project, path)
    run = told.runs[0]
    if (run.dataset_id, run.split) != (dataset.id, split):
        raise ConfigError(
            f"the baseline {path.name} was made on {run.dataset} / {run.split}, and the candidate is checked on "
            f"{dataset.ref} / {split}; only runs on the same version and split compare: make the baseline again there"
        )
    if any(one.purpose == "shard" for one in told.runs):
        raise ConfigError(f"the baseline {path.name} is a shard of a run; export the whole one: harness runs merge")
    here = set(project.store.runs()["run_id"]) if project.store.exists() else set()
    if not here.issuperset(one.run_id for one in told.runs):
        exchange.restore(project, path)
    hashes = {one.run_id: one.content_hash for one in told.runs}
    return Pinned(Side(run.arm, run.run_id, run.model), hashes, rows, told.looks)


def _from_store(project: Project, dataset: Dataset, settings: GateSettings, name: str) -> Pinned:
    chosen = stored(project, dataset, settings.split, name, "baseline", settings.model)
    runs = project.store.runs().set_index("run_id")
    hashes = {one: str(runs.loc[one, "content_hash"]) for one in chosen.run_ids}
    rows = project.store.predictions(chosen.run_ids)
    run = chosen.first
    side = Side(run.arm, run.run_id, run.model)
    return Pinned(side, hashes, rows, name=chosen.name, passed_over=chosen.passed_over)


def stored(project: Project, dataset: Dataset, split: str, name: str, what: str, model: str | None = None) -> Selected:
    """The runs that are meant on this dataset and split; `ConfigError` says so when they were made on another."""
    selection = project.store.selection()
    there = project.where(dataset, split)
    # The candidate's model is the baseline's too where that was run on it; a classifier has none.
    is_asked = any(run.arm == name and run.model == model for run in selection.runs if there.holds(run))
    try:
        return selection.named(name, replace(there, model=model) if is_asked else there)
    except ConfigError as unknown:
        elsewhere = [run for run in selection.runs if name in (run.run_id, run.tag, run.arm)]
        if not elsewhere or any((run.dataset_id, run.split) == (dataset.id, split) for run in elsewhere):
            raise ConfigError(f"the {what}: {unknown}") from None
        run = elsewhere[-1]
        same = " (the version's content has changed since)" if run.dataset == dataset.ref else ""
        raise ConfigError(
            f"the {what} {name!r} was made on {run.dataset} / {run.split}{same}, and the gate checks "
            f"{dataset.ref} / {split}; only runs on the same version and split compare: run it there"
        ) from None


def asked(
    project: Project,
    dataset: Dataset,
    base: Pinned,
    candidate: Candidate,
    carry_out: Callable[[Sequence[Job]], object],
) -> Asked:
    """The candidate's runs: those of the store, or made by `carry_out`, which asks only what is new.

    `ConfigError` when there is no candidate, or when it would be one look at the split too many: nothing is sent then.
    """
    settings = candidate.settings
    name = candidate.run or _stored_arm(project, settings)
    if name is not None:
        chosen = stored(project, dataset, settings.split, name, "candidate", settings.model)
        check_looks(project, dataset, settings, base, chosen.run_ids)
        return Asked(chosen.run_ids, limit=candidate.limit, name=chosen.name, passed_over=chosen.passed_over)
    with project.ledger() as ledger:
        jobs = list(_jobs(project, dataset, candidate, ledger))
        check_looks(project, dataset, settings, base, [job.run.id for job in jobs])
        carry_out(jobs)
    run_ids = tuple(job.run.id for job in jobs if job.run.split == settings.split)
    injected_ids = tuple(job.run.id for job in jobs if job.run.split != settings.split)
    return Asked(run_ids, injected_ids, candidate.limit)


def _stored_arm(project: Project, settings: GateSettings) -> str | None:
    """The arm of the settings where it cannot be fitted here: an imported one, a fusion."""
    fitted_here = plugins.names("baselines", project.workspace.extensions)
    return None if settings.arm in fitted_here else settings.arm


def _jobs(project: Project, dataset: Dataset, candidate: Candidate, ledger: Ledger) -> Iterator[Job]:
    settings, workspace = candidate.settings, project.workspace
    scopes = [Scope(dataset, settings.split, candidate.limit)]
    if settings.injected is not None and settings.injected_split not in (None, settings.split):
        scopes.append(Scope(dataset, settings.injected_split or ""))
    for scope in scopes:
        if settings.arm is not None:
            yield building.baseline_job(settings.arm, scope, workspace, project.clock, candidate.seed)
        elif settings.prompt is not None:
            prompt = files.load(workspace.root, workspace.preferences.task or dataset.name, settings.prompt)
            for repeat in range(settings.repeat):
                asking = replace(candidate.asking, repeat=repeat)
                yield building.prompt_job(prompt, scope, asking, workspace, ledger, project.clock)
        else:
            raise ConfigError(
                "the gate has no candidate: give --prompt VERSION, --arm NAME or a run, or set prompt in "
                f"{place('gate')}"
            )


def check_looks(project: Project, dataset: Dataset, settings: GateSettings, base: Pinned, asked: Sequence[str]) -> None:
    """Raise before anything is sent when the split would be scored more often than the settings allow."""
    if settings.max_looks is None:
        return
    has_store = project.store.exists()
    looks = project.store.looks(dataset.id, settings.split) if has_store else 0
    here = set(project.store.runs(dataset.id, settings.split)["run_id"]) if has_store else set()
    after = max(looks, base.looks) + sum(run_id not in here for run_id in asked)
    if after > settings.max_looks:
        raise ConfigError(
            f"{dataset.ref} / {settings.split} would have been scored {after} times, and gate.max_looks allows "
            f"{settings.max_looks}: a split that is looked at again and again stops being a test; take a fresh one "
            "(harness dataset split), or raise max_looks knowingly"
        )


def measured(
    project: Project, dataset: Dataset, settings: GateSettings, base: Pinned, asked: Asked, *, estimate: bool = False
) -> Measured:
    """What the gate reads of candidate and baseline; with `estimate` from few labels and all predictions."""
    store, split = project.store, settings.split
    runs = store.runs().set_index("run_id")
    hashes = {one: str(runs.loc[one, "content_hash"]) for one in asked.run_ids}
    labelled = {example.item.id for example in dataset.labelled(split)}
    items = tuple(item.id for item in Scope(dataset, split, asked.limit).items() if item.id in labelled)
    return Measured(
        candidate=_side(project, asked.run_ids[0], asked.name),
        baseline=_side(project, base.side.run_id, base.name),
        rows=store.predictions(asked.run_ids, of_all=estimate),
        baseline_rows=base.rows,
        dataset=dataset.ref,
        dataset_id=dataset.id,
        split=split,
        items=items,
        looks=max(store.looks(dataset.id, split), base.looks),
        passed_over=(*asked.passed_over, *base.passed_over),
        unchanged=hashes.items() <= base.hashes.items(),
        slices=slices(dataset.in_split(split), settings.slices),
        injected=_injected(dataset, settings),
        task=Task.of(dataset),
        injected_rows=store.predictions(asked.injected_ids) if asked.injected_ids else None,
        few=_few(project, dataset, settings, base, asked) if estimate else None,
    )


def _few(project: Project, dataset: Dataset, settings: GateSettings, base: Pinned, asked: Asked) -> FewLabels | None:
    """Candidate and baseline among the arms that can be estimated."""
    made = estimating.estimate(project, dataset, settings.split).checked()
    names = dict(zip((one.first.run_id for one in made.arms), made.estimation.answered.names, strict=True))
    sides = (("candidate", asked.run_ids[0]), ("baseline", base.side.run_id))
    for what, run_id in sides:
        if run_id not in names:
            raise ConfigError(
                f"the {what}, run {run_id}, is not one that stands for an arm of {dataset.ref} / {settings.split}, so "
                f"it cannot be estimated; these can: {', '.join(names.values())}"
            )
    recalls = list(settings.min_recall)
    return panel_of(made.estimation, recalls, [names[run_id] for _, run_id in sides]).few


def slices(examples: Sequence[Example], columns: Sequence[str]) -> dict[str, frozenset[str]]:
    """The items of every value of these columns; `tags` is each tag."""
    found: dict[str, set[str]] = {}
    for column in columns:
        before = len(found)
        for example in examples:
            values = example.item.tags if column == "tags" else (example.item.fields.get(column),)
            for value in values:
                if value:
                    found.setdefault(f"{column}={value}", set()).add(example.item.id)
        if len(found) == before:
            known = sorted({name for example in examples for name in example.item.fields} | {"tags"})
            raise ConfigError(f"gate.slices names {column!r}, which no item has; there are: {', '.join(known)}")
    return {name: frozenset(ids) for name, ids in found.items()}


def _injected(dataset: Dataset, settings: GateSettings) -> dict[str, str]:
    if settings.injected is None:
        return {}
    examples = dataset.labelled(settings.injected_split or settings.split)
    sources = {example.item.id: example.item.fields.get(settings.injected, "") for example in examples}
    return {item_id: source for item_id, source in sources.items() if source}


def _path(project: Project, name: str) -> Path:
    path = Path(name)
    inside = project.workspace.root / name
    if not path.is_file() and not inside.is_file():
        raise ConfigError(
            f"the baseline {name!r}: there is no such file; harness runs export RUN --to {name} writes it"
        )
    return path if path.is_file() else inside


def _side(project: Project, run_id: str, name: str | None) -> Side:
    """A side by its first run; unless it was called otherwise, by what its arm is called beside the others now."""
    selection = project.store.selection()
    run = selection.run(run_id)
    return Side(run.arm, run_id, run.model, name=name or selection.arm_name(run_id))
