"""What an arm was made of: the members of a fusion, the teacher of a successor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.stats import intervals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.analysis.results import Results, RunFacts, RunResult
    from harness.types import Estimate


def choice(run: RunFacts) -> Mapping[str, Any]:
    """What a stored fusion was chosen to be (see `fusion.chosen.Choice`); of any other run, nothing."""
    stored = run.params.get("choice")
    return stored if isinstance(stored, dict) else {}


def members(results: Results, fused: RunResult) -> list[RunResult]:
    """The runs of a fusion's members among the results, in their order; empty unless all of them are shown."""
    parts = [_member(results, part) for part in choice(fused.run).get("parts", ())]
    return [part for part in parts if part is not None] if None not in parts else []


def _member(results: Results, part: Mapping[str, Any]) -> RunResult | None:
    """The first run of the arm that a part is: the same content, and the same seed where it is among them."""
    same = [one for one in results.runs if (one.run.arm_id, one.run.model) == (part["arm_id"], part.get("model"))]
    return min(same, key=lambda one: (one.run.seed != part.get("seed", 0), one.run.repeat), default=None)


def fidelity(results: Results, result: RunResult) -> Estimate | None:
    """How often an arm that was taught by another gives its teacher's answer, over the items the teacher answered.

    None where nobody taught it, or the teacher has not been run on these items. It says nothing of
    who is right: accuracy does.
    """
    taught_by = (result.run.params.get("teacher_arm"), result.run.params.get("teacher_model"))
    teacher = next((one.run.run_id for one in results.runs if (one.run.arm, one.run.model) == taught_by), None)
    if teacher is None:
        return None
    rows = results.predictions
    theirs = rows[rows["run_id"] == teacher].set_index("example_id")["label"].dropna()
    ours = rows[rows["run_id"] == result.run.run_id].set_index("example_id")["label"].reindex(theirs.index)
    return intervals.wilson(int((ours == theirs).sum()), len(theirs), name="fidelity")
