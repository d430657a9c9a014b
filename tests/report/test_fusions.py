"""The section on fusions."""

from dataclasses import replace

from harness.report.sections import fusions

CHOICE = {"parts": [{"arm_id": "s1:tfidf-lr"}, {"arm_id": "s1:minilm-lr"}], "thresholds": [0.7]}


def fused(results, choice):
    """The results with prompt:v1 taken for a fusion."""
    runs = [
        replace(one, run=replace(one.run, params={"choice": choice})) if one.run.arm == "prompt:v1" else one
        for one in results.runs
    ]
    return replace(results, runs=tuple(runs))


def test_a_fusion_stands_beside_its_members(results):
    """Each member with its threshold, its own accuracy and cost, and the paired difference."""
    found = fusions.section(fused(results, CHOICE))
    text, table = found.blocks
    assert "prompt:v1" in text.text
    assert "its best member, minilm-lr, alone .9" in text.text
    assert [row[:2] for row in table.rows] == [("tfidf-lr", "from .700"), ("minilm-lr", "always")]
    assert all(row[4].startswith("-.") for row in table.rows)


def test_a_vote_has_no_thresholds(results):
    """Every member votes."""
    table = fusions.section(fused(results, CHOICE | {"thresholds": []})).blocks[1]
    assert [row[1] for row in table.rows] == ["votes", "votes"]


def test_nothing_is_said_without_a_fusion(results):
    """No fusion, or one whose members are not shown: no section."""
    assert fusions.section(results) is None
    assert fusions.section(fused(results, {"parts": [{"arm_id": "s1:gone"}], "thresholds": []})) is None
