"""The gate before a deploy: a candidate's answers against a pinned baseline's, in verdicts. Pure.

A check passes when it is shown that the limit is kept, fails when it is shown that it is not, and is
inconclusive between the two, with the number of items that would settle it: noise never fails.
"""

from harness.analysis.gate.checking import check
from harness.analysis.gate.findings import Check, Report, Side, Verdict
from harness.analysis.gate.measured import Measured

__all__ = ["Check", "Measured", "Report", "Side", "Verdict", "check"]
