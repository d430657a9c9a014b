"""The optional arm that fine-tunes an encoder; its packages are gigabytes, so what trains runs only where they are."""

from importlib.util import find_spec

import numpy as np
import pytest

from harness.arms.baselines import setfit
from harness.errors import ConfigError
from harness.types import Item

ANIMALS = ("cat", "dog", "horse", "lion", "mouse", "sheep", "tiger", "wolf")
TOOLS = ("hammer", "saw", "drill", "wrench", "screwdriver", "chisel", "pliers", "shovel")
installed = pytest.mark.skipif(
    find_spec("setfit") is None, reason="the extra is missing: pip install 'prompt-harness[setfit]'"
)


def items(words, start=0):
    return [Item(f"{word}-{start}", f"I saw a {word} today") for word in words]


@installed
def test_two_labels_a_class_are_enough_to_tell_animals_from_tools(capsys):
    """Trained on two of each, it answers the other twelve; the seed decides all of it, and nothing is printed."""
    training = [*items(ANIMALS[:2]), *items(TOOLS[:2])]
    gold = np.array(["animal"] * 6 + ["tool"] * 6)
    asked = [*items(ANIMALS[2:]), *items(TOOLS[2:])]
    scores = [
        setfit.build(most_steps=20, seed=3).fit(training, ["animal", "animal", "tool", "tool"]).predict_proba(asked)
        for _ in range(2)
    ]
    assert (np.array(["animal", "tool"])[scores[0].argmax(axis=1)] == gold).mean() >= 11 / 12
    assert (scores[0] == scores[1]).all()
    assert capsys.readouterr().out == ""


@installed
def test_an_encoder_that_is_none_is_named(tmp_path):
    """A folder without a model in it is one line."""
    with pytest.raises(ConfigError, match=r"arm setfit: .* cannot be loaded"):
        setfit.build(body=str(tmp_path), most_steps=1).fit(items(["cat", "saw"]), ["animal", "tool"])
