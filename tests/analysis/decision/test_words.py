"""Every sentence that a verdict can print: it is there where its claim is carried, and cannot be where it is not."""

from dataclasses import replace

import pytest

from harness.analysis.comparison import Comparison
from harness.analysis.decision import words
from harness.analysis.decision.assurance import Assurance
from harness.analysis.decision.candidates import Candidate
from harness.analysis.decision.limits import Limit
from harness.analysis.decision.words import View
from harness.analysis.wording import ACCURACY
from harness.ground.constraints import Constraints
from harness.stats.paired import Table2x2
from harness.types import Estimate


def candidate(arm, monthly_usd=10.0, **changed):
    accuracy = Estimate("accuracy", 0.9, 0.87, 0.92, 400, "Wilson")
    return replace(Candidate(arm, arm, None, accuracy, accuracy.value, 0.1, 0.02, None, monthly_usd, ()), **changed)


def compared(b, lead, *, p=0.5, bounded_p=None, a="clf"):
    low, high = (lead - 0.01, lead + 0.01) if p <= 0.05 else (lead - 0.05, lead + 0.05)
    difference = Estimate("difference", lead, low, high, 400, "Tango")
    table = Table2x2(300, 40, 40 - round(400 * lead), 20 + round(400 * lead))
    found = Comparison(a, b, 400, table, difference, p, p, "McNemar", 0.05, 0, 0, together=difference)
    return replace(found, bounded_p=bounded_p)


CLF, KNN, LLM = candidate("clf"), candidate("knn"), candidate("llm", 500.0, model="openai/m", n_train=8)


def view(**changed):
    """`clf` was chosen and right most often; `knn` is as dear, `llm` dearer; nothing is shown."""
    against = (compared("knn", 0.02), compared("llm", 0.03))
    made = View(CLF, CLF, (), (), against, (KNN, LLM), (KNN, LLM), (0.9, 0.9), ACCURACY)
    return replace(made, **changed)


def said(seen, *, outlook=None, is_turned=False, **constraints):
    return words.reasons(seen, Constraints(**constraints), outlook, is_turned=is_turned)


SHOWN = (compared("knn", 0.02, p=0.001), compared("llm", 0.03, p=0.001))
ONE = (SHOWN[0], compared("llm", 0.03))
DOUBTED = (compared("knn", 0.02, p=0.001, bounded_p=0.4), compared("llm", 0.03, p=0.001))
BEHIND = (compared("knn", -0.02, p=0.001), SHOWN[1])
TIED = (compared("knn", 0.0), compared("llm", 0.03))
UNSURE = candidate("clf", limits=(Limit("accuracy", "at least .900", ".900 (.870 to .920)", "unsure"),))
KEPT = candidate("clf", limits=(Limit("accuracy", "at least .800", ".900 (.870 to .920)", "kept"),))
FAILED = candidate("clf", failed=7)
TRAINED = candidate("clf", n_train=500)
REFITTED = candidate("clf", n_train=500, fits=3)
MODEL = candidate("clf", n_train=8, model="openai/m")
MIXED = {"label_mix": {"spam": 0.1}}
NEVER = Assurance(None, 0.3, {})

# The words that make the claim, where it is carried, and everything near it where it is not.
SENTENCES = [
    ("of clf failed", [view(chosen=FAILED)], [view()]),
    ("It is the only arm that may be served", [view(against=(), others=(), near=())], [view()]),
    (
        "It is shown to be no more than .02 worse than llm",
        [view(best=LLM)],
        [view(), view(best=LLM, better=(SHOWN[1],))],
    ),
    ("It is not shown to be no more than .02 worse", [view(best=LLM, better=(SHOWN[1],))], [view(best=LLM), view()]),
    ("instead of $500.00 a month", [view(best=LLM)], [view(best=KNN), view()]),
    (
        "It is shown to be the most accurate",
        [view(against=SHOWN)],
        [view(), view(against=DOUBTED), view(against=ONE), view(against=BEHIND), view(best=LLM)],
    ),
    ("was right as often; no arm was right more often", [view(against=TIED)], [view(), view(best=LLM, against=TIED)]),
    ("It was right most often", [view()], [view(against=TIED), view(best=LLM), view(against=SHOWN)]),
    (
        "Shown to be less accurate: knn",
        [view(against=SHOWN), view(against=ONE)],
        [view(), view(against=DOUBTED), view(against=BEHIND)],
    ),
    (
        "knn is 10.0 times cheaper",
        [view(chosen=candidate("clf", 0.5), near=(candidate("knn", 0.05),))],
        [
            view(),
            view(chosen=candidate("clf", 50.0), near=(candidate("knn", 5.0),)),
            view(near=(candidate("knn", None),)),
            view(chosen=candidate("clf", 0.05), near=(candidate("knn", 0.5),)),
        ],
    ),
    ("Said of this fit of clf", [view(chosen=TRAINED)], [view(), view(chosen=MODEL), view(chosen=REFITTED)]),
    ("Said of the mean fit of clf (3)", [view(chosen=REFITTED)], [view(), view(chosen=TRAINED), view(chosen=MODEL)]),
    ("Open: whether it keeps accuracy", [view(chosen=UNSURE)], [view(), view(chosen=KEPT)]),
    ("Open: knn might be better by more than .02", [view(better=(compared("knn", 0.0),))], [view()]),
    ("Open: knn is cheaper and might be good enough", [view(cheaper=(compared("knn", 0.0),))], [view()]),
    ("Failed items are in no figure", [view(chosen=FAILED), view(others=(candidate("knn", failed=2), LLM))], [view()]),
]


@pytest.mark.parametrize(("claim", "carried", "not_carried"), SENTENCES, ids=[claim for claim, _, _ in SENTENCES])
def test_a_sentence_is_printed_only_where_its_claim_is_carried(claim, carried, not_carried):
    """Once where it holds; not at all where one thing that it needs is missing."""
    for seen in carried:
        assert sum(claim in one for one in said(seen)) == 1, said(seen)
    for seen in not_carried:
        assert not any(claim in one for one in said(seen)), said(seen)


@pytest.mark.parametrize(
    ("claim", "carried", "not_carried"),
    [
        ("could turn the verdict: clf (7)", {"is_turned": True}, {"is_turned": False}),
        ("weighed to your mix of labels (spam .100)", MIXED, {}),
        (
            "More labels would probably not decide it",
            {"outlook": NEVER},
            {"outlook": Assurance(600, 0.8, {"clf": 0.8})},
        ),
        ("More labels would probably not decide it", {"outlook": NEVER}, {}),
        ("it would be knn", MIXED, {}),
    ],
)
def test_a_sentence_about_the_whole_verdict(claim, carried, not_carried):
    """Failed calls that could turn it, another mix of labels, labels that would not help."""
    seen = view(chosen=FAILED, instead="knn")
    assert sum(claim in one for one in said(seen, **carried)) == 1
    assert not any(claim in one for one in said(seen, **not_carried))


def test_a_mix_that_turns_nothing_names_no_other_arm():
    """The arm is the same at the split's own mix."""
    assert not any("it would be" in one for one in said(view(), **MIXED))


def test_what_labels_would_bring_stands_once():
    """In the headline, and in no reason."""
    outlook = Assurance(600, 0.8, {"clf": 0.55, "knn": 0.25})
    headline = words.headline("clf", ["knn"], outlook, is_decided=False)
    assert (
        "With 600 more labels the verdict would be decided with probability .80 (for clf .55, for knn .25)" in headline
    )
    assert not any("600 more labels" in one for one in said(view(), outlook=outlook))


@pytest.mark.parametrize(
    ("arguments", "begins"),
    [
        ((None, [], None, True), "No arm keeps every constraint."),
        (("clf", [], None, True), "Serve clf."),
        (("clf", ["knn"], None, False), "Cannot tell yet between clf and knn; for now, clf."),
        (("clf", [], None, False), "Cannot tell yet; for now, clf."),
        (("clf", ["knn"], NEVER, False), "Cannot tell yet between clf and knn; for now, clf."),
    ],
)
def test_the_headline_serves_only_what_is_decided(arguments, begins):
    """ "Serve" is said of a decided arm alone; a number of labels only where one would do."""
    recommended, others, outlook, is_decided = arguments
    assert words.headline(recommended, others, outlook, is_decided=is_decided) == begins


def test_every_sentence_has_its_row():
    """All functions that make sentences are called by `reasons`, and each gave one of the rows above."""
    makers = {name for name in words.reasons.__code__.co_names if name.startswith("_")}
    assert makers == {"_found", "_mixed", "_place", "_pennies", "_certain", "_fits", "_open", "_failed", "_outlook"}


def test_an_arm_that_is_out_says_what_it_breaks():
    """The limit, what was asked and what was found; limits that it keeps are not named."""
    broken = Limit("p95", "at most 1 s", "2 s (1.5 s to 3 s)", "broken")
    out = words.broken(candidate("clf", limits=(broken, *KEPT.limits)), "accuracy")
    assert out == "clf is out: p95 at most 1 s, found 2 s (1.5 s to 3 s)"
