"""A learning curve of four arms on Banking77, from cold, as a user would ask for it."""

import pytest

from tests.bench.conftest import measured
from tests.conftest import PUBLIC_DATA

FOLDER = PUBLIC_DATA / "banking77"
ARMS = ("tfidf-lr", "tfidf-svm", "minilm-knn", "minilm-lr")
SIZES, SEEDS, SECONDS = "1,3,5,10,20,30", 5, 300
pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="Banking77 is not in ../shared/data beside the checkout"),
]


def test_six_sizes_five_seeds_four_arms(tmp_path, table):
    """A hundred and twenty fits and 13,083 embeddings in under five minutes; again, nothing is fitted."""
    (tmp_path / "harness.toml").write_text('dataset = "banking77@v1"\n')
    fetched = measured(tmp_path, "-m", "harness", "dataset", "fetch", "banking77", "--from", str(FOLDER))
    assert fetched.code == 0, fetched.err
    asked = ("-m", "harness", "curve", *ARMS, "--per-class", SIZES, "--seeds", str(SEEDS), "--all-sizes")
    cold = measured(tmp_path, *asked)
    assert cold.code == 0, cold.err
    again = measured(tmp_path, *asked)
    table(cold.out, f"cold {cold.seconds:.0f} s, again {again.seconds:.0f} s, peak {cold.peak_mb:.0f} MB")
    assert again.out == cold.out
    assert cold.seconds < SECONDS
    assert again.seconds < cold.seconds / 2
