"""Several labels, fields and numbers: what is read off their stored answers is what a count by hand gives."""

import json
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from tests import kind_examples
from tests.worlds.brute import Raw
from tests.worlds.building import World
from tests.worlds.reading import called, html_tables, share, with_column
from tests.worlds.test_readers import PRINTED, fetched, parse_qs, quote, urlsplit

ARMS = {
    "multi": ("rules", "tag-odds", "majority"),
    "extract": ("rules", "gazetteer", "majority"),
    "score": ("rules", "tfidf-ridge", "majority"),
}
SAID = {"multi": "mean F1", "extract": "mean F1", "score": "mean credit"}
STRANGERS = ("accuracy", "Labels", "Confusions", "macro-F1")
__all__ = ["fetched"]


def members_of(kind, answer):
    """What an answer is made of: labels, or fields with their values, as they are compared."""
    held = json.loads(answer)
    if kind == "multi":
        return set(held)
    values = [(name, one) for name, found in held.items() for one in (found if isinstance(found, list) else [found])]
    return {(name, (one["text"] if isinstance(one, dict) else one).casefold()) for name, one in values}


def worth(kind, gold, answer):
    """The credit of an answer, by its definition."""
    if answer is None:
        return 0.0
    if kind == "score":
        return 1 - abs(float(gold) - float(answer)) / 4
    true, given = members_of(kind, gold), members_of(kind, answer)
    return 2 * len(true & given) / (len(true) + len(given)) if true or given else 1.0


def voted(kind, answers, weights):
    """What members have in common: the weighted mean, or whatever more than half of the weight is for."""
    given = [(answer, weight) for answer, weight in zip(answers, weights, strict=True) if answer is not None]
    if not given:
        return None
    total = sum(weight for _, weight in given)
    if kind == "score":
        return sum(float(answer) * weight for answer, weight in given) / total
    behind = Counter()
    for answer, weight in given:
        behind.update(dict.fromkeys(members_of(kind, answer), weight))
    return {one for one, weight in behind.items() if weight > total / 2}


@pytest.fixture(scope="module", params=list(ARMS))
def planted(request, tmp_path_factory):
    """A world of a kind with three arms on dev and test; `right` of its raw rows is the credit, counted by hand."""
    kind, root = request.param, tmp_path_factory.mktemp("kind")
    (root / "harness.toml").write_text(f'dataset = "{kind}@v1"\n', encoding="utf-8")
    kind_examples.write(root, kind)
    world = World(root, f"{kind}@v1")
    for arm in ARMS[kind]:
        world.add(arm, arm)
    return SimpleNamespace(kind=kind, world=world, raw=credited(kind, world))


def credited(kind, world):
    raw = Raw(world.root, world.ref)
    pairs = zip(raw.rows["gold"], raw.rows["label"], strict=True)
    raw.rows["right"] = [worth(kind, gold, answer) for gold, answer in pairs]
    return raw


def test_a_gate_goes_by_credit(planted):
    """Both mean credits and their difference are those of the raw answers, and the verdict follows the interval."""
    candidate, baseline = ARMS[planted.kind][1:]
    found = planted.world.run("gate", candidate, baseline, "--json").json
    own = {arm: planted.raw.accuracy(planted.world.rows[arm]) for arm in (candidate, baseline)}
    assert own[candidate] > own[baseline]
    for side, arm in (("candidate", candidate), ("baseline", baseline)):
        assert found[side]["headline"]["value"] == pytest.approx(own[arm])
        assert found[side]["accuracy"] is None
    check = found["checks"][0]
    assert check["estimate"]["value"] == pytest.approx(own[candidate] - own[baseline])
    turned = planted.world.run("gate", baseline, candidate, "--json")
    assert (found["verdict"], turned.json["verdict"]) == ("pass", "fail")
    assert turned.code == 1


def test_a_cascade_goes_by_credit(planted):
    """At the chosen threshold, and at every fifth of those tried, it is worth what the members' own answers are."""
    world, raw, pair = planted.world, planted.raw, ARMS[planted.kind][:2]
    found = world.run("cascade", *pair, "--json").json
    runs = [world.rows[arm][0] for arm in pair]
    there = [raw.on_split(run, "dev") for run in runs]
    assert len(found["thresholds"]) > 1
    for setting in found["thresholds"][::5]:
        assert setting["headline"] == pytest.approx(raw.cascade(*there, setting["thresholds"][0]))
    assert found["test"]["estimate"]["value"] == pytest.approx(raw.cascade(*runs, found["chosen"]["thresholds"][0]))
    for one in found["test"]["members"]:
        assert one["headline"]["value"] == pytest.approx(raw.accuracy(world.rows[called(one)]))


def test_a_router_goes_by_credit(planted, tmp_path):
    """Stored, its answers are those of the member that it sent each item to, and it is worth what these are."""
    world, pair = planted.world.copied(tmp_path / "world"), ARMS[planted.kind][:2]
    found = world.run("cascade", *pair, "--how", "router", "--store", "--json").json
    raw = credited(planted.kind, world)
    rows = raw.of([found["run_id"]]).set_index("example_id")
    assert found["test"]["estimate"]["value"] == pytest.approx(rows["right"].mean())
    own = {arm: raw.of(world.rows[arm]).set_index("example_id")["label"] for arm in pair}
    assert all(row["label"] == own[row["path"][-1]][item] for item, row in rows.iterrows())


@pytest.mark.parametrize("how", ["vote", "vote-weighted"])
def test_a_vote_is_put_together_by_the_kind(planted, tmp_path, how):
    """Label by label, field by field, the mean of numbers; weights are the mean credits on the split that chooses."""
    kind, world = planted.kind, planted.world.copied(tmp_path / "world")
    found = world.run("cascade", *ARMS[kind], "--how", how, "--store", "--json").json
    raw = credited(kind, world)
    runs = [world.rows[arm][0] for arm in ARMS[kind]]
    trust = [raw.accuracy([raw.on_split(run, "dev")]) for run in runs]
    weights = trust if how == "vote-weighted" else [1.0] * len(runs)
    said = [frame["label"] for frame in raw.members(runs)]
    rows = raw.of([found["run_id"]]).set_index("example_id")
    for item, row in rows.iterrows():
        expected = voted(kind, [labels[item] for labels in said], weights)
        if kind == "score":
            assert float(row["label"]) == pytest.approx(expected, abs=1e-6)
        else:
            assert members_of(kind, row["label"]) == expected
    assert found["test"]["estimate"]["value"] == pytest.approx(np.mean(rows["right"]))


def test_pages_speak_of_the_kind(planted, fetched):
    """The page of a split has the mean credit by the kind's own word, and no page speaks of what there is not."""
    world, raw = planted.world, planted.raw
    dataset_id = raw.runs.loc[world.rows["rules"][0], "dataset_id"]
    page = fetched(world)
    text = page(f"/split?dataset={quote(dataset_id)}&split=test")
    tables, links = html_tables(text)
    rows = with_column(tables, "arm", SAID[planted.kind], "items")
    ids = [parse_qs(urlsplit(link).query)["run"][0] for link in links if link.startswith("/run?")]
    assert sorted(ids) == sorted(run for runs in world.rows.values() for run in runs)
    for run, row in zip(ids, rows, strict=True):
        assert share(row[SAID[planted.kind]]) == pytest.approx(raw.accuracy([run]), abs=PRINTED)
    said = text + page(f"/run?run={ids[0]}") + page(f"/items?a={ids[0]}&b={ids[1]}")
    cells = [cell for table in html_tables(said)[0] for row in table for cell in row]
    assert not [word for word in STRANGERS if word in cells]
