"""Metrics beside those of a kind, one file each: what an answer comes to, item by item. See `analysis.measures`."""
