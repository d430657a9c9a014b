"""The search for near-duplicates: no pair missed, none invented, by comparison with every pair."""

import random

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from harness.datasets.audit import neighbours
from tests.datasets.audit.conftest import clean_rows


def edited(texts, rng, n):
    """Texts in another order of words, every other one with up to two letters changed."""
    made = []
    for i, text in enumerate(rng.sample(texts, n)):
        letters = list(" ".join(rng.sample(text.split(), 10)))
        for _ in range(rng.randint(1, 2) if i % 2 else 0):
            letters[rng.randrange(len(letters))] = rng.choice("abcdefg ")
        made.append("".join(letters))
    return made


def every_pair(texts, threshold, known=None):
    """The pairs, found by comparing every text with every other."""
    grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5))
    vectors = grams.fit(texts[:known]).transform(texts)
    cosine = (vectors @ vectors.T).toarray()
    near = zip(*np.nonzero(np.triu(cosine, k=1) >= threshold), strict=True)
    return {(int(i), int(j)): cosine[i, j] for i, j in near}


def pairs_of(found):
    return set(zip(found.first.tolist(), found.second.tolist(), strict=True))


@pytest.mark.parametrize("threshold", [0.6, 0.8, 0.9, 0.97])
@pytest.mark.parametrize("known", [None, 150])
def test_the_search_is_exact(threshold, known):
    """The pairs and cosines are those of the full comparison, at every threshold."""
    rng = random.Random(0)
    texts = [row[0] for row in clean_rows(300, seed=1)]
    texts += edited(texts, rng, 150)
    found = neighbours.find(texts, threshold, known)
    expected = every_pair(texts, threshold, known)
    assert pairs_of(found) == set(expected)
    assert len(expected) > 20
    for i, j, cosine in zip(found.first, found.second, found.cosine, strict=True):
        assert cosine == pytest.approx(expected[(i, j)], abs=1e-5)


def test_small_chunks_find_the_same(monkeypatch):
    """The stretches that rows are searched in change nothing."""
    texts = [row[0] for row in clean_rows(200)]
    texts += edited(texts, random.Random(0), 60)
    whole = pairs_of(neighbours.find(texts, 0.8))
    monkeypatch.setattr(neighbours, "CHUNK_WORK", 50)
    assert pairs_of(neighbours.find(texts, 0.8)) == whole


def test_families_reach_over_several_steps():
    """Texts that are linked through others are one family; a text without a pair is its own."""
    found = neighbours.Neighbours(np.array([0, 1]), np.array([1, 2]), np.array([0.95, 0.95]))
    codes = neighbours.components(5, found)
    assert codes[0] == codes[1] == codes[2]
    assert len({codes[0], codes[3], codes[4]}) == 3


def test_too_much_is_said_not_hidden(monkeypatch):
    """A search that gives up says that it has not seen everything."""
    texts = [row[0] for row in clean_rows(200)]
    monkeypatch.setattr(neighbours, "MAX_WORK", 10)
    monkeypatch.setattr(neighbours, "CHUNK_WORK", 5)
    assert not neighbours.find(texts, 0.9).is_whole


def test_long_texts_are_compared_by_their_beginnings(monkeypatch):
    """The characters that are compared stay within the limit, and short texts are compared whole."""
    monkeypatch.setattr(neighbours, "MAX_CHARS", 1000)
    assert neighbours.compared_chars([10] * 100) is None
    cut = neighbours.compared_chars([10] * 50 + [1000] * 5)
    assert cut == 100
    assert sum(min(length, cut) for length in [10] * 50 + [1000] * 5) <= 1000


@pytest.mark.parametrize("rows_at_once", [7, 512])
@pytest.mark.parametrize("threshold", [0.3, 0.9, 0.99])
def test_dense_vectors_are_compared_with_all_others(rows_at_once, threshold, monkeypatch):
    """Pairs and cosines are those of the full comparison, whatever the blocks."""
    monkeypatch.setattr(neighbours, "DENSE_ROWS", rows_at_once)
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(60, 8))
    vectors[40:] = vectors[:20] + rng.normal(scale=0.1, size=(20, 8))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    found = neighbours.among(vectors, threshold)
    cosine = vectors @ vectors.T
    expected = {(int(i), int(j)) for i, j in zip(*np.nonzero(np.triu(cosine, k=1) >= threshold), strict=True)}
    assert pairs_of(found) == expected
    assert len(expected) >= 5
    assert found.cosine == pytest.approx(cosine[found.first, found.second], abs=1e-6)
    assert pairs_of(neighbours.among(vectors[:0], threshold)) == set()
