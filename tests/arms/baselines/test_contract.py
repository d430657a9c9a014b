"""Every baseline found in the folder keeps the same promises, beside those of `harness.app.contracts`."""

import ast
import inspect
import pickle
import socket
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GridSearchCV, cross_val_predict

from harness.arms import baselines, encoding
from harness.arms.portable import kept
from harness.arms.portable.model import Portable
from harness.ground import plugins
from harness.runs.building import answers_kind
from harness.types import Item

MISSING = {"setfit"} if find_spec("setfit") is None else set()  # an extra: its packages are gigabytes
OF_OTHER_KINDS = {
    name for name in plugins.names("baselines") if not answers_kind(plugins.declared("baselines", name), "single")
}
NAMES = sorted(set(plugins.names("baselines")) - MISSING - OF_OTHER_KINDS)
OWN_WEIGHTS = {"setfit"}  # what it learns is an encoder
READS_NAMES = {"rules", "minilm-zero"}  # what a label is called is what they go by

RULES = """
[[rule]]
label = "sport"
keyword = "ball"

[[rule]]
label = "food"
regex = "(soup|bread)s?"

[[rule]]
label = "travel"
tag = "train"
"""

KINDS = {
    "food": (["soup", "bread", "cheese", "apple", "rice", "pasta"], "eat"),
    "sport": (["ball", "goal", "tennis", "runner", "medal", "boxing"], "play"),
    "travel": (["train", "hotel", "airport", "luggage", "map", "ferry"], "train"),
}

STRANGE = {
    "empty": Item("s1", ""),
    "blank": Item("s2", " \n\t "),
    "emoji": Item("s3", "🍜😀👩‍🚒", ("🎉",)),
    "very long": Item("s4", "soup and ball " * 20_000, ("eat",) * 500),
    "unseen words and tags": Item("s5", "zyzzyva quokka", ("never-seen", "nor-this")),
    "other letters": Item("s6", "Süppchen 中文 Ωmega", ("ÉTÉ",)),
    "half a surrogate pair": Item("s7", "soup \ud800", ("\udfff",)),
    "null byte": Item("s8", "soup\x00ball"),
}


def training():
    """Thirty-six items of three labels, two words each, the labels taking turns."""
    rows = []
    for i in range(12):
        for label, (words, tag) in KINDS.items():
            text = f"{words[i % 6]} {words[(i * 5 + 1) % 6]} number {i}"
            rows.append((Item(f"{label}-{i}", text, (tag, words[i % 6])), label))
    return [item for item, _ in rows], [label for _, label in rows]


SHARED = {"most_steps": 5}  # enough to learn these few, where an encoder is trained


@pytest.fixture(scope="module", autouse=True)
def embeddings(tmp_path_factory):
    """One cache for all, as in a workspace: no text is encoded anew for every test."""
    SHARED["cache"] = str(tmp_path_factory.mktemp("cache") / "embeddings.sqlite")


def built(name, seed=0, rules=RULES):
    """The arm as its file builds it, with rules and the cache where it asks for them."""
    module = plugins.load("baselines", name)
    wanted = inspect.signature(module.build).parameters
    given = {key: value for key, value in {"rules": rules, **SHARED}.items() if key in wanted}
    return module.build(**given, seed=seed)


def fitted(name, seed=0):
    """The arm, fitted."""
    return built(name, seed).fit(*training())


def queries():
    """Plain items, a mixed one among them, and the strange ones."""
    pairs = [("soup", "cheese"), ("ball", "goal"), ("train", "ferry"), ("bread", "tennis"), ("hotel", "map")]
    plain = [Item(f"q{i}", f"{one} with {other}", (other,)) for i, (one, other) in enumerate(pairs)]
    return [*plain, *STRANGE.values()]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_says_its_version_and_builds_with_defaults(name):
    """A file has a whole-number VERSION, and `build` takes a seed of 0 by default, last."""
    module = plugins.load("baselines", name)
    parameters = inspect.signature(module.build).parameters
    assert isinstance(module.VERSION, int)
    assert list(parameters)[-1] == "seed"
    assert parameters["seed"].default == 0
    assert all(p.default is not p.empty for key, p in parameters.items() if key != "rules")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_read_from_a_file_is_what_it_does(name):
    """Constants and parameters read without importing it are those of the imported file."""
    module, declared = plugins.load("baselines", name), plugins.declared("baselines", name)
    assert declared.parameters == inspect.signature(module.build).parameters.keys()
    for constant in ("VERSION", "LEARNS", "NEEDS_TAGS", "NEEDS_TEACHER"):
        assert declared.constants.get(constant) == getattr(module, constant, None)


@pytest.mark.parametrize("n_labels", [3, 2, 1])
@pytest.mark.parametrize("name", sorted(set(NAMES) - {"rules", "setfit"}))  # rules are kept as text, see test_kept
def test_what_is_kept_answers_as_the_classifier_does(name, n_labels):
    """The kept numbers, written and read, give the same answers, and the same scores to 1e-6."""
    pairs = [(item, label) for item, label in zip(*training(), strict=True) if label in sorted(KINDS)[:n_labels]]
    classifier = built(name).fit([item for item, _ in pairs], [label for _, label in pairs])
    files = kept.as_bytes(classifier.state())
    assert files == kept.as_bytes(classifier.state())
    state = kept.of_bytes(*files.values())
    # The same vectors for both: an encoder computes in single precision, and beside other texts a digit differs.
    again = Portable(state.spec, state.arrays, encoding.connect("minilm", Path(SHARED["cache"])).embed)
    assert again.classes_ == list(classifier.classes_)
    items = [*queries(), *(item for item, _ in pairs)]
    one, other = classifier.predict_proba(items), again.predict_proba(items)
    assert one == pytest.approx(other, abs=1e-6)
    assert (one.argmax(axis=1) == other.argmax(axis=1)).all()
    assert ((one > 0).any(axis=1) == (other > 0).any(axis=1)).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_answer_is_the_best_score(name):
    """`predict` gives the label whose score is the highest, and `classes_` is in the scores' order."""
    classifier = fitted(name)
    assert list(classifier.classes_) == sorted(KINDS)
    scores = classifier.predict_proba(queries())
    assert list(classifier.predict(queries())) == [classifier.classes_[i] for i in scores.argmax(axis=1)]


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"majority", "random", "minilm-zero", "minilm-cluster"}))
def test_it_learns(name):
    """An arm that is more than the floor gets the items right that it was trained on, where it answers."""
    items, labels = training()
    classifier = fitted(name)
    answered = classifier.predict_proba(items).sum(axis=1) > 0
    right = classifier.predict(items) == np.array(labels)
    assert answered.mean() >= 1 / 3
    assert right[answered].mean() >= 0.9


@pytest.mark.parametrize("name", NAMES)
def test_a_pickle_gives_the_same_scores(name):
    """A fitted classifier survives pickling, and stays small: it carries no session and no weights."""
    first = fitted(name)
    pickled = pickle.dumps(first)
    assert len(pickled) < 1_000_000 or name in OWN_WEIGHTS
    assert (pickle.loads(pickled).predict_proba(queries()) == first.predict_proba(queries())).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_training_decides_nothing(name):
    """Training rows in another order, so labels first met in another order, give the same answers."""
    items, labels = training()
    order = np.random.default_rng(3).permutation(len(items))
    shuffled = built(name).fit([items[i] for i in order], [labels[i] for i in order])
    first = fitted(name)
    assert list(shuffled.classes_) == list(first.classes_)
    assert shuffled.predict_proba(queries()) == pytest.approx(first.predict_proba(queries()), abs=0.01)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"random"} - READS_NAMES))
def test_the_names_of_labels_decide_nothing(name):
    """Labels renamed so that they sort the other way round get the same scores under their new names."""
    items, labels = training()
    renamed = {"food": "3", "sport": "2", "travel": "1"}
    other = built(name).fit(items, [renamed[label] for label in labels])
    scores = other.predict_proba(queries())[:, ::-1]
    assert scores == pytest.approx(fitted(name).predict_proba(queries()), abs=0.01)


@pytest.mark.parametrize("name", NAMES)
def test_one_label_in_training(name):
    """With one label in training, every answer is that label."""
    items = [item for item, label in zip(*training(), strict=True) if label == "food"]
    classifier = built(name).fit(items, ["food"] * len(items))
    scores = classifier.predict_proba(queries())
    assert list(classifier.classes_) == ["food"]
    assert scores.shape == (len(queries()), 1)
    assert set(scores[:, 0].round(9)) <= {0.0, 1.0}
    assert set(classifier.predict(queries())) == {"food"}


@pytest.mark.parametrize("name", NAMES)
def test_two_labels(name):
    """Two labels give two columns, for classifiers that think of two as one margin."""
    items, labels = training()
    kept = [i for i, label in enumerate(labels) if label != "travel"]
    rules = RULES.replace('"travel"', '"food"')
    classifier = built(name, rules=rules)
    classifier.fit([items[i] for i in kept], [labels[i] for i in kept])
    scores = classifier.predict_proba(queries())
    assert scores.shape == (len(queries()), 2)
    assert list(classifier.predict(queries())) == [classifier.classes_[i] for i in scores.argmax(axis=1)]


@pytest.mark.parametrize("name", NAMES)
def test_scikit_learn_takes_it(name):
    """Grid search, calibration and cross-validation take the arm over lists of items."""
    items, labels = training()
    assert set(cross_val_predict(built(name), items, labels, cv=2)) <= set(KINDS)
    if name != "rules":  # scikit-learn renames the labels to numbers here, and rules name labels
        scores = cross_val_predict(built(name), items, labels, cv=2, method="predict_proba")
        assert scores.shape == (len(items), 3)
    assert set(GridSearchCV(built(name), {}, cv=2).fit(items, labels).predict(items)) <= set(KINDS)
    calibrated = CalibratedClassifierCV(built(name), method="isotonic", cv=2).fit(items, labels)
    assert calibrated.predict_proba(items).shape == (len(items), 3)


@pytest.mark.parametrize("name", NAMES)
def test_no_network(name, monkeypatch):
    """Building, fitting and predicting open no socket."""

    def refuse(*_args, **_options):
        raise AssertionError("a baseline opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    fitted(name).predict_proba(queries())


@pytest.mark.parametrize("path", sorted(Path(baselines.__file__).parent.glob("*.py")), ids=lambda path: path.stem)
def test_no_gold(path):
    """A baseline's file names no `Example` and no `Dataset`: gold labels come to `fit` and nowhere else."""
    names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
    imported = {
        alias.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom | ast.Import)
        for alias in node.names
    }
    assert not {"Example", "Dataset"} & (names | imported)
