"""Reports: the same bytes every time, the right numbers, and nothing hostile is acted on."""

import base64
import hashlib
import io
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from harness.ground import plugins
from harness.report import build, html, markdown, terminal
from harness.report.blocks import Code, Section
from tests.report.conftest import HOSTILE, made, whole, with_curves

GOLDEN = Path(__file__).parent / "golden"
REFRESH = os.environ.get("HARNESS_GOLDEN") == "refresh"


def printed(section, width=80):
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(*terminal.render(section))
    return console.file.getvalue()


def test_the_same_results_are_the_same_bytes(results):
    """Page, Markdown, figures and table, twice."""
    assert build.build(results) == build.build(results)


def test_the_markdown_is_the_golden_one(results):
    """What people read changes only on purpose: `make golden` refreshes it."""
    twin = build.build(results)["report.md"].decode()
    path = GOLDEN / "report.md"
    if REFRESH:
        path.write_text(twin, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == twin


@pytest.mark.parametrize("name", plugins.names("report/sections"))
def test_every_section_stands_any_results(name, hostile):
    """An order, and a section or nothing: for the ordinary, the hostile, one item, and 77 labels."""
    module = plugins.load("report/sections", name)
    assert isinstance(module.ORDER, int)
    many = made(labels=[f"label {i}" for i in range(77)], n=154)
    one = made(n=1, arms={"majority": {"right": 1.0}})
    for results in (made(), hostile, many, one, whole(), with_curves(hostile), with_curves(one)):
        section = module.section(results) if results.split.task.meets(module) else None
        if section is not None:
            assert section.title
            for block in section.blocks:
                for row in getattr(block, "rows", ()):
                    assert len(row) == len(block.columns)
                    assert all(isinstance(cell, str) for cell in row)


def test_orders_are_all_different():
    """Two sections never fight for a place."""
    orders = [plugins.load("report/sections", name).ORDER for name in plugins.names("report/sections")]
    assert len(set(orders)) == len(orders)


def test_the_scorecard_fits_eighty_columns(results):
    """No line is longer, and no number is broken in two."""
    text = printed(plugins.load("report/sections", "scorecard").section(results))
    assert max(map(len, text.splitlines())) <= 80
    for result in results.runs:
        assert result.run.arm in text
        assert f"{result.headline.value:.3f}".removeprefix("0") in text


def test_failed_calls_and_left_out_arms_are_said(results):
    """An arm with outages says how many; unknown cost prints as unknown."""
    text = printed(plugins.load("report/sections", "scorecard").section(results), width=120)
    assert "Failed calls are not scored: prompt:v3 (2)." in text
    assert "unknown" in text


def test_head_to_head_counts_items(results):
    """What only one of the two got right, counted on the items both were asked."""
    text = printed(plugins.load("report/sections", "scorecard").section(results), width=200)
    rows = results.predictions
    a, b = (rows[rows["arm"] == arm].set_index("example_id") for arm in ("minilm-lr", "prompt:v3"))
    b = b.dropna(subset=["credit"])
    a = a.loc[b.index]
    only_a = int((a["credit"].astype(bool) & ~b["credit"].astype(bool)).sum())
    only_b = int((b["credit"].astype(bool) & ~a["credit"].astype(bool)).sum())
    assert f"of 58 items {only_a} only minilm-lr got right, {only_b} only prompt:v3." in text


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.attributes, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.found.append(tag)
        self.attributes += [(tag, *attr) for attr in attrs]

    def handle_data(self, data):
        self.text.append(data)


def test_nothing_hostile_is_acted_on_in_html(hostile):
    """Texts, labels, names and replies are text: no script but ours, no handler, no foreign image or link."""
    page = build.build(hostile)["report.html"].decode()
    tags = Tags()
    tags.feed(page)
    assert not {"img", "iframe", "object", "base", "link"} & set(tags.found)
    assert [(name, value) for tag, name, value in tags.attributes if tag == "script" and name != "id"] == [
        ("type", "application/json")
    ]
    assert tags.found.count("script") == 2
    assert not [name for _, name, _ in tags.attributes if name.startswith("on")]
    links = [value for tag, name, value in tags.attributes if tag == "a" and name == "href"]
    assert all(link.startswith("#s") for link in links)
    assert "default-src 'none'" in page.replace("&#39;", "'")
    shown = "".join(tags.text)
    for text in (HOSTILE[0], HOSTILE[1], HOSTILE[7]):
        assert text in shown


def test_the_page_loads_nothing():
    """One file: no address of anything else in it but namespaces."""
    page = build.build(made())["report.html"].decode()
    addresses = set(re.findall(r"(?:src|href)=\"([^\"#][^\"]*)\"", page))
    assert not addresses


def test_nothing_hostile_is_acted_on_in_markdown(hostile):
    """Pipes, backticks, brackets and tags are escaped; a cell stays one cell, a line one line."""
    twin = build.build(hostile)["report.md"].decode()
    outside = re.sub(r"^(`{3,})\w+\n.*?^\1$", "", twin, flags=re.DOTALL | re.MULTILINE)  # a fence shows text as it is
    assert "<script" not in outside
    assert not re.search(r"(?<!\\)\]\(javascript", outside)
    for line in twin.splitlines():
        if line.startswith("|"):
            assert len(re.split(r"(?<!\\)\|", line)) > 2
    assert markdown.escaped("a|b\n# c") == r"a\|b \# c"


def test_nothing_hostile_reaches_the_terminal(hostile):
    """No escape sequence and no markup is passed on."""
    for section in build.sections(hostile):
        text = printed(section, width=200)
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_no_price_no_figure():
    """Without any price the figure of prices is left out, and the report says the rest."""
    results = made(arms={"prompt:v1": {"right": 0.5, "cost": None, "model": "openai/own"}})
    files = build.build(results)
    assert "accuracy-cost.svg" not in files
    assert "Accuracy against cost" not in files["report.md"].decode()


def test_what_is_embedded_cannot_end_its_element():
    """JSON in the page has no character that begins a tag, an entity or a line of script, and says the same."""
    value = {"</script>": ["<!--", "&lt;", "\u2028", "]]>", "<script>"]}
    text = str(html.embedded(value))
    assert not set(text) & set("<>&\u2028")
    assert json.loads(text) == value


def test_a_fence_is_longer_than_any_in_the_text():
    """A prompt that holds a code fence stays inside its own."""
    twin = markdown.render("t", [Section("s", (Code("a prompt", "````\n# not a title\n````"),))])
    assert "\n`````text\n" in twin


def test_only_the_hash_of_our_script_is_allowed(results):
    """The policy names the hash of the script in the page, and nothing else may run."""
    page = build.build(results)["report.html"].decode()
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search(r'Policy" content="([^"]+)"', page).group(1).replace("&#39;", "'")
    assert f"script-src 'sha256-{digest}'" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1]
    assert script == html.SCRIPT.read_text(encoding="utf-8")
