"""The one place that builds things: from names and options to an arm, its run and its items.

Knows every part by folder and name, never by import; touches neither store nor report.
"""

from __future__ import annotations

import inspect
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, cast

from harness import fewshot, plugins, stack
from harness.arms.classifier import Classifier, ClassifierArm
from harness.arms.prompt import PromptArm, Question
from harness.errors import ConfigError, one_of
from harness.ids import content_id, item_set_id, unit_interval
from harness.types import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import ModuleType

    import numpy as np
    from numpy.typing import NDArray

    from harness.clock import Clock
    from harness.ledger import Ledger
    from harness.prompts.files import Prompt
    from harness.types import JSON, Arm, Dataset, Example, Item
    from harness.workspace import Workspace

TRAIN = "train"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which items of a dataset are predicted: a split, a random part of it of size `limit`, or those of these ids."""

    dataset: Dataset
    split: str = "test"
    limit: int | None = None
    ids: tuple[str, ...] = ()

    def items(self) -> tuple[Item, ...]:
        """The items to predict. A smaller limit gives a subset of a larger one."""
        examples = self.dataset.in_split(self.split)
        if not examples:
            splits = {example.split for example in self.dataset.examples}
            raise ConfigError(f"{self.dataset.ref} has no items in split {self.split!r}; {one_of(self.split, splits)}")
        if self.ids:
            return self._chosen(examples)
        if self.limit is not None and self.limit < len(examples):
            drawn = sorted(examples, key=lambda example: unit_interval("limit", example.item.id))
            examples = tuple(drawn[: self.limit])
        return tuple(example.item for example in examples)

    def _chosen(self, examples: Sequence[Example]) -> tuple[Item, ...]:
        by_id = {example.item.id: example.item for example in examples}
        for item_id in self.ids:
            if item_id not in by_id:
                raise ConfigError(
                    f"{self.dataset.ref} / {self.split} has no item {item_id!r}; {one_of(item_id, by_id)}"
                )
        return tuple(by_id[item_id] for item_id in dict.fromkeys(self.ids))

    def training(self) -> tuple[Example, ...]:
        """The examples that arms may learn from: the training split, never the one that is scored."""
        if self.split == TRAIN:
            raise ConfigError("arms learn from the train split, so scoring it says nothing; use --split test")
        return self.dataset.in_split(TRAIN)


@dataclass(frozen=True, slots=True)
class Job:
    """An arm with everything the runner needs to run it.

    `model` is what an arm asks, if it asks one.
    """

    run: Run
    arm: Arm
    training: tuple[Example, ...]
    items: tuple[Item, ...]
    workers: int = 1
    prompt: Prompt | None = None
    model: stack.Stack | None = None


def baseline_job(name: str, scope: Scope, workspace: Workspace, clock: Clock, seed: int = 0) -> Job:
    """The job of a baseline, fitted on the whole training split."""
    module = plugins.load("baselines", name)
    reason = unsuitable(name, scope.dataset, workspace)
    if reason is not None:
        raise ConfigError(f"arm {name!r} cannot run: {reason}")
    params = _baseline_params(module, scope.dataset, workspace)
    training, items = scope.training(), scope.items()
    if not training:
        raise ConfigError(f"{scope.dataset.ref} has no training split, so {name!r} has nothing to learn from")
    said = {"arm": name, "version": module.VERSION, "params": _content(params)}
    classifier = cast("Classifier", module.build(**params, seed=seed))
    arm = ClassifierArm(name, classifier, workspace.preferences.cpu_usd_per_hour, clock)
    # Hand-written rules see the training split only to know the labels; nobody has to pay for it.
    n_train = len(training) if getattr(module, "LEARNS", True) else None
    run = _run(scope, arm=name, arm_id=content_id(said), items=items, seed=seed, n_train=n_train)
    return Job(run, arm, training, items)


def unsuitable(name: str, dataset: Dataset, workspace: Workspace) -> str | None:
    """Why a baseline has nothing to work with on a dataset, or None when it has."""
    module = plugins.load("baselines", name)
    wanted = inspect.signature(module.build).parameters
    if "rules" in wanted and not _rules_files(workspace, dataset):
        return f"there are no rules in prompts/{dataset.name}/rules-v1.toml"
    if getattr(module, "NEEDS_TAGS", False) and not any(example.item.tags for example in dataset.examples):
        return f"no item of {dataset.ref} has tags"
    return None


def prompt_job(
    prompt: Prompt, scope: Scope, asking: stack.Asking, workspace: Workspace, ledger: Ledger, clock: Clock
) -> Job:
    """The job of a prompt: its model connected, behind the ledger."""
    connection, module = stack.connect(asking)
    dataset, header = scope.dataset, prompt.header
    question = Question(
        prompt,
        connection.model,
        dataset.kind,
        dataset.name,
        dataset.labels,
        asking.repeat,
        gives_scores=module.GIVES_SCORES,
        one_at_a_time=module.RUNS_HERE,
    )
    said = {"prompt": prompt.id, "model": asdict(connection.model), "labels": _labels(dataset)}
    arm_id = content_id(said)
    # One account over all runs of a prompt with a model on a dataset: repeats and resumed runs share its budget.
    account = content_id({"dataset_id": dataset.id, "arm_id": arm_id})
    tariff = stack.tariff(module, connection, workspace)
    model = stack.Stack(connection, ledger, clock, tariff, account, asking)
    arm = PromptArm(
        question,
        model.provider,
        lambda pool: fewshot.selector(header.examples, pool, embed_with(header.examples.encoder, workspace)),
        model.cost,
        model.ask_ahead,
    )
    training = scope.training() if header.examples.how != "none" else ()
    items = scope.items()
    run = _run(
        scope,
        arm=f"prompt:{prompt.version}",
        arm_id=arm_id,
        items=items,
        model=str(connection.model),
        params={"prompt": prompt.id, "endpoint": connection.model.endpoint},
        n_train=len(training) or None,
        repeat=asking.repeat,
    )
    return Job(run, arm, training, items, asking.workers, prompt, model)


def embed_with(encoder: str, workspace: Workspace) -> Callable[[Sequence[str]], NDArray[np.float32]]:
    """A function from texts to vectors, through the workspace's cache."""

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        workspace.results.mkdir(parents=True, exist_ok=True)
        embedder = plugins.load("embedders", encoder).connect(workspace.embeddings)
        vectors: NDArray[np.float32] = embedder.embed(texts)
        return vectors

    return embed


def _run(scope: Scope, *, arm: str, arm_id: str, items: Sequence[Item], **rest: object) -> Run:
    identity = {
        "dataset_id": scope.dataset.id,
        "split": scope.split,
        "arm": arm,
        "arm_id": arm_id,
        "item_set": item_set_id([item.id for item in items]),
        **rest,
    }
    return Run(id=content_id(cast("JSON", identity)), **identity)  # type: ignore[arg-type]


def _baseline_params(module: ModuleType, dataset: Dataset, workspace: Workspace) -> dict[str, object]:
    """What a baseline's `build` asks for by name: the embedding cache, the hand-written rules."""
    wanted = inspect.signature(module.build).parameters
    params: dict[str, object] = {}
    if "cache" in wanted:
        workspace.results.mkdir(parents=True, exist_ok=True)
        params["cache"] = str(workspace.embeddings)
    if "rules" in wanted:
        params["rules"] = _rules_files(workspace, dataset)[-1].read_text(encoding="utf-8")
    return params


def _rules_files(workspace: Workspace, dataset: Dataset) -> list[Path]:
    folder = workspace.root / "prompts" / dataset.name
    return sorted(folder.glob("rules-v*.toml"), key=lambda path: (len(path.name), path.name))


def _content(params: dict[str, object]) -> JSON:
    # Where the cache lies does not change what an arm says.
    return {key: cast("JSON", value) for key, value in params.items() if key != "cache"}


def _labels(dataset: Dataset) -> JSON:
    return [[label.name, label.description] for label in dataset.labels]
