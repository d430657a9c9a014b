"""`harness improve`: a planted landscape under the real stack, from the first question to the file."""

import json
import signal
import sqlite3

import pytest

from harness import datasets
from harness.arms.prompts import files
from harness.runs.improving import escalation
from tests import kind_examples, processes
from tests.app.commands import landscape
from tests.loopback import serve

SMALL = {"train": 45, "dev": 30, "test": 45}
PRICED = ("--model", "openai/gpt-4o-mini", "--priced-as", "openai/gpt-4o-mini")
AT_ONCE = 2
QUICK = ("--variants", "4", "--minibatch", "10")
FEW = (*QUICK, "--budget", "0.5", "--no-examples")
FENCED = "Better.\n```jinja\n{}```\n"
CAREFUL = landscape.TEMPLATE.replace("Sort", "Careful. Sort")


@pytest.fixture
def planted(root):
    """The small workspace, with the landscape beside the tickets."""
    landscape.plant(root, SMALL)
    return root


def recipe(path, default, **answers):
    """A fake model's recipe; the name by which it is asked."""
    path.write_text(
        f"default = {json.dumps(default)}\n[answers]\n"
        + "".join(f"{json.dumps(k)} = {json.dumps(v)}\n" for k, v in answers.items())
    )
    return f"fake/{path.name}"


def improve(harness, root, proposal, *more, **answers):
    """A search with two fake models: who is served says `bug`, and to a careful prompt what `answers` say."""
    answers = answers or {
        "the invoice": "billing",
        "the crash": "question",
        "Careful. Sort the ticket.\nTicket: the manual": "question",
    }
    served = recipe(root / "served.toml", "bug", **answers)
    other = recipe(root / "other.toml", proposal)
    return harness("improve", "v1", "--model", served, "--with", other, "--no-examples", *QUICK, *more)


def billed(root):
    """What the ledger has billed, in dollars, and the calls that it knows."""
    ledger = sqlite3.connect(root / "results" / "calls.sqlite")
    nano, n = ledger.execute("select sum(billed_nano), count(*) from calls").fetchone()
    ledger.close()
    return nano / 1e9, n


def runs(root, harness):
    listed = harness("runs", "list", "--json").json
    return {run["arm"]: run for run in listed} if isinstance(listed, list) else {}  # without a store: an error


def test_a_better_version_is_found_written_and_paid_once(harness, planted):
    """Phrases are found, test says better, the spend is the ledger's, and the same command again sends nothing."""
    with serve(landscape.answer) as server:
        command = ("improve", "v1", *PRICED, "--json", "--base-url", server.openai_url, *FEW)
        done = harness(*command)
        assert done.code == 0, done.err
        found = done.json
        usd, calls = billed(planted)
        assert calls == len(server.requests)
        again = harness(*command)
        assert len(server.requests) == calls
    assert found["shown"] == again.json["shown"] == "better"
    assert (found["version"], again.json["already"], again.json["version"]) == ("v2", "v2", None)
    assert found["billed_usd"] == again.json["billed_usd"] == pytest.approx(usd)
    assert found["comparison"]["difference"]["low"] > 0
    assert found["trials"] == again.json["trials"]
    prompt = files.load(planted, "planted", "v2")
    assert sum(phrase in prompt.content for phrase in landscape.PHRASES.values()) >= 1
    assert prompt.header.parent == "v1"
    made = prompt.header.made
    assert (made.by, made.model, made.variants) == ("harness improve", "openai/gpt-4o-mini", len(found["trials"]))
    assert 0 < made.cost_usd <= found["billed_usd"] <= 0.5
    train = {one.item.id for one in datasets.load(planted, "planted@v1").in_split("train")}
    assert made.learnt_from
    assert train.issuperset(made.learnt_from)
    assert harness("prompt", "diff", "v1", "v2", "--json").json["runs"]["difference"]["value"] > 0


@pytest.mark.sims
def test_what_a_version_learnt_from_is_not_scored(harness, planted):
    """On train the items that it was written from are left out; it is a limited run."""
    assert improve(harness, planted, FENCED.format(CAREFUL)).code == 0
    learnt = files.load(planted, "planted", "v2").header.learnt_from
    done = harness("eval", "--prompt", "v2", "--split", "train", "--model", "fake/served.toml", "--json")
    assert done.json["n"] == SMALL["train"] - len(learnt)


def test_without_a_gain_nothing_is_written(harness, planted):
    """A variant that is worth its parent is not taken, test is not looked at, and the exit code is 0."""
    done = improve(harness, planted, FENCED.format(CAREFUL), Careful="bug")
    assert done.code == 0
    assert "No variant did better than prompt:v1; test was not looked at." in done.out
    assert files.versions(planted, "planted") == ["v1"]
    assert runs(planted, harness) == {}


def few_right(rows):
    """A model that a careful prompt makes right on a few tickets."""
    return {
        f"Careful. Sort the ticket.\nTicket: the {word} numbered {i} of {split}\n": label
        for word, i, split, label in rows
    }


LUCKY = few_right(
    [("invoice", 3 * i, "train", "billing") for i in range(15)]
    + [("invoice", 0, split, "billing") for split in ("dev", "test")]
)


@pytest.mark.sims
def test_what_is_not_shown_is_said_and_kept_on_request(harness, planted):
    """A gain on dev that test does not show: in words, with what would; it is written with --keep-best alone."""
    done = improve(harness, planted, FENCED.format(CAREFUL), **LUCKY)
    assert done.code == 0
    assert "prompt:v2 is not shown to be better than prompt:v1" in done.out
    assert "labelled items in test would show a difference like this one with 80% power" in done.out
    assert "no trained classifier is stored on test (harness baselines makes one)" in done.out
    assert files.versions(planted, "planted") == ["v1"]
    assert runs(planted, harness)["prompt:v2"]["purpose"] == "search"
    kept = improve(harness, planted, FENCED.format(CAREFUL), "--keep-best", **LUCKY)
    assert "Wrote prompts/planted/v2.j2" in kept.out
    assert runs(planted, harness)["prompt:v2"]["purpose"] == "whole"


@pytest.mark.sims
def test_what_stands_beside_it_is_said(harness, planted):
    """The best trained classifier and the best cascade on the same items, with intervals."""
    command = (harness, planted, FENCED.format(CAREFUL), "--keep-best")
    assert improve(*command, **LUCKY).code == 0
    for split in ("test", "dev"):
        assert harness("baselines", "--arm", "majority", "--arm", "tag-odds", "--split", split).code == 0
    assert harness("cascade", "tag-odds", "majority", "--store").code == 0
    again = improve(*command, **LUCKY)
    assert "Beside it: the best trained classifier, " in again.out
    assert "Beside it: the best cascade, cascade" in again.out
    assert "prompt:v2 says so already: nothing was written" in again.out


def test_flaws_are_counted(harness, planted):
    """Whatever is wrong with proposals is said, and nothing is lost; test is not looked at, the exit code is 0."""
    done = improve(harness, planted, FENCED.format(CAREFUL.replace("Sort", "the invoice numbered 0 of test")))
    assert done.code == 0
    assert "0 tried on train, 0 on dev; not tried: 4 holds an item's text" in done.out
    assert "No variant did better than prompt:v1; test was not looked at." in done.out


@pytest.mark.sims
def test_a_shorter_prompt_that_is_as_good_is_a_win(harness, planted):
    """With --shorter fewer tokens win where the loss is shown to be below the margin."""
    short = landscape.TEMPLATE.replace("Sort the ticket.\n", "")
    done = improve(harness, planted, FENCED.format(short), "--shorter", "--margin", "0.2", "--json")
    assert done.json["shown"] == "shorter"
    assert done.json["tokens"][0] < done.json["tokens"][1]
    assert files.load(planted, "planted", "v2").template.source == short


@pytest.mark.sims
def test_without_a_dev_split_a_part_of_train_stands_in(harness, planted):
    """It is said, and the version names where it was chosen."""
    done = improve(
        harness, planted, FENCED.format(CAREFUL), "--dataset", "tickets@v1", "--task", "planted", "--dry-run"
    )
    assert done.code == 0
    done = improve(harness, planted, FENCED.format(CAREFUL), "--dataset", "tickets@v1", "--task", "planted")
    assert "tickets@v1 has no dev split: " in done.out
    assert "training items stand in for it" in done.out


def test_a_dry_run_sends_nothing(harness, planted):
    """Worst case in calls and dollars, what the budget bounds; no call is made, no file written."""
    with serve(landscape.answer) as server:
        done = harness("improve", "v1", *PRICED, "--base-url", server.openai_url, *FEW, "--dry-run", "--json")
        assert server.requests == []
    assert done.json["sent"] == 0
    assert done.json["worst_usd"] > 0
    assert done.json["most_proposals"] == 4 + 2 * escalation.is_there()
    assert done.json["most_asks"] > 2 * SMALL["test"] + SMALL["dev"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--to", "v1"), "--to v1: there is such a version"),
        (("--split", "dev"), "a prompt is improved on train and dev"),
        (("--split", "nowhere"), "has no labelled item in split 'nowhere'"),
        (("--with-base-url", "http://127.0.0.1:9/v1"), "give both"),
        (("--budget", "0.000001", *PRICED), "does not hold the first questions"),
        (PRICED, "give --budget USD"),
        (("--model", "decision/m"), "writes no prompt; give --with MODEL"),
    ],
)
def test_mistakes_are_one_line(harness, planted, monkeypatch, arguments, said):
    """What cannot be done is one line with exit code 2; nothing is sent."""
    for name in ("OPENAI", "TYPESAFE"):
        monkeypatch.setenv(f"{name}_API_KEY", "k")
    done = harness("improve", "v1", *arguments)
    assert done.code == 2
    assert said in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.sims
def test_an_outage_ends_it_and_the_same_command_goes_on(harness, planted):
    """Exit code 3 after an outage; what was answered is not asked again, and the end is as without it."""
    with serve(landscape.answer, faults={30: "401 no more"}) as server:
        command = ("improve", "v1", *PRICED, "--json", "--base-url", server.openai_url, *FEW)
        assert harness(*command).code in (2, 3)
        first = len(server.requests)
        done = harness(*command)
    assert done.code == 0
    asked = [json.dumps(body["messages"]) for body in server.requests]
    assert len(asked) == len(set(asked)) + 1
    assert first >= 31
    assert done.json["shown"] == "better"


@pytest.mark.sims
@pytest.mark.parametrize("kind", ["multi", "extract", "score", "choice"])
def test_every_kind_and_choice_can_be_improved(harness, root, kind):
    """Answers with degrees, and aliases: a search goes its way, and writes a version that reads as a prompt."""
    right = {"multi": '{"labels": ["bug"]}', "extract": "{}", "score": '{"score": 0}', "choice": "A"}[kind]
    if kind == "choice":
        landscape.plant(root, SMALL)
        text = landscape.V1.replace("---\nmodel", "---\noutput: choice\nrotations: 1\nvotes: 1\nmodel").replace(
            "Sort", "{% for label in labels %}{{ label.alias }} {{ label.name }} {% endfor %}Sort"
        )
        (root / "prompts" / "planted" / "v1.j2").write_text(text)
        name, version = "planted", "v1"
    else:
        kind_examples.write(root, kind, 120)
        name, version = kind, "v3"
    source = files.load(root, name, version).template.source
    better = source.replace("Sort", "Careful. Sort").replace(" names.", " names. Careful.")
    served = recipe(root / "served.toml", "nonsense", Careful=right)
    other = recipe(root / "other.toml", FENCED.format(better))
    done = harness(
        *("improve", version, "--dataset", f"{name}@v1", "--model", served, "--with", other),
        *("--variants", "2", "--minibatch", "30", "--json", "--keep-best"),
    )
    assert done.code == 0, done.err
    assert done.json["trials"][0]["outcome"] == "kept"
    assert files.load(root, name, done.json["version"]).header.parent == version


@pytest.mark.sims
@pytest.mark.parametrize(("variants", "by"), [("20", "rewriting"), ("6", "gepa")])
def test_all_phrases_are_found_within_the_budget(harness, root, variants, by):
    """The whole landscape, by rewriting and by GEPA: every phrase, better on test, and the bill is the ledger's."""
    landscape.plant(root)
    with serve(landscape.answer) as server:
        more = ("--variants", variants, "--minibatch", "20", "--no-examples")
        done = harness("improve", "v1", *PRICED, "--json", "--base-url", server.openai_url, "--budget", "0.2", *more)
    assert done.json["shown"] == "better"
    assert [one["origin"] for one in done.json["trials"] if one["outcome"] == "kept"][-1] == by
    prompt = files.load(root, "planted", "v2")
    assert all(phrase in prompt.content for phrase in landscape.PHRASES.values())
    assert done.json["billed_usd"] == pytest.approx(billed(root)[0])
    assert done.json["billed_usd"] <= 0.2


@pytest.mark.sims
def test_a_budget_ends_a_search_in_good_order_and_a_larger_one_goes_on(harness, planted):
    """Within a small budget it ends with its look at test, exit code 0; a larger one pays for nothing twice."""
    propose = lambda text: landscape.answer(text, landscape.useless)  # noqa: E731
    with serve(propose) as server:
        command = (
            "improve",
            "v1",
            *PRICED,
            "--json",
            "--base-url",
            server.openai_url,
            "--minibatch",
            "10",
            "--no-examples",
        )
        done = harness(*command, "--budget", "0.009")
        assert done.code == 0, done.err
        assert done.json["ended"] == "budget"
        assert done.json["billed_usd"] <= 0.009
        first = len(server.requests)
        more = harness(*command, "--budget", "0.5")
        asked = [json.dumps(body["messages"]) for body in server.requests]
    assert more.code == 0
    assert more.json["ended"] != "budget"
    n = len(done.json["trials"])
    assert [one["outcome"] for one in more.json["trials"][:n]] == [one["outcome"] for one in done.json["trials"]]
    assert 0 < first < len(asked) == len(set(asked))


@pytest.mark.soak
@pytest.mark.parametrize("after", [5, 40, 120, 200])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_search_that_is_stopped_goes_on(harness, planted, after, number):
    """kill -9 and Ctrl-C at any place: the same command asks only what was not answered, and ends alike.

    kill -9 loses what is in flight, and what was answered and is on its way to the disk.
    """
    with serve(landscape.answer, held_from=after) as server:
        command = ("improve", "v1", *PRICED, "--json", "--base-url", server.openai_url, *FEW)
        process = processes.harness(planted, *command, "--concurrency", str(AT_ONCE))
        processes.until(lambda: len(server.requests) >= after + 1, process)
        process.send_signal(number)
        server.released.set()
        process.communicate(timeout=processes.HANGS_S)
        assert process.returncode == (3 if number == signal.SIGINT else -9)
        done = harness(*command)
        asked = [json.dumps(body["messages"]) for body in server.requests]
    assert done.code == 0
    assert len(asked) - len(set(asked)) <= (0 if number == signal.SIGINT else 3 * AT_ONCE)
    assert done.json["version"] == "v2"


FAULTS = ("reset", "half", "garbage", "500 down", "429 slow", "empty")


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3))
def test_a_search_at_a_faulty_server_is_killed_and_goes_on_within_its_budget(harness, planted, seed):
    """By the server's own account the budget is never passed, killed in between or not; in the end it finishes."""
    faults = {n: FAULTS[n // 5 % len(FAULTS)] for n in range(3 + seed, 2000, 5)}
    with serve(landscape.answer, faults=faults, held_from=15 + 8 * seed) as server:
        usage = server.usage

        def server_usd():
            n = sum(faults.get(number, "")[:3] not in ("500", "429") for number in range(len(server.requests)))
            return n * (usage["input"] * 0.15 + usage["output"] * 0.6) / 1e6

        command = ("improve", "v1", *PRICED, "--json", "--base-url", server.openai_url, *QUICK, "--no-examples")
        small = (*command, "--budget", "0.02")
        process = processes.harness(planted, *small, "--concurrency", str(AT_ONCE))
        processes.until(lambda: len(server.requests) > server.held_from, process)
        process.kill()
        server.released.set()
        process.communicate(timeout=processes.HANGS_S)
        done = harness(*small)
        assert done.code in (0, 3), done.err
        assert 0 < server_usd() <= 0.02
        known_usd, _ = billed(planted)
        assert known_usd <= 0.02
        more = harness(*command, "--budget", "0.5")
        assert more.code in (0, 3), more.err
        assert server_usd() <= 0.5
        if more.code == 3:  # an item had six outages: those are asked again, the others not
            more = harness(*command, "--budget", "0.5")
    assert more.code == 0, more.err
