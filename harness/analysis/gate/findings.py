"""What the gate finds: a verdict per check with its facts, and the verdict over all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from harness.store import PassedOver
from harness.types import JSON, Estimate

Verdict = Literal["pass", "fail", "inconclusive"]
CODES = {
    "unchanged": "candidate and baseline are the same run",
    "shown_no_worse": "shown to be worse by less than the margin",
    "shown_worse": "shown to be worse by more than the margin",
    "too_few_items": "so few items cannot settle it",
    "near_the_limit": "what was seen lies near the limit; many more items would be needed",
    "kept": "shown to be within the limit",
    "broken": "shown to be beyond the limit",
    "unknown": "not measured: no price, no latency or no scores",
    "canary_wrong": "an item that must be right is wrong",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its verdict, a code for programs (a key of `CODES`) and a sentence for people.

    Where `must_pass` is false the check only watches: it can fail the gate, but being inconclusive
    does not keep it from passing. `needed_n` is the number of items that would probably settle an
    inconclusive check. `estimate` is what was found and `limit` what it is held against.
    """

    name: str
    verdict: Verdict
    code: str
    message: str
    must_pass: bool = True
    estimate: Estimate | None = None
    limit: float | None = None
    needed_n: int | None = None
    facts: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def is_margin(self) -> bool:
        """Whether the estimate is a difference that is held against a margin below 0."""
        return "margin" in self.facts


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two that are compared; `run_id` is the first of its runs, `name` what they are called together.

    `headline` is the mean credit, `accuracy` the same where answers are right or wrong.
    """

    arm: str
    run_id: str
    model: str | None = None
    headline: Estimate | None = None
    accuracy: Estimate | None = None
    name: str = ""

    def __post_init__(self) -> None:
        """A side that stands alone is called by its arm."""
        object.__setattr__(self, "name", self.name or self.arm)


@dataclass(frozen=True, slots=True)
class Report:
    """The gate's verdict: fail when a check fails, else inconclusive when one that must pass is, else pass.

    `rests_on` says so where it is of few labels.
    """

    candidate: Side
    baseline: Side
    dataset: str
    dataset_id: str
    split: str
    n: int
    looks: int
    checks: tuple[Check, ...]
    passed_over: tuple[PassedOver, ...] = ()
    rests_on: str = ""
    label_mix: Mapping[str, float] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """Over all checks."""
        verdicts = {one.verdict for one in self.checks if one.must_pass or one.verdict == "fail"}
        return "fail" if "fail" in verdicts else "inconclusive" if "inconclusive" in verdicts else "pass"

    @property
    def exit_code(self) -> int:
        """0 pass, 1 fail, 4 inconclusive."""
        return {"pass": 0, "fail": 1, "inconclusive": 4}[self.verdict]

    @property
    def needed_n(self) -> int | None:
        """The items that would probably settle every check that keeps the gate from a verdict."""
        open_ones = [one for one in self.checks if one.must_pass and one.verdict == "inconclusive"]
        return max((one.needed_n for one in open_ones if one.needed_n is not None), default=None)
