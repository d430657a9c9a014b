"""Which stored runs a name means: the one place that answers it. Pure.

An arm on a split is one or several runs: it is asked again (repeats), fitted with other seeds, tried on a few
items first, fitted to parts of the training items. `Selection` says which of them stand for the arm, what each
is called, and what was passed over.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from harness.errors import ConfigError, StoreGone, one_of
from harness.ground.ids import SCHEME
from harness.store.naming import Names
from harness.store.stored import STANDING, PassedOver, Selected, StoredRun, Where

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.store.stored import Content


class Selection:
    """What the names of runs mean, over all runs of a store."""

    def __init__(self, runs: Iterable[StoredRun]) -> None:
        """`runs` come oldest first."""
        self.runs = tuple(runs)
        self._facts = {run.run_id: run for run in self.runs}
        self._places = {run.run_id: place for place, run in enumerate(self.runs)}
        self._names: dict[tuple[str, str], Names] = {}

    def run(self, run_id: str) -> StoredRun:
        """A run by its id; `StoreGone` for one that was there a moment ago: stores can be moved while they are used."""
        try:
            return self._facts[run_id]
        except KeyError:
            raise StoreGone(
                f"run {run_id} is not in the store any more: it was removed, or the store was moved or replaced "
                "meanwhile; the same command goes on with what is there now"
            ) from None

    def alone(self, run_id: str) -> Selected:
        """A run without its repeats and seeds."""
        return Selected(self.name(run_id), (self.run(run_id),))

    def name(self, run_id: str) -> str:
        """What a run is called beside the others of its split; no two have the same name."""
        return self._names_on(self.run(run_id)).of_run[run_id]

    def arm_name(self, run_id: str) -> str:
        """What a run is called together with its repeats and the fits with other seeds."""
        run = self.run(run_id)
        return self._names_on(run).of_arm[run.content]

    def arms(self, where: Where, first: str | None = None) -> tuple[Selected, ...]:
        """Every arm of a split: its newest complete run, or else the most complete, with its repeats and seeds.

        With `first`, that run stands for its arm whatever it is.
        """
        lead = None if first is None else self.run(first)
        groups = self._groups(run for run in self.runs if where.holds(run) and (run.n_scored or run is lead))
        whole = {
            run.content[:2] for runs in groups.values() for run in runs if run.purpose == "whole" and run.is_finished
        }
        selected = [self._selected(runs, lead if lead in runs else None) for runs in groups.values()]
        return tuple(
            one
            for one in selected
            # A folded, limited or unfinished arm gives way to another content of it that was run whole.
            if one.first is lead
            or (one.first.purpose == "whole" and one.first.is_finished)
            or one.first.content[:2] not in whole
        )

    def passed_over(self, where: Where, first: str | None = None) -> tuple[PassedOver, ...]:
        """The runs of a split that one might look for in vain among its arms."""
        shown = {one.first.content: one for one in self.arms(where, first)}
        groups = self._groups(run for run in self.runs if where.holds(run))
        return tuple(
            passed
            for content, runs in groups.items()
            for passed in (shown[content].passed_over if content in shown else map(self._passed, runs))
        )

    def named(self, text: str, where: Where) -> Selected:
        """The runs that a text means there: a tag, a full name, an arm, a run id or the beginning of one.

        A tag or an id means that run and, where it is the first, its repeats. `ConfigError` where nothing has the
        name, or where it fits several models, contents or ids.
        """
        return self._meant(text, where).checked(text)

    def _meant(self, text: str, where: Where) -> Selected:
        there = [run for run in self.runs if where.holds(run)]
        tagged = [run for run in there if run.tag == text]
        if tagged:
            return self._with_repeats(tagged[-1])
        arms = self.arms(where)
        for one in arms:
            if one.name == text and one.first.fits(where):
                return one
        exact = [run for run in there if self.name(run.run_id) == text and run.fits(where)]
        if exact:
            return Selected(text, (exact[0],))
        if any(text in (run.arm, f"{run.arm} ({run.model})") for run in there):
            return self._of_arm(text, arms, where)
        return self._with_repeats(self._by_id(text, there, where))

    def anywhere(self, text: str, where: Where | None, split: str, model: str | None = None) -> Selected:
        """As `named`, but a tag or an id is found on any dataset; so is a name that is on one dataset's split alone."""
        if where is not None and any(self._is_called(run, text) for run in self.runs if where.holds(run)):
            return self.named(text, where)
        if self._ids(text, self.runs):
            return self._with_repeats(self._by_id(text, self.runs, None))
        called = [run for run in self.runs if self._is_called(run, text)]
        places = sorted({(run.dataset_id, run.dataset, run.split) for run in called if run.split == split})
        if len(places) == 1:
            return self.named(text, Where(*places[0], model))
        if called:
            others = places or sorted({(run.dataset_id, run.dataset, run.split) for run in called})
            told = "; ".join(f"--dataset {dataset} --split {there}" for _, dataset, there in others)
            raise ConfigError(
                f"{text!r} has runs on the split {split!r} of several datasets; say which: {told}"
                if places
                else f"{text!r} has no run on a split {split!r}; it has: {told}"
            )
        raise ConfigError(self._unknown(text, self.runs, None))

    def by_id_or_tag(self, text: str) -> Selected | None:
        """The run of that tag or id (or the only one that it begins), on any dataset; None where there is none."""
        found = self._ids(text, self.runs)
        return self._with_repeats(self._by_id(text, self.runs, None)) if found else None

    def like(self, run: StoredRun, split: str) -> Selected | None:
        """The same arm on another split of the dataset: newest complete, else most complete; None without one."""
        same = [
            other
            for other in self.runs
            if (other.dataset_id, other.split, other.arm, other.model) == (run.dataset_id, split, run.arm, run.model)
            # What was predicted elsewhere carries no version that could differ.
            and (run.arm.startswith("import:") or other.arm_id == run.arm_id)
            and other.purpose in STANDING
            and other.n_scored
        ]
        return self._selected(same, None) if same else None

    # -- inside ----------------------------------------------------------------------------------

    def _of_arm(self, text: str, arms: Sequence[Selected], where: Where) -> Selected:
        """The arm of that name: the only one of its contents that is complete, or else the most complete."""
        mine = [one for one in arms if text in (one.first.arm, f"{one.first.arm} ({one.first.model})")]
        fitting = [one for one in mine if one.first.fits(where)]
        if not fitting:
            models = sorted({str(one.first.model) for one in mine})
            what = f"there is no run of {text!r} on {where.dataset} / {where.split}"
            shards = [run for run in self.runs if where.holds(run) and run.arm == text and run.purpose == "shard"]
            if shards and not models:
                raise ConfigError(f"{what}, but {len(shards)} of its parts; put them together: harness runs merge")
            raise ConfigError(
                f"{what} with --model {where.model}; it has: {', '.join(models)}"
                if models
                else f"{what} that has items"
            )
        complete = [one for one in fitting if one.first.is_complete]
        if len(complete) > 1 or (not complete and len({one.first.content for one in fitting}) > 1):
            names = ", ".join(repr(one.name) for one in complete or fitting)
            raise ConfigError(
                f"{text!r} fits {len(complete or fitting)} arms on {where.dataset} / {where.split}: {names}; give one "
                "of these names, a run id, or --model where the models differ"
            )
        chosen = complete[0] if complete else fitting[0]
        others = tuple(self._passed(one.first) for one in fitting if one is not chosen)
        return replace(chosen, passed_over=(*chosen.passed_over, *others))

    def _selected(self, runs: Sequence[StoredRun], lead: StoredRun | None) -> Selected:
        """The run of one content that stands for it, with its repeats and seeds, and those that were passed over."""
        first = lead or max(reversed(runs), key=_standing)  # of equals the newest
        repeats = {_order(run): run for run in sorted(runs, key=_standing) if _is_repeat(run, first)}
        repeats.pop(_order(first), None)
        members = [first, *sorted(repeats.values(), key=_order)]
        if lead is None:
            members = sorted(members, key=_order)
        name = self._names_on(first).of_arm[first.content]
        if not first.is_complete and lead is not None:
            name = self.name(first.run_id)
        others = [run for run in self._of_content(first) if run not in members]
        newest = self._places[first.run_id]
        passed = [run for run in others if not first.is_complete or self._places[run.run_id] > newest]
        return Selected(name, tuple(members), tuple(map(self._passed, passed)))

    def _of_content(self, run: StoredRun) -> list[StoredRun]:
        """The runs of the same content on its split, those that failed altogether among them."""
        return self._contents.get((run.dataset_id, run.split, run.content), [])

    @cached_property
    def _contents(self) -> dict[tuple[str, str, Content], list[StoredRun]]:
        """The runs that may stand for an arm, by split and content."""
        contents: dict[tuple[str, str, Content], list[StoredRun]] = {}
        for run in self.runs:
            if run.purpose in STANDING:
                contents.setdefault((run.dataset_id, run.split, run.content), []).append(run)
        return contents

    def _with_repeats(self, run: StoredRun) -> Selected:
        """A run with its repeats, of the same seed; a repeat is meant alone."""
        if run.repeat:
            return Selected(self.name(run.run_id), (run,))
        same = [other for other in self._of_content(run) if other.seed == run.seed and _is_repeat(other, run)]
        return Selected(self.name(run.run_id), (run, *sorted(same, key=_order)))

    def _groups(self, runs: Iterable[StoredRun]) -> dict[Content, list[StoredRun]]:
        """The runs that may stand for an arm, by content."""
        groups: dict[Content, list[StoredRun]] = {}
        for run in runs:
            if run.purpose in STANDING:
                groups.setdefault(run.content, []).append(run)
        return groups

    def _names_on(self, run: StoredRun) -> Names:
        key = run.dataset_id, run.split
        if key not in self._names:
            self._names[key] = Names([run for run in self.runs if (run.dataset_id, run.split) == key])
        return self._names[key]

    def _passed(self, run: StoredRun) -> PassedOver:
        return PassedOver(self.name(run.run_id), run.run_id, run.state or "an older run")

    def _is_called(self, run: StoredRun, text: str) -> bool:
        return run.purpose in STANDING and text in (run.arm, f"{run.arm} ({run.model})", self.name(run.run_id))

    def _ids(self, text: str, runs: Sequence[StoredRun]) -> list[StoredRun]:
        tagged = [run for run in runs if run.tag == text]
        return tagged or [run for run in runs if text and run.run_id.startswith((text, SCHEME + text))]

    def _by_id(self, text: str, runs: Sequence[StoredRun], where: Where | None) -> StoredRun:
        found = self._ids(text, runs)
        if len(found) > 1:
            raise ConfigError(f"{text!r} begins {len(found)} run ids; give more of it")
        if found:
            return found[0]
        raise ConfigError(self._unknown(text, runs, where))

    def _unknown(self, text: str, runs: Sequence[StoredRun], where: Where | None) -> str:
        elsewhere = [run for run in self.runs if self._is_called(run, text)]
        if where is not None and elsewhere:
            last = elsewhere[-1]
            return (
                f"there is no run of {text!r} on {where.dataset} / {where.split}, there is one on {last.dataset} / "
                f"{last.split}: give --dataset {last.dataset} --split {last.split}, or run it here"
            )
        known = {*(run.arm for run in runs), *(run.tag for run in runs if run.tag)}
        return f"the store has no run {text!r}; {one_of(text, known)} (a run id does too)"


def _standing(run: StoredRun) -> tuple[bool, bool, int, int]:
    """How well a run stands for its arm."""
    return run.is_complete, run.is_finished, run.n_scored, -STANDING.index(run.purpose)


def _order(run: StoredRun) -> tuple[int, int]:
    return run.seed, run.repeat


def _is_repeat(run: StoredRun, first: StoredRun) -> bool:
    """Whether a run is another one, and the same arm asked or fitted anew on the same items. Parts never are."""
    is_alike = (run.content, run.item_set, run.purpose) == (first.content, first.item_set, first.purpose)
    return is_alike and run is not first and run.is_finished and run.n_scored > 0 and run.purpose in STANDING
