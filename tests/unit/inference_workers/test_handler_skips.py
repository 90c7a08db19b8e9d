"""Batches that nobody waits for are dropped before any work is done for them."""

from dataclasses import replace
from typing import Any

from connectors.memory import FixedAnsweredRequests, InMemoryTranslationMemory
from connectors.telemetry.metrics import BATCHES_SKIPPED
from inference_workers.answers import WorkerIdentity
from inference_workers.handler import BatchHandler
from inference_workers.priority_credit import Speedometer
from inference_workers.translating import SegmentTranslator
from schemas import topics
from schemas.codec import Codec
from schemas.ids import JobKey
from schemas.messages import Job, SegmentBatch, TranslatedBatch
from schemas.records import InboundRecord
from schemas.slots import RequestRevision
from stream_apps.pipeline.deadline_policy import SkipPolicy
from tests.dead_letters import dead_letter_writer
from tests.unit.inference_workers.test_translating import Clock, ShoutingTranslator
from tests.worker_cycle import outputs_of

NOW = 100_000
BATCH = SegmentBatch(
    request_id="r1",
    batch_number=0,
    job=Job(source_language="en", target_language="pt", batches=1),
    texts=("hi",),
    gaps=("",),
    translations=(None,),
    scores=(None,),
)


def batch(request_id: str = "r1", **job: Any) -> SegmentBatch:
    return replace(BATCH, request_id=request_id, job=replace(BATCH.job, **job))


def reasons(*batches: SegmentBatch, answered: tuple[RequestRevision, ...] = ()) -> list[str | None]:
    return SkipPolicy(FixedAnsweredRequests(*answered)).reasons_to_skip(batches, NOW)


def test_batches_of_answered_requests_are_skipped_and_others_are_not():
    assert reasons(batch("r1"), batch("r2"), answered=(RequestRevision(JobKey("default", "r1")),)) == [
        "answered",
        None,
    ]


def test_a_correction_is_wanted_though_the_first_answer_is_out():
    assert reasons(batch(revision=2), answered=(RequestRevision(JobKey("default", "r1")),)) == [None]
    assert reasons(batch(revision=2), answered=(RequestRevision(JobKey("default", "r1"), 2),)) == ["answered"]


def test_a_batch_is_wanted_though_another_tenants_request_of_that_id_is_answered():
    assert reasons(batch("r1"), answered=(RequestRevision(JobKey("globex", "r1")),)) == [None]


def test_a_batch_is_skipped_from_the_moment_of_its_deadline():
    assert reasons(batch(deadline=NOW + 1), batch(deadline=NOW), batch()) == [None, "expired", None]


def test_what_is_skipped_costs_no_engine_time_leaves_no_output_and_is_counted():
    translator, memory = ShoutingTranslator(Clock()), InMemoryTranslationMemory()
    handler = BatchHandler(
        Codec(),
        SkipPolicy(FixedAnsweredRequests(RequestRevision(JobKey("default", "cancelled")))),
        SegmentTranslator(translator, memory, translator.clock),
        WorkerIdentity("w", "tests-of-skipping", "cpu", "spot"),
        Speedometer(100.0),
        lambda: NOW,
        dead_letter_writer("inference"),
    )
    waiting = [batch("cancelled"), batch("wanted"), batch("late", deadline=1)]
    outputs = outputs_of(
        handler,
        [
            InboundRecord("translation.batches.default.high", 0, at, b"", Codec().encode(one))
            for at, one in enumerate(waiting)
        ],
    )
    translated = [Codec().decode(out.value, TranslatedBatch) for out in outputs if out.topic == topics.TRANSLATED]
    assert [done.request_id for done in translated] == ["wanted"]
    assert [out.topic for out in outputs].count(topics.USAGE) == 1
    assert translator.calls == [["hi"]]
    for reason in ("answered", "expired"):
        assert BATCHES_SKIPPED.labels("tests-of-skipping", "standard", reason)._value.get() == 1


def test_the_store_is_asked_only_about_batches_that_waited_or_have_siblings():
    asked: list[str] = []

    class Recorded(FixedAnsweredRequests):
        def among(self, requests):
            asked.extend(request.key.request_id for request in requests)
            return super().among(requests)

    old, new, sibling = batch("old"), batch("new", accepted_at=NOW - 1_999), batch("sibling", accepted_at=NOW)
    sibling = replace(sibling, job=replace(sibling.job, batches=2))
    SkipPolicy(Recorded()).reasons_to_skip([old, new, sibling], NOW)
    assert asked == ["old", "sibling"]
    SkipPolicy(Recorded()).reasons_to_skip([new], NOW)
    assert asked == ["old", "sibling"]
