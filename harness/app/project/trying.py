"""A fusion tried on what its members have stored, and the run of what was chosen. Nobody is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.analysis.fusion import chosen, study
from harness.analysis.fusion.chosen import Choice, How
from harness.app.project import fusions, routers
from harness.app.project.fusions import Splits
from harness.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.analysis.fusion.study import Study
    from harness.app.project.fusions import Pair
    from harness.app.project.project import Project
    from harness.ground.constraints import Constraints
    from harness.runs.job import Job
    from harness.types import Dataset


@dataclass(frozen=True, slots=True)
class FusionSpec:
    """The fusion to try: of which arms, how, and on which splits."""

    how: How
    arms: tuple[str, ...]
    splits: Splits
    model: str | None = None


@dataclass(frozen=True)
class Tried:
    """What came of it. `chooser_n` and `tested_n` are the items that chose and those that are reported."""

    study: Study
    pairs: Sequence[Pair]
    choice: Choice
    splits: Splits
    chooser_n: int
    tested_n: int


def tried(project: Project, dataset: Dataset, spec: FusionSpec, limits: Constraints) -> Tried:
    """The fusion tried; `ConfigError` names the command that makes a run which is missing."""
    pairs = fusions.pairs(project, dataset, spec.arms, spec.splits, spec.model)
    chooser, tested = fusions.stored(project, dataset, pairs, spec.splits)
    parts = tuple(pair.part for pair in pairs)
    learnt_from = () if spec.how == "cascade" else tuple(pair.chooser for pair in pairs)
    name = chosen.name_of(spec.how, [part.arm for part in parts])
    encoder = toll = None
    if spec.how == "cascade":
        found = study.cascade(name, chooser, tested, limits)
    elif spec.how == "router":
        known = routers.vectors(project, dataset, chooser, tested)
        encoder, toll = routers.encoder(project), routers.toll(project, dataset, chooser, known)
        found = study.cascade(name, chooser, tested, limits, routers.way(known, toll))
    else:
        found = study.vote(spec.how, name, chooser, tested)
    thresholds = () if found.chosen is None else found.chosen.thresholds
    choice = Choice(spec.how, dataset.id, spec.splits.chooser, parts, thresholds, learnt_from, encoder, toll)
    return Tried(found, pairs, choice, spec.splits, chooser.n, tested.n)


def job(project: Project, dataset: Dataset, found: Tried) -> Job:
    """The job that runs what was chosen over what the members have stored; `ConfigError` when nothing was."""
    if found.study.tested is None:
        raise ConfigError(f"there is nothing to store of {found.study.arm}: {found.study.reason}")
    if found.study.is_crossfitted:
        split = found.splits.tested
        raise ConfigError(
            f"--store: a threshold that {split} has chosen cannot be scored on {split}; choose on another split"
        )
    return fusions.replayed(project, found.choice, found.pairs, dataset, found.splits.tested)
