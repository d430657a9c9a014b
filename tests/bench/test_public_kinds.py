"""Fields, several labels and numbers on real sets: our figures beside scikit-learn's and the published ones.

Skipped where the public data is not beside the checkout. `pytest -m bench -s tests/bench/test_public_kinds.py` prints.
"""

import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics

from harness import datasets
from harness.arms import answers
from harness.arms.answers import KindSpec
from harness.arms.baselines import gazetteer, minilm_lr, minilm_ridge, rules, tfidf_lr, tfidf_ridge
from harness.datasets.kinds import extract, multi, score
from harness.ground import plugins
from harness.runs import folds_and_parts
from tests.conftest import PUBLIC_DATA

pytestmark = [
    pytest.mark.bench,
    pytest.mark.skipif(not PUBLIC_DATA.is_dir(), reason=f"needs the public data sets in {PUBLIC_DATA}"),
]
RULES = Path(__file__).parent / "kinds"
needs_crf = pytest.mark.skipif(find_spec("pycrfsuite") is None, reason="the extra crf is not installed")


def fetched(tmp_path, name):
    datasets.fetch(tmp_path, name, PUBLIC_DATA / name)
    return datasets.load(tmp_path, name)


def spec(dataset):
    return KindSpec(dataset.kind, tuple((label.name, label.description) for label in dataset.labels))


def said(built, learnt, asked):
    """The answers of a fit, and the seconds of this process that the fit took."""
    started = time.process_time()
    built.fit([one.item for one in learnt], [one.label for one in learnt])
    fit_s = time.process_time() - started
    return [one.label for one in answers.answers(built, [one.item for one in asked])], fit_s


def figures(kind, dataset, gold, given):
    rng = np.random.default_rng(0)
    return {name: metric.estimate(gold, given, dataset.label_names, rng) for name, metric in kind.METRICS.items()}


@needs_crf
def test_restaurants8k(tmp_path):
    """The chain of tags reaches .91 exact-span F1 on 3,731 test turns, with a fit under 30 s; rules are far below.

    Rules that may be silent, then the chain, are no worse than rules; 100 labels are enough to pass the rules.
    """
    dataset = fetched(tmp_path, "restaurants8k")
    train, test = dataset.in_split("train"), dataset.in_split("test")
    gold = [one.label for one in test]
    crf = plugins.load("baselines", "crf")
    arms = {
        "rules": rules.build((RULES / "restaurants8k-rules.toml").read_text(encoding="utf-8"), spec(dataset)),
        "gazetteer": gazetteer.build(),
        "crf": crf.build(),
    }
    spans = {}
    for name, built in arms.items():
        given, fit_s = said(built, train, test)
        found = figures(extract, dataset, gold, given)
        spans[name] = found["span_f1"].value
        print(name, f"fit {fit_s:.1f} s", {key: round(one.value, 4) for key, one in found.items() if one.value})
        assert fit_s < 30, name
    assert spans["crf"] >= 0.91
    assert spans["crf"] > spans["rules"] > 0.3
    curve = {}
    for n in (100, 400, 1_600):
        given, _ = said(crf.build(), folds_and_parts.at_random(train, n, 0), test)
        curve[n] = figures(extract, dataset, gold, given)["span_f1"].value
    print("crf on so many labels", {n: round(value, 3) for n, value in curve.items()}, "against rules", spans["rules"])
    assert curve[100] < curve[400] < curve[1_600] < spans["crf"]
    assert curve[400] > spans["rules"]


@pytest.mark.parametrize("arm", ["tfidf-lr", "minilm-lr"])
def test_nlupp_banking(tmp_path, arm):
    """Micro-F1, macro-F1 and subset accuracy are scikit-learn's on the same answers; the authors' folds can be run."""
    dataset = fetched(tmp_path, "nlupp-banking")
    build = {"tfidf-lr": tfidf_lr.build, "minilm-lr": minilm_lr.build}[arm]
    test = dataset.in_split("test")
    given, _ = said(build(spec=spec(dataset)), dataset.in_split("train"), test)
    gold = [one.label for one in test]
    found = figures(multi, dataset, gold, given)
    true, answered = (multi._sets.indicators(multi.parts, texts, dataset.label_names) for texts in (gold, given))
    held = true.any(axis=0) | answered.any(axis=0)
    assert found["micro_f1"].value == pytest.approx(metrics.f1_score(true, answered, average="micro"))
    assert found["macro_f1"].value == pytest.approx(metrics.f1_score(true[:, held], answered[:, held], average="macro"))
    assert found["subset_accuracy"].value == pytest.approx(metrics.accuracy_score(true, answered))
    print(arm, {name: round(one.value, 4) for name, one in found.items()})
    by_fold = {
        str(fold): [one for one in dataset.examples if one.item.fields["fold"] == str(fold)] for fold in range(20)
    }
    low = []
    for fold in range(0, 20, 5):
        rest = [one for other, rows in by_fold.items() if other != str(fold) for one in rows]
        given, _ = said(build(spec=spec(dataset)), by_fold[str(fold)], rest)
        low.append(figures(multi, dataset, [one.label for one in rest], given)["micro_f1"].value)
    print(arm, "one fold of twenty learned from, micro-F1", round(float(np.mean(low)), 4))
    assert found["micro_f1"].value > np.mean(low) > 0.2


def test_vader_tweets(tmp_path):
    """Embeddings and a ridge, and a lexicon of an hour, beside what single raters reach against the mean of twenty."""
    dataset = fetched(tmp_path, "vader-tweets")
    train, test = dataset.in_split("train"), dataset.in_split("test")
    gold = [one.label for one in test]
    arms = {
        "lexicon": rules.build((RULES / "lexicon-rules.toml").read_text(encoding="utf-8"), spec(dataset)),
        "tfidf-ridge": tfidf_ridge.build(spec=spec(dataset)),
        "minilm-ridge": minilm_ridge.build(spec=spec(dataset)),
    }
    pearson = {}
    for name, built in arms.items():
        given, _ = said(built, train, test)
        found = figures(score, dataset, gold, given)
        pearson[name] = found["pearson"].value
        print(name, {key: round(one.value, 4) for key, one in found.items()}, found["pearson"])
    raters = list(test[0].ratings)
    single = [figures(score, dataset, gold, [one.ratings[rater] for one in test])["pearson"].value for rater in raters]
    print("single raters with the mean", round(float(np.mean(single)), 4), len(single))
    assert 0.3 < pearson["lexicon"] < np.mean(single)
    assert pearson["minilm-ridge"] > pearson["tfidf-ridge"] > 0.3


def test_the_papers_lexicon(tmp_path):
    """The package's own lexicon reaches the paper's .88 with the mean of the raters, on all 4,200 tweets."""
    analyser = pytest.importorskip("vaderSentiment.vaderSentiment", reason="vaderSentiment is not installed")
    dataset = fetched(tmp_path, "vader-tweets")
    scores = analyser.SentimentIntensityAnalyzer()
    given = [score.canonical(4 * scores.polarity_scores(one.item.text)["compound"]) for one in dataset.examples]
    found = figures(score, dataset, [one.label for one in dataset.examples], given)
    print(found["pearson"])
    assert abs(found["pearson"].value - 0.88) < 0.02
