"""A fusion that was chosen: what it is tied to, the run it makes, and the refusal of a stale one.

A threshold means something for the arms, versions and dataset that it was chosen on, and for no
others. So a choice carries their ids, and nothing is built of arms that have other ones.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, cast

from harness.arms.cascade import CascadeArm
from harness.errors import ConfigError
from harness.fusion.members import NEVER
from harness.ids import content_id, item_set_id
from harness.types import Run
from harness.validation import validated
from harness.wiring import Job

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.types import JSON, Arm, Dataset, Item

How = Literal["cascade", "vote", "vote-weighted", "vote-stacked"]


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
    """A fusion with everything it is tied to. A threshold of None keeps no answer."""

    how: How
    dataset_id: str
    chosen_on: str
    parts: tuple[Part, ...]
    thresholds: tuple[float | None, ...] = ()

    @property
    def name(self) -> str:
        """The arm's name: `cascade:minilm-lr>prompt:v3`."""
        return name_of(self.how, [part.arm for part in self.parts])


def name_of(how: How, arms: Sequence[str]) -> str:
    """The name of the fusion of some arms."""
    return f"{how}:{('>' if how == 'cascade' else '+').join(arms)}"


def choice_of(params: object, where: str) -> Choice:
    """The choice that a stored run was made with; `ConfigError` for the run of another arm."""
    if not isinstance(params, dict) or "choice" not in params:
        raise ConfigError(f"{where} is no fusion; expected a run that `harness cascade ... --store` has made")
    return validated(Choice, params["choice"], where)


def check(choice: Choice, dataset: Dataset, parts: Sequence[Part]) -> None:
    """Raise `ConfigError` unless the choice was made for this dataset version and these arms."""
    names = " ".join(part.arm for part in choice.parts)
    again = f"choose again: harness cascade {names} --dataset {dataset.ref} --store"
    if choice.dataset_id != dataset.id:
        raise ConfigError(
            f"{choice.name} was chosen on dataset {choice.dataset_id}, and {dataset.ref} is {dataset.id}; {again}"
        )
    for chosen, found in zip(choice.parts, parts, strict=True):
        if (chosen.arm_id, chosen.model) != (found.arm_id, found.model):
            raise ConfigError(
                f"{choice.name} was chosen for {chosen.arm} as {_said(chosen)}, and it is now {_said(found)}; {again}"
            )


def _said(part: Part) -> str:
    return part.arm_id + (f" with {part.model}" if part.model else "")


def job(choice: Choice, arms: Sequence[Arm], dataset: Dataset, split: str, items: Sequence[Item]) -> Job:
    """The job of a chosen cascade over arms that have learnt already, or have stored what they say."""
    thresholds = [NEVER if threshold is None else threshold for threshold in choice.thresholds]
    return job_of(choice, CascadeArm(arms, thresholds), dataset, split, items)


def job_of(choice: Choice, arm: Arm, dataset: Dataset, split: str, items: Sequence[Item]) -> Job:
    """The job of a fusion that is built already."""
    said = cast("JSON", asdict(choice))
    models = dict.fromkeys(part.model for part in choice.parts if part.model)
    learnt = [part.n_train for part in choice.parts if part.n_train is not None]
    identity: dict[str, JSON] = {
        "dataset_id": dataset.id,
        "split": split,
        "arm": choice.name,
        "arm_id": content_id(said),
        "model": ", ".join(models) or None,
        "n_train": max(learnt, default=None),
        "item_set": item_set_id([item.id for item in items]),
    }
    run = Run(id=content_id(identity), params={"choice": said}, **identity)  # type: ignore[arg-type]
    return Job(run, arm, (), tuple(items))
