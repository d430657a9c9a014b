"""The section about leaked and repeated items: the numbers are those of the items that are left."""

from dataclasses import replace

import pytest

from harness.datasets.audit.equality import Defects
from harness.ground import formatting
from harness.report.sections import leaks
from harness.stats import margins
from tests.report.conftest import made


def told(section):
    """The first row of the table under its column titles, and the text above it."""
    text, table = section.blocks
    return dict(zip([column.title for column in table.columns], table.rows[0], strict=True)), text.text


def test_without_leaks_repeats_and_groups_there_is_nothing_to_say(results):
    """A clean split has no such section, audited or not."""
    assert leaks.section(results) is None
    assert leaks.section(replace(results, defects=Defects(frozenset(), frozenset()))) is None


def test_the_accuracy_without_them(results):
    """Leaked items that were all right are taken out: the accuracy is that of the other items."""
    best = results.runs[0].run.run_id
    rows = results.predictions[results.predictions["run_id"] == best]
    right = rows[rows["credit"].eq(1)]["example_id"].tolist()[:20]
    found = replace(results, defects=Defects(frozenset(right), frozenset(["i1"]), 0.9))
    cells, text = told(leaks.section(found))
    kept = rows[~rows["example_id"].isin(right)]["credit"].astype(bool)
    assert cells["without leaked"].startswith(f"{kept.mean():.3f}".lstrip("0"))
    assert "20 of 60 items stand in the training split too, 1 repeat another item (equal, or near at 0.9)" in text


def test_an_audit_that_was_not_made_is_said(results):
    """Without an audit only equal texts are known, and the text says so."""
    _, text = told(leaks.section(replace(results, defects=Defects(frozenset(["i0"]), frozenset()))))
    assert "harness dataset audit" in text


def test_groups_are_in_every_interval(results):
    """Where items share groups the interval is that of the groups, here as in the scorecard."""
    groups = [f"g{int(i[1:]) // 10}" for i in results.predictions["example_id"]]
    grouped = replace(results, predictions=results.predictions.assign(group=groups))
    (text,) = leaks.section(grouped).blocks
    assert "Items come in groups" in text.text
    cells, _ = told(leaks.section(replace(grouped, defects=Defects(frozenset(["i0"]), frozenset()))))
    rows = grouped.predictions[grouped.predictions["run_id"] == results.runs[0].run.run_id]
    expected = margins.share(rows["credit"].astype(float), [int(group[1:]) for group in rows["group"]])
    assert cells["accuracy"] == formatting.with_interval(expected)
    assert expected.method == "Wilson, 6 clusters"


@pytest.mark.parametrize("n", [1, 2])
def test_small_splits(n):
    """A split of one or two items, all of them leaked, has no number and no error."""
    results = made(n=n, arms={"minilm-lr": {"right": 1.0}})
    items = frozenset(f"i{i}" for i in range(n))
    cells, _ = told(leaks.section(replace(results, defects=Defects(items, frozenset()))))
    assert cells["without leaked"] == "unknown"
