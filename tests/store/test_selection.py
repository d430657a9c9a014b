"""Which runs a name means, over every order in which runs of an arm can have come."""

from dataclasses import replace
from itertools import permutations

import pytest

from harness.errors import ConfigError
from harness.store import Selection, StoredRun, Where

HERE = Where("s1:d", "tickets@v1", "test")


def a_run(run_id, arm="prompt:v1", **changed):
    """A complete run of 100 items; the first letter of its id says when it was started."""
    run = StoredRun(run_id, "s1:d", "tickets@v1", "test", arm, f"s1:{arm}", "fake/a", item_set="all", n=100)
    return replace(run, started_us=ord(run_id[0]), **changed)


def selection(*runs):
    """The runs, oldest first, as the store gives them."""
    return Selection(sorted(runs, key=lambda run: run.started_us))


WHOLE = a_run("m")
OTHERS = {
    "limited": {"purpose": "limited", "n": 10, "item_set": "some"},
    "failed": {"status": "failed items", "n_failed": 100},
    "half failed": {"status": "failed items", "n_failed": 50},
    "stopped": {"status": "stopped", "n": 20},
    "running": {"status": "running", "n": 0},
    "early": {"status": "decided early", "purpose": "limited", "n": 40},
    "fold": {"purpose": "fold", "arm_id": "s1:folded", "params": {"folds": 5}},
    "part": {"purpose": "part", "n_train": 40},
    "search": {"purpose": "search"},
    "shard": {"purpose": "shard", "n": 50},
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", OTHERS)
def test_nothing_shadows_a_complete_run(kind, when):
    """Whatever else was run of an arm, before or after, its bare name means the complete whole run alone."""
    other = a_run("a" if when == "before" else "z", **OTHERS[kind])
    found = selection(WHOLE, other).named("prompt:v1", HERE)
    assert found.run_ids == ("m",)
    assert [one.run_ids for one in selection(WHOLE, other).arms(HERE)] == [("m",)]


@pytest.mark.parametrize("kind", ["limited", "half failed", "stopped", "early", "failed", "running"])
def test_what_came_later_and_is_passed_over_is_named(kind):
    """A newer run that does not stand for its arm is named with the reason."""
    found = selection(WHOLE, a_run("z", **OTHERS[kind])).named("prompt:v1", HERE)
    assert [one.run_id for one in found.passed_over] == ["z"]
    assert found.passed_over[0].reason


def test_without_a_complete_run_the_most_complete_stands():
    """Of a stopped, a limited and a half failed run it is the one that has most replies and was not stopped."""
    runs = [a_run("a", **OTHERS["limited"]), a_run("b", **OTHERS["half failed"]), a_run("c", **OTHERS["stopped"])]
    for order in permutations("abc"):
        shuffled = [replace(run, started_us=ord(letter)) for run, letter in zip(runs, order, strict=True)]
        found = selection(*shuffled).named("prompt:v1", HERE)
        assert found.run_ids == ("b",)
        assert {one.run_id for one in found.passed_over} == {"a", "c"}


def test_repeats_and_seeds_are_one_arm():
    """The arm's name means all of them; a repeat's or a fit's own name means it alone."""
    runs = [a_run("a"), a_run("b", repeat=1), a_run("c", repeat=2), a_run("d", seed=3)]
    chosen = selection(*runs)
    assert chosen.named("prompt:v1", HERE).run_ids == ("a", "b", "c", "d")
    assert [chosen.name(run.run_id) for run in runs] == [
        "prompt:v1",
        "prompt:v1 #2",
        "prompt:v1 #3",
        "prompt:v1 seed 3",
    ]
    assert chosen.named("prompt:v1 #2", HERE).run_ids == ("b",)
    assert chosen.named("prompt:v1 seed 3", HERE).run_ids == ("d",)
    assert chosen.named("a", HERE).run_ids == ("a", "b", "c")


def test_two_models_have_two_names_and_a_bare_arm_is_refused():
    """The model stands in the name; the bare arm lists both, and a model narrows it."""
    runs = [a_run("a"), a_run("b", model="fake/b")]
    chosen = selection(*runs)
    assert [chosen.name(run.run_id) for run in runs] == ["prompt:v1 (fake/a)", "prompt:v1 (fake/b)"]
    with pytest.raises(ConfigError, match=r"'prompt:v1 \(fake/a\)', 'prompt:v1 \(fake/b\)'"):
        chosen.named("prompt:v1", HERE)
    assert chosen.named("prompt:v1", replace(HERE, model="fake/b")).run_ids == ("b",)
    assert chosen.named("prompt:v1 (fake/a)", HERE).run_ids == ("a",)


def test_a_model_that_was_only_tried_does_not_make_the_arm_ambiguous():
    """A limited run on a second model gives way to the complete one, and is named."""
    found = selection(WHOLE, a_run("z", model="fake/b", **OTHERS["limited"])).named("prompt:v1", HERE)
    assert found.run_ids == ("m",)
    assert [one.run_id for one in found.passed_over] == ["z"]


def test_an_edited_prompt_and_another_address_are_told_apart():
    """By the content's id where only that differs, by the address where that does."""
    edited = selection(a_run("a", arm_id="s1:111111ff"), a_run("b", arm_id="s1:222222ff"))
    assert [edited.name(run_id) for run_id in "ab"] == ["prompt:v1 (111111)", "prompt:v1 (222222)"]
    moved = selection(a_run("a"), a_run("b", arm_id="s1:other", params={"endpoint": "http://127.0.0.1:1"}))
    assert [moved.name(run_id) for run_id in "ab"] == ["prompt:v1 (default address)", "prompt:v1 (http://127.0.0.1:1)"]
    with pytest.raises(ConfigError, match="fits 2 arms"):
        edited.named("prompt:v1", HERE)


def test_no_two_runs_of_a_split_share_a_name():
    """Not with every kind of run twice, on two models, in two contents, two seeds and two repeats."""
    runs, number = [], 0
    for model in ("fake/a", "fake/b"):
        for arm_id in ("s1:111111a", "s1:222222b"):
            for seed in range(2):
                for repeat in range(2):
                    for changed in ({}, *OTHERS.values()):
                        number += 1
                        said = {"model": model, "arm_id": arm_id, "seed": seed, "repeat": repeat} | changed
                        runs.append(replace(a_run("a"), run_id=f"s1:{number:06}", **said))
    chosen = Selection(runs)
    names = [chosen.name(run.run_id) for run in runs]
    assert len(set(names)) == len(runs)
    for name, run in zip(names, runs, strict=True):
        if run.purpose == "shard":
            with pytest.raises(ConfigError, match="harness runs merge"):
                chosen.named(name, HERE)
        else:
            assert chosen.named(name, HERE).first.run_id == run.run_id
    arms = chosen.arms(HERE)
    assert len({one.name for one in arms}) == len(arms) == 4


def test_a_name_of_another_split_says_where_it_is():
    """A train run is not the test run, and the message names its split."""
    there = selection(replace(WHOLE, split="train"))
    with pytest.raises(ConfigError, match="--split train"):
        there.named("prompt:v1", HERE)
    with pytest.raises(ConfigError, match="--split train"):
        there.anywhere("prompt:v1", HERE, "test")
    assert there.anywhere("m", HERE, "test").run_ids == ("m",)


def test_a_tag_and_an_ambiguous_prefix():
    """A tag goes before a name; a beginning that several ids share asks for more of it."""
    chosen = selection(
        a_run("a", tag="production"),
        replace(a_run("b"), run_id="s1:ab", arm="x"),
        replace(a_run("c"), run_id="s1:ac", arm="y"),
    )
    assert chosen.named("production", HERE).run_ids == ("a",)
    assert chosen.named("ab", HERE).run_ids == ("s1:ab",)
    with pytest.raises(ConfigError, match="begins 2 run ids"):
        chosen.named("s1:a", HERE)
    with pytest.raises(ConfigError, match="did you mean|the store has no run"):
        chosen.named("productoin", HERE)
