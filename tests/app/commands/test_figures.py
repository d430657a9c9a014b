"""Figures by command: of some arms, in a size and a format; a mistake is one line that says what is expected."""

import json
import struct

import pytest


@pytest.fixture
def measured(harness):
    assert harness("baselines", "--arm", "majority", "--arm", "tag-odds").code == 0
    return harness


def test_some_arms_in_a_size_and_a_format(measured, root):
    """Only the named arm is in the tables, pictures have just those pixels, and nothing else is written."""
    done = measured("figures", "--arms", "tag-odds", "--size", "800x500", "--format", "png", "--json")
    assert done.code == 0
    files = [root / name for name in json.loads(done.out)["files"]]
    assert {path.suffix for path in files} == {".png", ".csv"}
    assert {"accuracy-cost.png", "accuracy-cost-dark.png"} <= {path.name for path in files}
    for path in files:
        if path.suffix == ".png":
            assert struct.unpack(">II", path.read_bytes()[16:24]) == (800, 500)
        else:
            assert "majority" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--arms", "tagodds"), "did you mean 'tag-odds'"),
        (("--size", "12"), "expected WIDTHxHEIGHT in pixels"),
        (("--size", "100x100"), "each 400 to 8000"),
        (("--format", "gif"), "'svg', 'png', 'pdf'"),
    ],
)
def test_a_mistake_is_one_line(measured, options, words):
    """Exit code 2, what was found and what is expected."""
    done = measured("figures", *options)
    assert done.code == 2
    assert words in done.err


def test_reports_are_on_the_front_page(measured, root):
    """What eval and baselines write has its row, and its link leads to the report."""
    page = (root / "results" / "index.html").read_text(encoding="utf-8")
    assert 'href="tickets%40v1/test/report.html"' in page
    assert (root / "results" / "tickets@v1" / "test" / "report.html").is_file()
