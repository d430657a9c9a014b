"""The first prompt and the first rules of a task hold for whatever labels a file has."""

from hypothesis import given
from hypothesis import strategies as st

from harness.arms import drafts
from harness.arms.prompts import files
from harness.ground import plugins
from harness.types import Example, Item, Label

RULES = plugins.load("baselines", "rules")
NAMES = st.lists(st.text(st.characters(exclude_categories=("C", "Z")), min_size=1), min_size=2, max_size=6, unique=True)


@given(NAMES)
def test_a_drafted_prompt_says_every_label_as_it_is(names):
    """It is a valid prompt, and its message holds each label letter by letter, braces and all."""
    labels = [Label(name) for name in names]
    prompt = files.parse(drafts.prompt(labels), "t", "v1", "v1.j2")
    system, user = prompt.template.messages(Item("1", "the text"), labels, "t")
    assert [line.removeprefix("- ") for line in system.content.splitlines()[2:]] == names
    assert user.content == "the text"


def test_a_prompt_without_labels_names_those_of_the_dataset():
    """Before there is a dataset, the draft lists whichever labels it will have."""
    prompt = files.parse(drafts.prompt([]), "t", "v1", "v1.j2")
    system, _ = prompt.template.messages(Item("1", "x"), [Label("a"), Label("b")], "t")
    assert system.content.endswith("- a\n- b")


@given(NAMES)
def test_drafted_rules_are_valid_for_every_label(names):
    """They parse, and each label has a rule, also one whose items have no word of their own."""
    examples = [Example(Item(str(i), f"word{i % len(names)} same"), names[i % len(names)], "train") for i in range(20)]
    labels = [Label(name) for name in names]
    assert {rule.label for rule in RULES.parse(drafts.rules(examples, labels)).rule} == set(names)


def test_drafted_rules_stand_in_the_order_of_their_certainty():
    """A word of one label only comes before one that others use too; what most use is no rule."""
    texts = [("refund please", "a")] * 9 + [("refund error", "b")] + [("error", "b")] * 9 + [("the please", "b")] * 9
    examples = [Example(Item(str(i), text), label, "train") for i, (text, label) in enumerate(texts)]
    rules = RULES.parse(drafts.rules(examples, [Label("a"), Label("b")])).rule
    assert [(rule.label, rule.keyword) for rule in rules] == [("b", "error"), ("b", "the"), ("a", "refund")]
