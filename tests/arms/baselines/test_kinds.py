"""Arms for several labels, fields and numbers: they learn what was planted, and depend on nothing else."""

import json
import pickle
from importlib.util import find_spec
from itertools import pairwise

import numpy as np
import pytest
from sklearn import metrics
from sklearn.base import clone

from harness.arms import answers, encoding
from harness.arms.answers import KindSpec
from harness.arms.baselines import (
    _chain,
    _gold_spans,
    _label_by_label,
    distilled,
    gazetteer,
    majority,
    minilm_knn,
    minilm_lr,
    minilm_ridge,
    minilm_zero,
    rules,
    tag_odds,
    tfidf_lr,
    tfidf_ridge,
)
from harness.arms.portable import chain as portable_chain
from harness.arms.portable import kept, spans
from harness.arms.portable.restored import restored_from
from harness.datasets.kinds import extract, multi, score
from harness.errors import ConfigError
from harness.ground import plugins
from harness.ground.workspace import Preferences, Workspace
from harness.runs import keeping
from harness.types import Item
from tests import kind_examples

pytest.importorskip("pycrfsuite", reason="the extra crf is not installed")
from harness.arms.baselines import crf

KINDS = {"multi": multi, "extract": extract, "score": score}
SPECS = {
    "multi": KindSpec("multi", tuple((name, "") for name in sorted(kind_examples.TOPICS))),
    "extract": KindSpec("extract", (("name", ""), ("people", ""), ("time", ""))),
    "score": KindSpec("score", (("-2", ""), ("2", ""))),
}
ARMS = {
    ("multi", "tfidf-lr"): lambda: tfidf_lr.build(spec=SPECS["multi"]),
    ("multi", "tag-odds"): lambda: tag_odds.build(spec=SPECS["multi"]),
    ("multi", "rules"): lambda: rules.build(kind_examples.RULES["multi"], SPECS["multi"]),
    ("extract", "gazetteer"): gazetteer.build,
    ("extract", "crf"): crf.build,
    ("extract", "rules"): lambda: rules.build(kind_examples.RULES["extract"], SPECS["extract"]),
    ("score", "tfidf-ridge"): lambda: tfidf_ridge.build(spec=SPECS["score"]),
    ("score", "rules"): lambda: rules.build(kind_examples.RULES["score"], SPECS["score"]),
    **{(kind, "majority"): lambda kind=kind: majority.build(spec=SPECS[kind]) for kind in KINDS},
}
BY_ID = pytest.mark.parametrize(("kind", "arm"), list(ARMS), ids=lambda part: part)


def rows(kind, n=120):
    found = []
    for i, row in enumerate(kind_examples.ROWS[kind](n)):
        gold = row["label"]
        if kind == "extract":
            gold = extract.canonical(
                extract.Value(p["label"], row["text"][p["start"] : p["end"]], p["start"], p["end"]) for p in gold
            )
        elif kind == "multi":
            gold = multi.canonical(gold)
        else:
            gold = score.canonical(float(gold))
        item = Item(
            f"i{i}", row["text"], tuple(filter(None, row.get("tags", "").split("|"))), {"asked": row.get("asked", "")}
        )
        found.append((item, gold))
    return found


def fitted(kind, arm, n=120):
    learnt = [row for i, row in enumerate(rows(kind, n)) if i % 5]
    held = [row for i, row in enumerate(rows(kind, n)) if i % 5 == 0]
    built = ARMS[kind, arm]().fit([item for item, _ in learnt], [gold for _, gold in learnt])
    return built, held


def worth(kind, said, held):
    names = [name for name, _ in SPECS[kind].labels]
    return np.mean([
        0.0 if one.label is None else KINDS[kind].credit(gold, one.label, names)
        for one, (_, gold) in zip(said, held, strict=True)
    ])  # fmt: skip


@BY_ID
def test_what_was_planted_is_learnt(kind, arm):
    """Every arm beats the constant answer by far where the words tell the answer."""
    built, held = fitted(kind, arm)
    floor, _ = fitted(kind, "majority")
    items = [item for item, _ in held]
    least = worth(kind, answers.answers(floor, items), held)
    found = worth(kind, answers.answers(built, items), held)
    assert found == least if arm == "majority" else found > least + 0.1


@BY_ID
def test_answers_are_canonical_and_scores_are_shares(kind, arm):
    """Answers are what the kind's own reader gives back, and how sure an arm is lies from 0 to 1."""
    built, held = fitted(kind, arm)
    names = [name for name, _ in SPECS[kind].labels]
    for one in answers.answers(built, [item for item, _ in held]):
        if one.label is not None:
            assert KINDS[kind].read_gold(one.label, names, "x") == one.label
            assert one.score is None or 0 <= one.score <= 1


@BY_ID
def test_one_by_one_is_as_all_at_once(kind, arm):
    """An item's answer depends on nothing but the item; pickled or not; none and strange ones break nothing."""
    built, held = fitted(kind, arm)
    items = [item for item, _ in held] + [Item("e", ""), Item("s", "\ud800 \x00 🍜")]
    together = answers.answers(built, items)
    alone = [answers.answers(built, [item])[0] for item in items]
    assert [one.label for one in together] == [one.label for one in alone]
    assert [one.label for one in answers.answers(pickle.loads(pickle.dumps(built)), items)] == [
        one.label for one in together
    ]
    assert answers.answers(built, []) == []


@BY_ID
def test_the_order_of_the_training_items_means_nothing(kind, arm):
    """The same training items in another order give the same answers."""
    learnt = [row for i, row in enumerate(rows(kind)) if i % 5]
    held = [item for i, (item, _) in enumerate(rows(kind)) if i % 5 == 0]
    said = []
    for ordered in (learnt, learnt[::-1]):
        built = clone(ARMS[kind, arm]()).fit([item for item, _ in ordered], [gold for _, gold in ordered])
        said.append([one.label for one in answers.answers(built, held)])
    differing = sum(a != b for a, b in zip(*said, strict=True))
    assert differing <= (1 if arm in ("tfidf-lr", "tfidf-ridge") else 0)


@BY_ID
def test_a_handful_of_items_is_enough_to_answer(kind, arm):
    """Four training items break nothing; too few to calibrate is said, where it is calibrated."""
    few = rows(kind, 4)
    built = ARMS[kind, arm]().fit([item for item, _ in few], [gold for _, gold in few])
    assert len(answers.answers(built, [item for item, _ in few])) == 4


EMBEDDING = {
    ("multi", "minilm-lr"): lambda at: minilm_lr.build(cache=at, spec=SPECS["multi"]),
    ("multi", "minilm-knn"): lambda at: minilm_knn.build(cache=at, spec=SPECS["multi"]),
    ("multi", "minilm-zero"): lambda at: minilm_zero.build(SPECS["multi"].labels, cache=at, spec=SPECS["multi"]),
    ("score", "minilm-ridge"): lambda at: minilm_ridge.build(cache=at, spec=SPECS["score"]),
    ("score", "minilm-knn"): lambda at: minilm_knn.build(cache=at, spec=SPECS["score"]),
    ("extract", "distilled"): lambda at: distilled.build(cache=at, spec=SPECS["extract"]),
}
KEPT = {**{key: lambda _, build=build: build() for key, build in ARMS.items()}, **EMBEDDING}


@pytest.fixture(scope="module")
def embeddings(tmp_path_factory):
    """One cache for all: no text is encoded anew for every test."""
    return tmp_path_factory.mktemp("cache") / "embeddings.sqlite"


@pytest.mark.parametrize("n", [48, 4])
@pytest.mark.parametrize(("kind", "arm"), list(KEPT), ids=lambda part: part)
def test_what_is_kept_answers_as_the_arm_does(tmp_path, embeddings, kind, arm, n):
    """Written and read: the same answers and the same scores to 1e-6, of strange items too, however few it learnt from.

    What is written has no pickle, and the same state is the same bytes.
    """
    found = rows(kind)
    fits = KEPT[kind, arm](str(embeddings)).fit([item for item, _ in found[:n]], [gold for _, gold in found[:n]])
    files = kept.as_bytes(fits.state())
    assert files == kept.as_bytes(fits.state())
    items = [item for item, _ in found[-20:]]
    items += [Item("e", ""), Item("s", "\ud800 \x00 🍜", ("\udfff",)), Item("t", "zyzzyva", ("never-seen",))]
    state = kept.of_bytes(*files.values())
    again = (
        keeping.restored(state, Workspace(tmp_path, Preferences()))
        if arm == "rules"
        else restored_from(state.spec, state.arrays, encoding.connect("minilm", embeddings).embed)
    )
    assert answers.answers(again, []) == []
    pairs = list(zip(answers.answers(fits, items), answers.answers(again, items), strict=True))
    assert [one.label for one, _ in pairs] == [other.label for _, other in pairs]
    assert [one.score for one, _ in pairs] == pytest.approx([other.score for _, other in pairs], abs=1e-6)
    assert all(one.scores == pytest.approx(other.scores, abs=2e-6) for one, other in pairs)


def test_thresholds_raise_the_mean_f1():
    """Thresholds per label are worth no less than one half for all, and more where labels are rare."""
    rng = np.random.default_rng(4)
    held = rng.random((600, 4)) < [0.5, 0.2, 0.05, 0.02]
    likely = np.clip(np.where(held, 0.45, 0.1) + rng.normal(0, 0.15, held.shape), 0.01, 0.99)
    cuts = _label_by_label.thresholds(likely, held)
    found = metrics.f1_score(held, likely >= cuts, average="samples", zero_division=1)
    assert found > metrics.f1_score(held, likely >= 0.5, average="samples", zero_division=1) + 0.1
    assert found == pytest.approx(_label_by_label.f1(likely >= cuts, held).mean())


def test_chances_are_calibrated_label_by_label():
    """A label's chances come to its share on held-out items, whatever the scorer's own scale."""
    built, held = fitted("multi", "tfidf-lr", 400)
    said = answers.answers(built, [item for item, _ in held])
    for name in sorted(kind_examples.TOPICS):
        chances = [one.scores[name] for one in said]
        share = np.mean([name in json.loads(gold) for _, gold in held])
        assert abs(np.mean(chances) - share) < 0.12
    assert "a threshold per label" in built.facts_["calibration"]


@pytest.mark.parametrize("text", ["Table at 8:30pm, for 4!", "äöü 中文 x9", "", "I'm Ann-Marie O'Neil"])
def test_tokens_know_their_places(text):
    """Every token stands where it says, in order, and what is between them is blank."""
    found = spans.tokens(text)
    assert all(text[token.start : token.end] == token.text for token in found)
    between = "".join(text[a.end : b.start] for a, b in pairwise(found))
    assert not between.strip()


def test_places_survive():
    """A gold answer laid over the tokens and taken back is the same, where values are whole tokens."""
    for item, gold in rows("extract"):
        found = spans.tokens(item.text)
        assert spans.of_spans(item.text, found, _gold_spans.of_gold(gold, found)) == gold


def test_tags_and_spans_are_inverse():
    """Begin, inside, outside tell values apart that touch."""
    held = [spans.Span("a", 0, 1), spans.Span("a", 2, 2), spans.Span("b", 4, 5)]
    assert portable_chain.tagged_spans(_chain.tags(held, 7)) == held
    assert portable_chain.tagged_spans(["O", "I-a", "I-a", "I-b"]) == [spans.Span("a", 1, 2), spans.Span("b", 3, 3)]


def test_further_fields_tell_the_same_word_apart():
    """What was asked decides which field a bare number fills."""
    learnt = [(Item(f"{asked}{i}", str(i), fields={"asked": asked}), json.dumps({asked: str(i)}))
              for asked in ("time", "people") for i in range(12) for _ in range(2)]  # fmt: skip
    learnt = [(Item(f"{item.id}-{n}", item.text, fields=item.fields), gold) for n, (item, gold) in enumerate(learnt)]
    asked = [Item("t", "7", fields={"asked": "time"}), Item("p", "7", fields={"asked": "people"})]
    for built in (gazetteer.build(), crf.build()):
        built.fit([item for item, _ in learnt], [gold for _, gold in learnt])
        fields = [list(json.loads(one.label)) for one in answers.answers(built, asked)]
        assert fields == [["time"], ["people"]]


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("multi", '[[rule]]\nlabel = "bugs"\nkeyword = "x"', "rule 1: there is no label 'bugs'"),
        ("multi", 'default = ["x"]\n[[rule]]\nlabel = "bug"\nkeyword = "x"', "default: there is no label 'x'"),
        ("extract", '[[rule]]\nregex = "at [0-9]+"', "names no field"),
        ("extract", '[[rule]]\nregex = "(?P<tme>[0-9]+)"', "there is no field 'tme'"),
        ("extract", '[[rule]]\nregex = "(?P<time>[0-9]+"', "rule 1: pattern"),
        ("score", "default = 0.0", "hold no weight"),
        ("score", "[[rule]]\nweight = 1.0", "found 0 conditions"),
    ],
)
def test_rules_that_are_wrong_are_named(kind, text, message):
    """A rule that cannot work names itself."""
    with pytest.raises(ConfigError) as raised:
        rules.build(text, SPECS[kind]).fit([], [])
    assert message in str(raised.value)


def test_a_negation_turns_a_weight():
    """`not good` counts as the reverse of good; where nothing fits the default is the answer, or there is none."""
    text = 'negations = ["not"]\nsqueeze = 3.0\n[lexicon]\ngood = 1.0\n'
    built = rules.build(text, SPECS["score"]).fit([], [])
    said = [one.label for one in built.answers([Item("a", "Good!"), Item("b", "not so good"), Item("c", "a day")])]
    assert said == ["1", "-1", None]


@pytest.mark.parametrize("build", [minilm_knn.build, minilm_ridge.build], ids=["minilm-knn", "minilm-ridge"])
def test_similarity_learns_numbers(build):
    """Sentence embeddings carry how good something was, too."""
    learnt = rows("score", 60)
    built = build(spec=SPECS["score"]).fit([item for item, _ in learnt], [gold for _, gold in learnt])
    held = rows("score", 75)[60:]
    assert worth("score", answers.answers(built, [item for item, _ in held]), held) > 0.7


def test_every_baseline_says_its_kinds():
    """The kinds of a baseline are kinds that there are."""
    for name in plugins.names("baselines"):
        said = plugins.declared("baselines", name).constants.get("KINDS", ("single",))
        assert said == "any" or set(said) <= set(plugins.names("kinds")), name
    assert find_spec("pycrfsuite") is not None
