"""A fusion that was chosen: what it is tied to, the run it makes, and the refusal of a stale one.

A threshold means something for the arms, versions and dataset that it was chosen on, and for no
others; so does what a vote or a router has learnt there. So a choice carries their ids, and nothing
is built of arms that have other ones.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, cast

from harness.analysis.fusion.members import NEVER, RoutingCost
from harness.errors import ConfigError
from harness.ground.ids import content_id, item_set_id
from harness.ground.validation import validated
from harness.runs.job import Job
from harness.types import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.types import JSON, Arm, Dataset, Item, Purpose

How = Literal["cascade", "router", "vote", "vote-weighted", "vote-stacked"]
STAGED = ("cascade", "router")


@dataclass(frozen=True, slots=True)
class Part:
    """A member: its arm, the id of what that arm is, the model it asks, and what it learnt from."""

    arm: str
    arm_id: str
    model: str | None = None
    seed: int = 0
    n_train: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A fusion with everything it is tied to. A threshold of None keeps nothing.

    `learnt_from` are the members' runs that a vote or a router has learnt from. A router's `encoder` is
    the id of the weights that it sees items through; its `toll` was measured, and is no part of what it is.
    """

    how: How
    dataset_id: str
    chosen_on: str
    parts: tuple[Part, ...]
    thresholds: tuple[float | None, ...] = ()
    learnt_from: tuple[str, ...] = ()
    encoder: str | None = None
    toll: RoutingCost | None = None

    @property
    def arm_id(self) -> str:
        """The id of what the fusion is."""
        said = asdict(self)
        del said["toll"]
        return content_id({key: value for key, value in said.items() if value or key not in ("learnt_from", "encoder")})

    @property
    def limits(self) -> tuple[float, ...]:
        """The thresholds as numbers."""
        return tuple(NEVER if threshold is None else threshold for threshold in self.thresholds)

    @property
    def name(self) -> str:
        """The arm's name: `cascade:minilm-lr>prompt:v3`."""
        return name_of(self.how, [part.arm for part in self.parts])


def name_of(how: How, arms: Sequence[str]) -> str:
    """The name of the fusion of some arms."""
    return f"{how}:{('>' if how in STAGED else '+').join(arms)}"


def choice_of(params: object, where: str) -> Choice:
    """The choice that a stored run was made with; `ConfigError` for the run of another arm."""
    if not isinstance(params, dict) or "choice" not in params:
        raise ConfigError(f"{where} is no fusion; expected a run that `harness cascade ... --store` has made")
    return validated(Choice, params["choice"], where)


def check(choice: Choice, dataset: Dataset, parts: Sequence[Part]) -> None:
    """Raise `ConfigError` unless the choice was made for this dataset version and these arms."""
    again = again_with(choice, dataset)
    if choice.dataset_id != dataset.id:
        raise ConfigError(
            f"{choice.name} was chosen on dataset {choice.dataset_id}, and {dataset.ref} is {dataset.id}; {again}"
        )
    for chosen, found in zip(choice.parts, parts, strict=True):
        if (chosen.arm_id, chosen.model) != (found.arm_id, found.model):
            raise ConfigError(
                f"{choice.name} was chosen for {chosen.arm} as {_said(chosen)}, and it is now {_said(found)}; {again}"
            )


def again_with(choice: Choice, dataset: Dataset) -> str:
    """What to do about a choice that holds no longer."""
    names = " ".join(part.arm for part in choice.parts)
    how = "" if choice.how == "cascade" else f"--how {choice.how} "
    return f"choose again: harness cascade {names} {how}--dataset {dataset.ref} --store"


def _said(part: Part) -> str:
    return part.arm_id + (f" with {part.model}" if part.model else "")


def job(
    choice: Choice, arm: Arm, dataset: Dataset, split: str, items: Sequence[Item], *, purpose: Purpose = "whole"
) -> Job:
    """The job of a chosen fusion, as an arm over its members."""
    said = cast("JSON", asdict(choice))
    models = dict.fromkeys(part.model for part in choice.parts if part.model)
    learnt = [part.n_train for part in choice.parts if part.n_train is not None]
    identity: dict[str, JSON] = {
        "dataset_id": dataset.id,
        "split": split,
        "arm": choice.name,
        "arm_id": choice.arm_id,
        "model": ", ".join(models) or None,
        "n_train": max(learnt, default=None),
        "item_set": item_set_id([item.id for item in items]),
    }
    run = Run(id=content_id(identity), params={"choice": said}, purpose=purpose, **identity)  # type: ignore[arg-type]
    return Job(run, arm, (), tuple(items))
