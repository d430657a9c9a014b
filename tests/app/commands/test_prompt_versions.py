"""The loop of an afternoon: the next version, what it changes, what it costs, what it did to the one before."""

import re
import shlex

import pytest

from harness.arms.prompts import files
from harness.ground import watching
from harness.runs.failures import Failures

V1 = "{% block user %}\nTicket: {{ item.text }}\n{% endblock %}\n"


@pytest.fixture
def asked(harness, root):
    """Two versions: the second is answered right where the first is not, and the other way round, on known items."""
    (root / "old.toml").write_text('default = "billing"\n')
    (root / "recipe.toml").write_text('default = "billing"\n[answers]\n"!!" = "bug"\n')
    harness("eval", "--prompt", "v1", "--model", "fake/recipe.toml")
    return root


def test_the_next_version_names_its_parent(harness, root):
    """`prompt new` copies the newest, or the one named; only the parent is another line; what is there stays."""
    folder = root / "prompts" / "tickets"
    done = harness("prompt", "new", "v2")
    assert done.code == 0
    assert "Next: edit it, and harness eval --prompt v2" in done.out
    copy = files.load(root, "tickets", "v2")
    assert copy.header.parent == "v1"
    assert copy.id == files.load(root, "tickets", "v1").id
    assert harness("prompt", "new", "v3", "--from", "v1", "--json").json["parent"] == "v1"
    before = (folder / "v2.j2").read_text()
    assert harness("prompt", "new", "v2").code == 2
    assert (folder / "v2.j2").read_text() == before
    (folder / "v4.j2").write_text(V1)
    assert harness("prompt", "new", "v5").code == 0
    assert files.load(root, "tickets", "v5").header.parent == "v4"
    assert harness("prompt", "new", "v6").code == 0
    assert (folder / "v6.j2").read_text() == (folder / "v5.j2").read_text().replace("v4", "v5")


def test_a_version_is_held_against_its_parent_before_anything_else(harness, asked):
    """After eval of a prompt with a parent: the difference, what was fixed and broken, with answers and texts."""
    folder = asked / "prompts" / "tickets"
    harness("prompt", "new", "v2")
    path = folder / "v2.j2"
    path.write_text(
        path.read_text().replace("{{ item.text }}", "{{ item.text }}{% if 'app' in item.text %} !!{% endif %}")
    )
    done = harness("eval", "--prompt", "v2", "--model", "fake/recipe.toml")
    assert done.code == 0, done.err
    first = done.out.splitlines()[0]
    fixed = int(re.search(r"([0-9]+) fixed, 0 broken", first).group(1))
    assert first.startswith("prompt:v2 minus prompt:v1: .")
    assert done.out.index("fixed: ") < done.out.index("prompt:v2 asks")
    shown = done.out[done.out.index("fixed: ") :]
    assert re.search(r"billing +bug +bug +the app crashes", shown)
    told = harness("eval", "--prompt", "v2", "--model", "fake/recipe.toml", "--json").json["parent"]
    assert (told["only_a"], told["only_b"]) == (fixed, 0)
    assert all("app" in one["text"] for one in told["changed"])
    diff = harness("prompt", "diff", "v1", "v2")
    assert "+Ticket: {{ item.text }}{% if 'app'" in diff.out
    assert first in diff.out
    assert harness("prompt", "diff", "v1", "v2", "--json").json["runs"]["only_a"] == fixed


def test_a_parent_without_a_run_is_said_with_the_way_to_one(harness, root):
    """No comparison is made up: the line names the command."""
    harness("prompt", "new", "v2")
    out = harness("eval", "--prompt", "v2").out
    assert out.startswith("Its parent prompt:v1 is not compared: it has no run on these items with fake/first; ")
    assert "harness eval --prompt v1 makes one" in out.splitlines()[0]


def test_a_diff_needs_no_runs(harness, root):
    """Texts are compared without a store; two that say the same say so."""
    harness("prompt", "new", "v2")
    out = harness("prompt", "diff", "v1", "v2").out
    assert "+parent: v1" in out
    assert "No runs to compare: they ask the same" in out
    assert "v1 and v1 say the same" in harness("prompt", "diff", "v1", "v1").out
    assert harness("prompt", "diff", "v1", "v9").code == 2


def test_a_rendering_has_tokens_and_cost(harness, root):
    """With a model, without a key: tokens and dollars of the item and of the split; nothing is sent."""
    done = harness("prompt", "render", "v1", "--model", "openai/gpt-4o-mini", "--json")
    assert done.code == 0, done.err
    told = done.json
    assert told["item"]["items"] == 1
    assert told["split"]["items"] == told["split"]["calls"] == 30
    assert 0 < told["item"]["likely_usd"] < told["item"]["worst_usd"] < told["split"]["worst_usd"]
    assert 0 < told["item"]["likely_tokens_in"] < told["item"]["most_tokens_in"]
    out = harness("prompt", "render", "v1", "--model", "openai/gpt-4o-mini").out
    assert "split of 30 items with openai/gpt-4o-mini: about " in out
    assert "openai" not in harness("prompt", "render", "v1").out


@pytest.mark.parametrize(
    "words",
    [
        "eval --prompt v1 --model fake/recipe.toml --limit 7 --repeat 2 --split test",
        "eval --prompt prompts/tickets/v1.j2 --fresh",
        "eval --prompt v1 --model fake/recipe.toml --stop-when-decided --against majority --baselines",
        "baselines --arm majority --arm rules --limit 9 --seed 3",
    ],
)
def test_again_does_the_same_and_sends_nothing(harness, root, words):
    """The line that is printed, typed, is the same command with everything settled: 0 calls, the same line again."""
    (root / "recipe.toml").write_text('default = "billing"\n')
    first = harness(*words.split())
    assert first.code == 0, first.err
    again = re.search(r"^Again: harness (.*)$", first.out, re.MULTILINE).group(1)
    for word in words.replace(" --fresh", "").split():
        assert word in again
    second = harness(*shlex.split(again))
    assert second.code == 0, second.err
    assert "This time: no call sent" in second.out
    assert f"Again: harness {again}" in second.out


def test_again_names_model_and_address(harness, root, monkeypatch):
    """An address that came from a variable stands in the line, without its password."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://me:secretword@127.0.0.1:9/v1")
    (root / "harness.toml").write_text((root / "harness.toml").read_text() + "deadline_s = 0.1\n")
    done = harness("eval", "--prompt", "v1", "--model", "openai/m", "--limit", "2")
    again = re.search(r"^Again: harness (.*)$", done.out, re.MULTILINE).group(1)
    for words in ("--model openai/m", "--base-url http://127.0.0.1:9/v1", "--limit 2", "--dataset tickets@v1"):
        assert words in again
    assert "secretword" not in done.out + done.err


@pytest.mark.parametrize("more", ["--model openai/gpt-4o-mini", "--model anthropic/claude-haiku-4-5 --batch"])
def test_a_forecast_needs_no_key(harness, root, more):
    """Calls and dollars are told where no key is set, in a batch too; without --dry-run the key is asked for."""
    words = ["eval", "--prompt", "v1", *more.split()]
    told = harness(*words, "--dry-run", "--json")
    assert told.code == 0, told.err
    assert told.json["calls"] == 30
    assert told.json["worst_usd"] > told.json["likely_usd"] > 0
    done = harness(*words)
    assert done.code == 2
    assert "no key for" in done.err


def test_why_calls_failed_is_said(harness, root):
    """Reasons are grouped and counted, with an example, on the terminal; a refused connection is called that."""
    (root / "harness.toml").write_text((root / "harness.toml").read_text() + "deadline_s = 0.1\n")
    done = harness(
        "eval", "--prompt", "v1", "--model", "openai/m", "--base-url", "http://127.0.0.1:9/v1", "--limit", "4"
    )
    assert done.code == 3
    assert "4 of 4 items failed" in done.err
    assert (
        "4 times TransientError: openai/m: cannot connect: connection refused: nothing listens at 127.0.0.1:9"
        in done.err
    )


def test_reasons_are_one_but_for_numbers_and_ids():
    """What differs between items is no other reason; the most frequent comes first; at most three are shown."""
    told = Failures()
    for reason in ("HTTP 500: x", "no key", "HTTP 500: id 0123456789ab", "HTTP 500: id 9876543210ab", None, "a", "b"):
        told.add(reason)
    assert told.groups[0] == (2, "HTTP 500: id 0123456789ab")
    assert told.sentence.startswith("2 times HTTP 500: id 0123456789ab; once ")
    assert told.sentence.endswith("; and 3 other reasons")


class Steps:
    """A clock whose every pause carries out the next step of somebody who edits a file; then Ctrl-C."""

    def __init__(self, *steps):
        self.steps = list(steps)
        self.pauses = []

    def pause(self, seconds):
        self.pauses.append(seconds)
        if not self.steps:
            raise KeyboardInterrupt
        self.steps.pop(0)()


def test_a_save_is_noticed_once(tmp_path):
    """What the file says, and again on every change: not when it is only touched, nor while it is away."""
    path = tmp_path / "v2.j2"
    path.write_bytes(b"one")
    os_touch = lambda: path.write_bytes(path.read_bytes())  # noqa: E731
    clock = Steps(
        lambda: None,
        os_touch,
        path.unlink,
        lambda: path.write_bytes(b"two!"),
        lambda: None,
        lambda: path.write_bytes(b"3"),
    )
    seen = []
    with pytest.raises(KeyboardInterrupt):
        seen.extend(watching.saves(path, clock))
    assert seen == [b"one", b"two!", b"3"]
    assert set(clock.pauses) == {watching.LOOK_EVERY_S}


def test_watching_evaluates_on_every_save(harness, root, monkeypatch):
    """One sample of the dev split or of test; the parent's answers first; each save is told by what it did; a mistake
    in the template is a line, and the next save is waited for; Ctrl-C is the way to end."""
    (root / "recipe.toml").write_text('default = "billing"\n[answers]\n"!!" = "bug"\n"??" = "question"\n')
    harness("prompt", "new", "v2")
    path = root / "prompts" / "tickets" / "v2.j2"
    text = path.read_text()
    ticket = "{{ item.text }}"

    def save(then):
        return lambda: path.write_text(text.replace(ticket, ticket + then))

    better, worse = "{% if 'app' in item.text %} !!{% endif %}", " ??"
    clock = Steps(save("{{ itm }}"), save(better), save(worse))
    monkeypatch.setattr("harness.ground.clock.SystemClock.pause", lambda _, seconds: clock.pause(seconds))
    done = harness("eval", "--prompt", "v2", "--watch", "--limit", "20", "--model", "fake/recipe.toml")
    assert done.code == 0, done.err
    assert "Watching v2.j2 on 20 items of tickets@v1 / test" in done.err
    assert "v2.j2:" in done.err
    assert "'itm' is undefined" in done.err
    lines = [line for line in done.out.splitlines() if re.match(r"\d\d:", line)]
    assert len(lines) == 3
    assert done.out.count("since the beginning: ") == 3
    steps = [line for line in done.out.splitlines() if "by this save: " in line]
    assert len(steps) == 2
    assert " fixed, 0 broken" in steps[0]
    assert not re.search(r"[^0-9]0 broken", steps[1])
    assert harness("runs", "list", "--json").json[0]["purpose"] == "limited"


@pytest.mark.parametrize("other", ["--batch", "--dry-run", "--fresh", "--json", "--repeat 2", "--baselines"])
def test_what_does_not_go_with_watching_is_refused(harness, root, other):
    """One line, before anything is asked."""
    done = harness("eval", "--prompt", "v1", "--watch", *other.split())
    assert done.code == 2
    assert f"{other.split()[0]} does not go with it" in done.err
