"""The verdict: which arm should serve a task, how sure that is, and what would change it. Pure."""

from harness.analysis.decision.assurance import Assurance
from harness.analysis.decision.candidates import Candidate
from harness.analysis.decision.limits import Limit
from harness.analysis.decision.rule import Decision, decide

__all__ = ["Assurance", "Candidate", "Decision", "Limit", "decide"]
