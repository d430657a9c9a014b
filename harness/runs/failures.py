"""Failed calls by their reason: how many of each, and an example."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

SHOWN = 3
# What differs between two failures of one reason: numbers, ids, quoted words.
OWN = re.compile(r"'[^']*'|\"[^\"]*\"|\b(?=\w*\d)\w{6,}\b|\d+")
UNSTORED = "no reason was stored"


@dataclass(slots=True)
class Failures:
    """The reasons of failed calls, the same but for numbers, ids and quoted words being one; each as it came first."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, reason: str | None) -> None:
        """Count one more."""
        kind = OWN.sub("_", reason or UNSTORED)
        self.counts[kind] += 1
        self.examples.setdefault(kind, reason or UNSTORED)

    def merge(self, other: Failures) -> None:
        """Count those of another run too."""
        self.counts.update(other.counts)
        self.examples = other.examples | self.examples

    @property
    def groups(self) -> list[tuple[int, str]]:
        """How many failed for each reason, and an example; the most frequent first."""
        return [(n, self.examples[kind]) for kind, n in self.counts.most_common()]

    @property
    def sentence(self) -> str:
        """The reasons in words: `12 times TransientError: ...; 3 times RateLimited: ...`."""
        parts = [f"{n:,} times {example}" if n > 1 else f"once {example}" for n, example in self.groups[:SHOWN]]
        rest = len(self.counts) - SHOWN
        return "; ".join(parts) + (f"; and {rest} other reasons" if rest > 1 else "; and another reason" * (rest == 1))
