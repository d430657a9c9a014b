"""JUnit, the pull-request comment, annotations and error bars: what CI servers and people read."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from harness.analysis import gate
from harness.analysis.gate import bars
from harness.ground.gate_settings import GateSettings
from harness.report import gate_github, gate_junit, gate_page
from harness.types import Estimate
from tests.analysis.gate.conftest import from_table, measured

# What Jenkins, GitLab and the others ask of a JUnit file (Jenkins's junit-10.xsd): per element its required
# and its optional attributes, and the elements that may stand in it.
RESULT = ({"message", "type"}, set(), set())
SCHEMA = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "disabled", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests"},
        {"failures", "errors", "time", "disabled", "skipped", "timestamp", "hostname", "id", "package"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "testcase": (
        {"name", "classname"},
        {"assertions", "time", "status", "group"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": RESULT,
    "error": RESULT,
    "skipped": (set(), {"message", "type"}, set()),
    "system-out": (set(), set(), set()),
}
COUNTS = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}
HOSTILE = "a<b>&\"'\x00\x1b[31m\ud800 --> ```` | [x](javascript:alert(1)) <script> %0A::error::x\n::error::y"


def report(kind):
    cells = {"pass": (400, 0, 0, 0), "fail": (100, 0, 60, 40), "inconclusive": (20, 0, 0, 0)}[kind]
    return gate.check(measured(*from_table(*cells)), GateSettings(canaries=("i0",)))


def hostile():
    one = report("fail")
    checks = tuple(replace(check, name=HOSTILE, message=f"{HOSTILE}: {HOSTILE}") for check in one.checks)
    return replace(one, checks=checks, dataset=HOSTILE, candidate=replace(one.candidate, arm=HOSTILE))


def valid(element):
    required, optional, children = SCHEMA[element.tag]
    assert required <= set(element.attrib) <= required | optional, element.tag
    for name in ("tests", "failures", "errors", "skipped"):
        assert element.get(name) is None or element.get(name).isdigit()
    assert element.get("time") is None or float(element.get("time")) >= 0
    for child in element:
        assert child.tag in children, f"{child.tag} in {element.tag}"
        valid(child)


@pytest.mark.parametrize("kind", ["pass", "fail", "inconclusive", "hostile"])
def test_junit_is_what_ci_servers_read(kind):
    """Elements, attributes and nesting of the schema; the counts are those of the elements; hostile names are text."""
    document = gate_junit.render(hostile() if kind == "hostile" else report(kind))
    top = ET.fromstring(document)
    valid(top)
    (suite,) = top
    for name, tag in COUNTS.items():
        assert int(suite.get(name)) == len(suite.findall(f".//{tag}"))
    assert document == gate_junit.render(hostile() if kind == "hostile" else report(kind))


def test_junit_shows_the_verdict():
    """Failed is a failure, open and decisive an error, open and watching skipped, passed none of them."""
    for kind, tag in (("fail", "failure"), ("inconclusive", "error"), ("pass", None)):
        suite = ET.fromstring(gate_junit.render(report(kind)))[0]
        accuracy = suite.find("testcase[@name='accuracy']")
        assert [child.tag for child in accuracy if child.tag != "system-out"] == [tag] * (tag is not None)
    skipped = ET.fromstring(gate_junit.render(report("inconclusive"))).findall(".//skipped")
    assert len(skipped) == 4


@pytest.mark.parametrize("kind", ["pass", "fail", "inconclusive", "hostile"])
def test_the_comment(kind):
    """It begins with a hidden marker that only dataset and split decide, has the bar, and escapes what people wrote."""
    one = hostile() if kind == "hostile" else report(kind)
    text = gate_page.comment(one)
    first = text.splitlines()[0]
    assert re.fullmatch(r"<!-- harness-gate: .* -->", first)
    assert "-->" not in first[4:-3]
    assert (
        first
        == gate_page.marker(one.dataset, one.split)
        == gate_page.marker(f"{one.dataset.partition('@')[0]}@v9", one.split)
    )
    assert gate_page.unchecked(one.dataset, one.split, "why\n<script", 3).splitlines()[0] == first
    assert "<script" not in text
    assert not re.search(r"(?<!\\)\]\(javascript", text)
    assert ("[" in text) == ("```text" in text)


def test_the_headline_says_what_to_do():
    """What failed by name, or how many items would settle it."""
    assert gate_page.headline(report("pass")) == "Pass."
    assert gate_page.headline(report("fail")).startswith("Fail: accuracy, recall of")
    said = gate_page.headline(report("inconclusive"))
    assert re.fullmatch(r"Not enough data: accuracy. About [\d,]+ items would settle it \(now 20\).", said)


def test_annotations_are_one_line_each():
    """`::error` for each failed check and a `::notice`; no text of ours or theirs starts a command of its own."""
    lines = gate_github.lines(hostile())
    assert all(re.match(r"::(error|warning|notice) title=", line) and "\n" not in line for line in lines)
    levels = [line.split(" ")[0] for line in gate_github.lines(report("inconclusive"))]
    assert levels == ["::warning", "::notice"]


def test_the_bar():
    """One line: brackets for the interval, the margin marked, what was found, and zero."""
    drawn = bars.bar(Estimate("x", -0.01, -0.03, 0.01, 100, ""), -0.02, width=21)
    assert drawn == "-.036 [--(=!==o==|==)-------] .036" or len(drawn) == len("-.036 [] .036") + 21
    assert all(mark in drawn for mark in "(!o|)")
    assert bars.bar(Estimate("x", None, None, None, 0, ""), -0.02) == "unknown"
    assert "o" in bars.bar(Estimate("x", -1.0, -1.0, 1.0, 1, ""), -0.02)
