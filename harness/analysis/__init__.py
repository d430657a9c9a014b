"""Runs read back: results, comparisons, learning curves, fusions, the decision and the gate. Pure."""
