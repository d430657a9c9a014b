"""What everything else stands on; it knows no task, no model and no run.

Ids, the clock, how numbers are written, validation, redaction, SQLite, extensions and the workspace.
"""
