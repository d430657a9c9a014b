"""The commands that make the runs of a report again: the same arms, models, addresses, seeds and repeats."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from harness.analysis.lineage import choice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.analysis.results import Results, RunFacts

ELSEWHERE = {"import": "was predicted elsewhere", "python": "was evaluated from Python"}


def commands(results: Results) -> list[str]:
    """The lines to type, in an order that works; what no command makes is a comment."""
    runs = [result.run for result in results.runs]
    where = ["--dataset", results.split.dataset, "--split", results.split.name]
    lines = [*_of_baselines(runs, where), *_of_prompts(results, runs, where), *_of_others(runs, where)]
    return [*lines, shlex.join(["harness", "report", *where]), shlex.join(["harness", "figures", *where])]


def _of_baselines(runs: list[RunFacts], where: list[str]) -> Iterator[str]:
    """One line for the baselines of each seed, each encoder and each number of folds."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for run in runs:
        if run.model is None and not _is_other(run) and "teacher" not in run.params:
            name, _, encoder = run.arm.partition(":")
            folds = run.params.get("folds")
            more = (
                *(("--seed", str(run.seed)) if run.seed else ()),
                *(("--encoder", encoder) if encoder else ()),
                *(("--folds", str(folds)) if folds else ()),
            )
            groups.setdefault(more, []).append(name)
    for more, names in groups.items():
        arms = [word for name in sorted(set(names)) for word in ("--arm", name)]
        yield shlex.join(["harness", "baselines", *arms, *where, *more])


def _of_prompts(results: Results, runs: list[RunFacts], where: list[str]) -> Iterator[str]:
    """One line for every prompt with its model; its repeats are one line."""
    repeats: dict[tuple[str, str, str, str | None], int] = {}
    for run in runs:
        if run.arm.startswith("prompt:") and run.model is not None:
            limit = str(results.split.subsample_of or results.split.n) if run.purpose == "limited" else None
            key = (run.arm.removeprefix("prompt:"), run.model, str(run.params.get("endpoint") or ""), limit)
            repeats[key] = max(repeats.get(key, 0), run.repeat + 1)
    for (version, model, endpoint, limit), times in repeats.items():
        words = ["harness", "eval", "--prompt", version, "--model", model, *where]
        words += ["--base-url", endpoint] if "://" in endpoint else []
        words += ["--limit", limit] if limit else []
        is_file = bool(endpoint) and "://" not in endpoint  # known by what it holds
        note = "  # the model is a file: give its path" if is_file else ""
        yield shlex.join([*words, *(["--repeat", str(times)] if times > 1 else [])]) + note


def _of_others(runs: list[RunFacts], where: list[str]) -> Iterator[str]:
    """The fusions, and a comment for every arm that no command makes."""
    for run in runs:
        if "teacher" in run.params:
            name = run.arm.partition(":")[0]
            teacher = run.params.get("teacher_arm")
            yield f"# {run.name} learned from {teacher}: harness baselines --arm {name} --teacher RUN"
        elif "choice" in run.params:
            yield _fusion(choice(run), where)
        elif _is_other(run):
            yield f"# {run.name} {ELSEWHERE[run.arm.partition(':')[0]]}"


def _fusion(chosen: Mapping[str, Any], where: list[str]) -> str:
    """The line that puts a fusion together again, of the same members, on the split that chose."""
    words = ["harness", "cascade", *(str(part["arm"]) for part in chosen["parts"]), "--how", chosen["how"]]
    words += ["--choose-on", chosen["chosen_on"]] if chosen.get("chosen_on") else []
    return shlex.join([*words, "--store", *where])


def _is_other(run: RunFacts) -> bool:
    """Whether an arm is neither a baseline nor a prompt."""
    return run.arm.partition(":")[0] in ELSEWHERE or "choice" in run.params
