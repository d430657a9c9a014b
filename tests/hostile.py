"""A server on loopback with faults, in raw bytes: the first part of the path says which one.

`http://127.0.0.1:PORT/MODE/v1/...`. It keeps what it saw by mode: `requests`, and the tokens that it would bill.
"""

import asyncio
import gzip
import io
import json
import threading
from collections import Counter, defaultdict
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from urllib.parse import unquote

ASKED, SAID = 100, 2  # tokens of an ordinary reply
SLOW_S = 0.1
USAGE = {
    "openai": {"prompt_tokens": ASKED, "completion_tokens": SAID, "total_tokens": ASKED + SAID},
    "anthropic": {"input_tokens": ASKED, "output_tokens": SAID},
    "decision": {"input_tokens": ASKED, "output_tokens": SAID, "total_tokens": ASKED + SAID},
    "systemone": {"input_tokens": ASKED, "output_tokens": SAID},
    "embeddings": {"prompt_tokens": ASKED, "total_tokens": ASKED},
}
BAD_USAGE = {
    "missing": None,
    "null": None,
    "text": "many",
    "list": [1, 2],
    "other": {"x": 1},
    "strings": ("100", "2"),
    "floats": (100.0, 2.0),
    "negative": (-1_000_000, -1_000_000),
    "huge": (10**30, 2),
    "beyond": (10**17, 2),
    "flags": (True, False),
    "zeros": (0, 0),
    "no prompt": (0, 2),
}


@dataclass
class Hostile:
    """What the server saw, by mode."""

    url: str = ""
    requests: Counter = field(default_factory=Counter)
    billed: Counter = field(default_factory=Counter)  # tokens asked and said
    bodies: dict = field(default_factory=lambda: defaultdict(list))
    mended: set = field(default_factory=set)  # modes whose fault is over
    batches: dict = field(default_factory=lambda: defaultdict(dict))  # the requests of each batch, by mode


def reply(wire: str, text="a", **changes) -> dict:
    """An ordinary reply."""
    made = {
        "openai": {"choices": [{"finish_reason": "stop", "message": {"content": text, "refusal": None}}]},
        "anthropic": {"content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "type": "message"},
        "decision": {"answers": [{"type": "choice", "choice": text, "probabilities": []}]},
        "systemone": {"answers": {"label": {"type": "choice", "choice": text, "probabilities": {"a": 0.9, "b": 0.1}}}},
        "embeddings": {"data": [{"index": 0, "embedding": [0.6, 0.8]}]},
    }[wire]
    return {"id": "x", "model": "m", **made, "usage": USAGE[wire], **changes}


def with_usage(wire: str, kind: str) -> dict:
    """A reply whose usage cannot be."""
    bad = BAD_USAGE[kind]
    made = reply(wire)
    if isinstance(bad, tuple):
        bad = dict(zip(USAGE[wire], bad, strict=False))
    made["usage"] = bad
    if kind == "missing":
        del made["usage"]
    return made


@cache
def bomb(megabytes: int) -> bytes:
    """A reply that is so large once it is unpacked; made without ever being there in whole."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as file:
        file.write(b'{"choices": "')
        for _ in range(megabytes):
            file.write(b"a" * (1 << 20))
        file.write(b'"}')
    return packed.getvalue()


def told(wire: str, text) -> dict:
    """A reply with another text, or with what is no text."""
    return reply(wire, text)


def error(message="planted", **fields) -> dict:
    return {"error": {"message": message, **fields}}


BODIES = {
    # 200 without an answer, or with an error inside
    "no choices": lambda wire: reply(wire, **dict.fromkeys(("choices", "content", "answers", "data"), None)),
    "empty choices": lambda wire: reply(wire, choices=[], content=None, answers=[], data=[]),
    "error 429 in 200": lambda wire: error(code=429),
    "error 502 in 200": lambda wire: error(code=502, metadata={"raw": "x"}),
    "error 504 in 200": lambda wire: error(code=504),
    "overloaded in 200": lambda wire: {"type": "error", "error": {"type": "overloaded_error", "message": "x"}},
    "error without a code in 200": lambda wire: error(),
    "error in the choice": lambda wire: reply(
        wire, choices=[{"finish_reason": "error", "error": {"message": "x"}, "message": {"content": "a"}}]
    ),
    # shapes that are not the protocol's
    "choices of texts": lambda wire: reply(wire, choices=["a"], content=["a"], answers=["a"], data=["a"]),
    "choices of an object": lambda wire: reply(wire, choices={"a": 1}, content={"a": 1}, answers={}, data={"a": 1}),
    "a message that is a text": lambda wire: reply(
        wire, choices=[{"message": "a"}], content="a" if wire != "anthropic" else 5, answers=[{"type": []}], data="a"
    ),
    "content that is a number": lambda wire: reply(
        wire,
        choices=[{"message": {"content": 5}}],
        content=[{"type": "text", "text": 5}],
        answers=[{"type": "choice", "choice": 5}],
        data=[{"index": 0, "embedding": 5}],
    ),
    "a refusal that is an object": lambda wire: reply(
        wire,
        choices=[{"message": {"content": None, "refusal": {"x": 1}}}],
        content=[None],
        answers=[{"type": "choice", "choice": None}],
        data=[{"index": "0", "embedding": [1.0]}],
    ),
    "a list": lambda wire: [1, 2],
    "null": lambda wire: None,
}
RAW = {
    "html": b"<html>sign in</html>",
    "nothing": b"",
    "deep": b"[" * 100_000,
    "deep object": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "latin": b'{"choices":[{"message":{"content":"\xff\xfe"}}]}',
    "half": b'{"id": "x", "choices": [',
}
REFUSALS = ("status", "retry-after", "redirect", "error 429", "error 502")  # what such a server carries out is nothing
IN_VAIN = ("status:504", "status:524", "status:598", "status:599")  # but for a gateway that has waited too short a time
ODD_TEXT = {"nul": "a\x00b", "surrogate": "a\ud800b", "escape": "a\x1b]52;c;eA==\x07"}


class Server:
    """The faults, on a loop of their own."""

    def __init__(self) -> None:
        self.seen = Hostile()
        self.connections: dict[asyncio.Task, asyncio.StreamWriter] = {}

    async def serve(self, ready: threading.Event) -> None:
        self.stopped = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self.connection, "127.0.0.1", 0, limit=1 << 26)
        self.seen.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        await self.stopped.wait()
        server.close()
        # What is still open would be found by whichever test runs when the garbage is collected.
        for task, writer in self.connections.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*self.connections, return_exceptions=True)
        await asyncio.sleep(0)

    async def connection(self, reader, writer) -> None:
        self.connections[asyncio.current_task()] = writer
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                path = head[0].split(" ")[1]
                if await self.request(writer, path, body) == "close":
                    break
        writer.close()

    async def request(self, writer, path: str, body: bytes) -> str | None:
        mode = unquote(path.strip("/").split("/")[0])
        self.seen.requests[mode] += 1
        fault = "good" if mode in self.seen.mended else mode.partition("#")[0]  # what follows tells cells apart
        if step := step_of(path, bool(body)):
            return await self.of_a_batch(writer, mode, fault, step, path, body)
        self.seen.bodies[mode].append(said := json.loads(body) if body else {})
        if not (refuses(fault) or fault.startswith("billed")):
            self.seen.billed[mode, "asked"] += ASKED
            self.seen.billed[mode, "said"] += SAID
        return await self.answer(writer, mode, fault, wire_of(path), said)

    async def answer(self, writer, mode: str, fault: str, wire: str, body) -> str | None:
        name, _, argument = fault.partition(":")
        if name in ("closed", "reset", "slow body", "slow chunks", "slow head", "cut chunk", "cut length"):
            return await self.broken(writer, name)
        if name == "billed":  # of ten requests: one 500, the given share billed and dropped, the rest answered
            return await self.billed(writer, wire, mode, body, float(argument))
        if name == "redirect":
            code, _, to = argument.partition(":")
            hosts = {"other": "http://127.0.0.2:9", "own": self.seen.url}
            address = f"{hosts[to]}/redirected/v1/x" if to in hosts else to
            return await send(writer, int(code), b"{}", {"location": address})
        if name == "late":  # an ordinary reply, after a while
            await asyncio.sleep(float(argument.partition(":")[0]))
        if name == "status":
            code, _, said = argument.partition(":")
            given = json.loads(said) if said else error()
            return await send(writer, int(code), json.dumps(given).encode())
        if name == "retry-after":
            return await send(writer, 429, json.dumps(error()).encode(), {"retry-after": argument})
        content, extra = self.content(name, argument, wire)
        return await send(writer, 200, content, extra)

    def content(self, name: str, argument: str, wire: str):  # noqa: C901, PLR0911  (one line per fault)
        if name == "bomb":
            return bomb(int(argument)), {"content-encoding": "gzip"}
        if name == "large":
            return json.dumps(told(wire, "a" * (int(argument) << 20))).encode(), {}
        if name == "headers":
            return json.dumps(reply(wire)).encode(), {f"x-{i}": "y" * 5000 for i in range(50)}
        if name == "usage":
            return json.dumps(with_usage(wire, argument)).encode(), {}
        if name == "nan":
            return json.dumps(reply(wire, usage=dict.fromkeys(USAGE[wire], float("nan")))).encode(), {}
        if name == "digits":
            return json.dumps(reply(wire)).replace(str(ASKED), "9" * 5000).encode(), {}
        if name == "parts":
            parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "a"}]
            return json.dumps(reply(wire, choices=[{"message": {"content": parts}}], content=parts)).encode(), {}
        if name == "model":
            return json.dumps(reply(wire, model=["x"])).encode(), {}
        if name == "odd":
            return json.dumps(told(wire, ODD_TEXT[argument])).encode(), {}
        if name in BODIES:
            return json.dumps(BODIES[name](wire)).encode(), {}
        return RAW.get(name, json.dumps(reply(wire)).encode()), {}

    async def broken(self, writer, name: str):
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
        if name == "reset":
            writer.transport.abort()
        if name in ("closed", "reset"):
            return "close"
        begun = {
            "slow body": head + b"content-length: 100000\r\n\r\n",
            "slow chunks": head + b"transfer-encoding: chunked\r\n\r\n",
            "slow head": b"HTTP/1.1 200 OK\r\n",
            "cut chunk": head + b'transfer-encoding: chunked\r\n\r\n20\r\n{"id": ',
            "cut length": head + b'content-length: 500\r\n\r\n{"id":',
        }[name]
        writer.write(begun)
        await writer.drain()
        drop = {"slow body": b" ", "slow chunks": b"1\r\n \r\n", "slow head": b"x: 1\r\n"}.get(name)
        while drop and not writer.is_closing():
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(SLOW_S)
        return "close"

    async def of_a_batch(self, writer, mode: str, fault: str, step: str, path: str, body: bytes):
        """The batch APIs of both: in the mode `FAULT@STEP` a single step of theirs has the fault."""
        name, _, at = fault.rpartition("@")
        wire = "anthropic" if "messages" in path else "openai"
        content = self.carried_out(mode, wire, step, path, body, is_refused=step == at and refuses(name))
        if step == at:
            return await self.answer(writer, mode, name, wire, {})
        return await send(writer, 200, content)

    def carried_out(self, mode: str, wire: str, step: str, path: str, body: bytes, *, is_refused: bool) -> bytes:
        """What a server without the fault does and says; what it refuses it does not do."""
        held = self.seen.batches[mode]
        if step == "upload":
            held["file"] = [json.loads(line) for line in body.splitlines() if line.startswith(b'{"custom_id"')]
            return json.dumps({"id": "file-1"}).encode()
        if step == "create" and not is_refused:
            asked = json.loads(body)
            wanted = asked.get("requests") or held["file"]
            keys = [one["custom_id"] for one in wanted]
            held[f"batch-{len(held)}"] = keys, asked.get("metadata"), datetime.now(UTC)  # noqa: TID251
            self.seen.billed[mode, "asked"] += ASKED * len(keys)
            self.seen.billed[mode, "said"] += SAID * len(keys)
        made = {name: batch_of(wire, name, *batch) for name, batch in held.items() if name != "file"}
        if step == "create":
            return json.dumps(list(made.values())[-1] if made else {}).encode()
        if step == "list":
            return json.dumps({"data": list(reversed(made.values())), "has_more": False}).encode()
        name = next(part.removeprefix("out-") for part in path.split("/") if "batch-" in part)
        if step == "look":
            return json.dumps(made[name]).encode()
        return b"\n".join(json.dumps(line_of(wire, key)).encode() for key in held[name][0])

    async def billed(self, writer, wire: str, mode: str, body, share: float):
        number = self.seen.requests[mode]
        asked = sum(len(message["content"].encode()) for message in body["messages"])
        said = body.get("max_tokens") or body.get("max_completion_tokens")
        await asyncio.sleep(0.01)
        if number % 10 == 0:
            return await send(writer, 500, b"{}")
        self.seen.billed[mode, "asked"] += asked
        self.seen.billed[mode, "said"] += said
        if number * 0.6180339887 % 1 < share:
            return "close"
        usage = dict(zip(USAGE[wire], (asked, said), strict=False))
        return await send(writer, 200, json.dumps(reply(wire, usage=usage)).encode())


def refuses(fault: str) -> bool:
    """Whether a server with the fault carries out nothing, and bills nothing."""
    return fault.startswith(REFUSALS) and not fault.startswith(IN_VAIN)


def step_of(path: str, is_post: bool) -> str | None:
    """Which step of a batch API a path is: upload, create, list, look, results; None for what is none."""
    parts = path.partition("?")[0].strip("/").split("/")[2:]
    parts = parts[1:] if parts[:1] == ["messages"] and len(parts) > 1 else parts
    if parts[:1] == ["files"]:
        return "upload" if is_post else "results"
    if parts[:1] != ["batches"]:
        return None
    if len(parts) == 1:
        return "create" if is_post else "list"
    return "results" if parts[-1] == "results" else "look"


def batch_of(wire: str, name: str, keys, metadata, made_at) -> dict:
    """A batch that has ended, as each wire shows it."""
    if wire == "anthropic":
        counts = {"succeeded": len(keys), "processing": 0}
        ended = {"processing_status": "ended", "request_counts": counts, "created_at": made_at.isoformat()}
        return {"id": name, "type": "message_batch", **ended}
    files = {"output_file_id": f"out-{name}", "error_file_id": None, "created_at": int(made_at.timestamp())}
    return {"id": name, "object": "batch", "status": "completed", "metadata": metadata, **files}


def line_of(wire: str, key: str) -> dict:
    """What came of a request in a batch."""
    if wire == "anthropic":
        return {"custom_id": key, "result": {"type": "succeeded", "message": reply(wire)}}
    return {"custom_id": key, "error": None, "response": {"status_code": 200, "request_id": "x", "body": reply(wire)}}


def wire_of(path: str) -> str:
    """Which wire format a path speaks."""
    ends = {"messages": "anthropic", "decisions": "decision", "embeddings": "embeddings"}
    ends |= {"systemone": "systemone"}
    return ends.get(path.partition("?")[0].rpartition("/")[2], "openai")


async def send(writer, status: int, content: bytes, headers=()) -> None:
    given = {"content-type": "application/json", "content-length": str(len(content)), **dict(headers)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    writer.write(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode("latin-1") + content)
    await writer.drain()


@contextmanager
def hostile():
    """The running server: what it sees, with its address."""
    server, ready = Server(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(ready)), daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield server.seen
    finally:
        server.loop.call_soon_threadsafe(server.stopped.set)
        thread.join(10)
