"""The commands that measure a report's arms once more: the same arms, models, servers, items, seeds and repeats.

A stored run answers without a call; on another machine the same commands ask anew.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.analysis.results import Results, RunFacts, RunResult


def commands(results: Results) -> list[str]:
    """A line each: baselines by seed, every prompt, every fusion, then the report with its post."""
    where = _where(results)
    mine = [_line(one, results, where) for one in results.runs if one.run.repeat == 0]
    learnt = dict.fromkeys(line for line in mine if line.startswith("harness baselines"))
    fused = [line for line in mine if line.startswith("harness cascade")]
    others = [line for line in mine if line not in learnt and line not in fused]
    last = f"harness report --post{where}"
    return [*_together(list(learnt)), *others, *fused, last]


def _where(results: Results) -> str:
    return f" --dataset {shlex.quote(results.split.dataset)} --split {shlex.quote(results.split.name)}"


def _line(result: RunResult, results: Results, where: str) -> str:
    run = result.run
    if "choice" in run.params:
        return _fusion(run, where)
    how = _given(limit=result.n if run.purpose == "limited" else None, seed=run.seed or None)
    if "prompt" in run.params:
        endpoint = str(run.params.get("endpoint") or "")
        repeats = 1 + max(one.run.repeat for one in results.runs if one.run.arm_name == run.arm_name)
        asked = _given(
            model=run.model,
            base_url=endpoint if "://" in endpoint else None,
            repeat=repeats if repeats > 1 else None,
        )
        return f"harness eval --prompt {shlex.quote(run.arm.removeprefix('prompt:'))}{where}{asked}{how}"
    if run.arm.startswith("import:"):
        return f"harness runs import FILE --arm {shlex.quote(run.arm.removeprefix('import:'))}{where}"
    if run.arm.startswith("python:"):
        return f"# {shlex.quote(run.arm)} is code of yours: Workbench().evaluate(...)"
    folds = _given(folds=run.params.get("folds"))
    return f"harness baselines{where}{folds}{how} --arm {shlex.quote(run.arm)}"


def _fusion(run: RunFacts, where: str) -> str:
    choice = run.params["choice"]
    assert isinstance(choice, dict)
    parts: Sequence[Mapping[str, object]] = choice["parts"]
    arms = " ".join(shlex.quote(str(part["arm"])) for part in parts)
    return f"harness cascade {arms}{_given(how=choice['how'], choose_on=choice.get('chosen_on'))} --store{where}"


def _given(**options: object) -> str:
    """The options that are set, as the command line takes them."""
    shown = ((name.replace("_", "-"), value) for name, value in options.items() if value is not None)
    return "".join(f" --{name} {shlex.quote(str(value))}" for name, value in shown)


def _together(lines: Sequence[str]) -> list[str]:
    """Baselines that differ by nothing but their arm, in one command."""
    arms: dict[str, list[str]] = {}
    for line in lines:
        command, _, arm = line.rpartition(" --arm ")
        arms.setdefault(command, []).append(arm)
    return [f"{command} --arm {' --arm '.join(names)}" for command, names in arms.items()]
