"""Fitted classifiers kept between commands: by the content of what they are and of what they have learnt from.

A kept classifier is found by the run that it was fitted for, so nothing is fitted twice to answer with it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from harness.arms import encoding
from harness.arms.answers import KindSpec
from harness.arms.classifier import ClassifierArm
from harness.arms.portable import kept
from harness.arms.portable.restored import restored_from
from harness.errors import ConfigError
from harness.ground import plugins
from harness.ground.ids import content_id
from harness.ground.shards import without

if TYPE_CHECKING:
    from pathlib import Path

    from harness.arms.answers import Fitted
    from harness.arms.portable.kept import State
    from harness.ground.workspace import Workspace
    from harness.store import StoredRun
    from harness.types import JSON, Arm, Run

ABOUT = "about.json"
BUILT = "built"
"""The kind of a classifier that is nothing but its parameters and the names of the labels: hand-written rules."""

LIBRARIES = {"chain": "python-crfsuite"}


def folder(workspace: Workspace, run: Run | StoredRun) -> Path:
    """Where what was fitted for a run is kept; runs on other items or splits share it."""
    said: dict[str, JSON] = {
        "form": kept.FORM,
        "dataset_id": run.dataset_id,
        "arm_id": run.arm_id,
        "seed": run.seed,
        "n_train": run.n_train,
        "params": without(run.params),
    }
    return workspace.fitted / content_id(said).partition(":")[2]


def keep(workspace: Workspace, run: Run, arm: Arm) -> None:
    """Keep what an arm has learnt, where it learnt all that its run says and has a form for it."""
    if run.purpose not in ("whole", "limited", "shard") or not isinstance(arm, ClassifierArm):
        return
    place = folder(workspace, run)
    state = None if place.exists() else arm.state()
    if state is None:
        return
    about: dict[str, JSON] = {"arm": run.arm, "arm_id": run.arm_id, "dataset_id": run.dataset_id, "seed": run.seed}
    encoder = encoder_of(state)
    if encoder is not None:
        about["encoder_id"] = encoding.connect(encoding.Located(encoder, workspace.extensions)).id
    kept.write(place, {**kept.as_bytes(state), ABOUT: json.dumps(about, sort_keys=True).encode()})


def kept_state(workspace: Workspace, run: StoredRun) -> State | None:
    """What was kept for a run, or None; `ConfigError` when its encoder is another one by now."""
    place = folder(workspace, run)
    files = kept.read(place)
    if files is None:
        return None
    state = kept.of_bytes(files[kept.SPEC], files[kept.NUMBERS])
    encoder = encoder_of(state)
    known = json.loads(files[ABOUT]).get("encoder_id")
    if encoder is not None:
        found = encoding.connect(encoding.Located(encoder, workspace.extensions)).id
        if found != known:
            raise ConfigError(
                f"{run.arm} was fitted with encoder {encoder} as {known}, and it is now {found}; "
                f"run it again: harness baselines --arm {run.arm.partition(':')[0]} --dataset {run.dataset}"
            )
    return state


def restored(state: State, workspace: Workspace) -> Fitted:
    """The classifier that was kept."""
    spec = state.spec
    if spec["kind"] == BUILT:
        task = spec.get("task")  # of other kinds than one label
        of_kind = {} if task is None else {"spec": KindSpec(task["kind"], tuple(map(tuple, task["labels"])))}
        built = plugins.load("baselines", spec["baseline"]).build(**spec["parameters"], **of_kind)
        return cast("Fitted", built.fit((), spec["classes"]))
    encoder = encoding.Located(encoder_of(state) or encoding.DEFAULT, workspace.extensions)
    return restored_from(state.spec, state.arrays, lambda texts: encoding.connect(encoder).embed(texts))


def library_of(state: State) -> str | None:
    """The package that a classifier answers with beside numpy and its encoder's; None where there is none."""
    return LIBRARIES.get(state.spec["kind"])


def encoder_of(state: State) -> str | None:
    """The name of the encoder that a classifier sees texts through; None where it counts words."""
    spec = state.spec
    while "of" in spec:
        spec = spec["of"]
    encoder: str | None = spec.get("encoder")
    return encoder
