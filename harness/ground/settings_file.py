"""A first harness.toml: what a workspace sets, and every other setting as a comment at its default."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, NamedTuple

from harness.ground.constraints import Constraints
from harness.ground.gate_settings import GateSettings
from harness.ground.spread_settings import Spread
from harness.ground.workspace import Preferences

if TYPE_CHECKING:
    from dataclasses import Field

FOR_INSTANCE = "for instance: "
HEAD = """\
# What holds here when the command line does not say otherwise. A line "# name = value" is a setting at its default:
# take the "#" away and change it. Where nothing is set by default, an example stands there. Keys are never settings:
# they are environment variables (OPENAI_API_KEY, ANTHROPIC_API_KEY, ...), which harness doctor looks for.
"""


class Meaning(NamedTuple):
    """What a setting does, and an example (TOML) of one that is not set by default."""

    sentence: str
    example: str = ""


TOP: Mapping[str, Meaning] = {
    "dataset": Meaning("the dataset of commands that name none", '"tickets@v1"'),
    "db": Meaning(
        "the store: a path, or a lake that a team shares", '"ducklake:postgres:dbname=lake host=db.example.org"'
    ),
    "db_data": Meaning("where a new lake has its rows: a shared folder, or a bucket", '"s3://bucket/harness"'),
    "task": Meaning("the folder under prompts/; without it, the dataset's name", '"tickets"'),
    "model": Meaning("what a prompt asks: PROVIDER/MODEL, or auto: the first that can be called here"),
    "arms": Meaning("what `harness baselines` fits"),
    "cpu_usd_per_hour": Meaning("dollars an hour of this machine, the price of arms that run here"),
    "encoder": Meaning("texts to vectors, for the arms that search"),
    "most_items": Meaning("of a larger split reports, comparisons and verdicts look at so many, drawn by their ids"),
    "budget_usd": Meaning("the most that a prompt with a model may be billed on a dataset, over all its runs", "5.0"),
    "concurrency": Meaning("requests at once, at most"),
    "requests_per_minute": Meaning("the provider's limit", "500"),
    "tokens_per_minute": Meaning("the provider's limit", "200000"),
    "timeout_s": Meaning("seconds for one attempt"),
    "deadline_s": Meaning("seconds for one item with all its attempts and pauses"),
    "ledger": Meaning(
        "where paid answers are kept, if not beside the store: a PostgreSQL that several machines share; no password",
        '"postgres:host=db.example dbname=harness"',
    ),
    "prices": Meaning(
        "dollars per million tokens of a model that no list has; or the name of one that costs the same",
        '{"openai/my-model" = {input_fresh = 0.15, output_visible = 0.60}}',
    ),
}
DECIDE: Mapping[str, Meaning] = {
    "min_accuracy": Meaning("least share of right answers", "0.8"),
    "at_least": Meaning("least value of any metric, by its name", '{"macro_f1" = 0.8}'),
    "at_most": Meaning("largest value of any metric, by its name", '{"cost-of-errors" = 0.3}'),
    "objective": Meaning("the metric by which the arm is chosen, by default the headline", '"cost-of-errors"'),
    "min_credit": Meaning("least mean credit, for kinds of task whose answers have degrees", "0.9"),
    "min_recall": Meaning("least recall, by label", '{"refund" = 0.9}'),
    "max_usd_per_1000": Meaning("dollars per 1,000 items, at most", "0.5"),
    "max_p95_s": Meaning("seconds that 95 of 100 answers may take, at most", "2.0"),
    "margin": Meaning("accuracy that may be given away for a cheaper arm"),
    "monthly_volume": Meaning("items a month"),
    "months": Meaning("for how long"),
    "usd_per_label": Meaning("dollars for each training label"),
    "usd_that_matters": Meaning("dollars a month below which two bills are the same"),
    "retrain_every_months": Meaning("months between two retrainings", "6"),
    "labels_per_retraining": Meaning("labels that each takes"),
    "usd_per_hour_of_work": Meaning("dollars for an hour of somebody's work"),
    "label_mix": Meaning(
        "each label's share in production, where it is not the split's", '{"refund" = 0.2, "other" = 0.8}'
    ),
    "hours": Meaning("hours of work, by arm", '{"rules" = 8}'),
    "hosting": Meaning("shared: an arm here pays for its seconds; own: for machines around the clock"),
    "batch": Meaning("reckon hosted models at the price of their batch API: half, no latency"),
    "looks": Meaning("scored tries that are not shown, beyond which the verdict says what they cost"),
}
GATE: Mapping[str, Meaning] = {
    "baseline": Meaning(
        "what the candidate is held against: a file of `harness runs export`", '"results/baselines/a.parquet"'
    ),
    "prompt": Meaning("the candidate is this prompt version", '"v2"'),
    "arm": Meaning("or this arm", '"minilm-lr"'),
    "model": Meaning("the model that the candidate prompt asks", '"openai/gpt-4o-mini"'),
    "split": Meaning("the split that both are compared on"),
    "repeat": Meaning("ask everything so often"),
    "margin": Meaning("accuracy that may be given away"),
    "class_margin": Meaning("recall that may be lost in a class"),
    "slice_margin": Meaning("accuracy that may be lost in a slice"),
    "slices": Meaning("columns (or tags) whose values are slices"),
    "least_slice": Meaning("items that a slice needs to be checked"),
    "min_accuracy": Meaning("least share of right answers", "0.8"),
    "at_least": Meaning("least value of any metric, by its name", '{"macro_f1" = 0.8}'),
    "at_most": Meaning("largest value of any metric, by its name", '{"cost-of-errors" = 0.3}'),
    "min_credit": Meaning("least mean credit, for kinds of task whose answers have degrees", "0.9"),
    "min_recall": Meaning("least recall, by label", '{"refund" = 0.9}'),
    "label_mix": Meaning(
        "each label's share in production: accuracy and its floor are weighed to it", '{"refund" = 0.2, "other" = 0.8}'
    ),
    "max_unparsed": Meaning("share of answers that are no label, at most", "0.02"),
    "max_refused": Meaning("share of refusals, at most", "0.02"),
    "max_failed": Meaning("share of calls without an answer, at most"),
    "max_usd_per_1000": Meaning("dollars per 1,000 items, at most", "0.5"),
    "max_p95_s": Meaning("seconds that 95 of 100 answers may take, at most", "2.0"),
    "max_calibration_drift": Meaning("how far confidence minus accuracy may move", "0.05"),
    "canaries": Meaning("ids of items that must be right"),
    "injected": Meaning("column with the id of the item that a row was made of", '"of"'),
    "injected_split": Meaning("the split of such rows", '"injected"'),
    "max_flips": Meaning("share of them whose answer may differ, at most"),
    "max_looks": Meaning("how often the split may have been scored", "20"),
    "confidence": Meaning("of the intervals"),
    "power": Meaning("of the number of items that the gate asks for"),
}
SPREAD: Mapping[str, Meaning] = {
    "executor": Meaning("inline, processes, or ray: who fits and labels, where several may", '"processes"'),
    "address": Meaning("the Ray cluster", '"10.0.0.1:6379"'),
    "workers": Meaning("how many do something at once; without it, one a core", "4"),
}
TABLES = (
    ("", "", Preferences, TOP),
    ("decide", "What an arm must keep to be served: harness decide.", Constraints, DECIDE),
    ("gate", "What a candidate must keep to be deployed: harness gate.", GateSettings, GATE),
    ("spread", "Where work is done that needs no model (docs/scale.md).", Spread, SPREAD),
)


def text(chosen: Mapping[str, object]) -> str:
    """The file: what is `chosen` of the settings outside tables is set, everything else is a comment."""
    parts = [HEAD]
    for name, heading, kind, meanings in TABLES:
        lines = [f"# {heading}", f"[{name}]"] if name else []
        defaults = {field.name: field for field in fields(kind)}
        lines += [_line(key, meaning, defaults[key], {} if name else chosen) for key, meaning in meanings.items()]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _line(key: str, meaning: Meaning, field: Field[object], chosen: Mapping[str, object]) -> str:
    if key in chosen:
        return f"{key} = {toml(chosen[key])}  # {meaning.sentence}"
    if meaning.example:
        return f"# {key} = {meaning.example}  # {FOR_INSTANCE}{meaning.sentence}"
    return f"# {key} = {toml(field.default if field.default is not MISSING else {})}  # {meaning.sentence}"


def toml(value: object) -> str:
    """A value as TOML: truth, number, text, a list of them."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml(part) for part in value)}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
