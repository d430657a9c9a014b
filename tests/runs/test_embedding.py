"""Texts embedded by workers: the vectors of this process to the bit, in the cache for whoever asks."""

from dataclasses import replace

import numpy as np
import pytest

from harness.app.project import Project, spreading
from harness.arms import encoding
from harness.arms.encoders._cache import VectorCache
from harness.errors import HarnessError
from harness.ground.clock import SystemClock
from harness.ground.spread_settings import Spread
from harness.runs import building, embedding
from harness.runs.executors.inline import Inline
from harness.runs.executors.processes import Processes
from harness.runs.scope import Scope

TEXTS = [f"text {n}" + " and more" * (n % 5) for n in range(embedding.BLOCK + 20)]


def vectors(path, texts=TEXTS):
    return VectorCache(path, encoding.connect("minilm").id).read(texts)


def test_vectors_are_the_same_whoever_computes_them(workspace):
    """Here and in a process, bit for bit; a text whose vector is known is not computed again, nor one that is twice."""
    found = []
    for executor in (Inline(), Processes(1)):
        embedding.ahead("minilm", workspace, [*TEXTS, TEXTS[0]], executor)
        known = vectors(workspace.embeddings)
        found.append(np.stack([known[text] for text in TEXTS]))
        executor.close()
        embedding.ahead("minilm", workspace, TEXTS, executor)  # closed: it would refuse
        workspace.embeddings.unlink()
    assert found[0].tobytes() == found[1].tobytes()
    assert np.abs(found[0] - encoding.connect("minilm").embed(TEXTS)).max() < 1e-6


def test_an_encoder_that_asks_a_server_is_asked_from_here(workspace):
    """No worker has its key, so none is given a text."""
    closed = Processes(1)
    closed.close()
    with pytest.raises(HarnessError, match="OPENAI_API_KEY"):
        embedding.ahead("openai/some-model", workspace, ["text"], closed)


def test_what_arms_are_fitted_to_is_embedded_first(workspace):
    """With an executor chosen the cache has the training texts before any fit, and the audit's; without, nothing is."""
    dataset_texts = ["alpha", "beta"]
    for executor, n in ((None, 0), ("inline", 60)):
        space = replace(workspace, preferences=replace(workspace.preferences, spread=Spread(executor)))
        project = Project(space, SystemClock())
        dataset = project.dataset(None)
        scope = Scope(dataset, "test")
        jobs = [building.baseline_job(arm, scope, space, project.clock) for arm in ("minilm-lr", "tfidf-lr")]
        assert spreading.fitted(project, jobs, lambda _: None) == jobs
        texts = {example.item.words for example in dataset.labelled("train")}
        assert len(texts) == 60
        assert len(vectors(space.embeddings, sorted(texts))) == n
    spreading.embedder(project, "minilm")(dataset_texts)
    assert set(vectors(space.embeddings, dataset_texts)) == set(dataset_texts)
