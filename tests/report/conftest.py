"""Results for report tests, made by the real analysis from small frames."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from harness.analysis.curves import Curves, Fit, Learnt, Rival
from harness.analysis.results import BUCKETS, PromptText, RunFacts, Split, analyse, summarise
from tests.browsing import axe, browser  # noqa: F401  (fixtures)

SIZES = (10, 20, 40, 80)

HOSTILE = [
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "</script><svg onload=\"document.title='owned'\">",
    "=1+1",
    "@SUM(A1)",
    "a|b`c`*d*_e_[f](javascript:alert(1))",
    "\u202eright to left\u202c and zero\u200bwidth",
    "{{ 7*7 }}{% raw %}",
    "line one\nline two\x1b[31m",
    "'; drop table runs; --",
]

STORY = {
    "parent": "v1",
    "proposed_by": "openai/m",
    "variants": 12,
    "tried": 9,
    "chosen_on": "dev",
    "spent_usd": 0.8,
    "levels": [[0.1, 0.5, 60, 0], [0.1, 0.6, 60, 2], [0.5, 0.7, 60, 7]],
}


def frame(run_id, arm, labels, n, rng, *, right, cost=0.0001, failed=0, texts=None, model=None):
    gold = [labels[i % len(labels)] for i in range(n)]
    answers = [g if rng.random() < right else labels[(labels.index(g) + 1) % len(labels)] for g in gold]
    outcome = ["failed" if i < failed else "answered" for i in range(n)]
    given = [None if o == "failed" else a for o, a in zip(outcome, answers, strict=True)]
    return pd.DataFrame(
        {
            "run_id": run_id,
            "arm": arm,
            "model": model,
            "example_id": [f"i{i}" for i in range(n)],
            "text": [texts[i % len(texts)] if texts else f"text {i}" for i in range(n)],
            "tags": [np.array(["t1", "t2"]) if i % 2 else None for i in range(n)],
            "gold": gold,
            "outcome": outcome,
            "label": given,
            "score": [None if a is None else 0.5 + (i % 50) / 100 for i, a in enumerate(given)],
            "credit": [np.nan if a is None else float(a == g) for a, g in zip(given, gold, strict=True)],
            "raw": given,
            "error": None,
            "cost_usd": cost,
            "billed_usd": cost,
            "latency_s": [0.001 * (i % 7 + 1) for i in range(n)],
            "answered_by": arm,
            "attempts": 1 if model else 0,
            "cached": False,
            **dict.fromkeys(BUCKETS, 10 if model else pd.NA),
        }
    )


def made(labels=("ham", "spam", "other"), n=60, texts=None, arms=None, name="tickets@v1", prompts=None):
    labels = tuple(labels)
    rng = np.random.default_rng(0)
    arms = arms or {
        "minilm-lr": {"right": 0.9},
        "tfidf-lr": {"right": 0.8, "cost": 0.00005},
        "prompt:v3": {"right": 0.7, "cost": 0.002, "failed": 2, "model": "openai/m"},
        "prompt:v1": {"right": 0.5, "cost": None, "model": "openai/own"},
        "majority": {"right": 0.3, "cost": 0.0000001},
    }
    frames, facts = [], []
    for number, (arm, how) in enumerate(arms.items()):
        frames.append(frame(f"s1:{number:016x}", arm, labels, n, rng, texts=texts, **how))
        facts.append(
            RunFacts(
                f"s1:{number:016x}",
                arm,
                how.get("model"),
                "done",
                0,
                0,
                100,
                {"prompt": f"p{number}"} if how.get("model") else {},
                pd.Timestamp("2026-01-01", tz="UTC"),
                1.0,
                0.1,
                arm_id=f"s1:{arm}",
            )
        )
    split = Split(name, "s1:data", "test", "single", labels, n, looks=3)
    found = analyse(split, facts, pd.concat(frames), {"harness": "0.1.0", "prices as of": "table 1"})
    return replace(found, items=items_of(frames[0]), prompts=prompts or ())


def items_of(rows):
    """What the store says of the items of a frame."""
    fields = [f'{{"channel": "{"mail" if i % 3 else "chat"}"}}' for i in range(len(rows))]
    found = rows[["example_id", "text", "tags", "gold"]].assign(fields=fields, group=None)
    return found.sort_values("example_id").reset_index(drop=True)


def with_curves(results, seeds=3):
    """The results with curves of their first two arms, from under the best prompt to above it, if there is one."""
    items = tuple(sorted(results.answers[results.runs[0].run.run_id].rows["example_id"]))
    prompt = next((one for one in results.runs if "prompt" in one.run.params), None)
    level = 0.3 if prompt is None else prompt.headline.value
    learnt, fits = [], []
    for number, arm in enumerate([one.run.arm for one in results.runs[:2]]):
        rng = np.random.default_rng(number)
        share = np.linspace(level - 0.2 - 0.1 * number, level + 0.2, len(SIZES))
        right = (rng.random((seeds, 1, len(items))) < share[None, :, None]).astype(float)
        ids = [[f"s1:c{number}{size:04d}{seed:010d}" for seed in range(seeds)] for size in SIZES]
        learnt.append(Learnt(arm, SIZES, right, items, run_ids=tuple(run_id for drawn in ids for run_id in drawn)))
        fits += [
            Fit(arm, ids[j][i], size, i, len(items), float(right[i, j].mean()))
            for j, size in enumerate(SIZES)
            for i in range(seeds)
        ]
    if prompt is None:
        return replace(results, curves=Curves(tuple(learnt), tuple(fits), {}))
    rows = results.answers[prompt.run.run_id].rows.dropna(subset=["credit"])
    rival = Rival(prompt.run.arm, dict(zip(rows["example_id"], rows["credit"], strict=True)))
    return replace(results, curves=Curves(tuple(learnt), tuple(fits), {}, rival, prompt.run.run_id))


def whole():
    """The ordinary results with something for every figure."""
    return with_cascade(with_curves(with_search(made(), STORY)))


def with_search(results, story):
    """The results, whose prompt:v3 came of a search."""
    runs = tuple(
        replace(one, run=replace(one.run, facts={"improve": story})) if one.run.arm == "prompt:v3" else one
        for one in results.runs
    )
    return replace(results, runs=runs)


def with_cascade(results, threshold=0.7):
    """The results with a stored cascade of their second arm and their best prompt, as it would have answered."""
    return with_fusion(results, "cascade", lambda cheap: cheap["score"].fillna(0) >= threshold, threshold)


def with_router(results, threshold=0.7):
    """The results with a stored router of the same two arms, which sends every third item to the dear one."""
    return with_fusion(
        results, "router", lambda cheap: pd.Series(np.arange(len(cheap)) % 3 > 0, cheap.index), threshold
    )


def with_fusion(results, how, keeps, threshold):
    """The results with a stored fusion of two of their arms: the first one's answers where it `keeps` them."""
    cheap = results.runs[1]
    dear = next(one for one in results.runs if one.run.model)
    first, then = (results.answers[one.run.run_id].rows.set_index("example_id") for one in (cheap, dear))
    name = f"{how}:{cheap.run.arm}>{dear.run.arm}"
    rows = then.where(~keeps(first), first).assign(run_id=f"s1:{how}", arm=name).reset_index()
    parts = [{"arm": one.run.arm, "arm_id": one.run.arm_id, "model": one.run.model} for one in (cheap, dear)]
    choice = {"how": how, "parts": parts, "thresholds": [threshold]}
    run = RunFacts(
        f"s1:{how}", name, dear.run.model, "done", 0, 0, 100, {"choice": choice}, cheap.run.started_at, 1.0, 0.1
    )
    fused = summarise(results.split, run, rows)
    return replace(results, runs=(*results.runs, fused), predictions=pd.concat([results.predictions, rows]))


@pytest.fixture
def results():
    """Five arms on sixty items: one with failed calls, one without a price; two prompts with their words."""
    old = PromptText("p3", "tickets", "v1", "{% block user %}\n{{ item.text }}\n{% endblock %}", "prompt:v1")
    new = PromptText("p2", "tickets", "v3", "{% block user %}\nSort: {{ item.text }}\n", "prompt:v3")
    return made(prompts=(old, new))


@pytest.fixture
def hostile():
    """Texts, labels, arms, models and the dataset's name carry what should never be acted on."""
    arms = {
        f"minilm-lr{HOSTILE[0]}": {"right": 0.5},
        HOSTILE[3]: {"right": 0.4, "cost": 0.01, "model": HOSTILE[1]},
    }
    prompts = tuple(PromptText("p1", "t", f"v{i}", text, text) for i, text in enumerate(HOSTILE))
    return made(labels=HOSTILE[:6], n=40, texts=HOSTILE, arms=arms, name=HOSTILE[2], prompts=prompts)
