"""What the processes do with the topics of a tenant that has Kafka access of its own: acme here."""

import dataclasses

import pytest
from obstore.store import MemoryStore

from connectors.memory import InMemorySlots
from connectors.object_store import UrlObjectStore
from schemas import topics
from schemas.codec import SCHEMA_ID_HEADER, Codec
from schemas.errors import PermanentError
from schemas.events import DeadLetter, JobControl, UsageBatch
from schemas.messages import TranslatedBatch, TranslationRequest, TranslationResult
from schemas.own_topics import order_of
from schemas.priorities import Priority
from schemas.records import InboundRecord, StoredAt
from schemas.slots import AnswerSource
from schemas.states import ControlAction
from stream_apps.redrive.erasing import TenantEraser
from stream_apps.repair.low_watermark import low_watermarks
from stream_apps.repair.open_requests import OpenRequests
from stream_apps.replay.traffic import Selection, Traffic
from stream_apps.usage_sink.rows import rows_of, topics_of
from tests.keys import key
from tests.unit.stream_apps.test_assembly_handler import JOB, handler_with, of, record
from tests.unit.stream_apps.test_intake_handler import DOCUMENT, NOW, Intake, batches, read, request

CODEC = Codec()
REQUESTS, CONTROL, RESULTS = (
    "translation.requests.acme.high", "translation.control.acme", "translation.results.acme",
)  # fmt: skip
PLAN = topics.TopicPlan(tenants=("acme",))


@pytest.fixture
def assembler():
    found = handler_with(UrlObjectStore(MemoryStore()), 10_000)
    return dataclasses.replace(found, own_tenants=frozenset({"acme"}))


def translated(offset: int, tenant: str, request_id: str = "r1") -> InboundRecord:
    job = dataclasses.replace(JOB, batches=1, segments=1)
    message = TranslatedBatch(
        tenant=tenant, request_id=request_id, batch_number=0, job=job,
        gaps=("",), translations=("Olá.",), causes=(None,), scores=(None,), cached=(False,),
    )  # fmt: skip
    return record(topics.TRANSLATED, offset, message)


def ordered(topic: str, tenant: str, action: ControlAction = ControlAction.CANCEL) -> InboundRecord:
    return record(topic, 9, JobControl(tenant=tenant, request_id="r1", action=action))


def test_a_request_that_names_no_tenant_is_translated_as_that_of_its_topic():
    intake = Intake()
    (batch,) = batches(intake.take(request(tenant=""), topic=REQUESTS))
    assert (batch.key, batch.job.priority) == (key("r1", "acme"), "high")
    # Sent with its tenant, it is the same request.
    assert intake.take(request(), topic=REQUESTS) == ()


def test_a_request_for_another_tenant_is_a_dead_letter_of_the_topics_tenant_and_ends_no_request_of_the_other():
    (letter,) = Intake().take(request(tenant="globex"), topic=REQUESTS)
    found = CODEC.decode(letter.value, DeadLetter)
    assert (letter.topic, found.cause, found.field, found.limit) == (
        topics.DEAD_LETTERS, "tenant_contradicts_topic", "tenant", "acme",
    )  # fmt: skip
    assert (found.tenant, found.request_id, found.topic) == ("acme", None, REQUESTS)


def test_what_cannot_be_read_in_an_own_topic_is_a_dead_letter_of_its_tenant():
    (letter,) = Intake().take_record(InboundRecord(REQUESTS, 0, 1, b"k", b"rubbish", {}, NOW))
    assert CODEC.decode(letter.value, DeadLetter).tenant == "acme"


def test_a_document_is_handed_on_with_its_tenant_and_without_the_name_of_its_old_schema():
    intake = Intake()
    asked = intake.record(request(**DOCUMENT, tenant=""), REQUESTS)
    (handed_on,) = intake.take_record(asked)
    assert (handed_on.topic, handed_on.key) == ("translation.documents.high", b"acme/r1")
    assert CODEC.decode(handed_on.value, TranslationRequest).key == key("r1", "acme")
    assert SCHEMA_ID_HEADER not in handed_on.headers


def test_a_refused_request_is_answered_to_its_own_tenant():
    orders = read(
        Intake().take(request(tenant="", target_language="xx-broken"), topic=REQUESTS), topics.CONTROL, JobControl
    )
    assert [(one.key, one.action) for one in orders] == [(key("r1", "acme"), "FAIL")]


def test_each_result_of_such_a_tenant_is_copied_and_no_other(assembler):
    outputs = assembler.handle([translated(1, "acme"), translated(2, "globex"), translated(3, "acme-2")])
    shared, copies = (of(outputs, topic, TranslationResult) for topic in (topics.RESULTS, RESULTS))
    assert [one.tenant for one in shared] == ["acme", "globex", "acme-2"]
    assert copies == shared[:1]
    (first, copy) = (one for one in outputs if one.key == b"acme/r1")
    assert copy == dataclasses.replace(first, topic=RESULTS)
    assert len({output.topic for output in outputs}) == 3
    ((*_, last),) = [batch.events for batch in of(outputs, topics.USAGE, UsageBatch)]
    assert last.tenant == "acme-2"


def test_copies_come_last_so_that_callers_are_told_up_to_the_result_itself(assembler):
    outputs = assembler.handle([translated(1, "acme"), translated(2, "acme", "r2")])
    assert [output.topic for output in outputs] == [topics.RESULTS] * 2 + [topics.USAGE] + [RESULTS] * 2
    assembler.committed([StoredAt(0, 40 + at) for at in range(5)])
    assert isinstance(assembler.slots, InMemorySlots)
    assert assembler.slots.told() == {AnswerSource(topics.TRANSLATED, 0): 42}


def test_an_order_of_the_tenant_ends_its_request(assembler):
    (result,) = of(assembler.handle([ordered(CONTROL, "")]), RESULTS, TranslationResult)
    assert (result.key, result.status) == (key("r1", "acme"), "CANCELLED")


@pytest.mark.parametrize("action", list(ControlAction))
def test_an_order_about_anothers_request_is_refused_whatever_it_asks(assembler, action):
    outputs = assembler.handle([ordered(CONTROL, "globex", action)])
    (found,) = of(outputs, topics.DEAD_LETTERS, DeadLetter)
    assert (found.cause, found.tenant, len(outputs)) == ("tenant_contradicts_topic", "acme", 1)
    # The request itself is answered as if nothing had been.
    (result,) = of(assembler.handle([translated(3, "globex")]), topics.RESULTS, TranslationResult)
    assert result.status == "COMPLETED"


def test_an_erased_result_replaces_the_copy_too(assembler):
    def newest(_wanted):
        return {key("r1", "acme"): TranslationResult(tenant="acme", request_id="r1", text="Olá.", completed_at=1)}

    assembler.handle([translated(1, "acme")])
    assembler.committed([StoredAt(0, 1)] * 3)
    erasing = dataclasses.replace(assembler, newest=newest)
    outputs = erasing.handle([ordered(CONTROL, "acme", ControlAction.ERASE)])
    shared, copies = (of(outputs, topic, TranslationResult) for topic in (topics.RESULTS, RESULTS))
    assert copies == shared
    assert [(one.text, one.erased_at) for one in copies] == [(None, 2_001)]
    assert {output.key for output in outputs if output.topic == RESULTS} == {b"acme/r1"}


def test_repair_knows_requests_of_own_topics_by_their_tenant_and_refused_ones_have_no_answer():
    found = OpenRequests(CODEC, set())
    for offset, tenant in enumerate(("", "globex")):
        asked = CODEC.encode(request(tenant=tenant))
        found.add_request(InboundRecord(REQUESTS, 0, offset, b"k", asked, {}, NOW))
    assert (len(found), found.counts["unanswerable"]) == (1, 1)
    found.add_result(InboundRecord(topics.RESULTS, 0, 0, b"acme/r1", b"", {"version": b"1"}, NOW))
    assert len(found) == 0


@pytest.mark.parametrize("topic", [REQUESTS, CONTROL])
def test_what_waits_in_own_topics_holds_the_watermark(topic):
    waiting = InboundRecord(topic, 0, 1, b"a", b"", {}, 900)
    assert low_watermarks([waiting], CODEC, PLAN, NOW)[Priority.HIGH] == 900
    assert low_watermarks([waiting], CODEC, topics.TopicPlan(), NOW)[Priority.HIGH] == NOW


def test_a_tenant_cannot_make_its_records_look_older_than_they_are():
    aged = {"accepted": b"7"}
    (batch,) = batches(Intake().take(request(tenant=""), topic=REQUESTS, **aged))
    assert batch.job.accepted_at == NOW - 500
    (handed_on,) = Intake().take(request(**DOCUMENT, tenant=""), topic=REQUESTS, **aged)
    assert handed_on.headers["accepted"] == str(NOW - 500).encode()
    told = JobControl(request_id="a", action=ControlAction.FAIL, job=dataclasses.replace(JOB, accepted_at=7))
    waiting = InboundRecord(CONTROL, 0, 1, b"a", CODEC.encode(told), aged, 900)
    job = order_of(waiting, CODEC).job
    assert job is not None
    assert (job.accepted_at, job.priority, job.words) == (900, JOB.priority, JOB.words)
    assert low_watermarks([waiting], CODEC, PLAN, NOW)[Priority.HIGH] == 900


def test_all_requests_of_a_tenant_are_erased_those_of_its_own_topics_too():
    own = InboundRecord(REQUESTS, 0, 0, b"k", CODEC.encode(request(tenant="")))
    stored = {REQUESTS: [own]}
    for tenants, found in ((("acme",), [key("r1", "acme")]), ((), [])):
        eraser = TenantEraser(lambda topic: stored.get(topic, []), None, CODEC, lambda: 7, tenants)  # type: ignore[arg-type]  # nothing is sent
        assert [one for some in eraser.find("acme") for one in some.keys] == found
        assert not [one for some in eraser.find("globex") for one in some.keys]


def test_a_replay_selects_requests_of_own_topics():
    class Past:
        def records(self, topic, since_ms, until_ms):
            return iter([InboundRecord(topic, 0, 0, b"k", CODEC.encode(request(tenant="")))] * (topic == REQUESTS))

    traffic = Traffic(Past(), CODEC, UrlObjectStore(MemoryStore()), own_tenants=("acme",))
    (found,) = traffic.exchanges(Selection(0, NOW))
    assert (found.request.key, found.priority) == (key("r1", "acme"), "high")


def test_orders_of_own_topics_are_in_the_books_and_those_about_anothers_requests_are_not():
    assert set(topics_of(("acme",))) - set(topics_of(())) == {CONTROL}
    at = dataclasses.replace(ordered(CONTROL, ""), timestamp_ms=NOW)
    ((table, row),) = rows_of(at, CODEC, NOW)
    assert (table, row["tenant"], row["action"]) == ("audit", "acme", "cancel")
    with pytest.raises(PermanentError, match="the topic is that of acme"):
        rows_of(dataclasses.replace(ordered(CONTROL, "globex"), timestamp_ms=NOW), CODEC, NOW)
