"""The contract that authors of extensions can run is the one that our own files keep."""

from importlib.util import find_spec

import pytest

from harness.app import contracts
from harness.ground import plugins

RULES = '[[rule]]\nlabel = "food"\nkeyword = "soup"\n\n[[rule]]\nlabel = "sport"\nkeyword = "ball"\n'
EXTRAS = {"setfit": "setfit", "crf": "pycrfsuite"}  # arms whose packages are an extra
KINDS = {
    "single": {"labels": ("a", "b c"), "examples": (("a", "a", 1.0), ("b c", "B C.", 1.0), ("a", "b c", 0.0))},
    "multi": {
        "labels": ("a", "b c"),
        "examples": (('["a", "b c"]', '["b c", "a"]', 1.0), ('["a"]', '["a", "b c"]', 2 / 3), ("[]", '["a"]', 0.0)),
    },
    "extract": {
        "labels": ("city", "time"),
        "examples": (
            ('{"city": "Rome"}', '{"city": "rome"}', 1.0),
            ('{"city": "Rome", "time": "noon"}', '{"city": "Rome", "time": null}', 2 / 3),
        ),
    },
    "score": {"labels": ("0", "10"), "examples": (("5", "5", 1.0), ("5", "10", 0.5), ("0", "10", 0.0))},
}

OUTSIDE = {"onnx", "openai", "sentence-transformers"}  # encoders that need a folder, a key or an extra


def cases(folder):
    names = [name for name in plugins.names(folder) if name not in EXTRAS or find_spec(EXTRAS[name])]
    return [
        pytest.param(folder, name, title, id=f"{folder}/{name}: {title}")
        for name in names
        for title in titles(folder, name)
    ]


def titles(folder, name):
    found = list(contracts.of_folder(folder))
    # An arm of other kinds is checked over their answers in tests/arms/baselines/test_kinds.py.
    kinds = plugins.constants(folder, name).get("KINDS", ("single",)) if folder == "baselines" else "any"
    is_offer = (folder == "embedders" and name in OUTSIDE) or not (kinds == "any" or "single" in kinds)
    return found[:1] if is_offer else found


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """One cache of embeddings for all."""
    return str(tmp_path_factory.mktemp("cache") / "embeddings.sqlite")


@pytest.mark.parametrize(("folder", "name", "title"), [one for folder in plugins.OPEN for one in cases(folder)])
def test_ours_keep_it(folder, name, title, cache):
    """Every file of every open folder passes every check of its contract."""
    given = {"rules": RULES, "cache": cache, "most_steps": 5} if folder == "baselines" else KINDS.get(name, {})
    contracts.of_folder(folder)[title](contracts.Subject(folder, name, plugins.load(folder, name), given))
