"""How often each letter occurs."""

import numpy as np


class Letters:
    id = "letters-1"
    dim = 26

    def embed(self, texts):
        rows = np.array([[text.count(chr(97 + i)) + 1 for i in range(26)] for text in texts], dtype=np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def connect(cache=None, model=""):
    return Letters()
