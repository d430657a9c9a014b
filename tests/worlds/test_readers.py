"""Every reader in every world: its figures are those of the raw tables, and names tell rows apart."""

import json
import threading
from http.client import HTTPConnection
from itertools import combinations
from urllib.parse import parse_qs, quote, urlsplit

import pytest

import harness
from harness.ground.clock import SystemClock
from harness.report import build, post
from harness.report.view import Server
from harness.store import Store
from tests.worlds.brute import STORE, Raw
from tests.worlds.building import WORLDS
from tests.worlds.reading import (
    assert_accuracy,
    assert_pair,
    assert_rows,
    assert_unique,
    called,
    html_tables,
    markdown_tables,
    pooled_or_alone,
    share,
    with_column,
)

every_world = pytest.mark.parametrize("name", WORLDS)
PRINTED = 0.00051


def in_worlds(*wanted):
    """A reader that takes seconds: in these worlds always, in all others with the long simulations."""
    return pytest.mark.parametrize(
        "name", [name if name in wanted else pytest.param(name, marks=pytest.mark.sims) for name in WORLDS]
    )


def fused(world):
    return (world.cheap, world.dear)


@every_world
def test_runs_show(built, name):
    """A run, typed by its name or its id, has its own figures: items, outcomes, accuracy, and its name."""
    world, raw = built(name)
    for typed, ids in list(world.rows.items())[-3:]:
        shown = world.run("runs", "show", typed, "--json").json
        assert "error" not in shown, shown
        assert shown["run_id"] in ids, f"{typed} is {shown['arm']}, {shown['n']} items of {shown['split']}"
        run = raw.runs.loc[shown["run_id"]]
        assert (shown["arm"], shown["model"], shown["status"]) == (run["arm"], run["model"], run["status"])
        assert shown["outcomes"] == raw.outcomes(shown["run_id"])
        assert_accuracy(world, raw, shown["accuracy"], [shown["run_id"]], typed)


@every_world
def test_runs_list(built, name):
    """Within a split of a dataset version no two runs that are listed share a name."""
    world, _ = built(name)
    rows = world.run("runs", "list", "--dataset", world.ref, "--split", "test", "--json")
    assert rows.code == 0, rows.err
    assert {row["split"] for row in rows.json} == {"test"}
    assert_unique([called(row) for row in rows.json], "runs list")


@in_worlds("edited", "repeats", "after")
def test_eval(changeable, name):
    """What is stored is read back: no call, and the run object says the run's own figures under its name."""
    world, raw = changeable(name)
    version, *model = world.prompt
    done = world.run("eval", "--prompt", version, *model, "--json")
    assert done.code == 0, done.err
    found = done.json
    assert found["calls"]["sent"] == 0
    assert found["outcomes"] == raw.outcomes(found["run_id"])
    assert_accuracy(world, raw, found["accuracy"], [found["run_id"]], called(found))
    names = {row: ids[0] for row, ids in world.rows.items()} | world.alone
    for one in found.get("repeats", [found]):
        assert names.get(called(one)) == one["run_id"], f"{called(one)!r} is not the name of {one['run_id']}"
        assert_accuracy(world, raw, one["accuracy"], [one["run_id"]], called(one))
    twin = (world.root / "results" / world.ref / "test" / "report.md").read_text()
    assert_scorecard(world, raw, with_column(markdown_tables(twin), "arm", "accuracy", "macro-F1"), "eval's report")


@in_worlds("parts", "seeds", "after")
def test_baselines(changeable, name):
    """The list of run objects: each its own figures, no two of one name."""
    world, _ = changeable(name)
    done = world.run("baselines", "--arm", "majority", "--arm", "tag-odds", "--json")
    assert done.code == 0, done.err
    assert_unique([called(one) for one in done.json], "baselines")
    for one in done.json:
        if called(one) in world.rows:
            assert (one["run_id"],) == world.rows[called(one)]
        now = Raw(world.root, world.ref)
        assert one["outcomes"] == now.outcomes(one["run_id"])
        assert one["accuracy"]["value"] == pytest.approx(now.accuracy([one["run_id"]]))


@every_world
def test_decide(built, name):
    """Every arm is one candidate with its own accuracy, and what is recommended is the most accurate of them."""
    world, raw = built(name)
    found = world.run("decide", "--json").json
    candidates = {called(one): one for one in found["candidates"]}
    assert_rows(world, [called(one) for one in found["candidates"]], "decide")
    for row, ids in world.rows.items():
        assert candidates[row]["run_id"] in ids, row
        assert_accuracy(world, raw, candidates[row]["accuracy"], ids, row)
    best = {row: raw.accuracy(ids) for row, ids in world.rows.items()}
    winners = {row for row, value in best.items() if value == max(best.values())}
    assert found["recommendation"] in winners, f"{found['recommendation']}; expected one of {winners}: {best}"
    assert set(found["open"]) <= set(world.rows)


@every_world
def test_decide_in_words(built, name):
    """The table that is printed has the same names and figures as the JSON."""
    world, raw = built(name)
    out = world.run("decide").out
    lines = out.splitlines()
    for row, ids in world.rows.items():
        mine = [line for line in lines if line.strip().startswith(f"{row} ") and " .." not in line]
        mine = [line for line in mine if line.strip().removeprefix(row).strip()[:1] in ".1"]
        assert len(mine) == 1, f"{row}: {mine or out}"
        assert share(mine[0].strip().removeprefix(row).strip()) == pytest.approx(raw.accuracy(ids), abs=0.02)


@every_world
def test_compare_two(built, name):
    """Two rows, typed by their names: the 2x2 counts, the difference, and whose they are."""
    world, raw = built(name)
    pairs = [fused(world), world.gated]
    for a, b in dict.fromkeys(pairs):
        found = world.run("compare", a, b, "--json").json
        assert "error" not in found, found
        assert (found["a"], found["b"]) == (a, b)
        assert_pair(found, raw.pair(world.rows[a], world.rows[b]), f"{a} against {b}")


@every_world
def test_compare_all(built, name):
    """Every pair of rows once, each with its own counts; no two pairs are called the same."""
    world, raw = built(name)
    found = world.run("compare", "--json").json
    assert "error" not in found, found
    pairs = found if isinstance(found, list) else found["comparisons"]
    assert_unique([(one["a"], one["b"]) for one in pairs], "compare")
    by_pair = {frozenset((one["a"], one["b"])): one for one in pairs}
    for a, b in combinations(world.rows, 2):
        assert frozenset((a, b)) in by_pair, f"{a} against {b} is not among {sorted(map(sorted, by_pair))}"
        one = by_pair[frozenset((a, b))]
        assert_pair(one, raw.pair(world.rows[one["a"]], world.rows[one["b"]]), f"{one['a']} against {one['b']}")


@every_world
def test_cascade(built, name):
    """The accuracy at the chosen threshold, and at every fifth of those tried, is that of the members' own answers."""
    world, raw = built(name)
    cheap, dear = fused(world)
    found = world.run("cascade", cheap, dear, "--json").json
    assert "error" not in found, found
    tested = fusable(world, (cheap, dear))
    chooser = [[raw.on_split(run_id, "dev") for run_id in runs] for runs in tested]
    for setting in found["thresholds"][::5]:
        expected = [raw.cascade(*runs, setting["thresholds"][0]) for runs in chooser]
        assert any(setting["accuracy"] == pytest.approx(one) for one in expected), (setting, expected)
    expected = [raw.cascade(*runs, found["chosen"]["thresholds"][0]) for runs in tested]
    assert any(found["test"]["estimate"]["value"] == pytest.approx(one) for one in expected), expected
    assert [called(one) for one in found["test"]["members"]] == [cheap, dear]
    assert_members(world, raw, found["test"]["members"])


def fusable(world, names):
    """The runs that may stand for these rows: of a row that was asked several times any one, but the same place."""
    longest = max(len(world.rows[name]) for name in names)
    return [[world.rows[name][min(k, len(world.rows[name]) - 1)] for name in names] for k in range(longest)]


def assert_members(world, raw, standing):
    """Each member alone has its own accuracy on the items that all of them were asked."""
    shared = set.intersection(*(raw.items(world.rows[called(one)]) for one in standing))
    for one in standing:
        ids = world.rows[called(one)]
        expected = [raw.accuracy([run_id], shared) for run_id in ids] + [raw.accuracy(ids, shared)]
        assert any(one["accuracy"]["value"] == pytest.approx(value) for value in expected), (one, expected)


@in_worlds("two_models", "repeats", "parts", "after", "names")
def test_router(changeable, name):
    """A stored router's answers are those of the member it sent each item to, and its accuracy is theirs."""
    world, raw = changeable(name)
    cheap, dear = fused(world)
    found = world.run("cascade", cheap, dear, "--how", "router", "--store", "--json").json
    assert "error" not in found, found
    assert [called(one) for one in found["test"]["members"]] == [cheap, dear]
    assert_members(world, raw, found["test"]["members"])
    rows = Raw(world.root, world.ref).of([found["run_id"]]).set_index("example_id")
    assert found["test"]["estimate"]["value"] == pytest.approx(rows["right"].mean())
    arms = {raw.runs.loc[world.rows[one][0], "arm"]: world.rows[one] for one in (cheap, dear)}
    for item, row in rows.iterrows():
        said = raw.of(arms[row["path"][-1]]).set_index("example_id").loc[[item], "label"]
        assert row["label"] in set(said)


@every_world
def test_vote(built, name):
    """Three rows vote: the accuracy is that of the majority of their own answers."""
    world, raw = built(name)
    voters = [*fused(world), *(row for row in world.gated if row not in fused(world))]
    voters += [row for row in ("majority", "tag-odds", "tfidf-lr") if row in world.rows and row not in voters]
    there = [row for row in voters if row in world.rows and raw_on(raw, world.rows[row][0], "dev")][:3]
    found = world.run("cascade", *there, "--how", "vote", "--json").json
    assert "error" not in found, found
    assert [called(one) for one in found["test"]["members"]] == there
    assert_members(world, raw, found["test"]["members"])
    voted = fusable(world, there)
    expected = [raw.vote(runs, [raw.on_split(run_id, "dev") for run_id in runs]) for runs in voted]
    assert any(found["test"]["estimate"]["value"] == pytest.approx(one) for one in expected), expected


def raw_on(raw, run_id, split):
    """Whether the arm of a run was run on another split."""
    run = raw.runs.loc[run_id]
    there = raw.runs[(raw.runs["split"] == split) & (raw.runs["dataset_id"] == run["dataset_id"])]
    return bool((there["arm"] == run["arm"]).any())


@in_worlds("two_models", "repeats", "parts", "after")
def test_curve(changeable, name):
    """A curve against a row: the level is the row's accuracy, a point the mean of its fits."""
    world, raw = changeable(name)
    curve = ("curve", "tag-odds", "--labels", "12,30", "--seeds", "2", "--processes", "1", "--all-sizes")
    found = world.run(*curve, "--against", world.dear, "--json").json
    assert "error" not in found, found
    assert found["against"] == world.dear
    assert found["level"]["value"] == pytest.approx(raw.accuracy(world.rows[world.dear]))
    now = Raw(world.root, world.ref)
    parts = now.runs[(now.runs["arm"] == "tag-odds") & now.runs["params"].astype(str).str.contains("training_part")]
    for point in found["points"]:
        fits = parts[(parts["n_train"] == point["n_labels"]) & (parts["split"] == "test") & (parts["seed"] < 2)]
        assert len(fits) == 2
        assert point["estimate"]["value"] == pytest.approx(now.accuracy(fits.index))


@every_world
def test_gate(built, name):
    """Arm against arm: both accuracies, the discordant counts and the difference are those of the two rows."""
    world, raw = built(name)
    candidate, baseline = world.gated
    assert_gate(world, raw, world.run("gate", candidate, baseline, "--json").json, candidate, baseline)


def assert_gate(world, raw, found, candidate, baseline):
    assert "error" not in found, found
    for side, row in (("candidate", candidate), ("baseline", baseline)):
        assert found[side]["run_id"] in world.rows[row], f"the {side} is not {row}"
        value = found[side]["accuracy"]["value"]
        expected = raw.accuracy(world.rows[row])
        assert value == pytest.approx(expected), f"the {side} {row}: {value:.3f}; expected {expected:.3f}"
    expected = raw.pair(world.rows[candidate], world.rows[baseline])
    check = next(one for one in found["checks"] if one["name"] == "accuracy")
    assert found["n"] == expected["n"]
    assert check["estimate"]["value"] == pytest.approx(expected["difference"])
    if all(len(world.rows[row]) == 1 for row in (candidate, baseline)):
        facts = (check["facts"]["n"], check["facts"]["b"], check["facts"]["c"])
        if name_of_method(check) == "Tango":
            assert facts == (expected["n"], expected["only_a"], expected["only_b"])


def name_of_method(check):
    return check["estimate"]["method"].partition(" ")[0]


@every_world
def test_export_and_gate(changeable, name):
    """An exported row holds its runs and no others, and a gate against the file is the gate against the row."""
    world, raw = changeable(name)
    candidate, baseline = world.gated
    path = world.root / "pinned.parquet"
    told = world.run("runs", "export", baseline, "--to", path, "--json").json
    assert "error" not in told, told
    assert {run["run_id"] for run in told["runs"]} == set(world.rows[baseline])
    assert {run["split"] for run in told["runs"]} == {"test"}
    found = world.run("gate", candidate, "--baseline", path, "--json").json
    assert_gate(world, raw, found, candidate, baseline)


def assert_scorecard(world, raw, rows, where):
    """A printed table of arms: each row's name once, with its accuracy to three digits."""
    names = [row["arm"] for row in rows]
    behind = pooled_or_alone(world, names)
    assert_rows(world, [name for name in names if name not in world.alone or name in world.rows], where)
    for row in rows:
        if row["arm"] in behind:
            # One item that an arm lacks may be left out for all.
            loose = PRINTED + (1 / 59 if world.missing else 0)
            expected = raw.accuracy(behind[row["arm"]])
            printed = share(row["accuracy"])
            assert printed == pytest.approx(expected, abs=loose), f"{where}: {row['arm']} {printed}, not {expected:.3f}"


@every_world
def test_report_and_post(built, name):
    """The page, its Markdown twin and the post: one row a name, with the row's accuracy; the best one first."""
    world, raw = built(name)
    results = harness.Workbench(world.root).results()
    made = build.build(results, drawn=[])  # figures take seconds each, and their numbers are the tables'
    assert_pages(world, raw, made["report.html"].decode(), made["report.md"].decode(), post.draft(results, []))


@in_worlds("two_models")
def test_report_command(changeable, name):
    """What the command writes is the same, with its figures."""
    world, raw = changeable(name)
    assert world.run("report", "--post", "--json").code == 0
    folder = world.root / "results" / world.ref / "test"
    assert_pages(world, raw, *((folder / file).read_text() for file in ("report.html", "report.md", "post.md")))


def assert_pages(world, raw, page, twin, draft):
    in_markdown = with_column(markdown_tables(twin), "arm", "accuracy", "macro-F1")
    in_html = with_column(html_tables(page)[0], "arm", "accuracy", "macro-F1")
    in_post = with_column(markdown_tables(draft), "arm", "accuracy", "labels")
    for where, rows in (("report.md", in_markdown), ("report.html", in_html), ("post.md", in_post)):
        assert_scorecard(world, raw, rows, where)
    best = max(raw.accuracy(ids) for ids in world.rows.values())
    behind = pooled_or_alone(world, [row["arm"] for row in in_markdown])
    first = in_markdown[0]["arm"]
    assert first in world.alone or raw.accuracy(behind[first]) == pytest.approx(best), f"{first} stands first"


@pytest.fixture
def fetched():
    """Fetches pages of `harness view` of a world."""
    servers = []

    def fetch(world):
        server = Server(Store(world.root / STORE, SystemClock()), lambda ref, split: b"")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        servers.append((server, thread))

        def page(address):
            connection = HTTPConnection("127.0.0.1", server.server_port, timeout=30)
            connection.request("GET", address)
            answer = connection.getresponse()
            text = answer.read().decode()
            connection.close()
            assert answer.status == 200, text
            return text

        return page

    yield fetch
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@every_world
def test_view(built, fetched, name):
    """The page of a split: no two runs share a name, and every run has its own accuracy."""
    world, raw = built(name)
    page = fetched(world)
    dataset_id = raw.runs.loc[next(iter(world.rows.values()))[0], "dataset_id"]
    names, shown = [], {}
    for number in range(1, 6):
        tables, links = html_tables(page(f"/split?dataset={quote(dataset_id)}&split=test&page={number}"))
        rows = with_column(tables, "arm", "accuracy", "items")
        ids = [parse_qs(urlsplit(link).query)["run"][0] for link in links if link.startswith("/run?")]
        assert len(rows) == len(ids)
        if set(ids) <= set(shown):
            break
        shown |= dict(zip(ids, rows, strict=True))
        names += [row["arm"] for row in rows]
    assert_unique(names, "the page of a split")
    for ids in world.rows.values():
        for run_id in ids:
            assert run_id in shown
            assert share(shown[run_id]["accuracy"]) == pytest.approx(raw.accuracy([run_id]), abs=PRINTED)
    own = {ids[0]: row for row, ids in world.rows.items()} | {run_id: row for row, run_id in world.alone.items()}
    assert {run_id: shown[run_id]["arm"] for run_id in own} == own


@every_world
def test_workbench(built, name):
    """The Python API reads the same rows: compare, decide and gate."""
    world, raw = built(name)
    bench = harness.Workbench(world.root)
    candidate, baseline = world.gated
    made = bench.compare(candidate, baseline).comparison
    expected = raw.pair(world.rows[candidate], world.rows[baseline])
    assert (made.a, made.b, made.n) == (candidate, baseline, expected["n"])
    assert (made.table.only_a, made.table.only_b) == (expected["only_a"], expected["only_b"])
    assert made.difference.value == pytest.approx(expected["difference"])
    best = {row: raw.accuracy(ids) for row, ids in world.rows.items()}
    assert best.get(bench.decide().decision.recommendation) == max(best.values())
    report = bench.gate(candidate, baseline).report
    for side, row in ((report.candidate, candidate), (report.baseline, baseline)):
        assert side.accuracy.value == pytest.approx(raw.accuracy(world.rows[row])), row


@in_worlds("parts", "seeds", "folds", "after", "missing")
def test_stop_when_decided(changeable, name):
    """The race against the best baseline is against that baseline's whole run: the counts are those of its answers."""
    world, raw = changeable(name)
    world.write_prompt("fresh", "Fresh")
    world.recipe("bad", 0.1)
    ask = ("eval", "--prompt", "fresh", "--model", "fake/bad.toml", "--stop-when-decided", "--concurrency", "1")
    done = world.run(*ask, "--json")
    assert done.code == 0, done.err
    found = done.json
    early = found["early"]
    baselines = {row: ids for row, ids in world.rows.items() if not raw.runs.loc[ids[0], "model"]}
    whole = {row: ids for row, ids in baselines.items() if len(raw.scores(ids)) == raw.sizes["test"]}
    best = max(raw.accuracy(ids) for ids in whole.values())
    against = {row: ids for row, ids in whole.items() if raw.accuracy(ids) == best}
    assert early["against"] in against, f"{early['against']}; expected one of {sorted(against)}"
    now = Raw(world.root, world.ref)
    mine = now.scores([found["run_id"]])
    expected = [raw.pair_with(mine, [run_id]) for run_id in against[early["against"]]]
    assert (early["n"], early["only_prompt"], early["only_reference"]) in expected
    assert early["leader"] == early["against"]


def test_stored_text_is_json(built):
    """What `--json` prints is one JSON document and nothing else, names of every kind in it."""
    world, _ = built("names")
    assert json.loads(world.run("decide", "--json").out)["dataset"] == world.ref
