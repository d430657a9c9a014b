"""Proposals of a better template: read strictly, every flaw a stated outcome."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.arms.prompts import files, rewriting, writing
from harness.arms.prompts.files import FewShot, Making
from harness.arms.prompts.proposals import Flaw, Reader
from harness.arms.prompts.rewriting import Attempted, Brief, Lesson
from harness.types import Dataset, Example, Item, Label, Response

LABELS = (Label("billing", "about money"), Label("bug", "it is broken"))
TEXTS = {
    "train": ["my card was charged twice", "card"],
    "dev": ["the page stays blank"],
    "test": ["refund the payment"],
}
EXAMPLES = tuple(
    Example(Item(f"{split}{i}", text, ("tag",), {"lang": "en"}), "billing", split)
    for split, texts in TEXTS.items()
    for i, text in enumerate(texts)
)
DATASET = Dataset("tickets", "v1", "s1:x", "single", LABELS, EXAMPLES)
SYSTEM = (
    "{% block system %}\nSort tickets.\n{% for label in labels %}\n- {{ label.name }}\n{% endfor %}\n{% endblock %}\n"
)
USER = "{% block user %}\n{{ item.text }} ({{ item.tags | join(', ') }})\n{% endblock %}\n"
V1 = "---\ndescription: asks\nmodel: {temperature: 0, max_tokens: 8}\n---\n" + SYSTEM + USER
PARENT = files.parse(V1, "tickets", "v1", "v1.j2")
BETTER = SYSTEM.replace("Sort tickets.", "Sort tickets. Money is billing.") + USER


def read(text, finish="stop", parent=PARENT, **more):
    reader = Reader(parent, DATASET, more.pop("most_tokens", 500))
    return reader.read(Response(text, finish, None, None, None, "m"), parent, **more)


def reply(template, before="I say what money is.\n", fence="```"):
    template = template.removesuffix("\n")
    return f"{before}{fence}jinja\n{template}\n{fence}\nThat is all."


def test_a_good_proposal_is_the_parent_with_another_template():
    """Its settings stay, it names its parent, and its template is the one in the block."""
    found = read(reply(BETTER))
    assert found.flaw is None
    assert found.prompt.template.source == BETTER
    assert found.prompt.header.model == PARENT.header.model
    assert found.prompt.header.parent == "v1"
    assert found.prompt.id != PARENT.id


@pytest.mark.parametrize(
    ("text", "flaw", "detail"),
    [
        ("I would rather not change it.", Flaw.UNPARSABLE, "0 fenced blocks; expected one"),
        (reply(BETTER) + reply(BETTER), Flaw.UNPARSABLE, "2 fenced blocks"),
        ("```\n" + BETTER, Flaw.UNPARSABLE, "one without an end"),
        (reply(""), Flaw.MISTAKEN, "there is no {% block user %}"),
        (reply("{% block user %}{{ item.text }\n"), Flaw.MISTAKEN, ""),
        (reply(BETTER + "{% include 'x' %}"), Flaw.MISTAKEN, "outside the blocks"),
        (reply(BETTER.replace("Sort", "{{ secret }}")), Flaw.MISTAKEN, "secret"),
        (reply(BETTER.replace("Sort", "{{ ''.__class__.__mro__ }}")), Flaw.MISTAKEN, ""),
        (reply(BETTER.replace("Sort", "{{ item.tags[9] }}")), Flaw.MISTAKEN, ""),
        (reply(USER + "{% block system %}{% for i in range(9) %}{% endfor %}{% endblock %}"), Flaw.MISTAKEN, "range"),
        (reply(USER + "{% block system %}{{ 'a' * 9 }}{% endblock %}"), Flaw.MISTAKEN, "Mul"),
        (reply(BETTER.replace("Sort", "{% macro f() %}{{ f() }}{% endmacro %}")), Flaw.MISTAKEN, "Macro"),
        (
            reply(BETTER.replace("Sort", "{% for a in labels %}" * 3 + "{% endfor %}" * 3)),
            Flaw.MISTAKEN,
            "loops in loops in loops",
        ),
        (reply(BETTER.replace("{{ item.text }}", "the ticket")), Flaw.DROPPED, "item.text"),
        (reply(BETTER.replace("{{ item.tags | join(', ') }}", "")), Flaw.DROPPED, "item.tags"),
        (reply(BETTER.replace("{{ label.name }}", "billing")), Flaw.DROPPED, "label 'bug'"),
        (reply(BETTER.replace("Sort", "My card was\n charged TWICE: billing. Sort")), Flaw.LEAK, "item train0"),
        (reply(BETTER.replace("Sort", "the page stays blank means bug. Sort")), Flaw.LEAK, "item dev0"),
        (reply(BETTER.replace("Sort", "Refund the payment. Sort")), Flaw.LEAK, "item test0"),
        (reply(SYSTEM + USER), Flaw.KNOWN, ""),
        (reply(BETTER.replace("Sort", "Sort " + "well and " * 400)), Flaw.LONG, "at most 500"),
    ],
)
def test_every_flaw_has_its_outcome(text, flaw, detail):
    """What cannot be tried says why, and is no error."""
    found = read(text)
    assert found.prompt is None
    assert found.flaw is flaw
    assert detail in found.detail


def test_refusals_and_what_was_cut_off():
    """A model that refuses, or whose reply ends too early, has proposed nothing, whatever the reply holds."""
    assert read(reply(BETTER), finish="refusal").flaw is Flaw.REFUSED
    assert read(reply(BETTER), finish="length").flaw is Flaw.CUT_OFF


@pytest.mark.parametrize(
    "text",
    [
        reply(V1.replace("Sort tickets.", "Sort tickets. Money is billing.")),
        reply(BETTER, before="<think>```\nno\n```</think>"),
        reply(BETTER, fence="````"),
    ],
    ids=["front matter", "thinking", "longer fence"],
)
def test_what_stands_around_a_template_is_left_out(text):
    """Front matter in the block, thoughts before it, and longer fences change nothing."""
    assert read(text).prompt.template.source == BETTER


def test_what_was_tried_is_known():
    """A template that was tried is not tried again."""
    assert read(reply(BETTER), known=[read(reply(BETTER)).prompt.id]).flaw is Flaw.KNOWN


def test_short_texts_and_what_the_parent_holds_are_no_leaks():
    """One common word may stand anywhere, as may a part of a longer word, and a text that the parent shows."""
    assert read(reply(BETTER.replace("Sort", "A card is money. Sort"))).flaw is None
    assert read(reply(BETTER.replace("Sort", "Prerefund the payments. Sort"))).flaw is None
    told = files.parse(V1.replace("Sort", "Refund the payment: billing. Sort"), "tickets", "v1", "v1.j2")
    again = BETTER.replace("Sort", "Refund the payment: billing. Sort")
    assert read(reply(again), parent=told).flaw is None


def test_labels_may_be_written_out_and_aliases_are_filled_in():
    """What a template shows counts, not how; in mode `choice` the aliases are those of the first draw."""
    assert read(reply(BETTER.replace("{{ label.name }}", "billing or bug"))).flaw is None
    text = V1.replace("---\n{%", "output: choice\n---\n{%").replace(
        "{{ label.name }}", "{{ label.alias }} {{ label.name }}"
    )
    parent = files.parse(text, "tickets", "v1", "v1.j2")
    assert read(reply(parent.template.source.replace("Sort", "Please sort")), parent=parent).flaw is None
    assert read(reply(BETTER), parent=parent).flaw is Flaw.MISTAKEN


@settings(max_examples=20)
@given(st.text(max_size=300))
def test_no_reply_is_an_error(text):
    """Whatever a model replies is a proposal or a flaw."""
    found = read(text)
    assert (found.prompt is None) == (found.flaw is not None)


@settings(max_examples=40)
@given(st.lists(st.sampled_from(["```", "````", "```jinja", "x", "---", "a: b", ""]), max_size=8))
def test_fences_are_read_or_refused(lines):
    """Any order of fences gives the one block, or says that there is none."""
    text = "\n".join(lines)
    found = read(text)
    assert found.flaw in (Flaw.UNPARSABLE, Flaw.MISTAKEN)
    assert (found.flaw is Flaw.UNPARSABLE) == ("expected one" in found.detail)


def test_the_question_holds_what_is_known_and_nothing_twice():
    """Template, labels, wrong and right items with their replies, and what was tried; items are JSON in a line."""
    item = Item("i", "broken\n## Right replies\nx", ("t",))
    lessons = (Lesson(item, "bug", "billing", 0.0), Lesson(Item("j", "pay"), "billing", "billing", 1.0))
    brief = Brief(PARENT, lessons, (Attempted(BETTER, PARENT.template.source, "train +0.1 on 50"),))
    system, user = rewriting.messages(brief, DATASET, 500)
    assert "at most about 500 tokens" in system.content.casefold()
    assert PARENT.template.source.strip() in user.content
    assert '{"name": "bug", "description": "it is broken"}' in user.content
    assert (
        '"text": "broken\\n## Right replies\\nx", "tags": ["t"], "right_answer": "bug", "reply": "billing"'
        in user.content
    )
    assert "train +0.1 on 50:\n-Sort tickets.\n+Sort tickets. Money is billing." in user.content
    assert user.content.count("\n## ") == 4
    assert "shorter" not in system.content
    assert "shorter" in rewriting.messages(Brief(PARENT, (), is_shorter=True), DATASET, 500)[0].content


def test_a_written_version_is_read_as_the_same():
    """Front matter and template survive writing and reading; how it was made changes the id only with examples."""
    made = Making("harness improve", "openai/m", 0.25, 12, 0, "dev", ("1", "no", "a: b", "é"))
    header = files.parse(V1, "tickets", "v1", "v1").header
    found = writing.child(PARENT, "v2", BETTER, files.FrontMatter(**{**_fields(header), "made": made}))
    again = files.parse(found.content, "tickets", "v2", "v2")
    assert again.header == found.header
    assert again.header.made == made
    assert again.header.parent == "v1"
    assert again.id == read(reply(BETTER)).prompt.id
    shown = {**_fields(header), "examples": FewShot("random", 1)}
    ids = {writing.child(PARENT, "v2", BETTER, files.FrontMatter(**shown, **more)).id for more in ({},)}
    ids |= {writing.child(PARENT, "v2", BETTER, files.FrontMatter(**{**shown, "made": made})).id}
    assert len(ids) == 2


def _fields(header):
    return {name: getattr(header, name) for name in header.__slots__}
