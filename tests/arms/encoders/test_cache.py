import multiprocessing

import numpy as np
import pytest

from harness.arms.encoders import minilm
from harness.arms.encoders._cache import VectorCache
from harness.errors import StoreError
from tests.processes import HANGS_S

ROWS = 200


def vectors(numbers):
    """A vector per number that no two texts share."""
    return {f"text {i}": np.full(384, i, dtype=np.float32) + np.float32(0.1) for i in numbers}


def write_many(path, start, numbers):
    """One transaction per text, once the other process is there too."""
    start.wait()
    cache = VectorCache(path, "model")
    for i in numbers:
        cache.write(vectors([i]))


def test_what_was_written_is_read_exactly(tmp_path):
    """A vector comes back bit for bit; a text that was never written does not come back."""
    cache = VectorCache(tmp_path / "cache.sqlite", "model")
    kept = {"a": np.float32(np.pi) * np.arange(384, dtype=np.float32)}
    cache.write(kept)
    found = cache.read(["a", "b"])
    assert set(found) == {"a"}
    assert found["a"].tobytes() == kept["a"].tobytes()


def test_models_do_not_share_vectors(tmp_path):
    """The key holds the model: another model's vectors are never served."""
    VectorCache(tmp_path / "cache.sqlite", "one").write(vectors([1]))
    assert VectorCache(tmp_path / "cache.sqlite", "two").read(["text 1"]) == {}


def test_many_texts_at_once(tmp_path):
    """More texts than one SQL statement may name are read and written all the same."""
    cache = VectorCache(tmp_path / "cache.sqlite", "model")
    cache.write(vectors(range(1500)))
    found = cache.read([f"text {i}" for i in range(2000)])
    assert {text: vector[0] for text, vector in found.items()} == {
        text: vector[0] for text, vector in vectors(range(1500)).items()
    }


def test_two_processes_write_at_once(tmp_path):
    """Two processes that open a new cache at once and write the same and other texts lose nothing."""
    path = tmp_path / "cache.sqlite"
    spawning = multiprocessing.get_context("spawn")
    start = spawning.Event()
    overlapping = [range(ROWS), range(ROWS // 2, ROWS + ROWS // 2)]
    writers = [spawning.Process(target=write_many, args=(path, start, numbers)) for numbers in overlapping]
    for writer in writers:
        writer.start()
    start.set()
    for writer in writers:
        writer.join(HANGS_S)
    assert [writer.exitcode for writer in writers] == [0, 0]
    found = VectorCache(path, "model").read([f"text {i}" for i in range(ROWS * 2)])
    assert sorted(found) == sorted(f"text {i}" for i in range(ROWS + ROWS // 2))


def test_a_cached_text_is_not_encoded_again(tmp_path, monkeypatch):
    """The second embedder on the same file asks the model for nothing, and says the same."""
    first = minilm.connect(tmp_path / "cache.sqlite").embed(["one", "two"])
    monkeypatch.setattr(minilm._transformer, "encode", None)
    again = minilm.connect(tmp_path / "cache.sqlite").embed(["two", "one"])
    assert (again[::-1] == first).all()


def test_a_file_that_is_no_cache_is_named(tmp_path):
    """A file that SQLite cannot read gives one line with its path and the way out."""
    (tmp_path / "cache.sqlite").write_text("not a database, and long enough to be looked at as one " * 20)
    with pytest.raises(StoreError, match=r"cache\.sqlite cannot be used .*; delete it"):
        VectorCache(tmp_path / "cache.sqlite", "model").read(["a"])
