"""A fitted classifier of a shipped folder, and what is typed to serve it. This file goes into such folders as it is."""

from __future__ import annotations

import argparse
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.app.serving.folder import Damaged, checked_files
from harness.app.serving.server import Asked, Limits, Refused, Server, items_of, serve_until_stopped
from harness.arms.portable.restored import restored_from

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.arms.portable.answer import Answer as KeptAnswer
    from harness.arms.portable.answer import FittedBefore

    Answer = Callable[[Sequence[Asked]], list[dict[str, Any]]]
    Embed = Callable[[Sequence[str]], Any]

CARD = "card.json"


def restored_classifier(files: Mapping[str, bytes], prefix: str, embed: Embed) -> FittedBefore:
    """The classifier whose two files stand in the folder under that prefix."""
    spec = json.loads(files[f"{prefix}model.json"])
    with np.load(io.BytesIO(files[f"{prefix}numbers.npz"]), allow_pickle=False) as arrays:
        return restored_from(spec, {name: arrays[name] for name in arrays.files}, embed)


def answer_with(classifier: FittedBefore, name: str, cost_usd: float | None) -> Answer:
    """A function from items to answers, as the stored run has them."""

    def answer(items: Sequence[Asked]) -> list[dict[str, Any]]:
        told = zip(items, classifier.answers(items), strict=True)
        return [_told(item, one, name, cost_usd) for item, one in told]

    return answer


def _told(item: Asked, one: KeptAnswer, name: str, cost_usd: float | None) -> dict[str, Any]:
    if not item.text.strip():
        return {"id": item.id, "label": None, "score": None, "outcome": "abstained", "path": "", "cost_usd": 0.0}
    return {
        "id": item.id,
        "label": one.label,
        "score": one.score,
        "outcome": "abstained" if one.label is None else "answered",
        "path": name,
        "cost_usd": cost_usd,
    }


def run_folder(folder: Path, build: Callable[[Mapping[str, bytes], argparse.Namespace], Answer]) -> None:
    """What `python serve.py` does: check the folder, then serve it, or answer the JSON lines that come in."""
    options = _options()
    try:
        files = checked_files(folder)
        card = json.loads(files[CARD])
        answer = build(files, options)
    except (Damaged, ValueError) as error:
        sys.exit(f"serve.py: {' '.join(str(error).split())}")
    if options.lines:
        _answer_lines(answer)
        return
    limits = Limits(options.max_bytes, options.max_items, options.max_seconds, options.max_connections)
    facts = {"arm": card["arm"], "labels": card["labels"]}
    try:
        server = Server((options.host, options.port), answer, facts, limits, options.at_once or card.get("at_once"))
    except OSError as error:
        sys.exit(f"serve.py: {options.host}:{options.port}: {error.strerror or error}; give another --port")
    serve_until_stopped(server)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Serve this folder: POST /predict, GET /health.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; this machine alone by default")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    parser.add_argument("--lines", action="store_true", help="no server: JSON lines in, JSON lines out")
    parser.add_argument("--max-bytes", type=int, default=Limits().bytes, help="of a request")
    parser.add_argument("--max-items", type=int, default=Limits().items, help="of a request")
    parser.add_argument("--max-seconds", type=float, default=Limits().seconds, help="to send a request in")
    parser.add_argument("--max-connections", type=int, default=Limits().connections, help="at once")
    parser.add_argument("--at-once", type=int, default=None, help="requests that are answered at the same time")
    parser.add_argument("--ledger", default=None, help="of a prompt: what keeps paid answers, a file or postgres:...")
    parser.add_argument("--model", default=None, help="of a prompt: where its model's file is, say fake/PATH.toml")
    parser.add_argument("--base-url", default=None, help="of a prompt: another address of its model")
    return parser.parse_args()


def _answer_lines(answer: Answer) -> None:
    lines = (line for line in sys.stdin if line.strip())
    while part := [line for _, line in zip(range(256), lines, strict=False)]:
        try:
            items = [one for line in part for one in items_of(line.encode("utf-8", "surrogatepass"), Limits())[0]]
        except Refused as refused:
            sys.exit(f"serve.py: {refused}")
        for one in answer(items):
            sys.stdout.write(json.dumps(one) + "\n")
