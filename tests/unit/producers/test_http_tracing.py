"""A POST is a span below its caller's, its request goes on below it, and lines of the log name all of them."""

import pytest
import structlog

from connectors.telemetry.log_fields import name_request
from connectors.telemetry.metrics import HTTP_SECONDS
from connectors.tracing.memory import MemoryTracer
from connectors.tracing.spans import NO_TRACER, About, SpanKind
from schemas.traces import TraceParent, trace_of

URL = "/api/v1/translations"
BODY = {"text": "Good morning.", "source_language": "en", "target_language": "pt", "request_id": "r1"}
CALLER = TraceParent("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", 1)
SHOWN = {"traceparent": CALLER.encode().decode()}
UNRECORDED = {"traceparent": CALLER._replace(flags=0).encode().decode()}


@pytest.fixture
def tracer():
    return MemoryTracer()


def by_name(tracer):
    return {span.name: span for span in tracer.ended}


def test_the_request_in_kafka_is_below_the_call_and_the_call_below_its_caller(http, world, tracer):
    assert http.post(URL, json=BODY, headers=SHOWN).status_code == 202
    spans = by_name(tracer)
    assert (spans["http"].parent, spans["http"].kind) == (CALLER, SpanKind.SERVER)
    assert (spans["submit"].parent, spans["submit"].kind) == (spans["http"].trace, SpanKind.PRODUCER)
    assert trace_of(world.appended[0][2]) == spans["submit"].trace


def test_without_a_caller_that_traces_a_trace_begins(http, tracer):
    http.post(URL, json=BODY)
    spans = by_name(tracer)
    assert spans["http"].parent is None
    assert spans["submit"].parent == spans["http"].trace


def test_the_spans_say_what_was_asked_for_and_what_was_answered(http, tracer):
    http.post(URL, json=BODY | {"priority": "high"})
    spans = by_name(tracer)
    assert spans["http"].facts == {About.METHOD: "POST", About.ROUTE: URL, About.STATUS_CODE: 202}
    assert spans["submit"].facts == {
        About.TENANT: "default",
        About.REQUEST_ID: "r1",
        About.PRIORITY: "high",
        About.SOURCE: "en",
        About.TARGET: "pt",
    }


def test_several_languages_are_several_requests_of_one_call(http, world, tracer):
    targets = {name: value for name, value in BODY.items() if name != "target_language"}
    http.post(URL, json=targets | {"targets": ["pt", "de"]})
    submits = [span for span in tracer.ended if span.name == "submit"]
    assert {span.facts[About.TARGET] for span in submits} == {"pt", "de"}
    assert {span.parent for span in submits} == {by_name(tracer)["http"].trace}


def test_the_trace_of_a_caller_that_does_not_record_goes_on_unrecorded(http, world, tracer):
    http.post(URL, json=BODY, headers=UNRECORDED)
    assert tracer.ended == []
    assert trace_of(world.appended[0][2]) == CALLER._replace(flags=0)


def test_a_refusal_is_no_error_and_what_is_away_is_one(http, world, tracer):
    assert http.post(URL, json=BODY | {"target_language": "my own text"}).status_code == 422
    assert [(span.name, span.error) for span in tracer.ended] == [("http", "")]
    world.take_away("kafka")
    assert http.post(URL, json=BODY).status_code == 503
    assert [(span.name, span.error) for span in tracer.ended[1:]] == [
        ("submit", "TransientError"),
        ("http", "status_503"),
    ]
    assert "my own text" not in str([span.facts for span in tracer.ended])


def test_who_looks_leaves_no_span(http, tracer):
    http.get(f"{URL}/r1", headers=SHOWN)
    assert tracer.ended == []


def test_the_histogram_of_a_route_knows_a_recorded_trace(http):
    http.post(URL, json=BODY, headers=SHOWN)
    buckets = HTTP_SECONDS.labels(URL)._buckets  # the client offers no other way to read one
    assert CALLER.trace_id in {found.labels["trace_id"] for one in buckets if (found := one.get_exemplar())}


@pytest.fixture
def lines():
    before, captured = structlog.get_config(), structlog.testing.LogCapture()
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, name_request, captured])
    yield captured.entries
    structlog.configure(**before)


NAMED = {"tenant": "default", "request_id": "r1", "trace_id": CALLER.trace_id}


def test_every_line_about_a_call_names_tenant_request_and_trace(http, world, lines):
    world.take_away("kafka")
    http.post(URL, json=BODY, headers=SHOWN)
    (line,) = [one for one in lines if one["event"] == "request_not_accepted"]
    assert NAMED.items() <= line.items()


def test_so_does_a_line_about_a_look_at_a_job(http, world, lines):
    world.take_away("redis")
    http.get(f"{URL}/r1", headers=SHOWN)
    (line,) = lines
    assert NAMED.items() <= line.items()


def test_the_next_call_has_no_name_of_the_one_before(http, world, lines):
    http.post(URL, json=BODY, headers=SHOWN)
    world.take_away("kafka")
    http.post(URL, json=BODY | {"request_id": "r2"})
    line = lines[-1]
    assert line["request_id"] == "r2"
    assert line.get("trace_id") != CALLER.trace_id


class TestSwitchedOff:
    """Headers and lines are as with spans; nothing else is done."""

    @pytest.fixture
    def tracer(self):
        return NO_TRACER

    def test_the_header_of_the_caller_goes_on(self, http, world):
        http.post(URL, json=BODY, headers=SHOWN)
        assert trace_of(world.appended[0][2]) == CALLER

    def test_the_lines_know_the_trace_of_the_caller(self, http, world, lines):
        world.take_away("kafka")
        http.post(URL, json=BODY, headers=SHOWN)
        assert NAMED.items() <= lines[-1].items()
