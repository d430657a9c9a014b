"""What a person asks to be erased leaves every place that holds it, each counted; what is left is named.

First everything that is found by the dataset's rows, the rows themselves last: whoever is interrupted finds the rows
again and goes on. Two items that say the same are one text, so both go.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness import datasets
from harness.app.project.project import LEDGER
from harness.arms.encoders import _cache as vectors
from harness.datasets import erasing as rows
from harness.errors import ConfigError
from harness.ground import formatting
from harness.ground.traces import Traces, forms
from harness.models import ledger
from harness.store import Erasure, erased_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.app.project.project import Project
    from harness.types import Example, Item

SHORTEST = 8  # characters: a text that is shorter stands in too much that is not a person's
BEGINNING = 40  # characters of a longer text that notes and pages show
ELSEWHERE = (".git", ".venv", "venv", "node_modules", "__pycache__")
BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose rows go: ids of items, and texts as they stand there.

    `anywhere`: also texts that are no item's, wherever they stand, as a part of another text too.
    """

    dataset: str
    ids: frozenset[str]
    texts: frozenset[str]
    anywhere: bool = False


@dataclass(frozen=True, slots=True)
class Version:
    """A dataset version that lost rows, and the ids of its content before and after."""

    ref: str
    n: int
    was: str
    id: str


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What went, by place; the versions that changed; the files that still say it and are the user's own.

    `n_short` texts were too short, or are words of the labels: only their rows went.
    """

    items: tuple[str, ...]
    erased: dict[str, int]
    versions: tuple[Version, ...]
    left: tuple[str, ...]
    n_short: int


@dataclass(frozen=True, slots=True)
class _Known:
    """The items of a dataset that go: in the versions that are there, and in the store."""

    refs: list[str]
    texts: frozenset[str]
    stored: dict[str, frozenset[str]]
    labels: str


def forget(project: Project, wanted: Wanted, *, dry_run: bool = False) -> Forgotten:
    """Take these items out of everything that the workspace keeps, or count what would go.

    Raises `ConfigError` when nothing is known of an id, and `StoreBusy` while a run is under way.
    """
    known = _known(project, wanted)
    searched = [text for text in known.texts if len(text.strip()) >= SHORTEST and text.casefold() not in known.labels]
    traces, begun = Traces(searched), Traces([*searched, *map(_beginning, searched)])
    root, date = project.workspace.root, f"{project.clock.now():%Y-%m-%d}"
    with rows.shortened(root, known.refs, lambda one: _goes(one, wanted, known.texts), begun, date) as shorter:
        gone = dict(known.stored)
        for one in shorter:
            gone[one.was] = gone.get(one.was, frozenset()) | one.gone
        items = sorted(frozenset[str]().union(*gone.values()))
        _refuse_unknown(wanted, items)
        erasure = Erasure(gone, {one.was: one.id for one in shorter}, traces)
        counts = _elsewhere(project, wanted, erasure, begun, dry_run=dry_run)
        for one in shorter:
            counts[f"rows of {one.ref}"] = len(one.gone)
            if not dry_run:
                rows.replace_rows(one)
    return Forgotten(
        items=tuple(items),
        erased={place: n for place, n in counts.items() if n},
        versions=tuple(Version(one.ref, len(one.gone), one.was, one.id) for one in shorter),
        left=() if dry_run else tuple(_left(root, traces)),
        n_short=len(known.texts) - len(searched),
    )


def _known(project: Project, wanted: Wanted) -> _Known:
    """Every text of the items, in every version that is there or stored, and what else says one of them."""
    refs = rows.versions(project.workspace.root, wanted.dataset)
    loaded = [datasets.load(project.workspace.root, ref) for ref in refs]
    examples = [example for one in loaded for example in one.examples]
    stored = _stored(project, wanted.dataset)
    if not refs and not stored:
        raise ConfigError(f"there is no dataset {wanted.dataset}, neither a version of it nor in the store")
    said = {example.item.text for example in examples} | {str(row["text"]) for row in stored}
    _refuse_strangers(wanted, said)
    texts = {example.item.text for example in examples if example.item.id in wanted.ids}
    texts |= {str(row["text"]) for row in stored if row["example_id"] in wanted.ids} | wanted.texts
    gone: dict[str, frozenset[str]] = {}
    for row in stored:
        if row["example_id"] in wanted.ids or row["text"] in texts:
            dataset_id = str(row["dataset_id"])
            gone[dataset_id] = gone.get(dataset_id, frozenset()) | {str(row["example_id"])}
    labels = "\n".join(f"{label.name}\n{label.description}" for one in loaded for label in one.labels)
    return _Known(refs, frozenset(texts), gone, labels.casefold())


def _refuse_strangers(wanted: Wanted, said: set[str]) -> None:
    """Raise `ConfigError` for a text that is no item's: a few words stand in much that is not a person's."""
    for text in sorted(wanted.texts - said):
        if not wanted.anywhere:
            raise ConfigError(
                f"no item of {wanted.dataset} says exactly {formatting.cut(text, 60)!r}; nothing was erased. "
                "--anywhere looks for it wherever it stands, as a part of other texts too"
            )
        if len(text.strip()) < SHORTEST:
            raise ConfigError(
                f"--text {text!r} --anywhere: expected at least {SHORTEST} characters; nothing was erased"
            )


def _stored(project: Project, name: str) -> list[dict[str, object]]:
    if not project.store.exists():
        return []
    with project.store.reader() as select:
        return select(
            "select dataset_id, example_id, text from examples join datasets using (dataset_id) where name = ?", [name]
        )


def _goes(example: Example, wanted: Wanted, texts: frozenset[str]) -> bool:
    return example.item.id in wanted.ids or example.item.text in texts


def _refuse_unknown(wanted: Wanted, items: Sequence[str]) -> None:
    unknown = sorted(wanted.ids - set(items))
    if unknown:
        raise ConfigError(
            f"neither a version of {wanted.dataset} nor the store has an item {unknown[0]!r}; nothing was erased now. "
            "If it was before, nothing is left of it: --text TEXT --anywhere looks whether that is so"
        )


def _elsewhere(project: Project, wanted: Wanted, erasure: Erasure, begun: Traces, *, dry_run: bool) -> Counter[str]:
    """What went, by place, everywhere but in the dataset's own files."""
    workspace = project.workspace
    counts: Counter[str] = Counter()
    paid = ledger.erase(project.folder / LEDGER, erasure.traces, _request_ids(project, erasure), dry_run=dry_run)
    counts["paid answers, without their text"] = paid
    embedded = sorted({text for item in _items(project, wanted, erasure) for text in (item.text, item.words)})
    counts["vectors"] = vectors.erase(workspace.embeddings, [*embedded, *erasure.traces.texts], dry_run=dry_run)
    for path in sorted(workspace.results.rglob("*.parquet")):
        counts["predictions in exported files"] += erased_files.erase(path, erasure, dry_run=dry_run)
    for path in _made_again(project, wanted.dataset if erasure.gone else None, begun):
        counts["reports, figures and tables"] += 1
        if not dry_run:
            path.unlink()
    stored = project.store.erase(erasure, dry_run=dry_run)
    return counts + Counter({f"{what} in the store": n for what, n in stored.items()})


def _request_ids(project: Project, erasure: Erasure) -> set[str]:
    """What the providers called the requests about the items: a prompt may have changed their text."""
    if not project.store.exists():
        return set()
    with project.store.reader() as select:
        found = [
            row["request_id"]
            for dataset_id, items in erasure.gone.items()
            for row in select(
                "select request_id from predictions join runs using (run_id) where dataset_id = ? "
                "and example_id in (select unnest(?)) and request_id is not null",
                [dataset_id, sorted(items)],
            )
        ]
    return {str(one) for one in found}


def _items(project: Project, wanted: Wanted, erasure: Erasure) -> Iterator[Item]:
    """The items as encoders read them, of the versions that are there."""
    gone = frozenset[str]().union(*erasure.gone.values())
    for ref in datasets.refs(project.workspace.root):
        if ref.partition("@")[0] == wanted.dataset:
            for example in datasets.load(project.workspace.root, ref).examples:
                if example.item.id in gone:
                    yield example.item


def _made_again(project: Project, name: str | None, begun: Traces) -> list[Path]:
    """Files that a command makes again: a dataset's reports, all of them, and any other that says one of the texts.

    Pages and pictures hold texts in too many ways to look for.
    """
    results = project.workspace.results
    at = (results, project.folder)
    folders = {folder for one in at for folder in one.glob(f"{name}@*")} if name is not None else set()
    found = {path for folder in folders if folder.is_dir() for path in folder.rglob("*") if path.is_file()}
    kept = (".parquet", ".duckdb", ".wal", ".sqlite", ".sqlite-wal", ".sqlite-shm")
    others = (path for path in results.rglob("*") if path.is_file() and not path.name.endswith(kept))
    found |= {path for path in others if path not in found and begun.stand_in(_read(path))}
    return sorted(path for path in found if not path.name.endswith(kept))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _beginning(text: str) -> str:
    """The first words of a text, as notes and pages show it; a short one as it is."""
    return text if len(text) <= BEGINNING else text[:BEGINNING].rpartition(" ")[0] or text[:BEGINNING]


def _left(root: Path, traces: Traces) -> Iterator[str]:
    """The files of the workspace that still hold one of the texts, byte by byte: they are the user's own."""
    wanted = [form.encode("utf-8", "surrogatepass") for text in traces.texts for form in forms(text)]
    for path in sorted(root.rglob("*")):
        within = path.relative_to(root)
        if not set(within.parts) & set(ELSEWHERE) and path.is_file() and not path.is_symlink() and _holds(path, wanted):
            yield str(within)


def _holds(path: Path, wanted: list[bytes]) -> bool:
    overlap = max(map(len, wanted), default=1) - 1
    tail = b""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            window = tail + block
            if any(text in window for text in wanted):
                return True
            tail = window[-overlap:] if overlap else b""
    return False
