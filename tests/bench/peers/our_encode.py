"""The same with an encoder of ours, and without its cache.

python our_encode.py ENCODER TEXTS.json OUT.npy: the seconds of the encoding alone are printed.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

from harness.arms import encoding


def main(encoder: str, texts: str, out: str) -> None:
    loaded = encoding.connect(encoder)
    wanted = json.loads(Path(texts).read_text())
    loaded.embed(wanted[:64])  # the first batch pays for lazy set-up
    start_s = time.perf_counter()
    vectors = loaded.embed(wanted)
    print(time.perf_counter() - start_s)
    np.save(out, vectors)


if __name__ == "__main__":
    main(*sys.argv[1:])
