"""What commands share that let a stored arm answer new items: finding it, and carrying it out under a bar."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from harness.app.commands import _stopping
from harness.errors import Interrupted
from harness.ground import formatting
from harness.models import stack
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from harness.app.project import Project
    from harness.app.project.standing import Ready
    from harness.models.stack import Asking
    from harness.runs.labelling import Labelled
    from harness.store import Selected

T = TypeVar("T")
OUTCOMES = tuple(outcome.value for outcome in Outcome)


def selected(
    project: Project, arm: str, dataset: str | None, split: str, asking: Asking, model: str | None
) -> Selected:
    """The run that a name means; `--model` may be a path or an address, so it is connected to know its name."""
    name = None
    if model is not None:
        connection, _ = stack.connect(asking, project.workspace.extensions)
        name = str(connection.model)
        asyncio.run(connection.close())
    return project.anywhere(arm, dataset, split, name).checked(arm)


async def carry_out(
    work: Callable[[asyncio.Event, Callable[[Labelled], None]], Awaitable[T]], arms: Sequence[Ready], name: str
) -> T:
    """The work done; Ctrl-C lets what is under way finish, keeps it and stops."""
    stop = asyncio.Event()
    try:
        with _stopping.orderly(stop), _bar() as bar:
            task = bar.add_task(name, note="")

            def watch(labelled: Labelled) -> None:
                if not bar.disable:
                    bar.update(task, note=_note(labelled))

            return await work(stop, watch)
    except asyncio.CancelledError:
        raise Interrupted(
            "stopped at once; what was answered is kept, and calls that were dropped may be on the bill; the same "
            "command goes on from there"
        ) from None
    finally:
        for arm in arms:
            await arm.close()


def _note(labelled: Labelled) -> str:
    billed = f", {formatting.dollars(labelled.billed_usd)}" if labelled.sent else ""
    failed = labelled.outcomes[Outcome.FAILED]
    return f"{labelled.rows:,} rows{billed}" + (f", {failed} failed" if failed else "")


def _bar() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )
