"""A server on loopback that speaks both wire formats, and misbehaves as it is told.

The real SDKs talk to it. `answer` maps the last user message to the reply; `faults` maps the
number of a request (from 0) to a fault by name. Usage is counted in words, so sums can be planted.
Requests from number `held_from` on get no reply before `released` is set: so a test stops a program
at a known place, however fast either of them is.
"""

import json
import math
import threading
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

from harness.ground.clock import SystemClock
from tests import loopback_batches

CLOCK = SystemClock()


@dataclass
class Loopback:
    """What the server does, and what it has been asked."""

    answer: Callable[[str], str]
    faults: Mapping[int, str] = field(default_factory=dict)
    latency_s: float = 0.0
    usage: Mapping[str, int] = field(default_factory=lambda: {"input": 100, "output": 2})
    logprobs: Mapping[str, float] = field(default_factory=dict)
    raw_usage: Mapping[str, object] | None = None  # sent as it stands, where a vendor counts in its own way
    batch: loopback_batches.Batches = field(default_factory=loopback_batches.Batches)
    models: tuple[str, ...] = ("planted-embed", "planted-chat")
    requests: list[dict] = field(default_factory=list)
    headers: list[dict] = field(default_factory=list)
    came_at: list[datetime] = field(default_factory=list)
    dates: list[datetime] = field(default_factory=list)  # that were named in a Retry-After
    held_from: float = math.inf
    released: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    paths: list[str] = field(default_factory=list)
    url: str = ""
    numbers: count = field(default_factory=count)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"


class Wire(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_POST(self):
        plan = self.server.plan
        content = self.rfile.read(int(self.headers["content-length"]))
        if loopback_batches.post(self, plan, content):
            return
        body = json.loads(content)
        with plan.lock:
            number = next(plan.numbers)
            plan.requests.append(body)
            plan.headers.append(dict(self.headers))
            plan.came_at.append(CLOCK.now())
            plan.paths.append(self.path)
        plan.ended.wait(plan.latency_s)
        if number >= plan.held_from:
            plan.released.wait()
        fault = plan.faults.get(number, plan.faults.get(-1, ""))
        if fault and not self.misbehave(fault):
            return
        text = {"empty": "", "prose": "I would say it is probably the first one."}.get(fault)
        asked = body["messages"][-1]["content"] if "messages" in body else body.get("input", body.get("state"))
        reply = plan.answer(asked) if text is None else text
        other = {"messages": self.anthropic, "decisions": self.decision, "embeddings": self.embeddings}
        other |= {"systemone": self.systemone}
        in_a_cloud = self.path.endswith(("/invoke", ":rawPredict"))  # Anthropic's wire in Bedrock and Vertex
        speak = self.anthropic if in_a_cloud else other.get(self.path.rpartition("/")[2], self.openai)
        self.send(200, json.dumps(speak(body, reply, fault)))

    def do_GET(self):
        if loopback_batches.get(self, self.server.plan):
            return
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": "x"} for name in self.server.plan.models]
        self.send(200, json.dumps({"object": "list", "data": listed}))

    def misbehave(self, fault: str) -> bool:
        """Carry a fault out; True when an ordinary reply is still to be sent."""
        name, _, argument = fault.partition(" ")
        if name.isdigit():
            pause = self.date_in(argument) if argument.startswith("date ") else argument if argument.isdigit() else ""
            message = argument if argument and not pause else "planted"
            headers = {"retry-after": pause} if pause else {}
            key = self.headers.get("authorization") or self.headers.get("x-api-key") or ""
            said = f"{message} {key}" if message == "echo" else message
            self.send(int(name), json.dumps({"error": {"message": said, "type": "planted"}}), headers)
        elif name == "reset":
            self.close_connection = True
            self.connection.close()
        elif name == "hang":
            self.server.plan.ended.wait()
            self.close_connection = True
        elif name == "half":
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", "1000")
            self.end_headers()
            self.wfile.write(b'{"choices": [')
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
        elif name == "garbage":
            self.send(200, "<html>gateway</html>")
        elif name == "body":  # a status, and the body as it stands
            status, _, body = argument.partition(" ")
            self.send(int(status), body)
        else:
            return True
        return False

    def date_in(self, argument: str) -> str:
        """The date in so many seconds, from the moment of the reply; a date has whole seconds."""
        date = (CLOCK.now() + timedelta(seconds=int(argument.removeprefix("date ")))).replace(microsecond=0)
        self.server.plan.dates.append(date)
        return format_datetime(date, usegmt=True)

    def embeddings(self, body, reply, fault):
        """A vector of eight per text that depends on the text alone, in an order that is not the texts'."""
        rows = [
            {
                "object": "embedding",
                "index": i,
                "embedding": [byte - 127.5 for byte in sha256(text.encode()).digest()[:8]],
            }
            for i, text in enumerate(body["input"])
        ]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return {"object": "list", "data": rows[::-1], "model": body["model"], "usage": usage}

    def openai(self, body, reply, fault):
        refused = fault == "refusal"
        usage = self.server.plan.usage
        message = {"role": "assistant", "content": None if refused else reply, "refusal": "No." if refused else None}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 0,
            "model": body["model"] + "-2026",
            "choices": [
                {
                    "index": 0,
                    "message": message,
                    "finish_reason": "length" if fault == "cut" else "stop",
                    "logprobs": self.logprobs(),
                }
            ],
            "usage": self.server.plan.raw_usage
            or {
                "prompt_tokens": usage["input"],
                "completion_tokens": usage["output"],
                "total_tokens": usage["input"] + usage["output"],
                "prompt_tokens_details": {
                    "cached_tokens": usage.get("read", 0),
                    "cache_write_tokens": usage.get("write", 0),
                },
                "completion_tokens_details": {"reasoning_tokens": usage.get("reasoning", 0)},
            },
        }

    def logprobs(self):
        shares = self.server.plan.logprobs
        top = [{"token": token, "logprob": math.log(share), "bytes": None} for token, share in shares.items()]
        return {"content": [top[0] | {"top_logprobs": top}]} if top else None

    def decision(self, body, reply, fault):
        usage = self.server.plan.usage
        options = [choice["value"] for choice in body["questions"][0]["choices"]]
        shares = [{"value": v, "probability": 0.9 if v == reply else 0.1 / (len(options) - 1)} for v in options]
        choice = {"type": "choice", "choice": reply, "confidence": 0.9, "name": None, "probabilities": shares}
        return {
            "model": body["model"],
            "answers": [{"type": "refusal", "name": None} if fault == "refusal" else choice],
            "usage": {
                "input_tokens": usage["input"],
                "input_tokens_details": {"cached_tokens": usage.get("read", 0), "cache_write_tokens": 0},
                "output_tokens": usage["output"],
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": usage["input"] + usage["output"],
            },
        }

    def systemone(self, body, reply, fault):
        """The option that is the reply has .9; a yes has .9 where the reply holds the question's last name."""
        usage = self.server.plan.usage
        answers = {}
        for name, question in body["questions"].items():
            if question["type"] == "choice":
                rest = 0.1 / max(len(question["criteria"]) - 1, 1)
                shares = {option: 0.9 if option == reply else rest for option in question["criteria"]}
                answers[name] = {"type": "choice", "choice": reply, "confidence": 0.9, "probabilities": shares}
            elif question["type"] == "noul":
                answers[name] = {"type": "noul", "noul": 0.9 if name.rpartition(":")[2] in reply.split(",") else 0.1}
            else:
                legend = {str(place): text for place, text in enumerate(question["criteria"])}
                answers[name] = {"type": "score", "score": float(reply), "confidence": 0.5, "legend": legend}
        if fault == "unanswered":
            answers = {}
        usage = {"input_tokens": usage["input"], "output_tokens": usage["output"]}
        return {"model": body["model"] + "-2026", "answers": answers, "usage": usage}

    def anthropic(self, body, reply, fault):
        usage = self.server.plan.usage
        reason = {"refusal": "refusal", "cut": "max_tokens"}.get(fault, "end_turn")
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": body.get("model", "m") + "-2026",
            "content": [] if not reply else [{"type": "text", "text": reply}],
            "stop_reason": reason,
            "stop_sequence": None,
            "usage": {
                "input_tokens": usage["input"] - usage.get("read", 0) - usage.get("write", 0),
                "cache_read_input_tokens": usage.get("read", 0),
                "cache_creation_input_tokens": usage.get("write", 0),
                "output_tokens": usage["output"],
                "output_tokens_details": {"thinking_tokens": usage.get("reasoning", 0)},
            },
        }

    def send(self, status, text, headers=()):
        content = text.encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", "x-request-id": "req-1", **dict(headers)}.items():
            self.send_header(name, value)
        if self.path.endswith("/messages"):
            self.send_header("request-id", "req-1")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Nothing: tests read `requests`."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024
    plan: Loopback

    def handle_error(self, request, client_address):
        """A client that went away is part of the plan."""


@contextmanager
def serve(answer: Callable[[str], str], **plan):
    """The running server's plan, with its address."""
    server = Server(("127.0.0.1", 0), Wire)
    server.plan = Loopback(answer, **plan)
    server.plan.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.plan
    finally:
        server.plan.released.set()
        server.plan.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
