"""A workspace with its doors open, and what is done with it: runs, fusions, curves, plans, gates, files."""

from harness.app.project.project import Done, FailedItems, Project, complain_about_failures

__all__ = ["Done", "FailedItems", "Project", "complain_about_failures"]
