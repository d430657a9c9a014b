"""`runs export --to otel`: spans of the conventions for generative AI, through the official exporter."""

import json

import pytest

from tests.collector import collecting, values
from tests.loopback import serve

pytest.importorskip(
    "opentelemetry.exporter.otlp.proto.http", reason="the extra is missing: pip install 'prompt-harness[otel]'"
)

KEY = "sk-planted-key-0123456789abcdef"
CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


@pytest.fixture
def collected(monkeypatch):
    """A collector, named by the variable of the SDK."""
    with collecting() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "2")
        yield found


def said_of(span):
    return values(span.attributes)


@pytest.fixture
def asked(harness, monkeypatch):
    """A run of a prompt over the real SDK: one item fails, one is answered with prose, the rest with `billing`."""
    usage = {"input": 100, "output": 7, "read": 30, "reasoning": 5}
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serve(lambda _: "billing", faults={3: "400 echo", 5: "prose"}, usage=usage) as server:
        done = harness(
            "eval", "--prompt", "v1", "--model", "openai/planted", "--base-url", server.openai_url, "--json",
            "--concurrency", "1",
        )  # fmt: skip
    assert done.code == 3
    return done.json, server


def test_a_prompts_predictions_are_spans_of_the_conventions(harness, asked, collected):
    """Operation, provider, model, prompt, server and tokens, cached and thought ones counted in; one span an item."""
    run, server = asked
    sent = harness("runs", "export", run["run_id"], "--to", "otel", "--json").json["runs"]
    whole = [span for span in collected.spans if not span.parent_span_id]
    items = {said_of(span)["harness.example_id"]: span for span in collected.spans if span.parent_span_id}
    assert [(one["run_id"], one["spans"]) for one in sent] == [(run["run_id"], run["n"] + 1)]
    assert (len(whole), len(items)) == (1, run["n"])
    assert {span.parent_span_id for span in items.values()} == {whole[0].span_id}
    assert {span.trace_id.hex() for span in collected.spans} == {sent[0]["trace_id"]}
    answered = next(span for span in items.values() if said_of(span)["harness.outcome"] == "answered")
    assert (answered.name, answered.kind) == ("chat planted", 3)  # CLIENT
    assert (
        said_of(answered).items()
        >= {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "planted",
            "gen_ai.prompt.name": "tickets",
            "gen_ai.prompt.version": "v1",
            "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.output_tokens": 7,
            "gen_ai.usage.cache_read.input_tokens": 30,
            "gen_ai.usage.reasoning.output_tokens": 5,
            "server.address": "127.0.0.1",
            "server.port": int(server.url.rpartition(":")[2]),
            "harness.label": "billing",
        }.items()
    )
    assert answered.end_time_unix_nano > answered.start_time_unix_nano == whole[0].start_time_unix_nano


def test_the_run_is_the_span_over_them(harness, asked, collected):
    """It carries the run object's numbers and what leads back to the store; the service has a name."""
    run, _ = asked
    harness("runs", "export", run["run_id"], "--to", "otel")
    whole = said_of(next(span for span in collected.spans if not span.parent_span_id))
    shown = harness("runs", "show", run["run_id"], "--json").json
    assert whole["harness.run_id"] == run["run_id"]
    assert [whole[f"harness.accuracy{end}"] for end in ("", "_low", "_high")] == [
        shown["accuracy"][end] for end in ("value", "low", "high")
    ]
    assert whole["harness.outcomes_failed"] == shown["outcomes"]["failed"] == 1
    assert collected.resources[0]["service.name"] == "prompt-harness"


def test_a_failed_call_has_its_error_and_no_result(harness, asked, collected):
    """error.type is the class; the status is an error; every other item has one event, beside its span."""
    run, _ = asked
    harness("runs", "export", run["run_id"], "--to", "otel")
    outcomes = {span.span_id: said_of(span).get("harness.outcome") for span in collected.spans}
    (failed,) = [span for span in collected.spans if span.status.code == 2]
    assert said_of(failed)["error.type"] == "RequestRejected"
    assert outcomes[failed.span_id] == "failed"
    assert {event.event_name for event in collected.events} == {"gen_ai.evaluation.result"}
    assert {event.span_id for event in collected.events} == {
        span for span, outcome in outcomes.items() if outcome not in (None, "failed")
    }
    judged = [values(event.attributes) for event in collected.events]
    right = sum(one["gen_ai.evaluation.score.label"] == "correct" for one in judged)
    assert sum(one["gen_ai.evaluation.score.value"] for one in judged) == right
    shown = harness("runs", "show", run["run_id"], "--json").json["accuracy"]
    assert right / len(judged) == pytest.approx(shown["value"])


def test_neither_texts_nor_replies_nor_keys_go_out(harness, asked, collected, root):
    """Without the opt-in no text of an item, no reply that is prose, no message of an error is sent; never the key."""
    run, _ = asked
    harness("runs", "export", run["run_id"], "--to", "otel")
    sent = b"".join(collected.bodies)
    for words in (b"charged twice", b"I would say", b"Ticket:", b"echo", KEY.encode()):
        assert words not in sent


@pytest.mark.parametrize(("value", "is_sent"), [("SPAN_ONLY", True), ("true", True), ("EVENT_ONLY", False)])
def test_texts_and_replies_go_out_where_the_variable_lets_them(harness, asked, collected, monkeypatch, value, is_sent):
    """The instrumentations' own variable: the text as the template's variable, the reply as an output message."""
    monkeypatch.setenv(CONTENT, value)
    harness("runs", "export", asked[0]["run_id"], "--to", "otel")
    texts = [
        said_of(span)["gen_ai.prompt.variable.text"] for span in collected.spans if b"charged" in str(span).encode()
    ]
    assert bool(texts) == is_sent
    replies = [json.loads(said_of(span).get("gen_ai.output.messages", "[]")) for span in collected.spans]
    said = {reply[0]["parts"][0]["content"] for reply in replies if reply}
    assert (said == {"billing", "I would say it is probably the first one."}) == is_sent
    assert KEY.encode() not in b"".join(collected.bodies)


def test_an_arm_without_a_model_has_spans_of_ours(harness, collected):
    """No attribute of the conventions: nothing generative was asked. Right and wrong stand on the span."""
    harness("baselines", "--arm", "rules")
    assert harness("runs", "export", "rules", "--to", "otel").code == 0
    assert {span.name for span in collected.spans} == {"harness.evaluate rules", "harness.predict rules"}
    assert not [name for span in collected.spans for name in said_of(span) if name.startswith("gen_ai")]
    assert collected.events == []
    right = [said_of(span)["harness.correct"] for span in collected.spans if span.parent_span_id]
    shown = harness("runs", "show", "rules", "--json").json
    assert sum(right) / len(right) == pytest.approx(shown["accuracy"]["value"])


def test_twice_is_the_same_trace(harness, collected):
    """Ids come from run and item; the repeats of a prompt are traces of their own."""
    harness("eval", "--prompt", "v1", "--repeat", "2")
    first, second = (harness("runs", "export", "prompt:v1", "--to", "otel", "--json").json for _ in range(2))
    assert first == second
    assert len({one["trace_id"] for one in first["runs"]}) == 2
    ids = [span.span_id for span in collected.spans]
    assert len(ids) == 2 * len(set(ids))


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        ({"/v1/traces": 401}, "did not take the spans of run"),
        ({"/v1/logs": 404}, "OTEL_LOGS_EXPORTER=none sends the spans alone"),
    ],
)
def test_a_collector_that_refuses(harness, monkeypatch, refused, said):
    """Exit 3, one line with the status and the way out, and no password of the address in it."""
    harness("eval", "--prompt", "v1")
    with collecting(refused) as collected:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collected.url.replace("//", "//user:geheimnis@"))
        done = harness("runs", "export", "prompt:v1", "--to", "otel")
        assert (done.code, done.err.count("\n"), done.out) == (3, 1, "")
        assert said in done.err
        assert str(next(iter(refused.values()))) in done.err
        assert "geheimnis" not in done.err
        monkeypatch.setenv("OTEL_LOGS_EXPORTER", "none")
        assert harness("runs", "export", "prompt:v1", "--to", "otel").code == (3 if "/v1/traces" in refused else 0)


def test_nobody_listens(harness, monkeypatch):
    """Exit 3, one line: where it was tried, why it failed, which variable to set."""
    harness("baselines", "--arm", "rules")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")
    done = harness("runs", "export", "rules", "--to", "otel")
    assert (done.code, done.err.count("\n")) == (3, 1)
    assert "http://127.0.0.1:9/v1/traces" in done.err
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in done.err


def test_a_run_of_many_batches_is_whole(harness, collected, root, monkeypatch):
    """More spans than one request holds: every one arrives, none twice."""
    monkeypatch.setattr("harness.app.exporters.otel.AT_ONCE", 7)
    harness("eval", "--prompt", "v1")
    sent = harness("runs", "export", "prompt:v1", "--to", "otel", "--json").json["runs"][0]
    assert len(collected.bodies) == 10
    assert len({span.span_id for span in collected.spans}) == len(collected.spans) == sent["spans"] == 31
    assert len(collected.events) == sent["evaluation_results"] == 30
