"""Each stage gives a record a span, what it leads to belongs below it, and what is off changes nothing."""

import asyncio
from dataclasses import replace

import pytest

from connectors.tracing.memory import MemoryTracer
from connectors.tracing.spans import About
from schemas.errors import PermanentError, TransientError
from schemas.records import InboundRecord, OutboundRecord, StoredAt
from schemas.traces import TraceParent, parse_traceparent, trace_of
from stream_apps.runtime.event_processor import EventHandler
from stream_apps.runtime.stage_spans import StageSpans
from stream_apps.runtime.traced_events import traced
from tests.dead_letters import dead_letter_writer
from tests.unit.stream_apps.test_intake_handler import NOW, Intake, request

ABOVE = TraceParent("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", 1)
SAMPLED, UNSAMPLED = ABOVE.encode(), ABOVE._replace(flags=0).encode()


def record(offset=1, traceparent=SAMPLED):
    headers = {"other": b"x"} | ({"traceparent": traceparent} if traceparent else {})
    return InboundRecord("t", 0, offset, b"k", b"v", headers)


@pytest.fixture
def tracer():
    return MemoryTracer()


@pytest.fixture
def spans(tracer):
    return StageSpans("stage", tracer)


def test_what_a_record_leads_to_belongs_below_its_span(spans, tracer):
    below = spans.begin(record())
    assert below == replace(record(), headers=below.headers)
    assert below.headers["other"] == b"x"
    spans.of(record()).say({About.TENANT: "acme"})
    spans.end([record().coordinates])
    (span,) = tracer.ended
    assert (span.name, span.parent, span.facts) == ("stage", ABOVE, {About.TENANT: "acme"})
    assert parse_traceparent(below.trace["traceparent"]) == span.trace


def test_a_record_that_comes_again_goes_on_with_its_span(spans, tracer):
    assert spans.begin(record()) == spans.begin(record())
    spans.end([record().coordinates])
    spans.end([record().coordinates])
    assert len(tracer.ended) == 1


def test_the_record_of_an_unrecorded_trace_stays_as_it_is(spans, tracer):
    silent = record(traceparent=UNSAMPLED)
    assert spans.begin(silent) is silent
    assert spans.of(silent) is None
    spans.end([silent.coordinates])
    assert tracer.ended == []


def test_where_nothing_is_recorded_nothing_is_done():
    spans, one = StageSpans("stage"), record()
    assert spans.begin(one) is one
    assert spans.of(one) is None
    # Not even the coordinates are asked for.
    spans.end(1 / 0 for _ in range(1))  # type: ignore[misc]  # would fail if it were looked at


def test_of_too_many_open_spans_the_oldest_are_forgotten(tracer):
    spans = StageSpans("stage", tracer, most_open=2)
    for offset in range(4):
        spans.begin(record(offset))
    spans.end(record(offset).coordinates for offset in range(4))
    assert len(tracer.ended) == 2


class Stage:
    """A handler that is refused what it is told to refuse, and fails as often as told."""

    def __init__(self, refuses=(), failures=0):
        self.refuses, self.failures, self.refused = refuses, failures, []

    async def handle(self, records):
        if self.failures:
            self.failures -= 1
            raise TransientError("away")
        bad = PermanentError("bad", "bad")
        return [
            bad if one.offset in self.refuses else [OutboundRecord("o", b"k", b"v", one.trace)] for one in records
        ]

    async def delivered(self, records, places):
        return None

    def refusal(self, record, error, dead_letter):
        self.refused.append(record)
        return dead_letter, ()

    def traced(self, spans):
        handler = EventHandler(dead_letter_writer("stage"), self.handle, self.delivered, self.refusal)
        return traced(handler, spans)


def test_events_end_when_their_outputs_are_stored(spans, tracer):
    handler = Stage().traced(spans)

    async def run():
        outputs = await handler.handle([record(1), record(2)])
        assert tracer.ended == []
        await handler.delivered([record(1)], [[StoredAt(0, 0)]])
        return outputs

    (first, _second) = asyncio.run(run())
    (span,) = tracer.ended
    assert trace_of(first[0].headers) == span.trace


def test_an_event_that_is_tried_again_has_one_span(spans, tracer):
    handler = Stage(failures=1).traced(spans)

    async def run():
        with pytest.raises(TransientError):
            await handler.handle([record()])
        await handler.handle([record()])
        await handler.delivered([record()], [()])

    asyncio.run(run())
    assert len(tracer.ended) == 1


def test_a_refusal_is_said_and_its_answer_belongs_below_the_span(spans, tracer):
    stage = Stage(refuses={1})
    handler = stage.traced(spans)

    async def run():
        (error,) = await handler.handle([record()])
        letters = handler.dead_letters
        handler.refusal(record(), error, letters.dead_letter_of(record(), error))
        await handler.delivered([record()], [()])

    asyncio.run(run())
    (span,) = tracer.ended
    assert span.facts == {About.OUTCOME: "refused", About.CAUSE: "bad"}
    assert trace_of(stage.refused[0].headers) == span.trace


def test_a_handler_is_left_alone_where_nothing_is_recorded():
    handler = EventHandler(dead_letter_writer("stage"), Stage().handle)
    assert traced(handler, StageSpans("stage")) is handler


@pytest.mark.parametrize(
    ("asked", "facts"),
    [
        (
            {},
            {
                About.OUTCOME: "accepted",
                About.SOURCE: "en",
                About.TARGET: "pt",
                About.BATCHES: 1,
                About.WORDS: 7,
                About.SEGMENTS: 2,
                About.CACHED_SEGMENTS: 0,
            },
        ),
        ({"target_language": "the text itself"}, {About.OUTCOME: "refused"}),
        ({"deadline": NOW - 1}, {About.OUTCOME: "expired"}),
    ],
    ids=["accepted", "refused", "expired"],
)
def test_intake_says_whose_request_it_is_and_what_became_of_it(spans, tracer, asked, facts):
    intake = Intake(spans=spans)
    one = intake.record(request(**asked), traceparent=SAMPLED)
    intake.take_record(spans.begin(one))
    spans.end([one.coordinates])
    (span,) = tracer.ended
    assert facts.items() <= span.facts.items()
    assert (span.facts[About.TENANT], span.facts[About.REQUEST_ID]) == ("acme", "r1")
    assert span.facts[About.PRIORITY] == "high"
    assert "the text itself" not in span.facts.values()


def test_a_batch_carries_the_span_of_intake(spans, tracer):
    intake = Intake(spans=spans)
    (output,) = intake.take_record(spans.begin(intake.record(request(), traceparent=SAMPLED)))
    found = trace_of(output.headers)
    assert found is not None
    assert (found.trace_id, found.span_id != ABOVE.span_id) == (ABOVE.trace_id, True)
