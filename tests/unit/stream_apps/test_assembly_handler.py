"""A cycle of assembly on in-memory slots: who answers, with which outputs, after which failures."""

import dataclasses
from typing import Any

import pytest
from obstore.store import MemoryStore

from connectors.memory import InMemorySlots
from connectors.object_store import NoObjectStore, UrlObjectStore
from connectors.tracing.memory import MemoryTracer
from connectors.tracing.spans import About
from schemas import topics
from schemas.codec import Codec, M
from schemas.errors import TransientError
from schemas.events import DeadLetter, JobControl, UsageBatch, UsageEvent
from schemas.ids import JobKey
from schemas.messages import Job, Message, TranslatedBatch, TranslationResult
from schemas.records import InboundRecord, OutboundRecord, StoredAt
from schemas.slots import AnswerSource
from schemas.states import ControlAction
from schemas.traces import TraceParent, trace_of
from stream_apps.assembly.handler import AssemblyHandler
from stream_apps.assembly.parsed_records import portions
from stream_apps.runtime.stage_spans import StageSpans
from tests.dead_letters import dead_letter_writer
from tests.keys import key

CODEC = Codec()
R1 = key("r1", "acme")
JOB = Job(
    priority="high",
    pipeline_version="v1",
    batches=2,
    segments=2,
    words=6,
    characters=30,
    accepted_at=1,
)


@pytest.fixture
def store() -> UrlObjectStore:
    return UrlObjectStore(MemoryStore())


@pytest.fixture
def handler(store) -> AssemblyHandler:
    return handler_with(store, 10_000)


def handler_with(objects, limit: int) -> AssemblyHandler:
    return AssemblyHandler(
        codec=CODEC,
        slots=InMemorySlots(),
        told=lambda: {AnswerSource(topics.TRANSLATED, 0)},
        objects=objects,
        inline_limit_bytes=limit,
        now_ms=lambda: 2_001,
        dead_letters=dead_letter_writer("assembly"),
        usage_partition=1,
    )


def batch(
    number: int, offset: int, text: str = "Olá", request_id: str = "r1", tenant: str = "acme", **job: Any
) -> InboundRecord:
    message = TranslatedBatch(
        tenant=tenant,
        request_id=request_id,
        batch_number=number,
        job=Job(**{**vars(JOB), **job}),
        gaps=(" ",),
        translations=(f"{text} {number}.",),
        causes=(None,),
        scores=(None,),
        cached=(False,),
    )
    return record(topics.TRANSLATED, offset, message)


def order(offset: int, **fields: Any) -> InboundRecord:
    message = JobControl(**{"tenant": "acme", "request_id": "r1", "action": ControlAction.CANCEL, **fields})
    return record(topics.CONTROL, offset, message)


def record(topic: str, offset: int, message: Message) -> InboundRecord:
    headers = {"traceparent": b"00-1-2-01", "other": b"x"}
    return InboundRecord(topic, 0, offset, b"any key", CODEC.encode(message), headers)


def of(outputs: list[OutboundRecord], topic: str, kind: type[M]) -> list[M]:
    return [CODEC.decode(output.value, kind) for output in outputs if output.topic == topic]


def results(outputs: list[OutboundRecord]) -> list[TranslationResult]:
    return of(outputs, topics.RESULTS, TranslationResult)


def usage_of(outputs: list[OutboundRecord]) -> UsageEvent:
    """Return the one row of the one record of usage."""
    ((usage,),) = [batch.events for batch in of(outputs, topics.USAGE, UsageBatch)]
    return usage


def shown(handler: AssemblyHandler, request: JobKey) -> bytes | None:
    """Return what callers see of the answer."""
    assert isinstance(handler.slots, InMemorySlots)
    return handler.slots.results.get(request)


def test_the_last_batch_brings_result_and_usage_together(handler):
    assert handler.handle([batch(1, 4)]) == []
    outputs = handler.handle([batch(0, 5)])
    assert [output.topic for output in outputs] == [topics.RESULTS, topics.USAGE]
    assert [result.text for result in results(outputs)] == ["Olá 0. Olá 1. "]
    assert (usage_of(outputs).source_words, usage_of(outputs).status) == (6, "COMPLETED")


def test_a_result_has_the_request_as_key_and_usage_has_none(handler):
    outputs = handler.handle([batch(0, 1), batch(1, 2)])
    assert [output.key for output in outputs] == [b"acme/r1", None]


def test_a_result_carries_the_trace_and_its_routing_headers_but_no_foreign_ones(handler):
    headers = handler.handle([batch(0, 1), batch(1, 2)])[0].headers
    assert headers == {
        "schema": b"TranslationResult",
        "tenant": b"acme",
        "priority": b"high",
        "words": b"6",
        "version": b"1",
        "status": b"COMPLETED",
        "traceparent": b"00-1-2-01",
    }


def test_the_record_that_completes_a_request_has_a_span_below_which_the_result_belongs(handler):
    tracer = MemoryTracer()
    handler.spans = StageSpans("assembly", tracer)
    above = [TraceParent(f"{number:032x}", f"{number:016x}", 1) for number in (1, 2)]
    first, last = batch(0, 1), batch(1, 2)
    for record, parent in zip((first, last), above, strict=True):
        record.headers["traceparent"] = parent.encode()
    outputs = handler.handle([first, last])
    assert tracer.ended == []
    handler.committed([StoredAt(0, 0)])
    (span,) = tracer.ended
    assert (span.name, span.parent) == ("assembly", above[1])
    assert trace_of(outputs[0].headers) == span.trace
    told = {About.REQUEST_ID: "r1", About.STATUS: "COMPLETED", About.WORDS: 6}
    assert told.items() <= span.facts.items()


def test_a_cycle_that_comes_again_goes_on_with_its_spans(handler):
    tracer = MemoryTracer()
    handler.spans = StageSpans("assembly", tracer)
    outputs = [handler.handle([batch(0, 1), batch(1, 2)])[0] for _ in range(2)]
    handler.committed([StoredAt(0, 0)])
    assert len(tracer.ended) == 1
    assert {trace_of(one.headers) for one in outputs} == {tracer.ended[0].trace}


def test_a_result_with_a_callback_says_so_in_a_header(handler):
    url = "https://hooks.acme.example/in"
    told, _usage = handler.handle([batch(0, 5, batches=1, callback=url)])
    assert (told.headers["callback"], results([told])[0].callback) == (b"1", url)
    silent, _usage = handler.handle([batch(0, 6, request_id="r2", batches=1)])
    assert "callback" not in silent.headers


def test_an_aborted_cycle_gives_the_same_outputs_again(handler):
    records = [batch(0, 1), batch(1, 2)]
    assert handler.handle(records) == handler.handle(records)


def test_duplicates_in_the_same_cycle_and_later_are_silent(handler):
    assert len(results(handler.handle([batch(0, 1), batch(1, 2), batch(1, 3), batch(0, 4)]))) == 1
    handler.committed([])
    assert handler.handle([batch(0, 5), batch(1, 6)]) == []


def test_after_the_commit_the_result_can_be_looked_up_and_nothing_answers_again(handler):
    outputs = handler.handle([batch(0, 1), batch(1, 2)])
    assert shown(handler, R1) is None
    handler.committed([])
    assert shown(handler, R1) == outputs[0].value
    assert handler.handle([batch(1, 2)]) == []


def test_losing_the_step_after_the_commit_never_gives_a_second_answer(handler):
    handler.handle([batch(0, 1), batch(1, 2)])
    # Killed here: `committed` is never called, the offsets are committed, only other records come.
    assert handler.handle([batch(0, 11), batch(1, 12), order(1)]) == []


def test_results_that_redis_did_not_take_are_shown_with_the_next_ones(handler):
    def refuse(_completions, _told):
        raise TransientError("Redis is away")

    outputs = handler.handle([batch(0, 1), batch(1, 2)])
    healthy, handler.slots.finish = handler.slots.finish, refuse
    with pytest.raises(TransientError):
        handler.committed([])
    handler.slots.finish = healthy
    handler.handle([batch(0, 3, request_id="r2")])
    handler.committed([])
    assert shown(handler, R1) == outputs[0].value


def test_what_an_empty_cycle_leaves_behind_is_nothing(handler):
    handler.handle([batch(0, 1)])
    handler.committed([])
    assert shown(handler, R1) is None


def test_a_cancelled_request_is_answered_from_the_header_of_a_batch(handler):
    handler.handle([batch(0, 1)])
    outputs = handler.handle([order(9), batch(1, 2)])
    (result,) = results(outputs)
    assert (result.status, result.tenant, result.priority, result.text) == ("CANCELLED", "acme", "high", None)


def test_whoever_cancels_knows_less_of_the_request_than_its_batches(handler):
    handler.handle([batch(0, 1)])
    outputs = handler.handle([order(9, job=Job(priority="standard"))])
    assert [result.priority for result in results(outputs)] == ["high"]


def test_a_refused_request_is_answered_from_the_header_in_the_order(handler):
    refusal = order(9, action=ControlAction.FAIL, cause="unsupported_pair", field="target_language", job=JOB)
    (result,) = results(handler.handle([refusal]))
    assert (result.status, result.error_cause, result.tenant) == ("FAILED", "unsupported_pair", "acme")


def test_an_order_too_late_is_silent(handler):
    handler.handle([batch(0, 1), batch(1, 2)])
    assert handler.handle([order(9)]) == []


def test_an_undecodable_record_is_a_dead_letter_and_the_others_go_on(handler):
    broken = InboundRecord(topics.TRANSLATED, 0, 7, b"r9", b'{"json": 1}')
    outputs = handler.handle([batch(0, 1), broken, batch(1, 2)])
    (dead_letter,) = of(outputs, topics.DEAD_LETTERS, DeadLetter)
    assert (dead_letter.stage, dead_letter.cause, dead_letter.offset, dead_letter.value) == (
        "assembly",
        "undecodable",
        7,
        broken.value,
    )
    assert len(results(outputs)) == 1


def test_a_batch_that_does_not_fit_and_an_unknown_order_are_dead_letters(handler):
    outputs = handler.handle([batch(5, 1), order(2, action="PAUSE")])
    causes = [dead_letter.cause for dead_letter in of(outputs, topics.DEAD_LETTERS, DeadLetter)]
    assert causes == ["unfit_batch", "unknown_action"]


def test_batches_of_two_splits_are_never_mixed(handler):
    outputs = handler.handle(
        [
            batch(0, 1, "old"),
            batch(1, 2, "new", pipeline_version="v2"),
            batch(1, 3, "old"),
            batch(0, 4, "new", pipeline_version="v2"),
        ]
    )
    assert [result.text for result in results(outputs)] == ["old 0. old 1. "]


def test_a_large_text_goes_to_the_object_store(store):
    handler = handler_with(store, 500)
    (result,) = results(handler.handle([batch(0, 1, "Olá" * 100), batch(1, 2, "Olá" * 100)]))
    assert result.text is None
    text = store.read_text(result.content_ref or "", 10_000)
    assert (len(text), text[:9]) == (result.target_characters, "OláOláOlá")
    assert (result.status, result.source_words) == ("COMPLETED", 6)


def test_a_large_array_goes_there_as_one_text_with_separators(store):
    handler = handler_with(store, 500)
    records = [batch(at, at + 1, "Olá" * 100, kind="texts") for at in range(2)]
    first = dataclasses.replace(CODEC.decode(records[0].value, TranslatedBatch), gaps=("\x1e",))
    records[0] = dataclasses.replace(records[0], value=CODEC.encode(first))
    (result,) = results(handler.handle(records))
    assert (result.text, result.texts, result.kind, result.units) == (None, [], "texts", 2)
    assert store.read_text(result.content_ref or "", 10_000) == f"{'Olá' * 100} 0.\x1e{'Olá' * 100} 1. "


def test_a_large_text_without_an_object_store_fails_by_name_and_is_not_billed():
    handler = handler_with(NoObjectStore(500, "result_too_large"), 500)
    outputs = handler.handle([batch(0, 1, "Olá" * 100), batch(1, 2, "Olá" * 100)])
    (result,) = results(outputs)
    assert (result.status, result.error_cause, usage_of(outputs).source_words) == ("FAILED", "result_too_large", 0)


def test_a_correction_is_a_second_version_that_bills_only_what_the_first_did_not(handler):
    handler.handle([batch(0, 4), batch(1, 5)])
    handler.committed([])
    again: dict[str, Any] = {"revision": 2, "billed_words": 4, "billed_characters": 20}
    outputs = handler.handle([batch(0, 8, "Oi", **again), batch(1, 9, "Oi", **again)])
    assert [(result.version, result.text) for result in results(outputs)] == [(2, "Oi 0. Oi 1. ")]
    usage = usage_of(outputs)
    assert (usage.source_words, usage.source_characters) == (JOB.words - 4, JOB.characters - 20)
    handler.committed([])
    newest = CODEC.decode(shown(handler, R1), TranslationResult)
    assert newest.version == 2


def test_requests_of_two_tenants_under_one_id_get_answers_of_their_own(handler):
    outputs = handler.handle(
        [batch(0, 1), batch(1, 2, "Oi", tenant="globex"), batch(1, 3), batch(0, 4, "Oi", tenant="globex")]
    )
    assert [(one.key, one.text) for one in results(outputs)] == [
        (R1, "Olá 0. Olá 1. "),
        (key("r1", "globex"), "Oi 0. Oi 1. "),
    ]
    assert [output.headers["tenant"] for output in outputs if output.topic == topics.RESULTS] == [
        b"acme",
        b"globex",
    ]
    usage = [event for one in of(outputs, topics.USAGE, UsageBatch) for event in one.events]
    assert [(one.tenant, one.request_id) for one in usage] == [("acme", "r1"), ("globex", "r1")]
    assert len({one.event_id for one in usage}) == 2
    handler.committed([])
    seen = [CODEC.decode(shown(handler, key("r1", tenant)), TranslationResult) for tenant in ("acme", "globex")]
    assert [one.text for one in seen] == ["Olá 0. Olá 1. ", "Oi 0. Oi 1. "]


def test_a_cancellation_in_the_name_of_another_tenant_ends_nothing(handler):
    handler.handle([batch(0, 1)])
    foreign = results(handler.handle([order(9, tenant="globex")]))
    assert [(one.key, one.status) for one in foreign] == [(key("r1", "globex"), "CANCELLED")]
    handler.committed([])
    assert [(one.key, one.status) for one in results(handler.handle([batch(1, 2)]))] == [(R1, "COMPLETED")]


def test_large_texts_of_two_tenants_under_one_id_lie_each_in_its_own_folder(store):
    handler = handler_with(store, 500)
    records = [
        batch(number, 2 * at + number, tenant[0] * 300, tenant=tenant)
        for at, tenant in enumerate(("acme", "globex"))
        for number in (0, 1)
    ]
    mine, theirs = results(handler.handle(records))
    for result, folder in ((mine, "tenants/acme/results/"), (theirs, "tenants/globex/results/")):
        assert (result.content_ref or "").startswith(folder)
        assert store.read_text(result.content_ref or "", 10_000)[0] == result.tenant[0]


def test_two_payloads_under_one_key_with_equally_many_batches_are_never_mixed(handler):
    outputs = handler.handle(
        [
            batch(0, 1, "old", fingerprint="a" * 32),
            batch(1, 2, "new", fingerprint="b" * 32),
            batch(1, 3, "old", fingerprint="a" * 32),
            batch(0, 4, "new", fingerprint="b" * 32),
        ]
    )
    assert [result.text for result in results(outputs)] == ["old 0. old 1. "]


def test_callers_are_told_up_to_the_last_answer_but_only_where_nothing_of_a_predecessor_is_left(handler):
    handler.handle([batch(0, 1, batches=1), batch(0, 2, batches=1, request_id="r2"), order(3, request_id="r3")])
    handler.committed([StoredAt(0, 41), StoredAt(3, 99), StoredAt(0, 50), StoredAt(0, 999)])
    assert handler.slots.told() == {AnswerSource(topics.TRANSLATED, 0): 42}


def test_what_redis_did_not_take_is_told_before_the_next_cycle(handler):
    def refuse(_completions, _told):
        raise TransientError("Redis is away")

    handler.handle([batch(0, 1, batches=1)])
    healthy, handler.slots.finish = handler.slots.finish, refuse
    with pytest.raises(TransientError):
        handler.committed([StoredAt(0, 41)])
    handler.slots.finish = healthy
    handler.tell()
    assert handler.slots.told() == {AnswerSource(topics.TRANSLATED, 0): 42}


def test_a_cycle_bills_in_one_record_of_its_process(handler):
    outputs = handler.handle([batch(0, at, batches=1, request_id=f"r{at}") for at in range(5)])
    (usage,) = [output for output in outputs if output.topic == topics.USAGE]
    assert (usage.partition, len(CODEC.decode(usage.value, UsageBatch).events)) == (1, 5)
    assert [output.topic for output in outputs[:5]] == [topics.RESULTS] * 5


@pytest.mark.parametrize("tenant", ["", "Acme", "a/b"])
def test_a_batch_and_an_order_of_no_tenant_that_could_be_are_dead_letters(handler, tenant):
    outputs = handler.handle([batch(0, 1, tenant=tenant), order(2, tenant=tenant)])
    dead_letters = of(outputs, topics.DEAD_LETTERS, DeadLetter)
    assert [(one.cause, one.field) for one in dead_letters] == [("bad_tenant", "tenant")] * 2
    assert len(outputs) == 2


def test_slots_are_read_for_few_large_requests_at_a_time(handler):
    records = [batch(0, offset, "x" * 1000, request_id=f"r{offset}", batches=50) for offset in range(5)]
    parsed_records = [handler._parsed(record) for record in records]
    assert [len(some) for some in portions(parsed_records, 120_000)] == [2, 2, 1]
    assert [len(some) for some in portions(parsed_records, 1)] == [1, 1, 1, 1, 1]


def test_many_batches_of_one_request_are_one_portion(handler):
    parsed_records = [handler._parsed(batch(number, number, "x" * 1000, batches=50)) for number in range(50)]
    assert [len(some) for some in portions(parsed_records, 60_000)] == [50]


def test_answers_are_the_same_however_small_the_portions_are(store):
    records = [batch(number, 2 * at + number, request_id=f"r{at}") for at in range(20) for number in (0, 1)]
    whole, small = handler_with(store, 10_000), handler_with(store, 10_000)
    small.slots_bytes = 1
    assert small.handle(records) == whole.handle(records)


def test_a_result_whose_holes_alone_are_too_large_fails_by_name_instead_of_blocking_the_others(store):
    handler = handler_with(store, 10_000)
    handler.max_message_bytes = 20_000
    count = 3000
    holes = TranslatedBatch(
        tenant="acme",
        request_id="r1",
        batch_number=0,
        job=Job(**{**vars(JOB), "batches": 1, "segments": count}),
        gaps=[""] * count,
        translations=["x"] * count,
        causes=[None, *["repetition_loop"] * (count - 1)],
        scores=[None] * count,
        cached=[False] * count,
    )
    outputs = handler.handle([record(topics.TRANSLATED, 1, holes)])
    (result,) = results(outputs)
    assert (result.status, result.error_cause, result.holes) == ("FAILED", "result_too_large", ())
    assert max(len(output.value or b"") for output in outputs) < 20_000


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"scores": (float("nan"),)}, "scores"),
        ({"timings": {"queue": float("inf")}}, "timings"),
        ({"target_words": 10**6}, "target_words"),
        ({"request_id": "x" * 1001}, "request_id"),
        ({"request_id": ""}, "request_id"),
        ({"cached": ()}, "cached"),
        ({"job": Job(**{**vars(JOB), "batches": 2**31 - 1})}, "job.batches"),
    ],
)
def test_a_batch_that_is_out_of_bounds_is_a_dead_letter_that_names_the_field(handler, changes, field):
    sound = CODEC.decode(batch(0, 1).value, TranslatedBatch)
    outputs = handler.handle([record(topics.TRANSLATED, 1, TranslatedBatch(**{**vars(sound), **changes}))])
    (dead_letter,) = of(outputs, topics.DEAD_LETTERS, DeadLetter)
    assert (dead_letter.cause, dead_letter.field) == ("out_of_bounds", field)
