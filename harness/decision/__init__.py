"""The verdict: which arm should serve a task, how sure that is, and what would change it. Pure."""

from harness.decision.assurance import Assurance
from harness.decision.candidates import Candidate
from harness.decision.limits import Limit
from harness.decision.rule import Decision, decide

__all__ = ["Assurance", "Candidate", "Decision", "Limit", "decide"]
