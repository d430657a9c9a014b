"""The end of a search: the one look at the test split, and the file of the version that stood it."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.analysis.improvement import FACT, Gain
from harness.app.project import parents
from harness.arms.prompts import files
from harness.errors import ConfigError
from harness.runs import building
from harness.runs.scope import Scope

if TYPE_CHECKING:
    from pathlib import Path

    from harness.app.project.improving.searching import Found
    from harness.app.project.improving.setting import Setting
    from harness.app.project.project import Project
    from harness.arms.prompts.files import Prompt
    from harness.models.ledger import Ledger
    from harness.runs.job import Job
    from harness.types import JSON


def jobs(project: Project, ledger: Ledger, setting: Setting, found: Found) -> tuple[Job, Job]:
    """The runs of the parent and of the version on the test split; the version's is an optimiser's try until it won."""
    scope = Scope(setting.dataset, setting.test)
    asked = replace(setting.asking, account=setting.account)
    parent, version = (
        building.prompt_job(prompt, scope, asked, project.workspace, ledger, project.clock)
        for prompt in (setting.parent, found.prompt)
        if prompt is not None
    )
    facts = {FACT: story_json(setting, found)}
    return parent, replace(version, run=replace(version.run, purpose="search"), facts=facts)


def promoted(job: Job) -> Job:
    """The same run, which stands for its prompt from now on."""
    return replace(job, run=replace(job.run, purpose="whole"))


def gain(project: Project, setting: Setting, found: Found, pair: tuple[Job, Job]) -> Gain:
    """The version minus its parent, on the items that both have answered."""
    parent, version = pair
    comparison = parents.compared(project, setting.dataset, setting.test, (version.run.id, parent.run.id))
    story = found.story
    named = replace(comparison, a=version.run.arm, b=parent.run.arm)
    return Gain(named, (story.best.tokens, story.parent.tokens), setting.margin)


def path_of(project: Project, setting: Setting) -> Path:
    """Where the version is written."""
    return project.workspace.root / "prompts" / setting.parent.task / f"{setting.to}.j2"


def write(project: Project, setting: Setting, prompt: Prompt) -> Path:
    """Write the version's file, whole or not at all; `ConfigError` rather than over another."""
    path = path_of(project, setting)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.part")
    fresh.write_text(prompt.content, encoding="utf-8", newline="")
    try:
        os.link(fresh, path)  # unlike a rename, this leaves a version that somebody wrote meanwhile
    except FileExistsError:
        raise ConfigError(f"{path} was written meanwhile, and no version is overwritten; choose another --to") from None
    finally:
        fresh.unlink()
    return path


def same(project: Project, setting: Setting, prompt: Prompt) -> str | None:
    """The version that says what a prompt says already; None where none does."""
    root, task = project.workspace.root, setting.parent.task
    return next((name for name in files.versions(root, task) if files.load(root, task, name).id == prompt.id), None)


def of_version(project: Project, setting: Setting, found: Found, version: str) -> tuple[Setting, Found]:
    """The same search, with the version that says already what it found."""
    prompt = files.load(project.workspace.root, setting.parent.task, version)
    return replace(setting, to=version), replace(found, prompt=prompt)


def story_json(setting: Setting, found: Found) -> dict[str, JSON]:
    """What is kept with the version's run: where it came from, and the credit on dev by the dollars spent."""
    story = found.story
    return {
        "parent": setting.parent.version,
        "parent_id": setting.parent.id,
        "proposed_by": found.proposed_by,
        "variants": len(story.trials),
        "tried": story.tried,
        "ended": story.ended,
        "spent_usd": found.spent_usd,
        "chosen_on": found.parts.chosen_on,
        "levels": [[one.spent_usd, one.credit, one.n, one.number] for one in story.levels],
        "trials": [
            {
                "number": one.number,
                "origin": one.origin,
                "outcome": one.outcome,
                "train": None if one.train is None else list(one.train),
                "dev": None if one.dev is None else list(one.dev),
                "tokens": None if one.variant is None else one.variant.tokens,
                "spent_usd": one.spent_usd,
            }
            for one in story.trials
        ],
    }
