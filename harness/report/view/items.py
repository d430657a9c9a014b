"""Items from the store, filtered, sorted and paged by SQL: what the explorer does in a page, for any number of rows."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from harness.ground import formatting
from harness.report.blocks import Column, Field, Form, Table, Text
from harness.types import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.report.blocks import Block
    from harness.store import Selection
    from harness.store.reading import Select

ROWS = 50
RUNS_A_PAGE = 15  # each is a look through a run of up to a hundred thousand rows, and a page shall not be waited for
LONGEST_TEXT = 200
MOST_LABELS = 500
RIGHT_A, RIGHT_B = "coalesce(a.credit = 1, false)", "coalesce(b.credit = 1, false)"
SCORED_A, SCORED_B = "a.outcome <> 'failed'", "b.outcome <> 'failed'"
SHOW = {
    "": ("all items", "true"),
    "right": ("A right", RIGHT_A),
    "wrong": ("A wrong", f"{SCORED_A} and not {RIGHT_A}"),
    "only_a": ("A right and B wrong", f"{RIGHT_A} and {SCORED_B} and not {RIGHT_B}"),
    "only_b": ("A wrong and B right", f"{SCORED_A} and not {RIGHT_A} and {RIGHT_B}"),
    "neither": ("both wrong", f"{SCORED_A} and {SCORED_B} and not {RIGHT_A} and not {RIGHT_B}"),
    "differ": ("A and B differ", "a.label is distinct from b.label"),
}
NEEDS_B = {"only_a", "only_b", "neither", "differ"}
SORT = {
    "": ("as stored", "a.example_id"),
    "surest": ("A surest first", "a.score desc nulls last, a.example_id"),
    "unsurest": ("A least sure first", "a.score asc nulls last, a.example_id"),
    "dearest": ("dearest for A", "a.cost_usd desc nulls last, a.example_id"),
    "slowest": ("slowest for A", "a.latency_s desc nulls last, a.example_id"),
}


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which items of which runs, in which order. Values are foreign text and only ever bound."""

    a: str
    b: str
    show: str
    gold: str
    answer: str
    outcome: str
    q: str
    sort: str

    @classmethod
    def of(cls, said: Mapping[str, str]) -> ItemFilter:
        """The choice of an address; what is not known there is left out."""
        show, sort = said.get("show", ""), said.get("sort", "")
        is_known = show in SHOW and (show not in NEEDS_B or said.get("b"))
        free = {name: said.get(name, "") for name in ("a", "b", "gold", "answer", "outcome", "q")}
        return cls(**free, show=show if is_known else "", sort=sort if sort in SORT else "")

    def clauses(self, dataset_id: object) -> tuple[str, list[object]]:
        """The rest of a query from `from` on, and its values, for runs on that dataset."""
        values: list[object] = [dataset_id]
        second = ""
        if self.b:
            second = "join (select * from predictions where run_id = ?) b on b.example_id = a.example_id"
            values.append(self.b)
        tests = ["a.run_id = ?", SHOW[self.show][1]]
        values.append(self.a)
        equal = {"e.gold": self.gold, "a.label": self.answer, "a.outcome": self.outcome}
        for column, value in equal.items():
            if value:
                tests.append(f"{column} = ?")
                values.append(value)
        for word in self.q.lower().split():
            tests.append("(contains(lower(e.text), ?) or contains(lower(array_to_string(e.tags, ' ')), ?))")
            values += [word, word]
        return (
            "from predictions a join examples e on e.dataset_id = ? and e.example_id = a.example_id "
            f"{second} where {' and '.join(tests)}",
            values,
        )


@dataclass(frozen=True, slots=True)
class ItemPage:
    """One item: what it is, and what the runs of a page said of it."""

    id: str
    about: tuple[Block, ...]
    answers: Table
    page: int
    pages: int


def found(
    select: Select, dataset_id: object, choice: ItemFilter, page: int
) -> tuple[list[dict[str, object]], int, int]:
    """A page's rows, how many items there are in all, and which page that is."""
    clauses, values = choice.clauses(dataset_id)
    total = int(str(select(f"select count(*) as n {clauses}", values)[0]["n"]))
    page = min(page, max(1, -(-total // ROWS)))
    second = "b.label as label_b, b.outcome as outcome_b, b.credit as credit_b," if choice.b else ""
    rows = select(
        f"select e.dataset_id, a.example_id, e.text, e.tags, e.gold, a.label, a.outcome, a.credit, {second} a.score "
        f"{clauses} order by {SORT[choice.sort][1]} limit {ROWS} offset {(page - 1) * ROWS}",
        values,
    )
    return rows, total, page


def table(rows: list[dict[str, object]], a: str, b: str | None) -> Table:
    """The rows of a page; each leads to its item."""
    second = [] if b is None else [Column(b)]
    cells = []
    for row in rows:
        answers = [_said(row["label"], row["outcome"], row["credit"])]
        if b is not None:
            answers.append(_said(row["label_b"], row["outcome_b"], row["credit_b"]))
        score = "" if row["score"] is None else formatting.share(float(str(row["score"])))
        cells.append((_short(row["text"], row["tags"]) or "(no text)", str(row["gold"]), *answers, score))
    links = tuple(
        f"/item?{urlencode({'dataset': str(row['dataset_id']), 'item': str(row['example_id'])})}" for row in rows
    )
    columns = (Column("text"), Column("gold"), Column(a), *second, Column("score of A", numeric=True))
    return Table(columns, tuple(cells), links=links)


def form(select: Select, run: Mapping[str, object], choice: ItemFilter, selection: Selection) -> Form:
    """The filters, set as they are."""
    others = select(
        "select run_id from runs where dataset_id = ? and split = ? and n > 0 order by arm, started_at",
        [run["dataset_id"], run["split"]],
    )
    arms = tuple((str(one["run_id"]), selection.name(str(one["run_id"]))) for one in others)
    golds = select(
        f"select distinct gold from examples where dataset_id = ? order by gold limit {MOST_LABELS}",
        [run["dataset_id"]],
    )
    labels = (("", "any"), *((str(one["gold"]), str(one["gold"])) for one in golds))
    return Form(
        "/items",
        (
            Field("a", "Arm A", choice.a, arms),
            Field("b", "Arm B", choice.b, (("", "none"), *arms)),
            Field("show", "Show", choice.show, tuple((key, words) for key, (words, _) in SHOW.items())),
            Field("gold", "Gold label", choice.gold, labels),
            Field("answer", "A's answer", choice.answer, labels),
            Field("outcome", "A's outcome", choice.outcome, (("", "any"), *((o.value, o.value) for o in Outcome))),
            Field("sort", "Order", choice.sort, tuple((key, words) for key, (words, _) in SORT.items())),
            Field("q", "Text or tag", choice.q),
        ),
    )


def one(select: Select, selection: Selection, dataset_id: str, example_id: str, page: int) -> ItemPage | None:
    """An item with the runs' answers, a page at a time; None when there is no such item."""
    items = select(
        'select text, tags, fields::text as fields, gold, split, "group" from examples '
        "where dataset_id = ? and example_id = ?",
        [dataset_id, example_id],
    )
    if not items:
        return None
    item = items[0]
    arms = select(
        "select run_id from runs where dataset_id = ? and split = ? order by arm, started_at, run_id",
        [dataset_id, item["split"]],
    )
    pages = max(1, ceil(len(arms) / RUNS_A_PAGE))
    page = min(page, pages)
    arms = arms[(page - 1) * RUNS_A_PAGE : page * RUNS_A_PAGE]
    # Joined here: with the join in the query the database reads twice as much of the predictions. Named runs
    # let it pass over the others'.
    by_run = {
        row["run_id"]: row
        for row in select(
            "select run_id, label, outcome, credit, score, cost_usd, latency_s, raw, error from predictions "
            "where example_id = ? and run_id in (select unnest(?))",
            [example_id, [arm["run_id"] for arm in arms]],
        )
    }
    answers = [
        {"name": selection.name(str(arm["run_id"]))} | by_run[arm["run_id"]] for arm in arms if arm["run_id"] in by_run
    ]
    facts = {"gold": item["gold"], "split": item["split"], "group": item["group"], "fields": item["fields"]}
    tags = item["tags"]
    if isinstance(tags, list) and tags:
        facts["tags"] = ", ".join(map(str, tags))
    known = tuple((name, str(value)) for name, value in facts.items() if value is not None)
    about = (Text(str(item["text"])), Table((Column("what"), Column("value")), known))
    return ItemPage(example_id, about, _answers(answers), page, pages)


def _answers(rows: list[dict[str, object]]) -> Table:
    titles = (Column("arm"), Column("answer"), *(Column(t, numeric=True) for t in ("score", "cost", "latency")))
    cells = tuple(
        (
            str(row["name"]),
            _said(row["label"], row["outcome"], row["credit"]),
            "" if row["score"] is None else formatting.share(float(str(row["score"]))),
            "" if row["cost_usd"] is None else formatting.dollars(float(str(row["cost_usd"]))),
            "" if row["latency_s"] is None else formatting.duration(float(str(row["latency_s"]))),
            str(row["raw"] if row["raw"] is not None else row["error"] or ""),
        )
        for row in rows
    )
    links = tuple(f"/run?{urlencode({'run': str(row['run_id'])})}" for row in rows)
    return Table((*titles, Column("reply")), cells, links=links)


def _said(label: object, outcome: object, credit: object) -> str:
    if label is None:
        return f"– ({outcome})" if outcome == "failed" else f"✗ ({outcome})"
    return f"{'✓' if credit == 1 else '✗'} {label}"


def _short(text: object, tags: object) -> str:
    line = " ".join(str(text or "").split())
    if isinstance(tags, list) and tags:
        line += f" [{', '.join(map(str, tags))}]"
    return formatting.cut(line, LONGEST_TEXT)
