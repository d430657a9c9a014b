"""Which names of an answer are hard: recall, precision and F1 of each label or field, and answers that went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ground import formatting, plugins
from harness.report.blocks import Column, Section, Table, Text

if TYPE_CHECKING:
    import pandas as pd

    from harness.analysis.results import Results, RunResult

ORDER = 42
ARMS_SHOWN = 4
NAMES_SHOWN = 40
EXAMPLES_SHOWN = 8
LONGEST = 120
WORDS = {"multi": ("label", "Labels"), "extract": ("field", "Fields")}
KINDS = tuple(WORDS)


def section(results: Results) -> Section | None:
    """Per name, worst first for the best arm: its recall and precision, and the F1 of the best arms; then examples."""
    shown = [(result, rows) for result in results.runs[:ARMS_SHOWN] if len(rows := _scored(results, result))]
    if not shown:
        return None
    word, title = WORDS[results.split.kind]
    kind = plugins.load("kinds", results.split.kind)
    per_arm = [
        {one.name: one for one in kind.by_name(rows["gold"].tolist(), _answers(rows), results.split.labels)}
        for _, rows in shown
    ]
    best = per_arm[0]
    ordered = sorted(
        (one for one in best.values() if one.n or one.precision.n), key=lambda one: (one.f1.value or 0.0, one.name)
    )
    table_rows = tuple(
        (
            one.name,
            formatting.count(one.n),
            formatting.with_interval(one.recall),
            formatting.with_interval(one.precision),
            *(formatting.with_interval(of_arm[one.name].f1) for of_arm in per_arm),
        )
        for one in ordered[:NAMES_SHOWN]
    )
    columns = (
        Column(word),
        Column("in gold", numeric=True),
        Column("recall", numeric=True),
        Column("precision", numeric=True),
        *(Column(f"F1 {result.run.name}", numeric=True) for result, _ in shown),
    )
    caption = (
        f"Recall and precision of {shown[0][0].run.name}, F1 of each arm, with 95% intervals; the lowest F1 first."
    )
    if len(ordered) > NAMES_SHOWN:
        caption += f" {formatting.plural(len(ordered) - NAMES_SHOWN, f'{word} with a higher F1')} left out."
    return Section(title, (Table(columns, table_rows, caption), *_examples(*shown[0]), *_together(results)))


def _scored(results: Results, result: RunResult) -> pd.DataFrame:
    rows = results.predictions
    return rows[(rows["run_id"] == result.run.run_id) & rows["credit"].notna()].sort_values("example_id")


def _answers(rows: pd.DataFrame) -> list[str | None]:
    answers: list[str | None] = rows["label"].astype(object).where(rows["label"].notna(), None).tolist()
    return answers


def _examples(result: RunResult, rows: pd.DataFrame) -> list[Table]:
    """The items on which the best arm is worth least."""
    worst = rows[rows["credit"] < 1].sort_values(["credit", "example_id"], kind="stable").head(EXAMPLES_SHOWN)
    if worst.empty:
        return []
    columns = (Column("item"), Column("gold"), Column("answer"), Column("credit", numeric=True))
    cells = tuple(
        (
            str(row["example_id"]),
            formatting.one_line(str(row["gold"]), LONGEST),
            formatting.one_line(str(row["label"]) if isinstance(row["label"], str) else f"({row['outcome']})", LONGEST),
            formatting.share(float(row["credit"])),
        )
        for row in worst.to_dict("records")
    )
    return [Table(columns, cells, f"The items on which {result.run.name} is worth least.")]


def _together(results: Results) -> list[Table | Text]:
    """Labels that stand together in the gold more often than their shares make one expect."""
    if results.split.kind != "multi" or results.predictions.empty:
        return []
    first = results.predictions.drop_duplicates("example_id")
    kind = plugins.load("kinds", results.split.kind)
    sets = [kind.parts(gold) for gold in first["gold"]]
    sizes: dict[str, int] = {}
    pairs: dict[tuple[str, str], int] = {}
    for names in sets:
        for i, name in enumerate(names):
            sizes[name] = sizes.get(name, 0) + 1
            for other in names[i + 1 :]:
                pairs[name, other] = pairs.get((name, other), 0) + 1
    if not pairs:
        return []
    n = len(sets)
    rows = tuple(
        (a, b, formatting.count(together), f"{sizes[a] * sizes[b] / n:.1f}")
        for (a, b), together in sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))[:EXAMPLES_SHOWN]
    )
    mean = sum(map(len, sets)) / n
    columns = (Column("label"), Column("with"), Column("items", numeric=True), Column("by chance", numeric=True))
    return [
        Table(columns, rows, f"Labels that stand together in the gold most; an item has {mean:.2f} labels on average.")
    ]
