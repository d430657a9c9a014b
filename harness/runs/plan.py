"""A plan: TOML text in, checked steps out. Pure; the file is read by whoever runs it.

A plan is a matrix: every arm on every split of every dataset, for every seed and number of labels;
then fusions of arms. Prompts do not learn, so seeds and numbers of labels do not multiply them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from pydantic import Field

from harness.errors import ConfigError, one_of
from harness.ground.constraints import Constraints
from harness.ground.validation import validated

PROMPT = "prompt:"
Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True, slots=True)
class Fusion:
    """A cascade of arms, cheapest first; or, by `how`, a router or a vote of them.

    With `thresholds`, or with `use` (a run that `harness cascade --store` has made), it asks: later
    stages see only what is passed on to them. With neither, it is chosen on `choose_on` from what
    the arms have stored, and nobody is asked.
    """

    how: Literal["cascade", "router", "vote", "vote-weighted", "vote-stacked"] = "cascade"
    members: tuple[str, ...] = ()
    thresholds: tuple[Annotated[float, Field(ge=0)], ...] | None = None
    use: str | None = None
    choose_on: str = "dev"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run. `labels` and `per_class` count training labels, beside the whole training split.

    Those fits are spread over `processes`, one a core by default. Every prompt is asked of every one of `models`,
    or of `model` alone. `decide` holds constraints in place of the workspace's (`[decide]`: `label_mix`, `objective`,
    `at_most`, ...): fusions are chosen under them, and the verdict under them is said at the end.
    """

    arms: tuple[str, ...]
    datasets: tuple[str, ...] = ()
    splits: tuple[str, ...] = ("test",)
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = (0,)
    labels: tuple[Count, ...] = ()
    per_class: tuple[Count, ...] = ()
    model: str | None = None
    models: tuple[str, ...] = ()
    limit: Count | None = None
    processes: Count | None = None
    budget_usd: Annotated[float, Field(ge=0)] | None = None
    fusion: tuple[Fusion, ...] = field(default=())
    decide: Mapping[str, Any] = field(default_factory=dict)

    def limits(self, settings: Constraints) -> Constraints:
        """The workspace's constraints with those that the plan sets."""
        given = validated(Constraints, dict(self.decide), "decide")
        return replace(settings, **{name: getattr(given, name) for name in self.decide})


@dataclass(frozen=True, slots=True)
class Step:
    """One run of the matrix: an arm on a split of a dataset, with a seed where it learns, a model where it asks one.

    No model is the workspace's.
    """

    dataset: str | None
    split: str
    arm: str
    seed: int = 0
    model: str | None = None

    @property
    def kind(self) -> Literal["prompt", "baseline"]:
        """Whether a model is asked."""
        return "prompt" if self.arm.startswith(PROMPT) else "baseline"


def parse(text: str, where: str) -> Plan:
    """The plan; `ConfigError` names the key, what was found and what was expected."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: not valid TOML: {error}") from None
    plan = validated(Plan, content, where)
    validated(Constraints, dict(plan.decide), f"{where}: decide")
    if not plan.arms:
        raise ConfigError(f"{where}: arms is empty; expected the names of arms, such as minilm-lr or prompt:v3")
    for key in ("arms", "datasets", "splits", "seeds", "labels", "per_class", "models"):
        values = getattr(plan, key)
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise ConfigError(f"{where}: {key} has {twice!r} twice; expected each once")
    if plan.models and plan.model is not None:
        raise ConfigError(f"{where}: found both model and models; expected one of them")
    for number, fusion in enumerate(plan.fusion, 1):
        _check(plan, fusion, f"{where}: fusion {number}")
    return plan


def _check(plan: Plan, fusion: Fusion, where: str) -> None:
    if fusion.use is not None:
        if fusion.thresholds is not None or fusion.members:
            raise ConfigError(f"{where}: use names a run that says which members and thresholds; leave those out")
        return
    if len(fusion.members) < 2:
        raise ConfigError(f"{where}: found {len(fusion.members)} members; expected two or more, cheapest first")
    _check_members(plan, fusion, where)
    if fusion.thresholds is not None and fusion.how != "cascade":
        raise ConfigError(
            f"{where}: found thresholds for a {fusion.how}; only a cascade's can be given, leave them out"
        )
    if fusion.thresholds is not None and len(fusion.thresholds) != len(fusion.members) - 1:
        raise ConfigError(
            f"{where}: found {len(fusion.thresholds)} thresholds; {len(fusion.members)} members take "
            f"{len(fusion.members) - 1}, one for each but the last"
        )


def _check_members(plan: Plan, fusion: Fusion, where: str) -> None:
    for member in fusion.members:
        if member not in plan.arms:
            raise ConfigError(f"{where}: {member!r} is not among the plan's arms; {one_of(member, plan.arms)}")
        if member.startswith(PROMPT) and len(plan.models) > 1:
            raise ConfigError(
                f"{where}: {member} is asked of {len(plan.models)} models in this plan; expected one model, or use = "
                "the run of a fusion that harness cascade --store has made"
            )


def steps(plan: Plan) -> list[Step]:
    """The runs on the whole training split: dataset by dataset, split by split, each arm with each seed or model."""
    models = plan.models or (plan.model,)
    return [
        Step(dataset, split, arm, seed, model)
        for dataset in plan.datasets or (None,)
        for split in plan.splits
        for arm in plan.arms
        for seed, model in (
            [(plan.seeds[0], model) for model in models]
            if arm.startswith(PROMPT)
            else [(seed, None) for seed in plan.seeds]
        )
    ]


def beyond_shards(plan: Plan, *, is_mixed: bool = False) -> str:
    """What of a plan needs whole runs, in words: a share of the items cannot say it; empty where nothing does.

    `is_mixed`: the labels in production were given, for the verdict.
    """
    n = len(plan.fusion)
    left = [
        "the runs on fewer labels" if plan.labels or plan.per_class else "",
        f"{n} fusion{'s' if n > 1 else ''}" if n else "",
        "the verdict" if plan.decide or is_mixed else "",
    ]
    return ", ".join(filter(None, left))
