"""The verdict: which arm should serve a task, how sure that is, and what would change it. Pure."""

from harness.analysis.decision.assurance import Assurance
from harness.analysis.decision.candidates import Candidate
from harness.analysis.decision.limits import Limit
from harness.analysis.decision.rule import Decision, decide
from harness.analysis.decision.words import next_command

__all__ = ["Assurance", "Candidate", "Decision", "Limit", "decide", "next_command"]
