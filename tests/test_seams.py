"""The seams of the house hold: what one place knows is asked there, and written nowhere else."""

import re
from pathlib import Path

import pytest

from harness.datasets import task

HARNESS = Path(task.__file__).parents[1]
KINDS = HARNESS / "datasets" / "kinds"
ANSWER = r"(?:label|labels|answer|answers|answered|said|predicted|prediction)\b"
GOLD = r"(?:gold|golds|gold_label|wanted)\b"
REACH = r"[\w.\[\]\"'()]*"
COMPARED = r"\s*(?:===?|!==?|<>|is\s+(?:not\s+)?distinct\s+from)\s*"
OF_TABLES = r"\s*=\s*"  # in SQL; in Python it is given a value
BOTH_WAYS = [
    re.compile(pattern)
    for one, other in ((ANSWER, GOLD), (GOLD, ANSWER))
    for pattern in (rf"\b{one}{REACH}{COMPARED}{REACH}\b{other}", rf"\b\w\.{one}{OF_TABLES}\w\.{other}")
]
SOURCES = sorted(path for end in ("*.py", "*.js", "*.j2") for path in HARNESS.rglob(end) if KINDS not in path.parents)


def compared(line):
    """The comparison of an answer with gold in a line; None without one."""
    return next((found.group() for pattern in BOTH_WAYS if (found := pattern.search(line))), None)


@pytest.mark.parametrize("language", [".py", ".js", ".j2"])
def test_only_a_kind_compares_an_answer_with_gold(language):
    """In Python, in SQL and in JavaScript alike: everybody else reads the credit."""
    lines = [
        f"{path.relative_to(HARNESS)}:{number}: {what}"
        for path in SOURCES
        if path.suffix == language
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (what := compared(line)) is not None
    ]
    assert lines == []


@pytest.mark.parametrize(
    "line",
    [
        "case when p.outcome = 'failed' then null else coalesce(p.label = e.gold, false) end as correct",
        "self.race = self.race.after(prediction.label == self.reference.gold[prediction.item_id], theirs)",
        "data.runs[arm].label[i] === data.gold[i];",
        "f\"{'✓' if label == gold else '✗'} {label}\"",
        "label == wanted",
        "np.asarray(labels == gold, dtype=bool)",
        "count(*) filter (e.gold is not distinct from p.label) as hits",
        'rows["label"] == rows["gold"]',
        "one.gold != one.answer",
    ],
)
def test_the_search_sees_what_it_looks_for(line):
    """Every way in which it was once written is found."""
    assert compared(line) is not None
