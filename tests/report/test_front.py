"""The front page: every report that is there, the newest first, and nothing that is no report."""

import json
import re
from dataclasses import asdict

import pytest

from harness.report import build, front
from tests.report.conftest import made


def test_a_report_leaves_its_summary(results):
    """Best arm, headline with its interval, items, looks and the verdict's sentence, as in the report."""
    files = build.build(results, ())
    said = json.loads(files["summary.json"])
    best = results.runs[0]
    assert (said["arm"], said["value"], said["low"], said["n"]) == (
        best.run.name,
        best.headline.value,
        best.headline.low,
        best.headline.n,
    )
    assert (said["dataset"], said["split"], said["looks"], said["arms"]) == ("tickets@v1", "test", 3, 5)
    assert said["verdict"] in files["report.md"].decode().replace("\\", "")
    assert asdict(front.read(files["summary.json"])) == said


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"dataset": 3}', b"\xff", b"[" * 100_000])
def test_what_is_no_summary_is_passed_over(content):
    """A file that was cut off or written by something else is no reason to fail."""
    assert front.read(content) is None


def test_the_page_leads_to_every_report(hostile):
    """A row per split, the newest first; folders with strange names are quoted; hostile names are text."""
    found = {}
    for number, one in enumerate([made(), hostile]):
        found[(f"a folder/{number}?#", "test")] = front.read(front.summary(one, build.sections(one)))
    page = front.page(found, ["a folder/0?#"]).decode()
    assert 'href="a%20folder/0%3F%23/test/report.html"' in page
    assert 'href="a%20folder/0%3F%23/audit.html"' in page
    assert page.count("<tr>") == 3
    assert not re.search(r"<(script|img|svg)", page.split("</style>")[1])
    assert front.page({}).decode().count("No report.") == 1
