"""The gate's report as blocks that terminal and Markdown draw, and as a comment for a pull request."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from harness.analysis import wording
from harness.analysis.gate import bars
from harness.ground import formatting
from harness.report import markdown
from harness.report.blocks import Column, Section, Table, Text

if TYPE_CHECKING:
    from harness.analysis.gate import Check, Report
    from harness.report.blocks import Block

HEADLINES = {
    "pass": "Pass",
    "fail": "Fail",
    "inconclusive": "Not enough data",
}
RESUMABLE = 3  # the exit code of what stopped early
COLUMNS = (Column("check"), Column("verdict"), Column("found"))
MARKS = {"pass": "pass", "fail": "FAIL", "inconclusive": "cannot tell"}


def section(report: Report) -> Section:
    """Headline, what is compared, and the checks: those that decide first, those that watch after them."""
    decisive = [check for check in report.checks if check.must_pass or check.verdict == "fail"]
    watched = [check for check in report.checks if not check.must_pass and check.verdict != "fail"]
    blocks: list[Block] = [
        Text(headline(report), "verdict"),
        Text(_compared(report)),
        *([Text(report.rests_on)] if report.rests_on else []),
        *_mixed(report),
        Table(COLUMNS, tuple(map(_row, decisive))),
    ]
    if watched:
        told = sum(check.verdict == "pass" for check in watched)
        blocks.append(
            Text(
                f"Watched besides, {formatting.plural(len(watched), 'part')}: {told:,} shown to be close, "
                f"{len(watched) - told:,} too small to tell; none is shown to be worse.",
                "quiet",
            )
        )
    blocks += [Text(f"Passed over: {one.name} ({one.reason}).", "quiet") for one in report.passed_over]
    if report.candidate.model and report.candidate.arm.startswith("prompt:"):
        blocks.append(Text(_of_then(report), "quiet"))
    return Section("Gate", tuple(blocks))


def _mixed(report: Report) -> list[Text]:
    if not report.label_mix:
        return []
    return [Text(f"Weighed to {wording.mix(report.label_mix)}; classes, slices, rates and bills are not.", "quiet")]


def headline(report: Report) -> str:
    """The verdict in a sentence: what broke, or how many items would settle it."""
    broken = [check.name for check in report.checks if check.verdict == "fail"]
    if broken:
        return f"Fail: {', '.join(broken)}."
    if report.verdict == "inconclusive":
        open_ones = [check.name for check in report.checks if check.must_pass and check.verdict == "inconclusive"]
        more = f" About {report.needed_n:,} items would settle it (now {report.n:,})." if report.needed_n else ""
        return f"Not enough data: {', '.join(open_ones)}.{more}"
    return "Pass."


def error_bars(report: Report) -> list[str]:
    """One line of plain characters for every difference that decides: see `gate.bars`."""
    return [
        bars.bar(check.estimate, check.limit)
        for check in report.checks
        if check.is_margin
        and check.estimate is not None
        and check.limit is not None
        and (check.must_pass or check.verdict == "fail")
    ]


def marker(dataset: str, split: str) -> str:
    """The hidden line by which a later comment finds the one that it replaces, whichever version that was about."""
    place = markdown.escaped(f"{dataset.partition('@')[0]} / {split}").replace("--", "- -")
    return f"<!-- harness-gate: {place} -->"


def unchecked(dataset: str, split: str, message: str, exit_code: int) -> str:
    """The comment where there is no verdict: what is wrong, in place of a verdict that no longer holds."""
    title = "Answers are missing" if exit_code == RESUMABLE else "It cannot be compared"
    advice = "The same command goes on where it stopped." if exit_code == RESUMABLE else "Nothing was compared."
    said = Section("Checks", (Text(f"{title}: no verdict.", "verdict"), Text(message), Text(advice)))
    return f"{marker(dataset, split)}\n{markdown.render(f'harness gate: {title.lower()}', [said])}"


def comment(report: Report) -> str:
    """The comment for a pull request: marker, headline, bars, the checks, and every fact in a fold."""
    told = section(report)
    body = markdown.render(f"harness gate: {HEADLINES[report.verdict]}", [Section("Checks", told.blocks)])
    drawn = error_bars(report)
    if drawn:
        body += "\n```text\n" + "\n".join(drawn) + "\n```\n\n`o` found, `( )` its interval, `!` the margin, `|` 0\n"
    fold = markdown.table(Table((*COLUMNS, Column("code")), tuple((*_row(one), one.code) for one in report.checks)))
    return (
        f"{marker(report.dataset, report.split)}\n{body}\n<details><summary>All "
        f"{formatting.plural(len(report.checks), 'check')}</summary>\n\n"
        f"{fold}\n\n</details>\n"
    )


def _row(check: Check) -> tuple[str, str, str]:
    return check.name, MARKS[check.verdict], check.message.removeprefix(f"{check.name}: ")


def _of_then(report: Report) -> str:
    """Stored answers are a model's of the day it was asked: how to ask whether it still gives them."""
    command = shlex.join(["harness", "recheck", report.candidate.arm, "--dataset", report.dataset])
    return f"Answers of {report.candidate.model} are of the day it was asked; does it still give them? {command}"


def _compared(report: Report) -> str:
    sides = [
        f"{side.arm}{f' ({side.model})' if side.model else ''} "
        f"{formatting.with_interval(side.headline) if side.headline else ''}"
        for side in (report.candidate, report.baseline)
    ]
    return (
        f"{' against '.join(sides)} on {formatting.plural(report.n, 'item')} of {report.dataset} / {report.split}, "
        f"scored {formatting.plural(report.looks, 'time')} so far."
    )
