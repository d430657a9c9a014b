"""A small workspace with stored runs of every kind of arm, for tests of what is done with them afterwards."""

import asyncio
import csv
from pathlib import Path

from harness import datasets
from harness.app.project import Project, trying
from harness.app.project.fusions import Splits
from harness.app.project.trying import FusionSpec
from harness.arms.prompts import files
from harness.ground import plugins, workspace
from harness.ground.clock import SystemClock
from harness.ground.constraints import Constraints
from harness.models import stack
from harness.runs import building
from harness.runs.scope import Scope
from tests.conftest import TICKETS, small_workspace, write_tickets

REF = "mail@v1"
SPLITS = ("train", "dev", "test")
# What learns from another arm, or needs gigabytes, has tests of its own.
BASELINES = sorted(
    name
    for name in set(plugins.names("baselines")) - {"distilled", "setfit"}
    if building.answers_kind(plugins.declared("baselines", name), "single")
)
MEMBERS = ("rules", "tfidf-svm", "prompt:v1")
FUSIONS = {
    "cascade": "cascade:rules>tfidf-svm>prompt:v1",
    "router": "router:rules>tfidf-svm>prompt:v1",
    "vote-stacked": "vote-stacked:rules+tfidf-svm+prompt:v1",
    "vote-weighted": "vote-weighted:rules+tfidf-svm+prompt:v1",
}
RECIPE = 'default = "question"\n[answers]\n"password" = "bug"\n"manual" = "billing"\n'


def mail(root: Path) -> None:
    """A dataset with ids and three splits, with rules, a prompt and a recipe for it."""
    rows = [
        (f"{text} {i}", label, "|".join(text.split()[:2]), SPLITS[(i + len(text)) % 3])
        for i in range(9)
        for text, label in TICKETS
    ]
    write_tickets(root, rows, name="mail")
    (root / "prompts" / "mail").mkdir()
    for name in ("v1.j2", "rules-v1.toml"):
        (root / "prompts" / "mail" / name).write_text((root / "prompts" / "tickets" / name).read_text())
    (root / "recipe.toml").write_text(RECIPE)


def made(root: Path, arms=BASELINES, fusions=tuple(FUSIONS)) -> Path:
    """The workspace with runs of these baselines on test, of a prompt, and of fusions of members chosen on dev."""
    small_workspace(root)
    mail(root)
    project = Project(workspace.find(root, root), SystemClock())
    dataset = datasets.load(root, REF)
    prompt = files.load(root, "mail", "v1")
    with project.ledger() as ledger:
        for split in ("test", "dev"):
            scope = Scope(dataset, split)
            wanted = arms if split == "test" else [arm for arm in arms if arm in MEMBERS]
            jobs = [building.baseline_job(name, scope, project.workspace, project.clock) for name in wanted]
            if fusions:
                asking = stack.Asking(f"fake/{root / 'recipe.toml'}")
                jobs.append(building.prompt_job(prompt, scope, asking, project.workspace, ledger, project.clock))
            for job in jobs:
                carried_out(project, dataset, job)
        for how in fusions:
            spec = FusionSpec(how, MEMBERS, Splits("dev", "test"))
            tried = trying.tried(project, dataset, spec, Constraints())
            carried_out(project, dataset, trying.job(project, dataset, tried))
    return root


def carried_out(project, dataset, job):
    """The job, run and stored, without a report."""

    async def run():
        return await project.carry_out(job, dataset, asyncio.Event(), lambda _: None)

    return asyncio.run(run())


def released(root: Path, split: str = "test") -> list[dict]:
    """The rows of the dataset's own file."""
    with (root / "datasets" / "mail" / "v1" / "examples.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["split"] == split]


def stored_answers(root: Path, arm: str) -> dict[str, dict]:
    """What the stored run answered on test, by item."""
    project = Project(workspace.find(root, root), SystemClock())
    with project.store.reader() as select:
        rows = select(
            "select example_id, label, score, outcome from scored where dataset = ? and split = 'test' and arm = ?",
            [REF, arm],
        )
    return {row["example_id"]: row for row in rows}


def written(path: Path, rows: list[dict]) -> Path:
    """Rows as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path
