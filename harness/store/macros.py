"""SQL as an interface: table macros that give the rows the product itself reads, dataset and split first.

`from scorecard('emoji-tags@v1', 'test')` is all that has to be typed, here or in any DuckDB client. The macros
select and count; intervals and tests are the product's alone. Which runs stand for the arms of a split, and what
they are called, is written into the table `members` whenever runs come or go (`Selection` decides it).
"""

from __future__ import annotations

from dataclasses import astuple
from functools import partial
from typing import TYPE_CHECKING

from harness.store.selection import Selection
from harness.store.stored import Where, stored_runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from duckdb import DuckDBPyConnection

BINS = 15  # as stats.calibration: of equal width, each open below and closed above

TABLE = """
create table members (
    run_id text primary key, dataset_id text, dataset text, split text, name text, arm_name text, is_leading boolean
);
"""
# Parameters have names that no column has: in a macro a parameter hides a column.
_ROWS = """members m join scored s using (run_id) where m.dataset = of_dataset and m.split = of_split
            and s.example_id in (select example_id from predictions join members l using (run_id)
                where l.is_leading and l.dataset = of_dataset and l.split = of_split)"""

_HERE = "m.dataset = of_dataset and m.split = of_split"
_LEADING = f"""(select r.item_set from members m join runs r using (run_id)
            where m.is_leading and {_HERE} and r.item_set <> '' and r.status = 'done' and r.purpose = 'whole')"""
# The same rows without what their items say. Runs of the same items as a leading run that has all of them need not be
# looked through item by item, and ten million ids not be held for it.
_COUNTED = f"""(select m.name, m.run_id, r.arm, r.model, r.item_set from members m join runs r using (run_id)
            where {_HERE}) m join predictions s using (run_id)
        where m.item_set = {_LEADING} or s.example_id in (select p.example_id from predictions p
            join members m using (run_id) where m.is_leading and {_HERE} and exists (select 1 from members m
                join runs r using (run_id) where {_HERE} and r.item_set is distinct from {_LEADING}))"""

MACROS = {
    "scorecard(of_dataset, of_split)": f"""
        select * exclude (times), times[1] as p50_s, times[2] as p95_s, times[3] as p99_s from (
        select m.name, any_value(m.arm) as arm, any_value(m.model) as model, run_id, count(*) as items,
            count(s.credit) as scored, avg(s.credit) as credit,
            count(*) filter (s.outcome <> 'answered') as unanswered,
            case when count(s.cost_usd) filter (s.credit is not null) = count(s.credit)
                then 1000 * avg(s.cost_usd) filter (s.credit is not null) end as usd_per_1000,
            quantile_cont(s.latency_s, [0.5, 0.95, 0.99]) filter (s.credit is not null) as times
        from {_COUNTED} group by m.name, run_id) order by credit desc, name""",
    "outcomes(of_dataset, of_split)": f"""
        select m.name, run_id, count(*) filter (s.outcome = 'answered') as answered,
            count(*) filter (s.outcome = 'abstained') as abstained,
            count(*) filter (s.outcome = 'unparsed') as unparsed, count(*) filter (s.outcome = 'refused') as refused,
            count(*) filter (s.outcome = 'failed') as failed,
            coalesce(sum(s.attempts) filter (not s.cached), 0) as sent, count(*) filter (s.cached) as from_ledger,
            coalesce(sum(greatest(s.attempts - 1, 0)) filter (not s.cached), 0) as retried,
            sum(s.input_fresh) filter (s.outcome <> 'failed') as input_fresh,
            sum(s.cache_read) filter (s.outcome <> 'failed') as cache_read,
            sum(s.cache_write) filter (s.outcome <> 'failed') as cache_write,
            sum(s.output_visible) filter (s.outcome <> 'failed') as output_visible,
            sum(s.reasoning) filter (s.outcome <> 'failed') as reasoning
        from {_COUNTED} group by m.name, run_id order by m.name""",
    "answers(of_dataset, of_split)": f"""
        select m.name, m.arm_name, s.* from {_ROWS}""",
    "paired(of_dataset, of_split, arm_a, arm_b)": """
        with means as (
            select example_id, arm_a in (name, arm_name) as is_a, arm_b in (name, arm_name) as is_b,
                avg(credit) as credit, any_value(label order by name) as label, any_value(gold) as gold,
                any_value(text) as text, any_value("group") as "group"
            from answers(of_dataset, of_split) where credit is not null group by all)
        select example_id, a.credit as credit_a, b.credit as credit_b, a.label as label_a, b.label as label_b,
            a.gold, a.text, a."group"
        from (select * from means where is_a) a join (select * from means where is_b) b using (example_id)
        order by example_id""",
    "per_label(of_dataset, of_split)": f"""
        select m.name, run_id, s.gold, count(*) as items, sum(s.credit) as credits, avg(s.credit) as credit
        from {_ROWS} and s.credit is not null group by m.name, run_id, s.gold order by m.name, s.gold""",
    "calibration_bins(of_dataset, of_split)": f"""
        select m.name, run_id, greatest(least(ceil(s.score * {BINS}) - 1, {BINS - 1}), 0)::int as bin,
            count(*) as items, avg(s.score) as score, avg(s.credit) as credit
        from {_ROWS} and s.outcome = 'answered' and s.label is not null and s.score is not null
        group by all order by m.name, bin""",
    "curve_points(of_dataset, of_split)": """
        select s.arm, r.n_train as labels, count(distinct r.run_id) as seeds, count(*) as items, avg(s.credit) as credit
        from runs r join scored s using (run_id)
        where r.dataset = of_dataset and r.split = of_split and r.purpose = 'part' and s.credit is not null
        group by s.arm, r.n_train order by s.arm, labels""",
}


def create(connection: DuckDBPyConnection) -> None:
    """The macros, as this version has them."""
    for head, body in MACROS.items():
        connection.execute(f"create or replace macro {head} as table {body}")


def enter(connection: DuckDBPyConnection, where: Iterable[tuple[str, str]] | None = None) -> None:
    """Write down which runs stand for the arms of some splits (dataset id, split), or of all of them.

    As in reports: on the items of the run that has most, the newest of equals, without arms that lack too many.
    """
    selection = Selection(stored_runs(partial(_records, connection)))
    names = {(run.dataset_id, run.split): run.dataset for run in selection.runs}
    for place in names if where is None else where:
        rows = _members(connection, selection, Where(place[0], names[place], place[1])) if place in names else []
        stored = "select columns(*)::text from members where dataset_id = ? and split = ?"
        if set(rows) != set(connection.execute(stored, list(place)).fetchall()):
            connection.execute("delete from members where dataset_id = ? and split = ?", list(place))
            if rows:
                columns = [list(column) for column in zip(*rows, strict=True)]
                connection.execute(f"insert into members select {', '.join(['unnest(?)'] * len(columns))}", columns)


def places(connection: DuckDBPyConnection, run_ids: Sequence[str]) -> list[tuple[str, str]]:
    """The splits that some runs are on: dataset id, split."""
    query = "select distinct dataset_id, split from runs where run_id in (select unnest(?))"
    return connection.execute(query, [list(run_ids)]).fetchall()


def _members(connection: DuckDBPyConnection, selection: Selection, where: Where) -> list[tuple[str, ...]]:
    """The rows of a split, as texts."""
    members = [(one.name, run) for one in selection.arms(where) for run in one.runs]
    if not members:
        return []
    leading = max((run for _, run in members), key=lambda run: (run.n, run.started_us, run.run_id))
    shared = dict(
        connection.execute(
            "select run_id, count(*) from predictions where run_id in (select unnest(?)) and example_id in "
            "(select example_id from predictions where run_id = ?) group by run_id",
            [[run.run_id for _, run in members], leading.run_id],
        ).fetchall()
    )
    return [
        (run.run_id, *astuple(where)[:3], selection.name(run.run_id), name, str(run is leading).lower())
        for name, run in members
        if not run.lacks_too_many(leading.n - shared.get(run.run_id, 0), leading.n)
    ]


def _records(connection: DuckDBPyConnection, sql: str) -> list[dict[str, object]]:
    result = connection.execute(sql)
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
