"""Where people label a dataset: its journal, what is drawn for them, what has come of it so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.app.project import drawing, estimating, journals
from harness.datasets import label_files
from harness.datasets.label_journal import Entry, agreed, standing
from harness.datasets.label_session import Session, Terms, answer_of, disagreed, release
from harness.datasets.sampling import Drawn
from harness.datasets.task import Task
from harness.errors import ConfigError, DatasetError, one_of
from harness.ground import formatting
from harness.stats import agreement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from harness.app.project.project import Project
    from harness.types import JSON, Dataset, Estimate


@dataclass(frozen=True, slots=True)
class Draw:
    """Which items are to be labelled: how many of which split, drawn how."""

    split: str
    n: int
    how: str
    seed: int = 0


@dataclass(frozen=True, slots=True)
class People:
    """Who labels: one person's name, how many people an item goes to, whose answers are shown as suggestions."""

    annotator: str
    per_item: int = 1
    suggest: str | None = None
    is_adjudicating: bool = False


class Desk:
    """A dataset version that people label."""

    def __init__(self, project: Project, dataset: Dataset) -> None:
        self.project = project
        self.dataset = dataset
        self.journal = journals.of(project, dataset)

    def now(self) -> str:
        """The time, for the journal."""
        return self.project.clock.now().isoformat(timespec="milliseconds")

    def check_writable(self) -> None:
        """Raise `ConfigError` where no answer could be kept: before anybody sees a page."""
        try:
            self.journal.open()
        except OSError as error:
            raise ConfigError(
                f"{error.filename or self.journal.path}: {error.strerror}; answers are kept there as they are given: "
                "make the folder writable, or label in another workspace (--root)"
            ) from None

    def session(self, draw: Draw, people: People) -> Session:
        """What one person labels: unlabelled items of the split, drawn; or what people disagree on."""
        splits = self.dataset.splits
        if draw.split not in splits:
            raise ConfigError(f"{self.dataset.ref} has no split {draw.split!r}; {one_of(draw.split, splits)}")
        waiting = [e.item for e in self.dataset.in_split(draw.split) if not e.is_labelled]
        if people.is_adjudicating:
            open_items = set(disagreed(self._said()))
            drawn = [Drawn(item, self._weight(item.id)) for item in waiting if item.id in open_items]
            if not drawn:
                raise ConfigError("there is nothing that people disagree on")
        elif not waiting:
            raise ConfigError(f"every item of {self.dataset.ref} / {draw.split} has a label")
        else:
            drawn = drawing.draw(self.project, self.dataset, waiting, draw.n, draw.how, draw.seed)
        suggestions = {} if people.suggest is None else self._suggestions(people.suggest, draw.split)
        terms = Terms(people.annotator, people.per_item, draw.how, suggestions, is_adjudicating=people.is_adjudicating)
        return Session(self.dataset, drawn, self.journal, terms)

    def labels(self) -> dict[str, str]:
        """The labels that stand in the journal, by item."""
        found = {item: agreed(of_item) for item, of_item in self._said().items()}
        return {item: label for item, label in found.items() if label is not None}

    def progress(self, session: Session, split: str) -> Mapping[str, JSON]:
        """What is known so far, in a sentence, and how wide the leader's interval is (None: not known)."""
        try:
            estimation = estimating.estimate(self.project, self.dataset, split, self._weighted(session)).estimation
        except ConfigError:
            return {
                "sentence": "no arm has been run on these items, so there is nothing to estimate yet",
                "width": None,
            }
        best = estimation.leader()
        if best is None or best[1].estimate.low is None:
            return {"sentence": "a few labels more, and the best arm has an interval", "width": None}
        name, powered = best
        estimate = powered.estimate
        sentence = (
            f"{name} leads with {formatting.with_interval(estimate)} from {formatting.plural(estimate.n, 'label')}; "
            f"gold alone {formatting.span(powered.gold_alone)}, {powered.labels_saved or 0} labels saved"
        )
        return {"sentence": sentence, "width": (estimate.high or 0.0) - (estimate.low or 0.0)}

    def exported(self, draw: Draw, people: People, form: str) -> tuple[str, int]:
        """A draw as a file of another tool, with the labels that people gave already; and how many items it holds."""
        session, said = self.session(draw, people), self._said()
        items = [
            label_files.Labelled(one.item.id, one.item.text, _answers(said.get(one.item.id, {})), one.weight)
            for one in session.drawn
        ]
        return label_files.written(form, items, self.dataset.kind), len(items)

    def take(self, text: str, form: str, where: str, annotator: str) -> tuple[int, int]:
        """Put the labels of such a file into the journal: how many are new, and how many stood there already.

        Nothing is written where one of them is none (`DatasetError`).
        """
        known = {example.item.id: example.item for example in self.dataset.examples}
        now, said = self.now(), self._said()
        entries, again = [], 0
        for one in label_files.read(form, text, where, annotator, self.dataset.kind):
            if one.item not in known:
                raise DatasetError(f"{where}: {self.dataset.ref} has no item {one.item!r}")
            for who, answer in one.answers.items():
                label = answer_of(self.dataset, known[one.item], answer, f"{where}, item {one.item!r}")
                before = said.get(one.item, {}).get(who)
                if before is not None and label == before.answer:
                    again += 1
                else:
                    entries.append(Entry("label", one.item, who, now, label, weight=one.weight, how=form))
        for entry in entries:
            self.journal.append(entry)
        return len(entries), again

    def release(self, version: str, watch: Callable[[str], None]) -> tuple[Path, int]:
        """The folder of a new version with the labels that stand, and how many."""
        return release(self.project.workspace.root, self.dataset, version, self.journal, watch)

    def agreement(self) -> tuple[Estimate, ...]:
        """How far people agree, where several labelled the same items: Krippendorff's alpha; of two, Cohen's kappa.

        Two answers are as far apart as one of them lacks credit where the other is gold. Kappa knows names alone.
        """
        said = self._said()
        people = sorted({who for of_item in said.values() for who in of_item if who})
        if len(people) < 2:
            return ()
        given = [[of_item[who].answer if who in of_item else None for who in people] for of_item in said.values()]
        answers = sorted({answer for of_item in given for answer in of_item if answer is not None})
        code = {answer: place for place, answer in enumerate(answers)}
        table = np.array([[-1 if a is None else code[a] for a in of_item] for of_item in given], dtype=np.int64)
        rng, task = np.random.default_rng(0), Task.of(self.dataset)
        made = [agreement.krippendorffs_alpha(table, rng, distances=task.distances(answers))]
        both = table[(table >= 0).all(axis=1)]
        if task.rules.HAS_CLASSES and len(people) == 2 and len(both):
            made.append(agreement.cohens_kappa(both[:, 0], both[:, 1], rng))
        return tuple(made)

    def _said(self) -> dict[str, dict[str, Entry]]:
        return standing(self.journal.entries())

    def _weight(self, item: str) -> float | None:
        return journals.weight(self._said().get(item, {}))

    def _weighted(self, session: Session) -> dict[str, tuple[str, float | None]]:
        return {item: (label, self._weight(item)) for item, label in session.labels().items()}

    def _suggestions(self, arm: str, split: str) -> dict[str, str]:
        run = self.project.selected(arm, self.dataset, split).first
        rows = self.project.store.guessed([run.run_id])
        return {str(r.example_id): str(r.label) for r in rows.itertuples() if isinstance(r.label, str)}


def _answers(of_item: Mapping[str, Entry]) -> dict[str, str]:
    """What people labelled an item, by who they are."""
    return {who: one.answer for who, one in of_item.items() if who and one.act == "label" and one.answer is not None}
