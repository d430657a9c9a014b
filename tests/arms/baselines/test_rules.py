from pathlib import Path

import pytest

from harness.arms.baselines import rules
from harness.errors import ConfigError
from harness.types import Item

LABELS = ["food", "sport", "travel"]
SHIPPED = Path(__file__).parents[3] / "prompts" / "emoji-tags" / "rules-v1.toml"


def toml(*rows, default=None):
    """A rules file: each row is (condition, what it asks, label)."""
    head = f'default = "{default}"\n' if default else ""
    return head + "\n".join(f"[[rule]]\n{kind} = '{text}'\nlabel = '{label}'" for kind, text, label in rows)


def answer(text, item):
    """The label the rules give the item, or None when they abstain."""
    classifier = rules.build(text).fit([Item(label, "") for label in LABELS], LABELS)
    row = classifier.predict_proba([item])[0]
    assert set(row) <= {0.0, 1.0}
    assert row.sum() in (0, 1)
    return str(classifier.classes_[row.argmax()]) if row.any() else None


def test_the_first_rule_that_fits_decides():
    """Of two rules that fit, the one that stands first decides; swapped, the other does."""
    ball, soup = ("keyword", "ball", "sport"), ("keyword", "soup", "food")
    item = Item("1", "a ball in the soup")
    assert answer(toml(ball, soup), item) == "sport"
    assert answer(toml(soup, ball), item) == "food"


def test_where_no_rule_fits_there_is_no_answer():
    """Without a default the arm abstains; with one it answers the default, and only there."""
    ball = ("keyword", "ball", "sport")
    assert answer(toml(ball), Item("1", "soup")) is None
    assert answer(toml(ball, default="food"), Item("1", "soup")) == "food"
    assert answer(toml(ball, default="food"), Item("1", "ball")) == "sport"


@pytest.mark.parametrize(
    ("kind", "wanted", "item", "fits"),
    [
        ("keyword", "ball", Item("1", "a Ball."), True),
        ("keyword", "ball", Item("1", "football"), False),
        ("keyword", "ball", Item("1", "", ("ball",)), True),
        ("keyword", "soup bowl", Item("1", "my soup bowl"), True),
        ("keyword", "café", Item("1", "Im Café sitzen"), True),
        ("keyword", "café", Item("1", "cafés"), False),
        ("keyword", "🎉", Item("1", "party🎉"), True),
        ("keyword", "c++", Item("1", "I like C++!"), True),
        ("keyword", "a.b", Item("1", "aXb"), False),
        ("tag", "ball", Item("1", "ball"), False),
        ("tag", "ball", Item("1", "", ("BALL",)), True),
        ("tag", "ball", Item("1", "", ("ball game",)), False),
        ("regex", "^ball", Item("1", "ball"), True),
        ("regex", "^ball", Item("1", "a ball"), False),
        ("regex", "BALLS?", Item("1", "two balls"), True),
        ("regex", "(?-i:BALL)", Item("1", "ball"), False),
    ],
)
def test_what_a_condition_asks(kind, wanted, item, fits):
    """A keyword is a whole word or phrase, a tag a whole tag, a regex a search; capitals do not count."""
    assert answer(toml((kind, wanted, "sport")), item) == ("sport" if fits else None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (toml(("tag", "a", "food"), ("regex", "(?=a)", "food")), r"^rule 2: pattern '\(\?=a\)': .*RE2 syntax"),
        (toml(("regex", r"(a)\1", "food")), r"^rule 1: pattern .*invalid escape sequence"),
        (toml(("regex", "(a", "food")), r"^rule 1: pattern '\(a': missing \)"),
        (toml(("tag", "a", "fodo")), r"^rule 1: label 'fodo' does not occur .*did you mean 'food'"),
        (toml(("tag", "a", "food"), default="fodo"), r"^default: label 'fodo' .*did you mean 'food'"),
        (toml(("keyword", " ", "food")), r"^rule 1: keyword is empty"),
        (toml(("regex", "", "food")), r"^rule 1: regex is empty"),
        ("[[rule]]\nlabel = 'food'", r"^rule 1: found 0 conditions; expected one of regex, tag, keyword"),
        ("[[rule]]\nlabel = 'food'\ntag = 'a'\nregex = 'b'", r"^rule 1: found 2 conditions"),
        ("[[rule]]\nlabel = 'food'\nword = 'a'", r"rule.*word"),
        ("[[rule]]\ntag = 'a'", r"rule.*label"),
        ("[[rules]]\nlabel = 'food'", r"unknown key 'rules'.*did you mean 'rule'"),
        ("rule = [", r"^the rules are not valid TOML"),
    ],
)
def test_a_mistake_is_named(text, message):
    """Every mistake in a rules file is one line that names the rule, what was found and what was expected."""
    with pytest.raises(ConfigError, match=message) as raised:
        answer(text, Item("1", "a"))
    assert "\n" not in str(raised.value)


def test_no_pattern_can_hang():
    """A pattern that takes a backtracking engine for ever is answered at once."""
    assert answer(toml(("regex", "^(a+)+$", "food")), Item("1", "a" * 50_000 + "!")) is None


def test_the_shipped_rules_are_of_every_kind():
    """The rules of the default task parse, and show a regex, a tag and a keyword."""
    shipped = rules.parse(SHIPPED.read_text(encoding="utf-8"))
    assert 15 <= len(shipped.rule) <= 40
    assert all(any(getattr(rule, kind) for rule in shipped.rule) for kind in ("regex", "tag", "keyword"))
