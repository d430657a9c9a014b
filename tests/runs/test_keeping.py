"""What classifiers have learnt, kept between commands: found by content, whole or not at all, refused when changed."""

import pickle

import numpy as np
import pytest

from harness import datasets
from harness.arms.portable import kept
from harness.arms.portable.kept import State
from harness.errors import StoreError
from harness.ground.clock import SystemClock
from harness.runs import building, keeping
from harness.runs.scope import Scope


def job(workspace, name, split="test", limit=None):
    scope = Scope(datasets.load(workspace.root, "tickets@v1"), split, limit)
    return building.baseline_job(name, scope, workspace, SystemClock())


def fitted(job):
    job.arm.fit([one.item for one in job.training], [one.label for one in job.training])
    return job


@pytest.mark.parametrize("name", ["majority", "tag-odds", "rules"])
def test_what_was_kept_answers_as_the_arm_did(workspace, name):
    """Restored, it gives the same scores; runs on fewer items share it, and the arm is not asked what it has learnt."""
    made = fitted(job(workspace, name))
    keeping.keep(workspace, made.run, made.arm)
    classifier = keeping.restored(keeping.kept_state(workspace, made.run), workspace)
    items = list(made.items)
    assert np.array_equal(classifier.predict_proba(items), made.arm._classifier.predict_proba(items))
    assert keeping.folder(workspace, job(workspace, name, limit=5).run) == keeping.folder(workspace, made.run)
    assert keeping.folder(workspace, job(workspace, "random").run) != keeping.folder(workspace, made.run)


def test_a_file_that_was_changed_is_named(workspace):
    """One byte: `StoreError` with the file and the way out; without its folder nothing is known."""
    made = fitted(job(workspace, "majority"))
    assert keeping.kept_state(workspace, made.run) is None
    keeping.keep(workspace, made.run, made.arm)
    folder = keeping.folder(workspace, made.run)
    assert folder.stat().st_mode & 0o077 == 0
    content = (folder / kept.NUMBERS).read_bytes()
    (folder / kept.NUMBERS).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(StoreError, match=r"numbers.npz is not as it was written; delete .* fitted again"):
        keeping.kept_state(workspace, made.run)


def test_an_unfinished_folder_is_none(workspace):
    """What a kill left half-written stands under another name, and the next one is written whole."""
    made = fitted(job(workspace, "majority"))
    folder = keeping.folder(workspace, made.run)
    (folder.parent / f".{folder.name}-left").mkdir(parents=True)
    assert keeping.kept_state(workspace, made.run) is None
    keeping.keep(workspace, made.run, made.arm)
    assert keeping.kept_state(workspace, made.run) is not None


def test_a_pickle_is_never_read():
    """Numbers that would be unpickled are refused, written or read."""
    with pytest.raises(ValueError, match="allow_pickle=False"):
        kept.as_bytes(State({"kind": "constant"}, {"shares": np.array([object()])}))
    with pytest.raises((ValueError, OSError)):
        kept.of_bytes(b"{}", pickle.dumps([1]))
