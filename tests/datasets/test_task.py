"""What an answer is worth is asked of its kind, once, and nobody else decides it."""

import math

import numpy as np
import pytest

from harness.datasets import task
from harness.datasets.task import Task
from harness.errors import ConfigError
from harness.ground.located import Located
from harness.types import Outcome, Prediction

KIND = '''
from harness.datasets.kinds.single import METRICS, parse, read_gold, reply_format

IS_BINARY = False
HAS_CLASSES = False


def credit(gold, answer, labels):
    """Half for a label of the same letter."""
    return {same} if gold == answer else 0.5 * (gold[0] == answer[0])
'''


@pytest.fixture
def own(tmp_path):
    """A task of a workspace's own kind; its credit for the same label is to be filled in."""

    def made(same):
        (tmp_path / "kinds").mkdir(exist_ok=True)
        (tmp_path / "kinds" / "halves.py").write_text(KIND.replace("{same}", same))
        return Task(Located("halves", tmp_path), ("ab", "ac", "b"))

    return made


def test_single_is_right_or_wrong_and_no_answer_is_worth_nothing():
    """1 for the gold label, 0 for another, 0 without an answer, and nothing known where the call failed."""
    asked = Task(labels=("a", "b"))
    np.testing.assert_array_equal(asked.credits(["a", "a", "b", "b"], ["a", "b", None, math.nan]), [1, 0, 0, 0])
    assert asked.credit_of("a", Prediction("i", Outcome.REFUSED)) == 0.0
    assert asked.credit_of("a", Prediction("i", Outcome.FAILED)) is None


def test_a_kind_of_a_workspace_is_asked(own):
    """Its name knows where it lies, and its credit may be any number between."""
    asked = own("1.0")
    np.testing.assert_array_equal(asked.credits(["ab", "ab", "ab"], ["ab", "ac", "b"]), [1, 0.5, 0])
    assert not asked.rules.IS_BINARY


@pytest.mark.parametrize("same", ["1.5", "-0.1", "float('nan')"])
def test_credit_that_is_no_share_is_refused(own, same):
    """A number that no statistics here can carry is the kind's mistake, and named with its answer."""
    with pytest.raises(ConfigError, match="kind 'halves' gives 'ab' a credit of"):
        own(same).credit("ab", "ab")


def test_a_kind_that_is_not_there_is_named():
    """With those that are."""
    with pytest.raises(ConfigError, match="unknown kind 'nope'"):
        task.kind_of("nope")
