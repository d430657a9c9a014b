import subprocess
import sys

import numpy as np
import pytest

from harness.arms import encoding
from harness.arms.baselines._features import Embedded
from harness.arms.baselines.minilm_knn import NearestVotes
from harness.arms.encoders import minilm
from harness.arms.portable import heads
from harness.types import Item


def at(*degrees):
    """Vectors of length 1 in the plane, at these angles."""
    angles = np.radians(degrees)
    return np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


def test_votes_equal_those_by_hand():
    """The two nearest vote with exp(cosine / temperature), divided by the sum; the third has no say."""
    classifier = NearestVotes(k=2, temperature=0.5).fit(at(0, 60, 180), ["a", "b", "b"])
    votes = np.exp(np.array([np.cos(np.radians(10)), np.cos(np.radians(50))]) / 0.5)
    assert classifier.predict_proba(at(10))[0] == pytest.approx(votes / votes.sum(), abs=1e-6)


def test_a_majority_farther_away_can_win():
    """Two neighbours outvote a single nearer one when the weights say so, and with k=1 they do not."""
    rows, labels = at(0, 20, 20), ["near", "far", "far"]
    assert NearestVotes(k=3, temperature=0.5).fit(rows, labels).predict(at(8)) == ["far"]
    assert NearestVotes(k=1, temperature=0.5).fit(rows, labels).predict(at(8)) == ["near"]


def test_ties_at_the_last_place_all_vote():
    """Twins with different labels at the k-th place share the vote, whichever stands first in training."""
    for labels in (["a", "b"], ["b", "a"]):
        scores = NearestVotes(k=1).fit(at(30, 30), labels).predict_proba(at(0))
        assert scores[0] == pytest.approx([0.5, 0.5])


def test_fewer_rows_than_neighbours():
    """With fewer training rows than k, all of them vote."""
    assert NearestVotes(k=10).fit(at(0, 90), ["a", "b"]).predict(at(80)) == ["b"]


def test_many_rows_are_scored_in_chunks(monkeypatch):
    """Scores do not depend on how many rows are compared at once."""
    rng = np.random.default_rng(0)
    classifier = NearestVotes().fit(at(*rng.uniform(0, 360, 50)), list("ab") * 25)
    asked = at(*rng.uniform(0, 360, 20))
    whole = classifier.predict_proba(asked)
    monkeypatch.setattr(heads, "CHUNK", 7)
    assert classifier.predict_proba(asked) == pytest.approx(whole, abs=1e-6)


def test_one_item_never_comes_from_the_cache(tmp_path, monkeypatch):
    """A batch is kept and found again; an item alone is computed, so that its time is honest."""
    cache = tmp_path / "cache.sqlite"
    items = [Item("1", "one"), Item("2", "two", ("tag",))]
    batch = Embedded(cache=str(cache)).fit(items).transform(items)
    assert batch == pytest.approx(minilm.connect().embed(["one", "two tag"]))
    asked = []
    encode = minilm._encode
    encoding._connected.cache_clear()  # encoders that other tests have opened keep what they were made with
    monkeypatch.setattr(minilm, "_encode", lambda texts: asked.extend(texts) or encode(texts))
    Embedded(cache=str(cache)).transform(items)
    assert asked == []
    Embedded(cache=str(cache)).transform(items[:1])
    assert asked == ["one"]


def test_the_floor_needs_no_encoder():
    """Arms without embeddings load neither onnxruntime nor tokenizers."""
    code = (
        "import sys; from harness.arms.baselines import majority, minilm_lr, rules, tfidf_lr; majority.build(); "
        "assert not {'onnxruntime', 'tokenizers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
