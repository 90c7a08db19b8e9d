"""What a worker traces: each batch below its request, each part below its batch or linked to several."""

import pytest

from connectors.tracing.memory import MemoryTracer
from connectors.tracing.spans import About
from inference_workers.tracing import WorkSpans
from schemas.messages import TranslatedBatch
from schemas.traces import TraceParent, trace_of
from tests.unit.inference_workers.test_handler import CODEC, handler, memory, record  # noqa: F401  # fixtures
from tests.worker_cycle import taken

ABOVE = [TraceParent(f"{number:032x}", f"{number:016x}", 1) for number in (1, 2)]


@pytest.fixture
def tracer():
    return MemoryTracer()


@pytest.fixture
def traced(handler, tracer):  # noqa: F811  # the fixture
    handler.spans = WorkSpans(tracer)
    return handler


def sent(number, text):
    one = record(text, offset=number)
    one.headers["traceparent"] = ABOVE[number].encode()
    return one


def outputs_of(worker, records):
    """Work as the loop does, parts included."""
    opened = worker.open(taken(records))
    while part := worker.segments.next_part(opened.workload):
        result = worker.segments.run(part)
        worker.segments.note(opened.workload, part, result)
        worker.spans.part_done(part, opened.records, result, "default")
    return [
        worker.outputs(opened.records[index].record, opened.workload.batches[index])
        for index in sorted(opened.workload.finished())
    ]


def named(tracer, name):
    return [span for span in tracer.ended if span.name == name]


def test_a_batch_has_a_span_below_its_request_and_its_translation_belongs_below_it(traced, tracer):
    ((translated,),) = outputs_of(traced, [sent(0, "good day")])
    (batch,) = named(tracer, "worker")
    assert batch.parent == ABOVE[0]
    assert trace_of(translated.headers) == batch.trace
    assert batch.facts[About.ENGINE] == "shout-1"
    assert (batch.facts[About.SOURCE], batch.facts[About.TARGET]) == ("en", "pt")
    assert (batch.facts[About.WORDS], batch.facts[About.SEGMENTS]) == (2, 1)
    assert batch.facts[About.ENGINE_SECONDS] == 0.5


def test_a_part_of_one_batch_is_below_it(traced, tracer):
    outputs_of(traced, [sent(0, "good day")])
    (batch,), (part,) = named(tracer, "worker"), named(tracer, "engine part")
    assert (part.parent, part.links) == (batch.trace, [])
    assert part.facts[About.ENGINE_SECONDS] == 0.5


def test_a_part_of_several_batches_is_linked_to_each(traced, tracer):
    outputs_of(traced, [sent(0, "good day"), sent(1, "my friend")])
    (part,) = named(tracer, "engine part")
    assert part.parent is None
    assert part.links == [batch.trace for batch in named(tracer, "worker")]


def test_a_text_that_two_batches_want_is_linked_to_both(traced, tracer):
    outputs_of(traced, [sent(0, "good day"), sent(1, "good day")])
    (part,) = named(tracer, "engine part")
    assert len(part.links) == 2


def test_parts_of_unrecorded_batches_leave_no_span(traced, tracer):
    silent = sent(0, "good day")
    silent.headers["traceparent"] = ABOVE[0]._replace(flags=0).encode()
    ((translated,),) = outputs_of(traced, [silent])
    assert tracer.ended == []
    assert translated.headers["traceparent"] == silent.headers["traceparent"]


def test_with_nothing_recorded_the_header_goes_through(handler):  # noqa: F811  # the fixture
    ((translated,),) = outputs_of(handler, [sent(0, "good day")])
    assert translated.headers["traceparent"] == ABOVE[0].encode()


def test_no_span_has_a_text(traced, tracer):
    ((translated,),) = outputs_of(traced, [sent(0, "good day")])
    assert CODEC.decode(translated.value, TranslatedBatch).translations == ["GOOD DAY"]
    said = str([span.facts for span in tracer.ended]).lower()
    assert "good day" not in said
