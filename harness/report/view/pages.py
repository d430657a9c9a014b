"""The pages of `harness view`, each a few SQL queries that read no more than the page shows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from harness.analysis import wording
from harness.datasets.task import SINGLE, Task
from harness.ground import formatting
from harness.report.blocks import Column, Links, Section, Table, Text
from harness.report.sections import _cells
from harness.report.view import items
from harness.stats import intervals, margins
from harness.store import Selection, crediting, stored_runs
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from harness.report.blocks import Block
    from harness.store.reading import Select

RUNS_A_PAGE = 10
LABELS, CONFUSIONS = 200, 40
COUNTS = ", ".join(f"count(*) filter (p.outcome = '{outcome.value}') as {outcome.value}" for outcome in Outcome)


SUMS = f"""
    select p.run_id, count(*) as n, {COUNTS}, sum(p.credit) as credit, sum(p.credit * p.credit) as squares,
        case when count(*) filter (p.cost_usd is null and p.outcome <> 'failed') = 0
            then 1000 * avg(p.cost_usd) filter (p.outcome <> 'failed') end as per_1000,
        quantile_cont(p.latency_s, [0.5, 0.95]) filter (p.outcome <> 'failed') as waits
    from predictions p
    where p.run_id in (select unnest(?)) group by p.run_id
"""

OF_GROUPS = """
    with held as (
        select p.run_id, sum(p.credit) as credit, count(*) as n
        from predictions p join runs r using (run_id)
        join examples e on e.dataset_id = r.dataset_id and e.example_id = p.example_id
        where p.run_id in (select unnest(?)) and p.credit is not null
        group by p.run_id, e."group", case when e."group" is null then p.example_id end
    )
    select run_id, sum(credit * credit) as squares_of_groups, sum(credit * n) as crossed, sum(n * n) as sizes,
        count(*) as groups
    from held group by run_id
"""
HAS_GROUPS = 'select 1 as found from examples where dataset_id = ? and "group" is not null limit 1'


class NotThereError(LookupError):
    """An address names a run, split or item that the store does not have."""


@dataclass(frozen=True)
class Book:
    """The store, open while one page is made, and the sums of runs that were made before.

    A finished run's sums hold as long as the hash of its rows does; they are kept by both.
    """

    select: Select
    sums: dict[tuple[object, object], dict[str, object]]
    extensions: Path | None = None

    def task(self, dataset_id: object) -> Task:
        """What a dataset asks."""
        said = self.select("select kind, labels::text as labels from datasets where dataset_id = ?", [dataset_id])
        return crediting.task_said(str(said[0]["kind"]), str(said[0]["labels"]), self.extensions) if said else SINGLE

    @cached_property
    def selection(self) -> Selection:
        """What the store's runs are called."""
        return Selection(stored_runs(self.select))

    def named(self, runs: list[dict[str, object]]) -> list[dict[str, object]]:
        """The runs with what each is called."""
        return [{**run, "name": self.selection.name(str(run["run_id"]))} for run in runs]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an address asks for, by name; everything in it is foreign text."""

    said: Mapping[str, str]

    def text(self, name: str) -> str:
        """The value, or an empty text."""
        return self.said.get(name, "")

    def page(self) -> int:
        """The number of the page, from 1."""
        text = self.text("page")
        return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 9 else 1


def address(path: str, **said: object) -> str:
    """The address of one of our pages."""
    return f"{path}?{urlencode({name: str(value) for name, value in said.items() if value != ''})}"


def overview(book: Book, _wanted: Wanted) -> tuple[str, list[Section]]:
    """Every split that has been scored."""
    found = book.select(
        "select dataset, dataset_id, split, count(*) as runs, max(n) as items, sum(n) as rows, "
        "max(started_at)::timestamp as latest from runs where n > 0 group by all order by latest desc"
    )
    rows = tuple(
        (f"{one['dataset']} / {one['split']}", f"{one['runs']:,}", f"{one['items']:,}", f"{one['rows']:,}", _day(one))
        for one in found
    )
    links = tuple(address("/split", dataset=one["dataset_id"], split=one["split"]) for one in found)
    titles = (Column("dataset / split"), *(Column(t, numeric=True) for t in ("runs", "items", "predictions")))
    table = Table((*titles, Column("latest run (UTC)")), rows, links=links)
    return "What the store holds", [Section("Splits", (table,) if rows else (Text("No finished run yet."),))]


def split(book: Book, wanted: Wanted) -> tuple[str, list[Section]]:
    """The runs of a split, newest first, summed up a page at a time."""
    dataset_id, name = wanted.text("dataset"), wanted.text("split")
    runs = book.named(
        book.select(
            "select run_id, dataset_id, content_hash, dataset, n, tag, started_at::timestamp as latest "
            "from runs where dataset_id = ? and split = ? and n > 0 order by started_at desc, run_id",
            [dataset_id, name],
        )
    )
    if not runs:
        raise NotThereError(f"no run on split {name!r} of dataset {dataset_id!r}")
    page, pages = min(wanted.page(), ceil(len(runs) / RUNS_A_PAGE)), ceil(len(runs) / RUNS_A_PAGE)
    shown = runs[(page - 1) * RUNS_A_PAGE : page * RUNS_A_PAGE]
    sums = _sums(book, shown)
    task = book.task(dataset_id)
    table = Table(
        (Column("arm"), *_cells.worded(SCORES, task), Column("started (UTC)")),
        tuple((_arm(run), *_scores(sums[str(run["run_id"])]), _day(run)) for run in shown),
        wording.of_headline(task).say(
            "Accuracy with its 95% interval (Wilson); failed calls are counted and not scored."
        ),
        links=tuple(address("/run", run=run["run_id"]) for run in shown),
    )
    title = f"{runs[0]['dataset']} / {name}"
    turn = _turn("/split", page, pages, dataset=dataset_id, split=name)
    whole = Links((("Whole report", address("/report", dataset=runs[0]["dataset"], split=name)), ("All runs", "/")))
    return title, [Section(f"{formatting.plural(len(runs), 'run')}, newest first", (whole, table, *turn))]


TITLES = ("items", "accuracy", "95%", "$ per 1,000", "p50", "p95", "no answer", "failed")
SCORES = tuple(Column(title, numeric=True) for title in TITLES)


def run(book: Book, wanted: Wanted) -> tuple[str, list[Section]]:
    """One run: its numbers, its labels, what it took for what."""
    found = one_run(book, wanted.text("run"))
    run_id = str(found["run_id"])
    sums = _sums(book, [found])[run_id]
    task = book.task(found["dataset_id"])
    scored = Table((Column("arm"), *_cells.worded(SCORES, task)), ((_arm(found), *_scores(sums)),))
    facts = ("run_id", "dataset", "split", "model", "status", "tag", "code_version", "prices_as_of", "params")
    known = Table((Column("what"), Column("value")), tuple((f, str(found[f])) for f in facts if found[f] is not None))
    links = Links(
        (
            ("Its items", address("/items", a=run_id)),
            ("Its mistakes", address("/items", a=run_id, show="wrong", sort="surest")),
            ("All runs of the split", address("/split", dataset=found["dataset_id"], split=found["split"])),
        )
    )
    by_label = [Section("Labels", (_labels(book, run_id),)), Section("Confusions", (_confusions(book, run_id),))]
    sections = [Section("Scores", (links, scored)), *(by_label if task.rules.HAS_CLASSES else [])]
    return _arm(found), [*sections, Section("Provenance", (known,))]


def one_run(book: Book, run_id: str) -> dict[str, object]:
    """A run's row; `NotThereError` when there is none."""
    found = book.select("select * exclude (started_at, finished_at) from runs where run_id = ?", [run_id])
    if not found:
        raise NotThereError(f"no run {run_id!r}")
    return book.named(found)[0]


def items_page(book: Book, wanted: Wanted) -> tuple[str, list[Section]]:
    """Items of one run, or of two beside each other, filtered and sorted, fifty at a time."""
    first = one_run(book, wanted.text("a"))
    second = one_run(book, wanted.text("b")) if wanted.text("b") else None
    choice = items.ItemFilter.of(wanted.said)
    rows, total, page = items.found(book.select, first["dataset_id"], choice, wanted.page())
    pages = max(1, ceil(total / items.ROWS))
    chosen = {name: value for name, value in wanted.said.items() if name != "page"}
    blocks: list[Block] = [
        items.form(book.select, first, choice, book.selection),
        Text(f"{formatting.plural(total, 'item')}.", "quiet"),
    ]
    if rows:
        blocks.append(items.table(rows, _arm(first), None if second is None else _arm(second)))
    turn = _turn("/items", page, pages, **chosen)
    return f"Items of {_arm(first)}", [Section("Items", (*blocks, *turn))]


def item(book: Book, wanted: Wanted) -> tuple[str, list[Section]]:
    """One item, with the runs' answers."""
    found = items.one(book.select, book.selection, wanted.text("dataset"), wanted.text("item"), wanted.page())
    if found is None:
        raise NotThereError(f"no item {wanted.text('item')!r} in dataset {wanted.text('dataset')!r}")
    turn = _turn("/item", found.page, found.pages, dataset=wanted.text("dataset"), item=found.id)
    return f"Item {found.id}", [Section("The item", found.about), Section("Answers", (found.answers, *turn))]


def _sums(book: Book, runs: list[dict[str, object]]) -> dict[str, dict[str, object]]:
    """Counts, costs and waiting times of runs, by run id."""
    missing = [run for run in runs if _key(run) not in book.sums]
    mine = {run["run_id"]: run for run in missing}
    for one in book.select(SUMS, [list(mine)]) if mine else ():
        book.sums[_key(mine[one["run_id"]])] = one
    grouped = [run["run_id"] for run in missing if book.select(HAS_GROUPS, [run["dataset_id"]])]
    for one in book.select(OF_GROUPS, [grouped]) if grouped else ():
        book.sums[_key(mine[one["run_id"]])] |= one
    return {str(run["run_id"]): book.sums[_key(run)] for run in runs}


def _key(run: Mapping[str, object]) -> tuple[object, object]:
    return run["run_id"], run["content_hash"] or run["n"]


def _scores(sums: Mapping[str, object]) -> tuple[str, ...]:
    n, failed, answered = (int(str(sums[name])) for name in ("n", "failed", "answered"))
    total, squares = (float(str(sums[name] or 0.0)) for name in ("credit", "squares"))
    accuracy = margins.share_of_sums(total, squares, n - failed, groups=_groups(sums, n - failed))
    waits = sums["waits"] if isinstance(sums["waits"], list) else [None, None]
    per_1000 = None if sums["per_1000"] is None else float(str(sums["per_1000"]))
    counts = (formatting.count(n - answered), formatting.count(failed))
    money_and_time = (formatting.dollars(per_1000), *map(formatting.duration, waits))
    return formatting.count(n), formatting.share(accuracy.value), formatting.span(accuracy), *money_and_time, *counts


def _groups(sums: Mapping[str, object], n: int) -> margins.GroupSums | None:
    """The sums over groups, where any has two items."""
    count = int(str(sums.get("groups", n)))
    if count == n:
        return None
    squares, crossed, sizes = (float(str(sums[name])) for name in ("squares_of_groups", "crossed", "sizes"))
    return margins.GroupSums(squares, crossed, sizes, count)


def _labels(book: Book, run_id: str) -> Table:
    found = book.select(
        "select gold, count(*) as n, count(*) filter (correct) as hits from scored where run_id = ? and credit is not "
        f"null group by gold order by hits / n, gold limit {LABELS}",
        [run_id],
    )
    rows = tuple(
        (
            str(one["gold"]),
            f"{one['n']:,}",
            formatting.with_interval(intervals.wilson(int(str(one["hits"])), int(str(one["n"])))),
        )
        for one in found
    )
    links = tuple(address("/items", a=run_id, gold=one["gold"], show="wrong") for one in found)
    titles = (Column("label"), Column("items", numeric=True), Column("recall", numeric=True))
    return Table(titles, rows, "Recall with its 95% interval (Wilson), hardest first.", links=links)


def _confusions(book: Book, run_id: str) -> Table:
    found = book.select(
        "select gold, label, count(*) as n from scored where run_id = ? and credit < 1 group by all "
        f"order by n desc, gold, label limit {CONFUSIONS}",
        [run_id],
    )
    rows = tuple((str(one["gold"]), str(one["label"] or "(no answer)"), f"{one['n']:,}") for one in found)
    links = tuple(address("/items", a=run_id, gold=one["gold"], answer=one["label"] or "") for one in found)
    return Table((Column("gold"), Column("answer"), Column("items", numeric=True)), rows, links=links)


def _turn(path: str, page: int, pages: int, **said: object) -> tuple[Block, ...]:
    """To the page before and after, where there are any."""
    if pages <= 1:
        return ()
    places = [("Before", page - 1)] * (page > 1) + [("After", page + 1)] * (page < pages)
    links = tuple((words, address(path, **said, page=number)) for words, number in places)
    return (Text(f"Page {page:,} of {pages:,}", "quiet"), Links(links))


def _arm(one: Mapping[str, object]) -> str:
    return f"{one['name']} [{one['tag']}]" if one.get("tag") else str(one["name"])


def _day(one: Mapping[str, object]) -> str:
    return f"{one['latest']:%Y-%m-%d %H:%M}" if one["latest"] is not None else ""


PAGES: Mapping[str, Callable[[Book, Wanted], tuple[str, list[Section]]]] = {
    "/": overview,
    "/split": split,
    "/run": run,
    "/items": items_page,
    "/item": item,
}
