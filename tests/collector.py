"""An OpenTelemetry collector on loopback: it decodes what the official exporters send, and refuses as it is told."""

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Collected:
    """What came in; `refused` maps a path to the status it is answered with."""

    url: str = ""
    refused: dict[str, int] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)
    spans: list = field(default_factory=list)
    events: list = field(default_factory=list)
    resources: list[dict] = field(default_factory=list)


def values(attributes) -> dict:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


class _Wire(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        collected, body = self.server.collected, self.rfile.read(int(self.headers["content-length"]))
        status = collected.refused.get(self.path, 200)
        if status == 200:
            self.take(collected, body)
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def take(self, collected, body):
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest  # noqa: PLC0415
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest  # noqa: PLC0415

        collected.bodies.append(body)
        if self.path == "/v1/traces":
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                collected.resources.append(values(resource.resource.attributes))
                collected.spans += [span for scope in resource.scope_spans for span in scope.spans]
        else:
            for resource in ExportLogsServiceRequest.FromString(body).resource_logs:
                collected.events += [event for scope in resource.scope_logs for event in scope.log_records]

    def log_message(self, *_):
        """Nothing."""


@contextmanager
def collecting(refused=None):
    """The running collector, with what it has been sent."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Wire)
    server.daemon_threads = True
    server.collected = Collected(f"http://127.0.0.1:{server.server_port}", dict(refused or {}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.collected
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
