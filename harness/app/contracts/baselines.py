"""A baseline: `build(seed=0)` gives a classifier over items, by the same seed the same one."""

from __future__ import annotations

import inspect
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from harness.app.contracts import _samples
from harness.types import Item

if TYPE_CHECKING:
    from harness.app.contracts._subject import Subject


def _build(subject: Subject, seed: int = 0) -> Any:  # noqa: ANN401  (any classifier)
    wanted = inspect.signature(subject.module.build).parameters
    return subject.module.build(**{key: value for key, value in subject.given.items() if key in wanted}, seed=seed)


def _fitted(subject: Subject, seed: int = 0) -> Any:  # noqa: ANN401
    return _build(subject, seed).fit(*_samples.training())


def _signature(subject: Subject) -> None:
    name, parameters = subject.name, inspect.signature(subject.module.build).parameters
    assert type(subject.module.VERSION) is int, f"{name}: VERSION is {subject.module.VERSION!r}, no whole number"
    assert "seed" in parameters, f"{name}: build takes no seed"
    assert parameters["seed"].default == 0, f"{name}: the seed of build is not 0 by default"


def _scores(subject: Subject) -> None:
    classifier, asked = _fitted(subject), _samples.queries()
    name, classes = subject.name, list(map(str, classifier.classes_))
    assert set(classes) <= set(_samples.LABELS), f"{name}: classes_ are {classes}; the labels {list(_samples.LABELS)}"
    scores = np.asarray(classifier.predict_proba(asked))
    shape = (len(asked), len(classes))
    assert scores.shape == shape, f"{name}: predict_proba has shape {scores.shape}; expected {shape}"
    assert np.isfinite(scores).all(), f"{name}: a score is not a finite number"
    assert ((scores >= 0) & (scores <= 1 + 1e-9)).all(), f"{name}: a score is not between 0 and 1"
    sums = scores.sum(axis=1)
    assert (np.isclose(sums, 1) | (sums == 0)).all(), f"{name}: scores of an item add up to neither 1 nor 0 (abstains)"


def _is_repeatable(subject: Subject) -> None:
    one, other = (np.asarray(_fitted(subject, 7).predict_proba(_samples.queries())) for _ in range(2))
    assert np.array_equal(one, other), (
        f"{subject.name}: two fits with one seed differ by {np.abs(one - other).max():.3g}"
    )


def _sizes(subject: Subject) -> None:
    classifier, asked = _fitted(subject), _samples.queries()
    together = np.asarray(classifier.predict_proba(asked))
    alone = np.concatenate([classifier.predict_proba([item]) for item in asked])
    assert np.abs(together - alone).max() < 1e-4, f"{subject.name}: an item alone has other scores than among others"
    nothing = np.asarray(classifier.predict_proba([]))
    assert nothing.shape == (0, together.shape[1]), f"{subject.name}: no items give shape {nothing.shape}"


def _little(subject: Subject) -> None:
    items, labels = _samples.training()
    same = [item for item, label in zip(items, labels, strict=True) if label == "food"]
    for few in (same, same[:1], [Item("only", "")]):
        scores = np.asarray(_build(subject).fit(few, ["food"] * len(few)).predict_proba(_samples.queries()))
        assert scores.shape[1] == 1, f"{subject.name}: one label in training gives {scores.shape[1]} columns"


def _strange(subject: Subject) -> None:
    items, labels = _samples.training()
    for what, item in _samples.STRANGE.items():
        scores = _build(subject).fit([*items, item], [*labels, "food"]).predict_proba(items)
        assert np.isfinite(scores).all(), f"{subject.name}: an item that is {what} spoils the fit"


def _pickles(subject: Subject) -> None:
    pickle.loads(pickle.dumps(_build(subject)))
    first, asked = _fitted(subject), _samples.queries()
    again = pickle.loads(pickle.dumps(first))
    assert np.array_equal(again.predict_proba(asked), first.predict_proba(asked)), f"{subject.name}: a pickle differs"


def _clones(subject: Subject) -> None:
    first = _fitted(subject)
    again = clone(first)
    assert not hasattr(again, "classes_"), f"{subject.name}: a clone is fitted already"
    same = again.fit(*_samples.training()).predict_proba(_samples.queries())
    assert np.array_equal(same, first.predict_proba(_samples.queries())), f"{subject.name}: a clone fits otherwise"


CHECKS = {
    "VERSION is a whole number, and build takes a seed": _signature,
    "scores are shares, one column a label": _scores,
    "the same seed gives the same scores": _is_repeatable,
    "an item alone and no item at all": _sizes,
    "one label, one item and an empty item to learn from": _little,
    "strange items to learn from": _strange,
    "it can be pickled, fitted or not": _pickles,
    "a clone is the same and not fitted": _clones,
}
