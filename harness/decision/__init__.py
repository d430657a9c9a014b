"""The verdict: which arm should serve a task, how sure that is, and what would change it. Pure."""

from harness.decision.candidates import Candidate, Limit
from harness.decision.rivals import Rival
from harness.decision.rule import Decision, decide

__all__ = ["Candidate", "Decision", "Limit", "Rival", "decide"]
