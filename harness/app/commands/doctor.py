"""Check this set-up: what is missing or wrong, and what to do next.

Example: harness doctor
"""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import click

from harness import __version__, datasets
from harness.app.commands import _options
from harness.app.project import next_step
from harness.app.project.next_step import Step
from harness.arms import encoding
from harness.errors import HarnessError
from harness.ground import extensions, plugins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.app.project import Project

WANTED_TO = "start"


MEND = Step("harness doctor", "mend first what is bad above, then look again")
IGNORING = {"results", "results/*", "results/**"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `bad` is a defect, `note` is worth knowing."""

    what: str
    state: Literal["ok", "note", "bad"]
    detail: str


@click.command(help=__doc__)
@_options.gathered(_options.Where, *_options.WHERE)
def command(options: _options.Where) -> None:
    """Check this set-up; exit 1 when something is wrong."""
    project = options.project()
    findings = [
        Finding("harness", "ok", f"{__version__}, Python {sys.version.partition(' ')[0]}"),
        Finding("workspace", "ok", str(project.workspace.root)),
        *_providers(),
        *_own(project),
        _checked("encoder", _encoder),
        *_datasets(project),
        _checked("store", lambda: _store(project)),
        *_ignored(project),
    ]
    following = next_step.of(project) if all(finding.state != "bad" for finding in findings) else MEND
    command = _options.here(following.command)
    if options.as_json:
        step = Finding("next", "note", f"{command} ({following.why})")
        _options.print_json([asdict(finding) for finding in (*findings, step)])
    else:
        for finding in findings:
            click.echo(f"{finding.state:4}  {finding.what}: {finding.detail}")
        click.echo(f"Next: {command}   ({following.why})")
    if any(finding.state == "bad" for finding in findings):
        raise click.exceptions.Exit(1)


def _ignored(project: Project) -> Iterator[Finding]:
    """Whether git would take people's texts along: the ledger, the store and the reports hold them."""
    root = project.workspace.root
    if (root / ".git").exists():
        path = root / ".gitignore"
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
        if not IGNORING & {line.strip().strip("/") for line in lines}:
            yield Finding(
                "git", "bad", "results/ holds people's texts and is not ignored; write results/* to .gitignore"
            )


def _providers() -> Iterator[Finding]:
    for name in plugins.names("providers"):
        missing = plugins.load("providers", name).available()
        yield Finding(f"provider {name}", "ok" if missing is None else "note", missing or "can be called")


def _own(project: Project) -> Iterator[Finding]:
    """The workspace's own extensions. They are somebody's code: it is run when it is named, not to look at it."""
    for folder in plugins.OPEN:
        for name, path in extensions.files(folder, project.workspace.extensions).items():
            is_ours = name in plugins.names(folder)
            said = "not used: there is one of that name already" if is_ours else "loaded when it is named"
            yield Finding(f"{folder.rstrip('s')} {name}", "note", f"{_options.shown(project, path)}, {said}")


def _encoder() -> str:
    embedder = encoding.connect(encoding.DEFAULT)
    embedder.embed(["it works"])
    return f"{encoding.DEFAULT}, {embedder.dim} dimensions, weights as pinned"


def _datasets(project: Project) -> Iterator[Finding]:
    root = project.workspace.root
    for ref in datasets.refs(root):
        problems = datasets.verify(root, ref).problems
        yield Finding(f"dataset {ref}", "bad" if problems else "ok", "; ".join(problems) or "as released")


def _store(project: Project) -> str:
    if not project.store.exists():
        return "none yet; the first run makes it"
    problems = project.store.verify()
    if problems:
        raise HarnessError("; ".join(problems))
    return f"{project.store.short}, every run as it was stored"


def _checked(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, "ok", look())
    except HarnessError as error:
        return Finding(what, "bad", str(error))
