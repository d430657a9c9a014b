"""A draft of a blog post about a split, in Markdown: the numbers filled in, the story left to its author.

What only the author knows stands in square brackets as a question. Everything else is computed here,
so the draft is right as it stands, and again whenever it is written anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.analysis import comparison, decision, pair_words, wording
from harness.ground import formatting
from harness.report import again, markdown
from harness.report.blocks import Code, Column, Table
from harness.report.figures import _style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.analysis.comparison import Comparison
    from harness.analysis.results import Results, RunResult
    from harness.analysis.wording import Wording
    from harness.report.blocks import Block
    from harness.report.drawings import Drawn

NAME = "post.md"
WIDE_INTERVAL = 0.1
UNSAID = ("unknown", "about the same")
TRADEOFFS = ("accuracy-cost", "accuracy-latency", "cascade", "learning-curve", "search")
MISTAKES = ("confusion", "labels", "accuracy-coverage")


def draft(results: Results, drawn: Sequence[Drawn]) -> str:
    """The post; the figures it shows are the files of `harness figures` beside it."""
    found = decision.decide(results, results.constraints)
    figures = {figure.name: figure for figure in drawn}
    parts = [
        f"# {markdown.escaped(_title(results, found))}",
        f"*{markdown.escaped(_summary(results, found))}*",
        "## The task",
        *_task(results),
        "## What was tried",
        *_arms(results),
        "## What came of it",
        *_pictures(figures, TRADEOFFS),
        *_tradeoffs(results),
        "## Where it goes wrong",
        *_pictures(figures, MISTAKES),
        "## The decision",
        f"- {markdown.escaped(found.headline)}",
        *[f"- {markdown.escaped(reason)}." for reason in found.reasons],
        *[f"- What would change it: {markdown.escaped(change)}." for change in found.what_would_change_it],
        *_prompts(results),
        "## Limits",
        *[f"- {markdown.escaped(limit)}" for limit in _limits(results)],
        "## Do it again",
        markdown.fenced("\n".join(again.commands(results)), "sh"),
    ]
    return "\n\n".join(_joined(parts)) + "\n"


def _joined(parts: Sequence[str]) -> list[str]:
    """List items that follow each other make one list."""
    found: list[str] = []
    for part in parts:
        if part.startswith("- ") and found and found[-1].startswith("- "):
            found[-1] += f"\n{part}"
        else:
            found.append(part)
    return found


def _title(results: Results, found: decision.Decision) -> str:
    what = results.split.dataset.partition("@")[0]
    return f"{what}: {found.recommendation} or something else?" if found.recommendation else f"{what}: no arm will do"


def _summary(results: Results, found: decision.Decision) -> str:
    arms, said = results.by_arm.runs, wording.of_headline(results.split.task)
    sure = "decided" if found.verdict == "decided" else "not decided yet"
    best, tied = arms[0], [one.run.name for one in results.leaders]
    which = f"the one that {said.was_best}, {best.run.name}, {said.has(formatting.with_interval(best.headline))}"
    if len(tied) > 1:
        alike = f"{', '.join(tied[:-1])} and {tied[-1]} came out best and alike"
        which = f"{alike}: each {said.has(formatting.with_interval(best.headline))}"
    lost = best.n - best.headline.n
    failed = f", {formatting.plural(lost, 'failed call')} left out" if lost else ""
    return (
        f"{formatting.plural(len(arms), 'arm')} on the same {formatting.plural(best.n, 'item')}: {which}{failed}. "
        f"The verdict is {sure}."
    )


def _task(results: Results) -> list[str]:
    split = results.split
    labels = ", ".join(split.labels[:12]) + (f", and {len(split.labels) - 12} more" if len(split.labels) > 12 else "")
    said = (
        f"{split.dataset} has {formatting.plural(len(split.labels), 'label')} ({labels}). Everything below was "
        "measured "
        f"on {formatting.plural(split.n, 'item')}{f' of the {split.subsample_of:,}' if split.subsample_of else ''} "
        f"of its {split.name} split, scored {split.looks:,} times so far."
    )
    return [
        markdown.escaped(said),
        "[What is the task for? Who reads the answer, and what does a wrong one cost?]",
        *_examples(results),
    ]


def _examples(results: Results) -> list[str]:
    if results.items is None or results.items.empty:
        return []
    first = results.items.groupby("gold", sort=True).first().head(6)
    rows = tuple(
        (str(text), str(gold)) for gold, text in zip(first.index, first["text"], strict=True) if len(str(text)) < 300
    )
    return [markdown.render_block(Table((Column("an item"), Column("its label")), rows))] if rows else []


def _arms(results: Results) -> list[str]:
    said = wording.of_headline(results.split.task)
    columns = (Column("arm"), *(Column(t, numeric=True) for t in (said.noun, "$ per 1,000", "p50", "p95", "labels")))
    rows = tuple(_arm(result) for result in results.runs)
    caption = f"{said.title} with its 95% interval; labels: how many training items the arm learned from."
    asked = sorted({f"{r.run.name} asks {r.run.model}" for r in results.runs if r.run.model})
    told = [markdown.escaped(f"{'; '.join(asked)}.")] if asked else []
    return [markdown.render_block(Table(columns, rows, caption)), *told]


def _arm(result: RunResult) -> tuple[str, ...]:
    latency_s, n_train = result.latency_s, result.run.n_train
    return (
        result.run.name,
        formatting.with_interval(result.headline),
        formatting.dollars(result.cost_per_1000_usd),
        formatting.duration(latency_s["p50"]),
        formatting.duration(latency_s["p95"]),
        "none" if n_train is None else formatting.count(int(n_train)),
    )


def _pictures(figures: dict[str, Drawn], names: Sequence[str]) -> list[str]:
    shown = [figures[name] for name in names if name in figures]
    return [
        f"![{markdown.escaped(figure.alt)}]({figure.name}.png)\n\n*{markdown.escaped(figure.caption)}*"
        for figure in shown
    ]


def _tradeoffs(results: Results) -> list[str]:
    """The best arm beside each of the others, in words."""
    results = results.by_arm
    best, *others = results.runs
    if not others:
        return []
    rows, said = results.answers, wording.of_headline(results.split.task)
    made = comparison.leading(rows[best.run.run_id], [rows[o.run.run_id] for o in others])
    return [f"- {markdown.escaped(_beside(best, other, one, said))}" for other, one in zip(others, made, strict=True)]


def _beside(best: RunResult, other: RunResult, one: Comparison, words: Wording) -> str:
    lead, p_value = formatting.with_interval(one.lead), f"p {pair_words.p_value(one)}, Holm, all pairs"
    said = f"{one.a} is right on {lead} more of the items than {one.b} ({p_value})"
    if not words.counts_right:
        said = f"the {words.noun} of {one.a} is {lead} above that of {one.b} ({p_value})"
    if not one.is_shown:
        said = f"{one.a} cannot be told from {one.b}: {lead} ({p_value})"
    price = _times(best.cost_per_1000_usd, other.cost_per_1000_usd, ("cheaper", "dearer"))
    wait = _times(best.latency_s["p50"], other.latency_s["p50"], ("faster", "slower"))
    told = [
        f"its price is {price}" if price in UNSAID else f"it is {price}",
        f"its speed is {wait}" if wait in UNSAID else f"{wait}",
    ]
    return f"{said}. {one.b}: {told[0]}, {told[1]}."


def _times(best: float | None, other: float | None, words: tuple[str, str]) -> str:
    """How many times less or more the other arm takes."""
    if best is None or other is None or min(best, other) <= 0:
        return UNSAID[0]
    factor = max(best / other, other / best)
    if factor < 1.2:
        return UNSAID[1]
    return f"{factor:,.0f} times {words[other > best]}" if factor >= 10 else f"{factor:.1f} times {words[other > best]}"


def _prompts(results: Results) -> list[str]:
    if not results.prompts:
        return []
    blocks: list[Block] = [Code(f"{prompt.arm}, as it was asked", prompt.content) for prompt in results.prompts]
    return ["## The prompts", *(markdown.render_block(block) for block in blocks)]


def _limits(results: Results) -> list[str]:
    split, best = results.split, results.by_arm.runs[0]
    said = [
        f"All numbers come from {formatting.plural(split.n, 'item')} of one dataset, {split.dataset} "
        f"({split.dataset_id}), and hold for texts like these.",
        f"The split was scored {split.looks:,} times; whoever chooses by it often enough is fooled by it.",
    ]
    low, high = best.headline.low, best.headline.high
    if low is not None and high is not None and high - low > WIDE_INTERVAL:
        said.append(f"The best arm's interval is {formatting.share(high - low)} wide: close arms cannot be told apart.")
    failed = sum(result.n - result.headline.n for result in results.runs)
    if failed:
        said.append(f"{formatting.plural(failed, 'call')} failed and {'is' if failed == 1 else 'are'} not scored.")
    unknown = [_style.name_of(r) for r in results.runs if r.cost_per_1000_usd is None]
    if unknown:
        said.append(f"The price of {', '.join(unknown)} is unknown.")
    fake = sorted({r.run.model for r in results.runs if r.run.model and r.run.model.startswith("fake/")})
    if fake:
        said.append(
            f"{', '.join(fake)} answers by recipe: no model was asked, and these numbers say nothing about one."
        )
    facts = "; ".join(f"{name}: {value}" for name, value in results.provenance.items())
    return [*said, f"{facts}."]
