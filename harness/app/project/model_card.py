"""What a shipped folder says of itself, for people and for programs: where it is from and how well it does."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from harness.datasets.task import Task
from harness.ground import escaping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.analysis.results import RunResult
    from harness.app.project.standing import Ready
    from harness.types import Dataset

LIMITS = (
    "The figures hold for items like those of the dataset. For others they promise nothing: label some of your own, "
    "and watch them with `harness watch`.",
    "A score says how sure the arm is; calibrated ones were calibrated on held-out training items.",
    "The folder holds words of the training texts (a vocabulary, vectors, examples of a prompt): treat it as you "
    "treat the texts.",
    "The hashes in manifest.json show damage and tampering with single files. Who may rewrite the whole folder may "
    "rewrite them too.",
)

DOES = {
    "single": "Labels a text with one of {n} labels",
    "multi": "Labels a text with all that hold of {n} labels; an answer is a list, as JSON",
    "extract": "Finds the values of {n} fields in a text; an answer is an object, as JSON",
    "score": "Gives a text a number from {parts}",
}
PARTS = {"extract": "Fields", "score": "The range"}


def facts(ready: Ready, dataset: Dataset, result: RunResult) -> dict[str, Any]:
    """The card as plain values."""
    run = ready.run
    return {
        "arm": run.arm,
        "arm_id": run.arm_id,
        "run_id": run.run_id,
        "model": run.model,
        "members": [member.run.arm for member in ready.members],
        "thresholds": list(ready.choice.thresholds) if ready.choice is not None else [],
        "dataset": dataset.ref,
        "dataset_id": dataset.id,
        "split": run.split,
        "n_train": run.n_train,
        "seed": run.seed,
        "n": result.n,
        "kind": dataset.kind,
        "labels": list(dataset.label_names),
        "label_counts": _counts(dataset, run.split) if Task.of(dataset).rules.HAS_CLASSES else {},
        "metrics": {name: asdict(estimate) for name, estimate in result.metrics.items()},
        "outcomes": {outcome.value: n for outcome, n in result.outcomes.items()},
        "cost_per_1000_usd": result.cost_per_1000_usd,
        "latency_s": dict(result.latency_s),
        "description": dataset.description,
        "source": dict(dataset.source),
    }


def text(card: Mapping[str, Any]) -> str:
    """The card as Markdown."""
    asks = f", which asks {card['model']}" if card["model"] else ""
    rows = [_metric(name, one) for name, one in card["metrics"].items() if one["value"] is not None]
    cost, p95 = card["cost_per_1000_usd"], card["latency_s"].get("p95")
    made_of = f"\nIts members, cheapest first: {', '.join(card['members'])}.\n" if card["members"] else ""
    learnt = f"fitted to {card['n_train']:,} training items" if card["n_train"] else "not fitted to anything"
    what = DOES.get(card["kind"], "Answers a text").format(n=len(card["labels"]), parts=" to ".join(card["labels"]))
    said = f"""# {card["arm"]}

{what}{asks}. It was {learnt} (seed {card["seed"]}).
{made_of}
## How well

On {card["dataset"]} / {card["split"]}, {card["n"]:,} items that it has not learnt from:

| metric | value | 95% interval | n |
|---|---|---|---|
{chr(10).join(rows)}

Cost per 1,000 items: {"unknown" if cost is None else f"${cost:.4f}"}. 95th percentile of the wait for one item:
{"unknown" if p95 is None else f"{1000 * p95:.1f} ms"}, on the machine that measured it.

## Where from

Dataset {card["dataset"]}, content {card["dataset_id"]}. {_cell(card["description"])}
{chr(10).join(f"- {_cell(name)}: {_cell(value)}" for name, value in card["source"].items())}
Run {card["run_id"]}, arm {card["arm_id"]}, prompt-harness {card["package"]}.

## {PARTS.get(card["kind"], "Labels")}

{", ".join(f"`{_cell(label)}`" for label in card["labels"])}

## Use

    python -m pip install -r requirements.txt
    python serve.py --port 8000
    curl -H 'Content-Type: application/json' -d '{{"text": "..."}}' http://127.0.0.1:8000/predict

`POST /predict` takes an object with `text` (and `id`, `tags`, `fields`), a list of such, or
`{{"items": [...]}}`. `GET /health` says that it is ready. `python serve.py --lines` reads JSON lines and writes
JSON lines; `--help` lists the limits.

## Limits

{chr(10).join(f"- {limit}" for limit in LIMITS)}
"""
    return escaping.UNSEEN.sub("\N{REPLACEMENT CHARACTER}", said)


def _metric(name: str, one: Mapping[str, Any]) -> str:
    low, high = (("unknown" if end is None else f"{end:.3f}") for end in (one["low"], one["high"]))
    return f"| {name.replace('_', ' ')} | {one['value']:.3f} | {low} to {high} | {one['n']:,} |"


def _counts(dataset: Dataset, split: str) -> dict[str, int]:
    labels = [example.label for example in dataset.in_split(split)]
    return {name: labels.count(name) for name in dataset.label_names}


def _cell(value: object) -> str:
    """A person's words on one line, with nothing that Markdown would take for its own."""
    return " ".join(str(value).replace("`", "'").replace("<", "(").replace("|", "/").split())
