"""The draft of a blog post: numbers from the store, questions where only its author knows, nothing hostile acted on."""

import re
from dataclasses import replace

import pytest

from harness.ground import formatting
from harness.report import again, drawings, post
from tests.report.conftest import made, whole


@pytest.fixture(scope="module")
def written():
    results = made()
    return results, post.draft(results, drawings.drawn(results))


def test_the_numbers_are_those_of_the_results(written):
    """Every arm stands in the table with its accuracy, interval and price."""
    results, text = written
    for result in results.runs:
        row = next(line for line in text.splitlines() if line.startswith(f"| {result.run.arm} "))
        assert formatting.with_interval(result.headline) in row
        assert formatting.dollars(result.cost_per_1000_usd) in row


def test_every_picture_is_a_file_of_figures(written):
    """The pictures that the draft shows are files that `harness figures` writes, each with its words."""
    results, text = written
    pictures = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", text)
    assert len(pictures) >= 4
    files = drawings.files(results)
    assert all(alt and name in files for alt, name in pictures)


def test_limits_are_said(written):
    """Failed calls, unknown prices, wide intervals and the number of looks are in the limits."""
    limits = written[1].split("## Limits")[1]
    for words in ("2 calls failed", "The price of prompt:v1 is unknown", "scored 3 times", "wide"):
        assert words in limits


def test_tradeoffs_are_in_words(written):
    """Each other arm stands beside the best: how many items, how much, how fast."""
    text = written[1]
    assert "minilm-lr is right on" in text
    assert "majority: it is 1,000 times cheaper" in text


def test_a_fake_model_is_named_as_one():
    """Answers by recipe are not passed off as a model's."""
    results = made(arms={"prompt:v1": {"right": 0.5, "model": "fake/first"}, "majority": {"right": 0.3}})
    assert "answers by recipe" in post.draft(results, ())


def test_nothing_hostile_is_acted_on(hostile):
    """Outside code fences there is no tag and no link that data made."""
    text = post.draft(hostile, drawings.drawn(hostile))
    outside = re.sub(r"^(`{3,})\w+\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert "<script" not in outside
    assert "<img" not in outside
    assert not re.search(r"(?<!\\)\]\(javascript", outside)


def test_do_it_again_names_arms_models_servers_items_seeds_and_repeats():
    """Whatever decides what is asked and of whom stands in the command, quoted for a shell."""
    results = whole()
    runs = []
    for one in results.runs:
        facts = {"prompt:v3": {"params": {"prompt": "p", "endpoint": "http://gpu:8000/v1"}, "purpose": "limited"}}
        runs.append(replace(one, run=replace(one.run, **facts.get(one.run.arm, {}))))
    again_v1 = next(one for one in runs if one.run.arm == "prompt:v1")
    runs.append(replace(again_v1, run=replace(again_v1.run, repeat=2)))
    where = "--dataset tickets@v1 --split test"
    said = again.commands(replace(results, runs=tuple(runs)))
    assert said == [
        f"harness baselines --arm majority --arm minilm-lr --arm tfidf-lr {where}",
        f"harness eval --prompt v3 --model openai/m {where} --base-url http://gpu:8000/v1 --limit 60",
        f"harness eval --prompt v1 --model openai/own {where} --repeat 3",
        f"harness cascade tfidf-lr prompt:v3 --how cascade --store {where}",
        f"harness report {where}",
        f"harness figures {where}",
    ]
    hostile_name = again.commands(replace(results, split=replace(results.split, dataset="$(rm -rf x)")))
    assert all("--dataset '$(rm -rf x)'" in line for line in hostile_name)
