"""A workspace made where there was none: settings, a first prompt, first rules, and a file imported as a dataset.

Everything is made in a folder of its own first and moved when all of it is there, the settings last: a file
that cannot be imported leaves nothing behind.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness import datasets
from harness.arms import drafts, kind_drafts
from harness.arms.prompts import files as prompt_files
from harness.datasets import remote, way_out
from harness.datasets.problems import ImportProblem
from harness.datasets.task import SINGLE
from harness.errors import ConfigError, meant
from harness.ground import settings_file, workspace
from harness.ground.workspace import checked_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.types import Dataset

SETTINGS, IGNORE = workspace.FILE, ".gitignore"
IGNORED = """\
# The ledger, the store and the reports hold people's texts. Pinned baselines are committed.
results/*
!results/baselines/
"""
ARMS = ("majority", "rules", *workspace.DEFAULT_ARMS[1:])
WITHOUT_LABELS = ("majority", "rules", "minilm-zero", *workspace.DEFAULT_ARMS[1:])
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
GUESSED = (
    *("text", "label", "id", "encoding", "separator", "columns", "sheet", "header"),
    *("relabel", "drop_unlabelled", "drop_empty"),
)
"""The fields of an import's spec that `init` may find out by itself."""
SIGNS = (workspace.FILE, "datasets/*/*/dataset.toml", "prompts/*/*.j2", "results/harness.duckdb")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be made: of which file (a path or an address; None: no dataset yet), under which names.

    `labels` are the closed set with what each means, where rows may be without one.
    """

    file: str | None = None
    name: str | None = None
    task: str | None = None
    text: str = ""
    label: str = ""
    kind: str = "single"
    range: tuple[float, float] | None = None
    labels: Mapping[str, str] | None = None
    sheet: str | None = None
    header: int | None = None

    @property
    def dataset(self) -> str | None:
        """The dataset's name: the one given, or one made of the file's; None where there is neither."""
        if self.name is not None or self.file is None:
            return checked_name(self.name, "dataset") if self.name else None
        stem = re.split(r"[/\\]", self.file)[-1].partition(".")[0]
        return UNSAFE.sub("-", stem).strip("._-")[:64] or "task"


@dataclass(frozen=True)
class Made:
    """What was made: the paths below the root, the dataset, and what was guessed of its file (fields of its spec)."""

    written: tuple[str, ...]
    left: tuple[str, ...]
    dataset: Dataset | None = None
    imported: datasets.Imported | None = None
    guessed: Mapping[str, object] | None = None


def make(root: Path, wanted: Wanted) -> Made:
    """A workspace in this folder; `ConfigError` where there is one already, `DatasetError` for a file that is none."""
    refuse_workspace(root)
    with tempfile.TemporaryDirectory(prefix=".init-", dir=root) as scratch:
        stage = Path(scratch) / "made"
        stage.mkdir()
        imported, guessed = _imported(stage, wanted, Path(scratch))
        dataset = None if imported is None else datasets.load(stage, f"{wanted.dataset}@v1")
        for path, text in _texts(wanted, dataset).items():
            (stage / path).parent.mkdir(parents=True, exist_ok=True)
            (stage / path).write_text(text, encoding="utf-8", newline="\n")
        written, left = _moved(stage, root)
    if imported is not None:
        imported.folder = root / imported.folder.relative_to(stage)
    return Made(tuple(written), tuple(left), dataset, imported, guessed)


def refuse_workspace(root: Path) -> None:
    """Raise `ConfigError` where a folder is a workspace."""
    there = [path for sign in SIGNS for path in root.glob(sign)][:1]
    there += [root / "pyproject.toml"] * (not there and workspace.has_settings(root))
    if there:
        raise ConfigError(
            f"{root} is a workspace already: {there[0].relative_to(root)} is there, and nothing was written; "
            "next: harness doctor says what to do in it"
        )


def _imported(
    stage: Path, wanted: Wanted, scratch: Path
) -> tuple[datasets.Imported | None, Mapping[str, object] | None]:
    """The file as a dataset below `stage`; what its spec did not say is guessed, and options changed until it goes."""
    if wanted.file is None or wanted.dataset is None:
        return None, None
    is_remote = remote.is_remote(wanted.file)
    path = remote.fetched(wanted.file, scratch) if is_remote else Path(wanted.file)
    source = {"address": wanted.file} if is_remote else {}
    asked = datasets.ImportSpec(wanted.dataset, "v1", wanted.text, wanted.label, kind=wanted.kind, source=source)
    asked = replace(asked, sheet=wanted.sheet, header=wanted.header, range=wanted.range)
    asked = replace(asked, labels=dict(wanted.labels or {}), is_closed=wanted.labels is not None)
    try:
        return datasets.import_files(stage, asked, {None: path}), {}
    except ImportProblem as problem:
        spec = way_out.sought(problem, asked, {None: path})
        if spec is None or _is_another(asked.text, spec.text) or _is_another(asked.label, spec.label):
            raise
    guessed = {name: getattr(spec, name) for name in GUESSED if getattr(spec, name) != getattr(asked, name)}
    return datasets.import_files(stage, spec, {None: path}), guessed


def _is_another(named: str, guessed: str) -> bool:
    """Whether a guess has put a column in the place of one that was named, and whose name is not like it."""
    return bool(named) and named != guessed and not meant(named, [guessed])


def _texts(wanted: Wanted, dataset: Dataset | None) -> dict[str, str]:
    """The files beside the dataset, by their path."""
    task = wanted.task or wanted.dataset
    labels = () if dataset is None else dataset.labels
    found = {IGNORE: IGNORED}
    if task is not None:
        draft = drafts.prompt(labels) if wanted.kind == SINGLE.kind else kind_drafts.prompt(wanted.kind)
        prompt_files.parse(draft, checked_name(task, "task"), "v1", "v1.j2")
        found[f"prompts/{task}/v1.j2"] = draft
    has_labels = dataset is None or any(example.is_labelled for example in dataset.examples)
    chosen: dict[str, object] = {"arms": ARMS if has_labels else WITHOUT_LABELS}
    if dataset is not None:
        rules = _rules(dataset)
        if rules is not None:
            found[f"prompts/{dataset.name}/rules-v1.toml"] = rules
        chosen["dataset"] = dataset.ref
    if task is not None and task != wanted.dataset:
        chosen["task"] = task
    return found | {SETTINGS: settings_file.text(chosen)}


def _rules(dataset: Dataset) -> str | None:
    """First rules for a dataset; None where its training items tell none."""
    if dataset.kind == SINGLE.kind:
        return drafts.rules(dataset.labelled("train"), dataset.labels)
    return kind_drafts.rules(dataset)


def _moved(stage: Path, root: Path) -> tuple[list[str], list[str]]:
    """Everything below `stage`, moved to its place: what was written, and what was there and stays as it is."""
    files = [path.relative_to(stage) for path in stage.rglob("*") if path.is_file()]
    # A dataset version moves as a whole, the settings come last.
    units = sorted({Path(*path.parts[:3]) for path in files}, key=lambda path: (path.name == SETTINGS, str(path)))
    left = [unit for unit in units if (root / unit).exists()]
    if any(unit.name != IGNORE for unit in left):
        names = ", ".join(unit.as_posix() for unit in left if unit.name != IGNORE)
        raise ConfigError(
            f"{root}: {names} is there already, and nothing was written; move it, or choose another --name"
        )
    for unit in units:
        if unit not in left:
            (root / unit).parent.mkdir(parents=True, exist_ok=True)
            (stage / unit).rename(root / unit)
    return [unit.as_posix() for unit in units if unit not in left], [unit.as_posix() for unit in left]
