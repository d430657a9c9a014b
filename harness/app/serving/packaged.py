"""A shipped folder of rules, a prompt or a fusion, put together again with this package's own arms.

The description is `arm.json`, a tree: a leaf is a fitted classifier, rules or a prompt, everything else a fusion.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import tempfile
import threading
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness import __version__
from harness.analysis.fusion.foresight import Foresight
from harness.analysis.fusion.votes import Combined, Stacked, Weighted
from harness.app.serving import answering
from harness.arms.cascade import CascadeArm
from harness.arms.classifier import ClassifierArm
from harness.arms.encoders._loaded import embedder
from harness.arms.portable.heads import of_margins
from harness.arms.portable.kept import State, of_bytes
from harness.arms.prompts import files as prompt_files
from harness.arms.router import RouterArm
from harness.arms.vote import VoteArm
from harness.errors import ConfigError, HarnessError
from harness.ground.clock import SystemClock
from harness.ground.workspace import Preferences, Workspace
from harness.models import stack
from harness.models.ledger import Ledger
from harness.runs import building, keeping
from harness.types import Dataset, Example, Item, Label, Outcome, Prediction

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from harness.app.serving.answering import Answer, Embed
    from harness.app.serving.server import Asked
    from harness.types import Arm

ARM = "arm.json"


def serve(script: str) -> None:
    """Serve the folder of this serve.py."""
    with ExitStack() as opened:
        answering.run_folder(Path(script).resolve().parent, partial(build, opened))


def build(opened: ExitStack, files: Mapping[str, bytes], options: argparse.Namespace) -> Answer:
    """A function from items to answers; `ValueError` says why the folder cannot be served here."""
    card = json.loads(files[answering.CARD])
    if card["package"] != __version__:
        raise ConfigError(
            f"this folder was shipped by prompt-harness {card['package']}, and {__version__} is installed here: "
            "pip install -r requirements.txt"
        )
    scratch = Path(opened.enter_context(tempfile.TemporaryDirectory()))
    ledger = opened.enter_context(Ledger(options.ledger or scratch / "calls.sqlite"))
    try:
        spec = json.loads(files[ARM])
        preferences = Preferences(prices=spec["prices"], cpu_usd_per_hour=spec["cpu_usd_per_hour"])
        arm = _Folder(files, options, Workspace(scratch, preferences), ledger).arm(spec["arm"])
    except HarnessError as error:
        raise ValueError(str(error)) from None
    return _Asking(arm).answer


class Regression:
    """What a logistic regression answers, from its numbers."""

    def __init__(self, classes: Sequence[str], weights: NDArray[Any], intercepts: NDArray[Any]) -> None:
        self.classes_, self._weights, self._intercepts = classes, weights, intercepts

    def predict_proba(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Scores, one row per row."""
        return of_margins("softmax", rows @ self._weights.T + self._intercepts)


class _Folder:
    """The arms of a folder's files."""

    def __init__(
        self, files: Mapping[str, bytes], options: argparse.Namespace, workspace: Workspace, ledger: Ledger
    ) -> None:
        self._files, self._options, self._workspace, self._ledger = files, options, workspace, ledger
        self._clock = SystemClock()

    def arm(self, spec: Mapping[str, Any]) -> Arm:
        """The arm of a description."""
        if spec["how"] in ("fitted", "built"):
            return self._classifier(spec)
        if spec["how"] == "prompt":
            return self._prompt(spec)
        members = [self.arm(member) for member in spec["members"]]
        thresholds = [float("inf") if one is None else one for one in spec["thresholds"]]
        if spec["how"] == "cascade":
            return CascadeArm(members, thresholds)
        if spec["how"] == "router":
            foresight, embed = Foresight(tuple(map(self._foresees, spec["learnt"]))), self._embed(spec)
            return RouterArm(
                members,
                thresholds,
                lambda items: foresight.scores(embed([item.words for item in items])),
                spec["cost_usd"],
                spec["latency_s"],
            )
        return VoteArm(members, self._count(spec["learnt"]))

    def _classifier(self, spec: Mapping[str, Any]) -> ClassifierArm:
        if spec["how"] == "built":
            state = State(json.loads(self._files[f"{spec['at']}model.json"]))
            classifier = keeping.restored(state, self._workspace)
        else:
            embed = self._embed(spec)
            classifier = answering.restored_classifier(self._files, spec["at"], embed)
        return ClassifierArm(spec["name"], lambda: classifier, 0.0, self._clock, spec["cost_usd"])

    def _embed(self, spec: Mapping[str, Any]) -> Embed:
        if spec.get("encoder") is None:
            return lambda _: np.zeros((0, 0), dtype=np.float32)
        return embedder(self._files[f"{spec['encoder']}encoder.onnx"], self._files[f"{spec['encoder']}tokenizer.json"])

    def _prompt(self, spec: Mapping[str, Any]) -> Arm:
        content = self._files[f"{spec['at']}prompt.j2"].decode("utf-8", "surrogatepass")
        prompt = prompt_files.parse(content, task=spec["task"], version=spec["version"], path=f"{spec['at']}prompt.j2")
        rows = [json.loads(line) for line in self._files[f"{spec['at']}examples.jsonl"].splitlines()]
        pool = tuple(
            Example(Item(row["id"], row["text"], tuple(row["tags"]), row["fields"]), row["label"], "train")
            for row in rows
        )
        dataset = Dataset(
            spec["task_name"],
            "shipped",
            spec["dataset_id"],
            spec["kind"],
            tuple(Label(name, described) for name, described in spec["labels"]),
            pool,
        )
        asking = stack.Asking(self._options.model or spec["model"], self._options.base_url or spec["base_url"])
        made = building.prompt_arm(prompt, dataset, asking, self._workspace, self._ledger, self._clock)
        if str(made.model.model) != spec["model"]:
            raise ConfigError(
                f"--model {self._options.model} is {made.model.model}; {spec['model']} is what was shipped"
            )
        if prompt.header.examples.how != "none":
            made.arm.fit([one.item for one in pool], [one.label for one in pool])
        made.arm.answer_new_items()
        return made.arm

    def _foresees(self, learnt: float | str) -> Any:  # noqa: ANN401  (a number or what predicts one)
        return learnt if isinstance(learnt, float) else self._regression(learnt)

    def _count(self, learnt: Mapping[str, Any]) -> Weighted | Combined | Stacked:
        if "kind" in learnt:
            return Combined(learnt["kind"], tuple(learnt["weights"]))
        if "weights" in learnt:
            return Weighted(tuple(learnt["weights"]), tuple(learnt["order"]))
        return Stacked(self._regression(learnt["at"]), tuple(learnt["labels"]))

    def _regression(self, at: str) -> Any:  # noqa: ANN401  (it stands where scikit-learn's stood)
        state = of_bytes(self._files[f"{at}model.json"], self._files[f"{at}numbers.npz"])
        return Regression(state.spec["classes"], state.arrays["weights"], state.arrays["intercepts"])


class _Asking:
    """An arm asked from the threads of a server: it lives on a loop of its own."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm
        self._numbers = count()
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        atexit.register(self._loop.call_soon_threadsafe, self._loop.stop)

    def answer(self, items: Sequence[Asked]) -> list[dict[str, Any]]:
        """The answers, in the items' order; one without a text is nobody's."""
        # Two callers may name their items alike; the arm must not take one for the other.
        asked = [Item(f"{next(self._numbers)}:{one.id}", one.text, one.tags, one.fields) for one in items]
        todo = [item for item in asked if item.text.strip()]
        found = asyncio.run_coroutine_threadsafe(self._predict(todo), self._loop).result()
        by_id = {one.item_id: one for one in found}
        blank = Prediction("", Outcome.ABSTAINED, cost_usd=0.0)
        return [_answer(one.id, by_id.get(item.id, blank)) for one, item in zip(items, asked, strict=True)]

    async def _predict(self, items: list[Item]) -> list[Prediction]:
        size = self._arm.batch_size
        batches = [items[start : start + size] for start in range(0, len(items), size)]
        answered = await asyncio.gather(*(self._arm.predict(batch) for batch in batches))
        return [one for part in answered for one in part]


def _answer(item_id: str, one: Prediction) -> dict[str, Any]:
    score = one.score if one.score is None else float(one.score)
    told = {"id": item_id, "label": one.label, "score": score, "outcome": one.outcome.value}
    return {**told, "path": ">".join(one.path), "cost_usd": one.cost_usd}
