"""Results in, documents out: terminal, Markdown, HTML and figures from the same sections.

Everything here is pure: a report is a dictionary of file names and bytes that a command writes.
"""
