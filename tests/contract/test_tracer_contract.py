"""One suite for the tracer on OpenTelemetry's SDK and the one in memory, and what becomes of spans then."""

import threading
import time

import pytest
import structlog
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import SecretStr

from connectors.telemetry.metrics import SPANS
from connectors.tracing.memory import MemoryTracer
from connectors.tracing.opening import open_tracer, tracing
from connectors.tracing.otel import OtelTracer
from connectors.tracing.settings import TracingSettings
from connectors.tracing.spans import NO_TRACER, About, SpanKind
from schemas.errors import FatalError
from schemas.traces import TraceParent, parse_traceparent
from tests.collector import collecting

ABOVE = TraceParent("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", 1)
UNRECORDED = ABOVE._replace(flags=0).encode()


def read(header):
    found = parse_traceparent(header)
    assert found is not None
    return found


class InMemory:
    def __init__(self):
        self.tracer = MemoryTracer()

    def ended(self):
        return [
            (one.name, one.trace.trace_id, one.parent and one.parent.span_id, one.facts, one.error)
            for one in self.tracer.ended
        ]

    def links(self):
        return [[link.span_id for link in one.links] for one in self.tracer.ended]


class OnTheSdk:
    def __init__(self):
        self.exporter = InMemorySpanExporter()
        self.tracer = OtelTracer(TracingSettings(sample_ratio=1.0), "intake", "intake-1", self.exporter)

    def ended(self):
        self.tracer.close()
        return [
            (
                one.name,
                f"{one.context.trace_id:032x}",
                one.parent and f"{one.parent.span_id:016x}",
                {About(name): value for name, value in (one.attributes or {}).items()},
                one.status.description or "",
            )
            for one in self.exporter.get_finished_spans()
        ]

    def links(self):
        self.tracer.close()
        return [
            [f"{one.context.span_id:016x}" for one in span.links] for span in self.exporter.get_finished_spans()
        ]


@pytest.fixture(params=[InMemory, OnTheSdk])
def world(request):
    found = request.param()
    yield found
    found.tracer.close()


def test_a_span_below_a_header_belongs_to_its_trace(world):
    span = world.tracer.start("intake", ABOVE.encode(), SpanKind.CONSUMER)
    span.say({About.TENANT: "acme", About.WORDS: 3})
    span.say({About.WORDS: 4})
    span.end()
    facts = {About.TENANT: "acme", About.WORDS: 4}
    assert world.ended() == [("intake", ABOVE.trace_id, ABOVE.span_id, facts, "")]


def test_its_header_names_it_as_the_parent_of_what_follows(world):
    above = world.tracer.start("intake", ABOVE.encode())
    below = world.tracer.start("worker", above.header)
    for span in (below, above):
        span.end()
    found = {name: parent for name, _, parent, _, _ in world.ended()}
    assert found["worker"] == read(above.header).span_id


def test_without_a_header_a_trace_begins(world):
    span = world.tracer.start("intake")
    span.end()
    ((_, trace_id, parent, _, _),) = world.ended()
    assert (trace_id, parent) == (read(span.header).trace_id, None)
    assert read(span.header).is_sampled


def test_a_header_that_breaks_the_standard_begins_a_trace(world):
    span = world.tracer.start("intake", b"00-1-2-01")
    span.end()
    ((_, _, parent, _, _),) = world.ended()
    assert parent is None


def test_a_trace_that_is_not_recorded_is_passed_on_as_it_is(world):
    span = world.tracer.start("intake", UNRECORDED)
    assert (span.header, span.is_recorded) == (UNRECORDED, False)
    span.say({About.TENANT: "acme"})
    span.end("broken")
    assert world.ended() == []


def test_a_span_ends_once_and_with_the_cause_of_its_error(world):
    span = world.tracer.start("webhooks", ABOVE.encode())
    span.end("timeout")
    span.end()
    assert [error for *_, error in world.ended()] == ["timeout"]


def test_links_name_what_a_span_belongs_to_as_well(world):
    others = [world.tracer.start("worker", ABOVE.encode()) for _ in range(2)]
    world.tracer.start("engine part", links=[one.header for one in others]).end()
    assert world.links() == [[read(one.header).span_id for one in others]]


def test_of_traces_that_begin_here_a_share_is_recorded_and_the_others_stay_unrecorded():
    chances = iter([0.05, 0.2, 0.09, 0.1])
    settings = TracingSettings(sample_ratio=0.1)
    tracer = OtelTracer(settings, "intake", "i", InMemorySpanExporter(), lambda: next(chances))
    spans = [tracer.start("intake") for _ in range(4)]
    tracer.close()
    assert [one.is_recorded for one in spans] == [True, False, True, False]
    assert [read(one.header).is_sampled for one in spans] == [True, False, True, False]


def test_what_is_switched_off_passes_every_header_on():
    assert open_tracer(TracingSettings(), "intake", "i") is NO_TRACER
    for header in (ABOVE.encode(), UNRECORDED, b"", b"00-1-2-01"):
        assert NO_TRACER.start("intake", header).header == header


def test_without_opentelemetry_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "connectors.tracing.otel", None)
    with pytest.raises(FatalError, match=r"dragoman\[tracing\]"):
        open_tracer(TracingSettings(endpoint="http://127.0.0.1:1/v1/traces"), "intake", "i")


@pytest.mark.parametrize("bad", [{"endpoint": "collector:4318"}, {"headers": "secret"}, {"sample_ratio": 1.1}])
def test_a_bad_setting_is_refused_without_a_word_of_its_secret(bad):
    with pytest.raises(ValueError, match=next(iter(bad))) as refused:
        TracingSettings(**bad)
    assert "secret" not in str(refused.value)


def spans_counted():
    return {
        outcome: SPANS.labels(outcome)._value.get()  # the client offers no other way to read one
        for outcome in ("exported", "failed", "dropped")
    }


def counted_since(before):
    return {name: count - before[name] for name, count in spans_counted().items()}


def test_spans_reach_a_collector_with_the_headers_it_asks_for():
    before = spans_counted()
    with collecting() as collector:
        settings = TracingSettings(
            endpoint=collector.url, headers=SecretStr("x-key=k1, x-other=a=b"), sample_ratio=1.0
        )
        assert settings.header_pairs == {"x-key": "k1", "x-other": "a=b"}
        with tracing(settings, "intake", "intake-1") as tracer:
            tracer.start("intake").end()
    assert [(one.service, one.name) for one in collector.spans] == [("dragoman-intake", "intake")]
    assert counted_since(before) == {"exported": 1, "failed": 0, "dropped": 0}


class Stuck(SpanExporter):
    """Takes a batch and does not answer before it is told to."""

    def __init__(self):
        self.may_answer = threading.Event()
        self.result = SpanExportResult.FAILURE

    def export(self, spans):
        self.may_answer.wait(10)
        return self.result

    def shutdown(self):
        self.may_answer.set()


def test_a_collector_that_does_not_answer_costs_counts_and_no_wait():
    before, exporter = spans_counted(), Stuck()
    settings = TracingSettings(sample_ratio=1.0, queue_spans=5, send_seconds=0.01)
    tracer = OtelTracer(settings, "intake", "i", exporter)
    began = time.monotonic()
    for _ in range(20):
        tracer.start("intake").end()
    assert time.monotonic() - began < 1
    assert counted_since(before) == {"exported": 0, "failed": 0, "dropped": 15}
    with structlog.testing.capture_logs() as lines:
        exporter.may_answer.set()
        tracer.close()
    assert counted_since(before) == {"exported": 0, "failed": 5, "dropped": 15}
    assert [line["event"] for line in lines] == ["spans_not_sent"]


def test_the_end_of_a_process_does_not_wait_for_a_collector_that_is_away(monkeypatch):
    monkeypatch.setattr("connectors.tracing.otel._CLOSE_SECONDS", 0.1)
    exporter = Stuck()
    tracer = OtelTracer(TracingSettings(sample_ratio=1.0), "intake", "i", exporter)
    tracer.start("intake").end()
    began = time.monotonic()
    tracer.close()
    assert time.monotonic() - began < 2
    exporter.may_answer.set()


class Raising(SpanExporter):
    """Cannot encode what it gets, until it is mended."""

    def __init__(self):
        self.is_broken, self.sent = True, []

    def export(self, spans):
        if self.is_broken:
            raise ValueError("surrogates not allowed")
        self.sent += spans
        return SpanExportResult.SUCCESS


def test_spans_that_cannot_be_encoded_take_no_room_for_ever():
    exporter = Raising()
    settings = TracingSettings(sample_ratio=1.0, queue_spans=4, send_seconds=0.01)
    tracer = OtelTracer(settings, "intake", "intake-1", exporter)
    failed = SPANS.labels("failed")._value.get()
    for _ in range(4):
        tracer.start("intake").end()
    until = time.monotonic() + 5
    while SPANS.labels("failed")._value.get() < failed + 4 and time.monotonic() < until:
        time.sleep(0.01)
    exporter.is_broken = False
    tracer.start("intake").end()
    tracer.close()
    assert len(exporter.sent) == 1
