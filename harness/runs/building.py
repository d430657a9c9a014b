"""The one place that builds things: from names and options to an arm, its run and its items.

Knows every part by folder and name, never by import; touches neither store nor report.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, cast

from harness.arms import encoding, fewshot
from harness.arms.answers import Fitted, KindSpec
from harness.arms.classifier import ClassifierArm
from harness.arms.folded import FoldedArm
from harness.arms.prompt import PromptArm, Question
from harness.datasets.task import SINGLE
from harness.errors import ConfigError
from harness.ground import plugins
from harness.ground.ids import content_id
from harness.models import stack
from harness.runs import folds_and_parts
from harness.runs.job import Job
from harness.runs.scope import TRAIN, item_set
from harness.types import Example, Item, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import ModuleType

    import numpy as np
    from numpy.typing import NDArray

    from harness.arms.prompts.files import Prompt
    from harness.ground.clock import Clock
    from harness.ground.plugins import Declared
    from harness.ground.workspace import Workspace
    from harness.models.ledger import Ledger
    from harness.runs.scope import Scope
    from harness.types import JSON, Arm, Connection, Dataset, Purpose


@dataclass(frozen=True, slots=True)
class Teacher:
    """A run on the training items whose answers (by item id) another arm learns from."""

    run_id: str
    arm: str
    model: str | None
    answers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BaselineChoice:
    """What may be chosen of a baseline: the encoder of its texts (None: the workspace's), and who teaches it.

    With `folds` it learns from the split that is scored, each item predicted by a fit without its fold.
    """

    encoder: str | None = None
    teacher: Teacher | None = None
    folds: int | None = None


def baseline_job(
    name: str, scope: Scope, workspace: Workspace, clock: Clock, seed: int = 0, choice: BaselineChoice | None = None
) -> Job:
    """The job of a baseline, fitted on the whole training split, on its teacher's answers there, or fold by fold."""
    declared, choice = plugins.declared("baselines", name, workspace.extensions), choice or BaselineChoice()
    if (other := _of_other_kind(declared, scope.dataset)) is not None:
        raise ConfigError(f"{name}: {other}")
    training, taught = _lessons(name, declared, scope, workspace, choice)
    params, items = _baseline_params(declared, scope.dataset, workspace, choice), scope.items()
    shown, weights = _encoded(name, cast("str", params.get("encoder", encoding.DEFAULT)))
    version = cast("int", declared.constants["VERSION"])
    said = {"arm": shown, "version": version, "params": _content(params) | weights, **taught}
    price = workspace.preferences.cpu_usd_per_hour
    folds = cast("int", taught.get("folds", 1))
    build = partial(_built, name, params, workspace, seed)  # it pickles: a worker may fit it
    arms = [ClassifierArm(shown, build, price, clock) for _ in range(folds)]
    arm: Arm = arms[0] if folds == 1 else FoldedArm(arms, folds_and_parts.folds(training, folds, seed))
    # Hand-written rules see the training split only to know the labels; nobody has to pay for it.
    n_train = len(training) if learns(declared, scope.dataset.kind) else None
    run = _run(scope, arm=shown, arm_id=content_id(said), items=items, seed=seed, n_train=n_train, params=taught)
    return Job(run, arm, training, items)


def _lessons(
    name: str, declared: Declared, scope: Scope, workspace: Workspace, choice: BaselineChoice
) -> tuple[tuple[Example, ...], dict[str, JSON]]:
    """What a baseline is fitted to, and what is special about it: in folds, or labels that are not gold ones."""
    teacher = choice.teacher
    is_taught = teacher is not None and bool(declared.constants.get("NEEDS_TEACHER"))
    reason = None if is_taught else unsuitable(name, scope.dataset, workspace)
    if reason is not None:
        raise ConfigError(f"arm {name!r} cannot run: {reason}")
    if choice.folds is not None:
        if is_taught:
            raise ConfigError(
                f"{name!r} learns from another arm's answers, so folds have no use for it; leave --folds out"
            )
        # What learns nothing from labels sees them only to know which there are; folds would change nothing.
        in_folds = learns(declared, scope.dataset.kind)
        shown = tuple(scope.dataset.labelled(scope.split)) or _without_labels(name, declared, scope)
        return shown, {"folds": choice.folds} if in_folds else {}
    training = scope.training()
    if teacher is None or not is_taught:
        return training or _without_labels(name, declared, scope), {}
    answers, there = teacher.answers, scope.dataset.in_split(TRAIN)
    taught = tuple(replace(one, label=answers[one.item.id]) for one in there if one.item.id in answers)
    if not taught:
        raise ConfigError(f"run {teacher.run_id} ({teacher.arm}) answered no training item; expected a run on train")
    said: dict[str, JSON] = {"teacher": teacher.run_id, "teacher_arm": teacher.arm, "teacher_model": teacher.model}
    return taught, {**said, "taught_n": len(taught)}


def learns(declared: Declared, kind: str) -> bool:
    """Whether a baseline learns from gold answers of a kind: `LEARNS`, or its kind is among `LEARNS_OF`."""
    of_kind = cast("tuple[str, ...]", declared.constants.get("LEARNS_OF", ()))
    return bool(declared.constants.get("LEARNS", True)) or kind in of_kind


def answers_kind(declared: Declared, kind: str) -> bool:
    """Whether a baseline gives the answers of a kind of task."""
    said = declared.constants.get("KINDS", (SINGLE.kind,))
    return said == "any" or (isinstance(said, tuple) and kind in said)


def _without_labels(name: str, declared: Declared, scope: Scope) -> tuple[Example, ...]:
    """What an arm that learns nothing is shown where no training item has a label: each label once, by its name.

    Of other kinds than one label it knows what answers are made of, and is shown nothing.
    """
    dataset = scope.dataset
    if learns(declared, dataset.kind):
        is_there = bool(dataset.in_split(TRAIN))
        why = f"no label in its training split; next: harness label {dataset.name}" if is_there else "no training split"
        raise ConfigError(f"{dataset.ref} has {why}, so {name!r} has nothing to learn from")
    is_shown = dataset.kind == SINGLE.kind
    return tuple(Example(Item(label, label), label, TRAIN) for label in dataset.label_names if is_shown)


def _encoded(name: str, encoder: str) -> tuple[str, dict[str, JSON]]:
    """The arm's name with an encoder that is not the default's, and the weights behind that, wherever they lie."""
    if encoder == encoding.DEFAULT:
        return name, {}
    return f"{name}:{encoder}", {"encoder": encoding.connect(encoder).id}


def encoder_of(arm: str, workspace: Workspace) -> str | None:
    """The encoder of the arm of a baseline's run; None of one that needs none, or that is no baseline."""
    name, _, encoder = arm.partition(":")
    if name not in plugins.names("baselines", workspace.extensions):
        return None
    declared = plugins.declared("baselines", name, workspace.extensions)
    return (encoder or encoding.DEFAULT) if "cache" in declared.parameters else None


def uncalibrated(name: str, dataset: Dataset, workspace: Workspace, seed: int = 0) -> Fitted:
    """A baseline's classifier, not fitted; its answers are the arm's, its scores are raw (`baselines/_calibrated`)."""
    declared = plugins.declared("baselines", name, workspace.extensions)
    params = _baseline_params(declared, dataset, workspace, BaselineChoice())
    plain = {"calibrate": False} if "calibrate" in declared.parameters else {}
    return _built(name, params | plain, workspace, seed)


def _built(name: str, params: Mapping[str, object], workspace: Workspace, seed: int) -> Fitted:
    module = plugins.load("baselines", name, workspace.extensions)
    built = module.build(**params, seed=seed)
    if not hasattr(built, "fit") or not (hasattr(built, "predict_proba") or hasattr(built, "answers")):
        raise ConfigError(
            f"build of {module.__file__} gave {type(built).__name__}, which has no fit or no predict_proba; "
            "expected a scikit-learn classifier that has both"
        )
    return cast("Fitted", built)


def _of_other_kind(declared: Declared, dataset: Dataset) -> str | None:
    """Which kinds a baseline learns, where the dataset's is none of them."""
    if answers_kind(declared, dataset.kind):
        return None
    kinds = cast("tuple[str, ...]", declared.constants.get("KINDS", (SINGLE.kind,)))
    return f"it learns tasks of kind {', '.join(kinds)}, and {dataset.ref} is of kind {dataset.kind}"


def unsuitable(name: str, dataset: Dataset, workspace: Workspace) -> str | None:
    """Why a baseline has nothing to work with on a dataset, or None when it has."""
    declared = plugins.declared("baselines", name, workspace.extensions)
    if (other := _of_other_kind(declared, dataset)) is not None:
        return other
    if "rules" in declared.parameters and not _rules_files(workspace, dataset):
        return f"there are no rules in prompts/{dataset.name}/rules-v1.toml"
    return _not_installed(declared) or _nothing_to_learn(declared, dataset)


def _not_installed(declared: Declared) -> str | None:
    library = declared.constants.get("REQUIRES")
    if not isinstance(library, str) or find_spec(library) is not None:
        return None
    return f"it needs a package that is not installed: pip install 'prompt-harness[{declared.constants.get('EXTRA')}]'"


def _nothing_to_learn(declared: Declared, dataset: Dataset) -> str | None:
    if declared.constants.get("NEEDS_TEACHER"):
        return (
            "it learns from a prompt's answers to the training items; name the run with --teacher "
            "(harness eval --prompt v1 --split train makes one)"
        )
    if learns(declared, dataset.kind) and not dataset.labelled():
        return f"no item of {dataset.ref} has a label yet (harness label {dataset.name} gives them some)"
    if declared.constants.get("NEEDS_TAGS") and not any(example.item.tags for example in dataset.examples):
        return f"no item of {dataset.ref} has tags"
    return None


def prompt_job(
    prompt: Prompt, scope: Scope, asking: stack.Asking, workspace: Workspace, ledger: Ledger, clock: Clock
) -> Job:
    """The job of a prompt: its model connected, behind the ledger. Items that it was written from are not scored."""
    dataset, header = scope.dataset, prompt.header
    made = prompt_arm(prompt, dataset, asking, workspace, ledger, clock)
    training = scope.training() if header.examples.how != "none" else ()
    items = scope.items()
    if header.learnt_from:
        items = tuple(item for item in items if item.id not in header.learnt_from)
    run = _run(
        scope,
        arm=f"prompt:{prompt.version}",
        arm_id=made.arm_id,
        items=items,
        model=str(made.model.model),
        params={"prompt": prompt.id, "endpoint": made.model.model.endpoint},
        n_train=len(training) or None,
        repeat=asking.repeat,
    )
    return Job(run, made.arm, training, items, asking.workers, prompt, made.model)


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt's arm, the id of what it is, and the model that it asks."""

    arm: PromptArm
    arm_id: str
    model: stack.Stack


def prompt_arm(
    prompt: Prompt, dataset: Dataset, asking: stack.Asking, workspace: Workspace, ledger: Ledger, clock: Clock
) -> Asked:
    """The arm of a prompt: its model connected, behind the ledger."""
    connection, module = stack.connect(asking, workspace.extensions)
    # One account over all runs of a prompt with a model on a dataset: repeats and resumed runs share its budget.
    said = {"dataset_id": dataset.id, "arm_id": _prompt_arm_id(prompt, dataset, connection)}
    account = asking.account or content_id({**said, **({"for": asking.spent_on} if asking.spent_on else {})})
    tariff = stack.tariff(module, connection, workspace, asking, clock)
    served = Served(stack.Stack(connection, ledger, clock, tariff, account, asking), connection, module)
    return arm_with(prompt, dataset, served, workspace, asking.repeat)


@dataclass(frozen=True, slots=True)
class Served:
    """A model that is connected, and the provider file that did it: several prompts may ask it."""

    model: stack.Stack
    connection: Connection
    module: ModuleType


def arm_with(prompt: Prompt, dataset: Dataset, served: Served, workspace: Workspace, repeat: int = 0) -> Asked:
    """The arm of a prompt that asks a model which is connected already."""
    header, module = prompt.header, served.module
    question = Question(
        prompt,
        dataset.kind,
        dataset.name,
        dataset.labels,
        repeat,
        gives_scores=getattr(served.connection, "gives_scores", module.GIVES_SCORES),
        one_at_a_time=module.RUNS_HERE,
        describes=getattr(module, "DESCRIBES_OPTIONS", False),
    )
    arm = PromptArm(
        question,
        served.model,
        lambda pool: fewshot.selector(header.examples, pool, embed_with(header.examples.encoder, workspace)),
    )
    return Asked(arm, _prompt_arm_id(prompt, dataset, served.connection), served.model)


def _prompt_arm_id(prompt: Prompt, dataset: Dataset, connection: Connection) -> str:
    return content_id({"prompt": prompt.id, "model": asdict(connection.model), "labels": _labels(dataset)})


def embed_with(encoder: str, workspace: Workspace) -> Callable[[Sequence[str]], NDArray[np.float32]]:
    """A function from texts to vectors, through the workspace's cache."""

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        workspace.results.mkdir(parents=True, exist_ok=True)
        located = encoding.Located(encoder, workspace.extensions)
        return encoding.connect(located, workspace.embeddings).embed(texts)

    return embed


def _run(scope: Scope, *, arm: str, arm_id: str, items: Sequence[Item], **rest: object) -> Run:
    identity = {
        "dataset_id": scope.dataset.id,
        "split": scope.split,
        "arm": arm,
        "arm_id": arm_id,
        "item_set": item_set(items),
        **rest,
    }
    return Run(id=content_id(cast("JSON", identity)), purpose=_purpose(scope, items, rest), **identity)  # type: ignore[arg-type]


def _purpose(scope: Scope, items: Sequence[Item], rest: Mapping[str, object]) -> Purpose:
    if not scope.is_whole(items):
        return "limited"
    return "fold" if "folds" in cast("Mapping[str, JSON]", rest.get("params", {})) else "whole"


def _baseline_params(
    declared: Declared, dataset: Dataset, workspace: Workspace, choice: BaselineChoice
) -> dict[str, object]:
    """What a baseline's `build` asks for by name: encoder and its cache, the labels, the hand-written rules."""
    wanted = declared.parameters
    params: dict[str, object] = {}
    if "cache" in wanted:
        workspace.results.mkdir(parents=True, exist_ok=True)
        params["cache"] = str(workspace.embeddings)
        params["encoder"] = encoding.Located(choice.encoder or workspace.preferences.encoder, workspace.extensions)
    if "labels" in wanted:
        params["labels"] = tuple((label.name, label.description) for label in dataset.labels)
    if "spec" in wanted and dataset.kind != SINGLE.kind:
        params["spec"] = KindSpec(dataset.kind, tuple((label.name, label.description) for label in dataset.labels))
    if "rules" in wanted:
        params["rules"] = _rules_files(workspace, dataset)[-1].read_text(encoding="utf-8")
    return params


def _rules_files(workspace: Workspace, dataset: Dataset) -> list[Path]:
    folder = workspace.root / "prompts" / dataset.name
    return sorted(folder.glob("rules-v*.toml"), key=lambda path: (len(path.name), path.name))


def _content(params: dict[str, object]) -> dict[str, JSON]:
    # Where the cache lies does not change what an arm says.
    plain = {key: asdict(value) if isinstance(value, KindSpec) else value for key, value in params.items()}
    return {key: cast("JSON", value) for key, value in plain.items() if key != "cache"}


def _labels(dataset: Dataset) -> JSON:
    return [[label.name, label.description] for label in dataset.labels]
