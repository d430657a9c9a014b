"""The batch APIs of both providers on loopback: files, batches, results that may expire or fail.

A batch ends once it has been looked at `looks` times. `fates` maps the number of a request (from 0,
over all batches) to `expired` or an HTTP status; everything else is answered.
"""

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

from harness.ground.clock import SystemClock


@dataclass
class Batches:
    """What the server holds, and how it will behave."""

    looks: int = 1
    fates: Mapping[int, str] = field(default_factory=dict)
    lose_the_reply_to: set[int] = field(default_factory=set)  # numbers of batches whose creation gets no answer
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, dict] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)  # custom ids in order of submission
    numbers: count = field(default_factory=count)
    lock: threading.Lock = field(default_factory=threading.Lock)


def post(wire, plan, body: bytes) -> bool:
    """Carry a POST out when it is one of the batch APIs'; False otherwise."""
    path = wire.path.partition("?")[0]
    with plan.batch.lock:
        if path == "/v1/files":
            _upload(wire, plan.batch, body)
        elif path == "/v1/batches":
            wanted = json.loads(body)
            lines = plan.batch.files[wanted["input_file_id"]].splitlines()
            _create(wire, plan, [json.loads(line) for line in lines], wanted["metadata"])
        elif path == "/v1/messages/batches":
            _create(wire, plan, json.loads(body)["requests"], {})
        else:
            return False
    return True


def get(wire, plan) -> bool:
    """Carry a GET out when it is one of the batch APIs'; False otherwise."""
    path = wire.path.partition("?")[0]
    held = plan.batch
    with held.lock:
        if found := re.fullmatch(r"/v1/files/(.+)/content", path):
            wire.send(200, held.files[found[1]].decode())
        elif found := re.fullmatch(r"/v1/messages/batches/(.+)/results", path):
            wire.send(200, held.files[found[1]].decode(), {"content-type": "application/x-jsonl"})
        elif path in ("/v1/batches", "/v1/messages/batches"):
            show = _anthropic if "messages" in path else _openai
            listed = [show(one, wire) for one in reversed(held.batches.values())]
            wire.send(200, json.dumps({"object": "list", "data": listed, "has_more": False}))
        elif found := re.fullmatch(r"/v1/(messages/)?batches/(.+)", path):
            batch = held.batches[found[2]]
            batch["looked"] += 1
            wire.send(200, json.dumps((_anthropic if found[1] else _openai)(batch, wire)))
        else:
            return False
    return True


def _upload(wire, held: Batches, body: bytes) -> None:
    boundary = re.search(r"boundary=([^;]+)", wire.headers["content-type"])[1].strip('"').encode()
    part = next(part for part in body.split(b"--" + boundary) if b"filename" in part)
    name = f"file-{next(held.numbers)}"
    held.files[name] = part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
    wire.send(200, json.dumps({"id": name, "object": "file", "bytes": 1, "created_at": 0, "purpose": "batch"}))


def _create(wire, plan, requests, metadata) -> None:
    held = plan.batch
    number = len(held.batches)
    lines = []
    for request in requests:
        fate = held.fates.get(len(held.asked), "")
        held.asked.append(request["custom_id"])
        lines.append(_result(wire, plan, request, fate))
    name = f"batch_{number}"
    # Results come in any order.
    held.files[name] = b"\n".join(json.dumps(line).encode() for line in reversed(lines) if line)
    held.batches[name] = {
        "id": name,
        "n": len(requests),
        "looked": 0,
        "looks": held.looks,
        "metadata": metadata,
        "at": SystemClock().now(),
    }
    if number in held.lose_the_reply_to:
        wire.close_connection = True
        wire.connection.close()
        return
    wire.send(200, json.dumps((_anthropic if "messages" in wire.path else _openai)(held.batches[name], wire)))


def _result(wire, plan, request, fate):
    if "params" in request:
        body = request["params"]
        if fate == "expired":
            return {"custom_id": request["custom_id"], "result": {"type": "expired"}}
        if fate:
            error = {"type": "invalid_request_error" if fate == "400" else "api_error", "message": "planted"}
            result = {"type": "errored", "error": {"type": "error", "error": error, "request_id": None}}
            return {"custom_id": request["custom_id"], "result": result}
        made = wire.anthropic(body, plan.answer(body["messages"][-1]["content"]), "")
        return {"custom_id": request["custom_id"], "result": {"type": "succeeded", "message": made}}
    body = request["body"]
    if fate == "expired":
        error = {"code": "batch_expired", "message": "This request could not be executed before the batch expired."}
        return {"id": "r", "custom_id": request["custom_id"], "response": None, "error": error}
    if fate:
        reply = {"status_code": int(fate), "request_id": "r", "body": {"error": {"message": "planted"}}}
    else:
        made = wire.openai(body, plan.answer(body["messages"][-1]["content"]), "")
        reply = {"status_code": 200, "request_id": "r", "body": made}
    return {"id": "r", "custom_id": request["custom_id"], "response": reply, "error": None}


def _openai(batch, wire):
    over = batch["looked"] >= batch["looks"]
    return {
        "id": batch["id"],
        "object": "batch",
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "created_at": int(batch["at"].timestamp()),
        "input_file_id": "file-0",
        "status": "completed" if over else "in_progress",
        "output_file_id": batch["id"] if over else None,
        "metadata": batch["metadata"],
    }


def _anthropic(batch, wire):
    over = batch["looked"] >= batch["looks"]
    none = {"canceled": 0, "errored": 0, "expired": 0, "processing": 0, "succeeded": 0}
    url = f"http://{wire.headers['host']}/v1/messages/batches/{batch['id']}/results"
    return {
        "id": batch["id"],
        "type": "message_batch",
        "processing_status": "ended" if over else "in_progress",
        "request_counts": none | {"succeeded" if over else "processing": batch["n"]},
        "created_at": batch["at"].isoformat(),
        "expires_at": batch["at"].isoformat(),
        "ended_at": batch["at"].isoformat() if over else None,
        "results_url": url if over else None,
    }
