"""`compare` and `power` on the command line."""

import os
import re
import subprocess
import sys

import pytest

from tests.loopback import serve


@pytest.fixture
def stored(harness, once):
    """Three baselines and a prompt on the small dataset."""
    once(lambda: begin(harness))


def begin(harness):
    assert harness("eval", "--prompt", "v1", "--baselines").code == 0


def test_two_arms_agree_with_sql(harness, stored):
    """The 2x2 table, n and the difference are what a join over the view `scored` gives."""
    found = harness("compare", "rules", "majority", "--json").json
    (row,) = harness(
        "sql",
        "select count(*) as n, count(*) filter (a.correct and b.correct) as both_right, "
        "count(*) filter (a.correct and not b.correct) as only_a, "
        "count(*) filter (not a.correct and b.correct) as only_b, avg(a.correct::int) - avg(b.correct::int) as diff "
        "from scored a join scored b using (example_id) where a.arm = 'rules' and b.arm = 'majority'",
        "--json",
    ).json
    assert (found["n"], found["both"], found["only_a"], found["only_b"]) == (
        row["n"],
        row["both_right"],
        row["only_a"],
        row["only_b"],
    )
    assert found["both"] + found["only_a"] + found["only_b"] + found["neither"] == found["n"]
    assert found["difference"]["value"] == pytest.approx(row["diff"])
    assert found["difference"]["low"] < found["difference"]["value"] < found["difference"]["high"]
    assert len(found["changed"]) == found["only_a"] + found["only_b"]


def test_a_reply_stands_beside_an_answer_that_it_says_in_other_words(harness, root):
    """A label in other letters is shown with its reply, no label as the reply; both readings are printed."""
    said = ["Billing.", "no idea", "bug", "question", "bug"]
    with serve(lambda text: said[len(text) % len(said)]) as server:
        assert harness("eval", "--prompt", "v1", "--model", "openai/m", "--base-url", server.openai_url).code == 0
    assert harness("baselines", "--arm", "rules").code == 0
    done = harness("compare", "rules", "prompt:v1", "--items", "100")
    words = " ".join(done.out.split())
    assert "billing (of 'Billing.')" in words
    assert "(none: 'no idea')" in words
    assert "unanswered items count as wrong; on the" in words
    changed = harness("compare", "rules", "prompt:v1", "--json").json["changed"]
    assert {one["b_reply"] for one in changed if one["b"] is None} == {"no idea"}


def test_in_words(harness, stored):
    """Table, difference with interval, p, what so many items can show, and the items."""
    out = harness("compare", "rules", "majority", "--items", "2").out
    for part in (
        "shared items",
        "rules right",
        "majority wrong",
        "difference",
        "p ",
        "so few disagree that no difference can show",
        "--items shows more",
    ):
        assert part in " ".join(out.split())


def test_all_arms_with_each_other(harness, stored):
    """Without names every pair is compared, corrected for their number."""
    done = harness("compare")
    assert done.code == 0
    assert "6 comparisons" in done.out
    made = harness("compare", "--json").json
    assert len(made) == 6
    assert all(one["adjusted_p"] >= one["p_value"] for one in made)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rules",), "takes two arms, or none to compare all; found 1"),
        (("rules", "ruels"), "the store has no run 'ruels'; expected one of"),
        (("--dataset", "nothing@v1"), "there is no dataset 'nothing@v1'"),
        (("rules", "rules"), "'rules' and 'rules' are the same run"),
    ],
)
def test_mistakes_are_one_line(harness, stored, arguments, said):
    """What was found, what was expected; exit code 2."""
    done = harness("compare", *arguments)
    assert (done.code, done.err.strip().count("\n")) == (2, 0)
    assert said in done.err


def test_power_before_money_is_spent(harness):
    """The published sample size; the split's own size by default; the impossible is said to be."""
    found = harness("power", "--difference", "0.1", "--disagreement", "0.3", "--json").json
    assert found["rows"][0]["needed_n"] == 234
    assert found["n"] == len(harness("dataset", "show", "tickets@v1", "--json").json) or found["n"] > 0
    out = harness("power", "--n", "1000", "--difference", "0.2").out
    assert "shown by 1,000 items" in out
    assert "impossible" in out
    within = harness("power", "--margin", "0.05", "--disagreement", "0.1", "--json").json
    at_least = (1.96 + 0.84) ** 2 * 0.1 / 0.05**2  # were the variance at the margin what it is at no difference
    assert at_least < within["rows"][0]["needed_n_within"] < 1.2 * at_least
    assert "items for a margin of .020" in harness("power", "--margin", "0.02").out
    wrong = harness("power", "--difference", "0.2", "--disagreement", "0.1")
    assert (wrong.code, "arms differ by at most" in wrong.err) == (2, True)


@pytest.mark.parametrize("words", [("compare",), ("compare", "rules", "majority"), ("baselines",)])
def test_tables_fit_eighty_columns(harness, stored, monkeypatch, words):
    """In a terminal of 80 columns no row of a table is longer; sentences are the terminal's to break."""
    monkeypatch.setenv("COLUMNS", "80")
    out = harness(*words).out
    lines = [line for line in out.splitlines() if "  " in line or "──" in line]
    assert len(lines) > 3
    assert max(map(len, lines)) <= 80, max(lines, key=len)


@pytest.mark.parametrize(
    ("variables", "has_bold"),
    [({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True), ({}, False)],
)
def test_a_pipe_gets_plain_text(root, harness, stored, variables, has_bold):
    """No escape sequence in a pipe unless it is asked for, and with NO_COLOR (no-color.org) never a colour."""
    plain = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "NO_COLOR")}
    words = [sys.executable, "-m", "harness", "baselines"]
    done = subprocess.run(words, cwd=root, env=plain | variables, capture_output=True, text=True, check=True)
    assert ("\x1b[1m" in done.stdout) is ("\x1b" in done.stdout) is has_bold
    if "NO_COLOR" in variables:
        assert not re.search(r"\x1b\[(?:\d+;)*(?:3|4|9|10)[0-7]", done.stdout)


def test_several_fits_are_heard_by_every_comparison(harness):
    """`compare` of two, of all, and the verdict have one evidence, wider than that of the items alone."""
    arms = ("--arm", "random", "--arm", "majority")
    assert harness("baselines", *arms, "--seeds", "3", "--dataset", "tickets@v1", "--split", "test").code == 0
    two = harness("compare", "random", "majority", "--dataset", "tickets@v1", "--json").json
    (every,) = harness("compare", "--dataset", "tickets@v1", "--json").json
    verdict = harness("decide", "--dataset", "tickets@v1", "--json").json
    fits = {one["arm"]: one["fits"] for one in verdict["candidates"]}
    assert max(fits.values()) == 3
    sign = 1 if every["a"] == two["a"] else -1
    assert two["difference"]["value"] == pytest.approx(sign * every["difference"]["value"])
    assert two["p_value"] == pytest.approx(every["p_value"])
    assert "clusters" in two["difference"]["method"]
