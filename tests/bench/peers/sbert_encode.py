"""What everybody does with SBERT: load the model, encode the texts, keep the vectors.

python sbert_encode.py MODEL TEXTS.json OUT.npy: the seconds of the encoding alone are printed.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer


def main(model: str, texts: str, out: str) -> None:
    loaded = SentenceTransformer(model, device="cpu")
    wanted = json.loads(Path(texts).read_text())
    loaded.encode(wanted[:64], show_progress_bar=False)  # the first batch pays for lazy set-up
    start_s = time.perf_counter()
    vectors = loaded.encode(wanted, show_progress_bar=False)
    print(time.perf_counter() - start_s)
    np.save(out, vectors)


if __name__ == "__main__":
    main(*sys.argv[1:])
