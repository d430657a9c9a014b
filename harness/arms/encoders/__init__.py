"""Texts to vectors, one encoder a file: `connect(cache=None)` gives an `Embedder`."""
