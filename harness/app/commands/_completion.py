"""What a shell may complete: datasets, prompts, arms, models. Folders are listed; no store is opened, nothing imported.

A completion never fails: where there is nothing to read, there is nothing to offer.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.ground import plugins, workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import click

    from harness.ground.workspace import Workspace

    Offer = Callable[[click.Context, click.Parameter, str], list[str]]


def offered(names: Callable[[Workspace, dict[str, Any]], Iterable[str]]) -> Offer:
    """A completion of names that a workspace has, given what else was typed."""

    def complete(context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
        try:
            here = workspace.find(Path.cwd(), context.params.get("root"))
            return sorted({name for name in names(here, context.params) if name.startswith(begun)})
        except (HarnessError, OSError):
            return []

    return complete


def _datasets(here: Workspace, _: dict[str, Any]) -> Iterable[str]:
    folders = (path.parent for path in (here.root / "datasets").glob("*/*/dataset.toml"))
    return (f"{folder.parent.name}@{folder.name}" for folder in folders)


def _prompts(here: Workspace, typed: dict[str, Any]) -> Iterable[str]:
    named = typed.get("dataset") or here.preferences.dataset or ""
    task = typed.get("task") or here.preferences.task or str(named).partition("@")[0]
    return (path.stem for path in (here.root / "prompts").glob(f"{task or '*'}/*.j2"))


def _tasks(here: Workspace, _: dict[str, Any]) -> Iterable[str]:
    return (path.parent.name for path in (here.root / "prompts").glob("*/*.j2"))


def _baselines(here: Workspace, _: dict[str, Any]) -> Iterable[str]:
    return plugins.names("baselines", here.extensions)


def _arms(here: Workspace, typed: dict[str, Any]) -> Iterable[str]:
    return [*_baselines(here, typed), *(f"prompt:{name}" for name in _prompts(here, typed))]


def _models(here: Workspace, _: dict[str, Any]) -> Iterable[str]:
    names = ["auto"]
    for provider in plugins.names("providers", here.extensions):
        default = plugins.constants("providers", provider, here.extensions).get("DEFAULT_MODEL")
        names.append(f"{provider}/{default or ''}")
    return names


DATASETS, PROMPTS, TASKS = offered(_datasets), offered(_prompts), offered(_tasks)
BASELINES, ARMS, MODELS = offered(_baselines), offered(_arms), offered(_models)
OF = {
    "--dataset": DATASETS,
    "--prompt": PROMPTS,
    "--task": TASKS,
    "--arm": BASELINES,
    "--model": MODELS,
    "--against": ARMS,
}
"""What each option may be, by its name, whichever command has it."""
