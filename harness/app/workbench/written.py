"""Reports and figures of the Python API; drawing is loaded with the first of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.analysis import chosen_arms
from harness.app.project import pages
from harness.errors import ConfigError, one_of
from harness.report import build, drawings, post

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.analysis.results import Results
    from harness.app.project import Project


def report(project: Project, results: Results, *, with_post: bool) -> tuple[Path, ...]:
    """The report's files, written beside the store; with a draft of a post on request."""
    drawn = drawings.drawn(results)
    files = build.build(results, drawn)
    if with_post:
        files |= drawings.files(results) | {post.NAME: post.draft(results, drawn).encode()}
    return tuple(pages.write(project, results, files))


def figures(project: Project, results: Results, arms: Sequence[str], wanted: drawings.Wanted) -> tuple[Path, ...]:
    """The figures' files, written beside the store, of all arms or of some."""
    chosen = chosen_arms.of_arms(results, arms) if arms else results
    return tuple(pages.write(project, chosen, drawings.files(chosen, wanted)))


def wanted(formats: Sequence[str], size: tuple[int, int] | None) -> drawings.Wanted:
    """The formats and the size in pixels; `ConfigError` for one that is not known."""
    for one in formats:
        if one not in drawings.FORMATS:
            raise ConfigError(f"unknown format {one!r}; {one_of(one, drawings.FORMATS)}")
    return drawings.Wanted(tuple(formats), size)
