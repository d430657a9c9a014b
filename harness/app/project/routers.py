"""Routers of a workspace: how they see its items, what seeing costs, and the arm that asks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harness.analysis.fusion import chosen, foresight
from harness.analysis.fusion.members import RoutingCost
from harness.arms import encoding
from harness.arms.router import RouterArm
from harness.errors import ConfigError
from harness.runs import building

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from harness.analysis.fusion.chosen import Choice
    from harness.analysis.fusion.members import Members
    from harness.analysis.fusion.study import Way
    from harness.app.project.project import Project
    from harness.types import Arm, Dataset, Item

    Vectors = Mapping[str, NDArray[np.float32]]

TIMED_ITEMS = 50


def encoder(project: Project) -> str:
    """The id of the weights that the workspace's items are seen through."""
    workspace = project.workspace
    return encoding.connect(encoding.Located(workspace.preferences.encoder, workspace.extensions)).id


def vectors(project: Project, dataset: Dataset, *seen: Members) -> Vectors:
    """The embedding of every item of these members, by id."""
    wanted = {item_id for members in seen for item_id in members.rows["example_id"]}
    items = [example.item for example in dataset.examples if example.item.id in wanted]
    return dict(zip([item.id for item in items], _embedded(project, items), strict=True))


def way(known: Vectors, toll: RoutingCost) -> Way:
    """How a router finds its members: as sure as their vectors let it foresee."""
    return partial(foresight.foreseen, known, toll)


def toll(project: Project, dataset: Dataset, chooser: Members, known: Vectors) -> RoutingCost:
    """What routing an item takes, one at a time and without the cache: the mean over some of the items."""
    learnt = foresight.learnt(chooser, foresight.rows(known, chooser))
    wanted = set(chooser.rows["example_id"])
    items = [example.item for example in dataset.examples if example.item.id in wanted][:TIMED_ITEMS]
    with encoding.uncached():
        learnt.scores(_embedded(project, items[:1]))  # the first call pays for lazy set-up
        start_s = project.clock.monotonic()
        for item in items:
            learnt.scores(_embedded(project, [item]))
        each_s = (project.clock.monotonic() - start_s) / max(len(items), 1)
    return RoutingCost(each_s / 3600 * project.workspace.preferences.cpu_usd_per_hour, each_s)


def arm(project: Project, choice: Choice, members: Sequence[Arm], dataset: Dataset, chooser: Members) -> RouterArm:
    """The chosen router; `ConfigError` when the workspace's encoder is not the one it was chosen with."""
    found = encoder(project)
    if choice.encoder != found or choice.toll is None:
        raise ConfigError(
            f"{choice.name} was chosen with encoder {choice.encoder}, and the workspace's is {found}; "
            f"{chosen.again_with(choice, dataset)}"
        )
    learnt = foresight.learnt(chooser, foresight.rows(vectors(project, dataset, chooser), chooser))

    def foresee(items: Sequence[Item]) -> NDArray[np.float64]:
        return learnt.scores(_embedded(project, items))

    return RouterArm(members, choice.limits, foresee, choice.toll.cost_usd, choice.toll.latency_s)


def _embedded(project: Project, items: Sequence[Item]) -> NDArray[np.float32]:
    embed = building.embed_with(project.workspace.preferences.encoder, project.workspace)
    return embed([item.words for item in items])
