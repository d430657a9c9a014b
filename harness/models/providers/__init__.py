"""Who serves models, one file each; a file's SDK is imported nowhere else.

A provider file offers `connect(model, base_url=None) -> Connection`, `available() -> str | None`
(why it cannot be used here, or None), `DEFAULT_MODEL`, `MODELS` and `RUNS_HERE`.
"""
