"""To an OpenTelemetry collector: a run becomes a trace, over OTLP/HTTP, where the OTEL_ variables say.

An optional extra. There is a span for the run, and below it one for each prediction (see `_genai`); whether a
model was right goes beside them as the conventions' event, unless OTEL_LOGS_EXPORTER is `none`. When within a run
an item was asked is not stored: every span begins when the run began, and is as long as its answer took. Ids are
hashes of run and item, so what is sent twice is the same trace.

Texts and replies go out only when OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT lets them.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanKind, Status, StatusCode

from harness.app.exporters import _genai
from harness.app.parcel import NotTaken, Receipt
from harness.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from harness.app.exporters._genai import Told
    from harness.app.parcel import Parcel
    from harness.types import JSON

NAME = "prompt-harness"
AT_ONCE = 512  # a request of some hundred kilobytes
NANO = 1_000_000_000
ADDRESS, PATHS = "OTEL_EXPORTER_OTLP_ENDPOINT", {"TRACES": "v1/traces", "LOGS": "v1/logs"}
WAY_OUT = {
    "TRACES": f"{ADDRESS} says where one listens",
    "LOGS": "OTEL_LOGS_EXPORTER=none sends the spans alone",
}
DEFAULT_ADDRESS = "http://localhost:4318"
CREDENTIALS = re.compile(r"//[^/@]*@")
CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
ON_SPANS = ("span_only", "span_and_event", "true")


def send(parcel: Parcel) -> Receipt:
    """The trace of a parcel, sent; raises `NotTaken` when the collector does not take all of it."""
    drawn = _Drawn(parcel, with_content=os.environ.get(CONTENT, "").lower() in ON_SPANS)
    spans, events = drawn.spans.get_finished_spans(), drawn.events.get_finished_logs()
    if not spans:
        raise ConfigError("OTEL_SDK_DISABLED is set, so no span is made; unset it to send a run")
    run_id = parcel.record.run_id
    _deliver(OTLPSpanExporter(), spans, f"spans of run {run_id}", "TRACES")
    if os.environ.get("OTEL_LOGS_EXPORTER", "").lower() == "none":
        events = ()
    _deliver(OTLPLogExporter(), events, f"evaluation results of run {run_id} (its spans were sent)", "LOGS")
    where, number = _address("TRACES"), trace.format_trace_id(_number(run_id, 16))
    said = f"is trace {number}, {len(spans):,} spans and {len(events):,} evaluation results, at {where}"
    facts: dict[str, JSON] = {
        "trace_id": number,
        "spans": len(spans),
        "evaluation_results": len(events),
        "endpoint": where,
    }
    return Receipt(run_id, said, facts)


class _Ids(IdGenerator):
    """Ids that are hashes of what the next span is `about`."""

    def __init__(self, run_id: str) -> None:
        self.run_id, self.about = run_id, ""

    def generate_trace_id(self) -> int:
        return _number(self.run_id, 16)

    def generate_span_id(self) -> int:
        return _number(f"{self.run_id}\x00{self.about}", 8)


def _number(text: str, size: int) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:size]) or 1  # 0 is no id


class _Drawn:
    """A run's spans and events, made by the official SDK and not sent yet."""

    def __init__(self, parcel: Parcel, *, with_content: bool) -> None:
        self.spans, self.events = InMemorySpanExporter(), InMemoryLogRecordExporter()  # type: ignore[no-untyped-call]
        self._ids, resource = _Ids(parcel.record.run_id), _resource()
        # What somebody asks to be sent is sent: no sampling.
        tracers = TracerProvider(ALWAYS_ON, resource, shutdown_on_exit=False, id_generator=self._ids)
        tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        loggers = LoggerProvider(resource, shutdown_on_exit=False)
        loggers.add_log_record_processor(SimpleLogRecordProcessor(self.events))
        self._tracer = tracers.get_tracer(NAME, parcel.record.code_version)
        self._logger = loggers.get_logger(NAME, parcel.record.code_version)
        started = parcel.result.run.started_at
        self._start = 0 if started is None else round(started.timestamp() * 1e6) * 1000
        self._draw(parcel, with_content=with_content)

    def _draw(self, parcel: Parcel, *, with_content: bool) -> None:
        whole = self._begun("", _genai.of_run(parcel), None)
        inside = trace.set_span_in_context(whole)
        for row in parcel.rows():
            told = _genai.of_prediction(parcel, row, with_content=with_content)
            span = self._begun(str(row["example_id"]), told, inside)
            judged = _genai.evaluation(parcel, row)
            if judged is not None:
                self._say(judged, trace.set_span_in_context(span))
            self._end(span, row["latency_s"])
        self._end(whole, parcel.result.run.wall_s)

    def _begun(self, about: str, told: Told, inside: Context | None) -> Span:
        self._ids.about = about
        kind = SpanKind.CLIENT if told.is_call else SpanKind.INTERNAL
        span = self._tracer.start_span(told.name, inside, kind, told.attributes, start_time=self._start)
        if told.error is not None:
            span.set_status(Status(StatusCode.ERROR))
        return span

    def _end(self, span: Span, seconds: Any) -> None:  # noqa: ANN401  (a cell of the store)
        span.end(self._start + round((seconds or 0.0) * NANO))

    def _say(self, judged: dict[str, _genai.Value], inside: Context) -> None:
        self._logger.emit(timestamp=self._start, context=inside, event_name=_genai.EVENT, attributes=judged)


def _resource() -> Resource:
    """What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say; without a name it is ours."""
    given = Resource.create()
    is_named = not str(given.attributes.get(SERVICE_NAME, "unknown_service")).startswith("unknown_service")
    return given if is_named else given.merge(Resource({SERVICE_NAME: NAME}))


def _deliver(exporter: OTLPSpanExporter | OTLPLogExporter, parts: Sequence[Any], what: str, signal: str) -> None:
    with _complaints() as complaints:
        try:
            for start in range(0, len(parts), AT_ONCE):
                if exporter.export(parts[start : start + AT_ONCE]).name != "SUCCESS":
                    why = complaints[0] if complaints else "it gave no reason"
                    raise NotTaken(
                        f"the collector at {_address(signal)} did not take the {what}: {why}; {WAY_OUT[signal]}"
                    )
        finally:
            exporter.shutdown()  # type: ignore[no-untyped-call]


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """What the SDK logs meanwhile: it says nowhere else why something was not taken."""
    said: list[str] = []

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(CREDENTIALS.sub("//", record.getMessage()))

    logger, listening = logging.getLogger("opentelemetry"), Listening(logging.WARNING)
    propagates, logger.propagate = logger.propagate, False
    logger.addHandler(listening)
    try:
        yield said
    finally:
        logger.removeHandler(listening)
        logger.propagate = propagates


def _address(signal: str) -> str:
    """Where the SDK sends a signal, as its variables say, without credentials."""
    own = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
    given = own or f"{(os.environ.get(ADDRESS) or DEFAULT_ADDRESS).rstrip('/')}/{PATHS[signal]}"
    return CREDENTIALS.sub("//", given.partition("?")[0])
