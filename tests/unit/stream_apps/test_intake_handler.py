import asyncio
import dataclasses
from decimal import Decimal

import pytest

from connectors.kafka.group_lag import PartitionLag
from connectors.memory import FixedModelVersions, InMemoryRequestPlans, InMemoryTranslationMemory
from connectors.object_store import ObjectSettings, open_objects
from schemas.budgets import Spending
from schemas.codec import Codec
from schemas.errors import DecodeError, PermanentError, TransientError
from schemas.events import DeadLetter, JobControl
from schemas.glossaries import Glossary
from schemas.languages import Language
from schemas.messages import SegmentBatch, TranslatedBatch, TranslationRequest
from schemas.records import InboundRecord, StoredAt
from schemas.segments import Remembered, TranslationContext
from schemas.topics import CONTROL, DEAD_LETTERS, TRANSLATED
from stream_apps.accounts.budgets import BudgetUsedUpError, NoBudgets
from stream_apps.glossaries.store import GlossaryReader, InMemoryGlossaries
from stream_apps.intake.cutting import RequestCutter
from stream_apps.intake.handler import IntakeHandler
from stream_apps.intake.outputs import AssemblyRoom, Stores
from stream_apps.intake.settings import IntakeLimits
from stream_apps.pipeline.batching import batch_partition
from stream_apps.pipeline.deduplication import RequestDeduplicator, payload_fingerprint
from stream_apps.pipeline.join import join
from stream_apps.pipeline.language_detection import Detection
from stream_apps.pipeline.output_records import WireFormat
from stream_apps.pipeline.request_limits import RequestLimits
from stream_apps.pipeline.result_events import billed_usage
from stream_apps.pipeline.segmentation import Segmenter
from tests.dead_letters import dead_letter_writer
from tests.keys import key

CODEC = Codec()
NOW = 1_700_000_000_000
TEXT = "The engine is cold. Start it slowly."
TERMS = Glossary(
    tenant="acme",
    name="terms",
    version=1,
    source_language="en",
    target_language="pt",
    entries={"engine": "motor", "pump": "bomba"},
    created_at=1,
)
CONTEXT = TranslationContext("tenant:acme", "en", "pt")


class AsyncMemory:
    def __init__(self):
        self.known = InMemoryTranslationMemory()

    async def get_many(self, keys):
        return self.known.get_many(keys)


class Intake:
    """A handler with in-memory parts, and the part of the event processor that answers refusals."""

    def __init__(self, budgets=None, spans=None, **limits):
        self.plans = InMemoryRequestPlans()
        self.memory = AsyncMemory()
        self.objects = open_objects(ObjectSettings(url="memory:///"))
        wire = WireFormat(CODEC, batch_partitions=6, max_message_bytes=100_000)
        own, rules = _limits(limits)
        self.glossaries = InMemoryGlossaries()
        self.glossaries.shelf.put(TERMS)
        cutter = RequestCutter(
            codec=CODEC,
            glossaries=GlossaryReader(self.glossaries, lambda: NOW),
            objects=self.objects,
            split=Segmenter().split,
            detect=self.detect,
            now_ms=lambda: NOW,
            limits=own,
            requests=rules,
            pipeline_version="segmentation-1",
        )
        models = FixedModelVersions({"default": {"en-pt": "m1", "pt-en": "m2"}})
        stores = Stores(RequestDeduplicator(self.plans), models, self.memory, budgets=budgets or NoBudgets())
        self.handler = IntakeHandler(cutter, stores, wire, spans)
        self.detected, self.seen = Language("en"), []
        self.offset = 0

    def remember(self, source, translation, score=None, context=CONTEXT, model="m1"):
        (known,) = context.memory_keys(model, [source])
        self.memory.known.put_many({known: Remembered(translation, score)})

    def plan_of(self, request):
        (plan,) = asyncio.run(self.plans.look_up([request.key]))
        return plan

    def detect(self, text):
        self.seen.append(text)
        return Detection(self.detected, 1.0)

    def take(self, request, topic="translation.requests.high", offset=None, delivered=True, **more_headers):
        return self.take_record(self.record(request, topic, offset, **more_headers), delivered)

    def record(self, request, topic="translation.requests.high", offset=None, **more_headers):
        self.offset += 1
        headers = {"traceparent": b"00-abc-def-01", **more_headers}
        at = self.offset if offset is None else offset
        return InboundRecord(topic, 0, at, b"k", CODEC.encode(request), headers, NOW - 500)

    def take_record(self, record, delivered=True):
        (outputs,) = self.take_records([record], delivered)
        return outputs

    def take_records(self, records, delivered=True):
        async def once():
            outcomes = await self.handler.handle(records)
            outputs = [self._outputs(*one) for one in zip(records, outcomes, strict=False)]
            if delivered:
                places = [
                    [StoredAt(one.partition or 0, 70 + at) for at, one in enumerate(some)] for some in outputs
                ]
                await self.handler.delivered(records[: len(outputs)], places)
            return outputs

        return asyncio.run(once())

    def _outputs(self, record, outcome):
        if not isinstance(outcome, PermanentError):
            return outcome
        dead_letters = dead_letter_writer("intake")
        dead_letter, others = self.handler.refused(record, outcome, dead_letters.dead_letter_of(record, outcome))
        return [dead_letters.record_of(dead_letter), *others]


def request(**changes):
    fields = {"request_id": "r1", "tenant": "acme", "source_language": "en", "target_language": "pt", "text": TEXT}
    return TranslationRequest(**{**fields, **changes})


def read(outputs, topic, message):
    return [CODEC.decode(output.value, message) for output in outputs if output.topic == topic]


def batches(outputs, topic="translation.batches.default.high"):
    return read(outputs, topic, SegmentBatch)


def test_a_request_becomes_batches():
    asked = request(metadata={"ticket": "7"}, labels={"cost": "a"}, submitted_by="app", submitted_at=NOW - 900)
    (batch,) = batches(Intake().take(asked))
    assert batch.texts == ["The engine is cold.", "Start it slowly."]
    assert batch.gaps == [" ", ""]
    job = batch.job
    assert (batch.tenant, job.priority, job.pool, job.source_language, job.target_language) == (
        "acme",
        "high",
        "default",
        "en",
        "pt",
    )
    assert (job.segments, job.batches, job.words, job.characters) == (2, 1, 7, len(TEXT))
    assert (job.submitted_at, job.accepted_at, job.metadata) == (NOW - 900, NOW - 500, {"ticket": "7"})
    assert (job.labels, job.submitted_by) == ({"cost": "a"}, "app")
    assert (job.pipeline_version, job.fingerprint) == ("segmentation-1", payload_fingerprint(asked))


def test_a_batch_record_carries_key_partition_and_headers():
    (record,) = Intake().take(request())
    assert (record.key, record.partition) == (b"acme/r1/0", batch_partition(key("r1", "acme"), 0, 6))
    assert record.headers == {
        "traceparent": b"00-abc-def-01",
        "tenant": b"acme",
        "priority": b"high",
        "words": b"7",
        "schema": b"SegmentBatch",
    }


def test_the_same_record_gives_the_same_bytes_again():
    one, other = Intake(), Intake()
    assert one.take(request(), offset=5) == other.take(request(), offset=5)


def test_the_topic_decides_the_priority():
    outputs = Intake().take(request(), topic="translation.requests.critical")
    assert len(batches(outputs, "translation.batches.default.critical")) == 1


def test_segments_that_the_memory_knows_travel_filled():
    intake = Intake()
    intake.remember("Start it slowly.", "Ligue-o devagar.", 0.5)
    (batch,) = batches(intake.take(request()))
    assert (batch.translations, batch.scores) == ([None, "Ligue-o devagar."], [None, 0.5])


@pytest.mark.parametrize(
    "changes", [{"engine_options": {"beam": "4"}}, {"glossaries": ["terms"]}, {"tenant": "globex"}]
)
def test_what_is_asked_for_otherwise_has_a_memory_of_its_own(changes):
    intake = Intake()
    intake.remember("Start it slowly.", "x")
    (batch,) = batches(intake.take(request(**changes)))
    assert batch.translations == [None, None]


def test_a_request_with_options_and_glossaries_finds_what_was_translated_with_them():
    intake = Intake()
    context = dataclasses.replace(
        CONTEXT, glossaries=("acme/terms@1",), engine_options=(("beam", "4"), ("tone", "soft"))
    )
    intake.remember("Start it slowly.", "x", context=context)
    wishes = {"engine_options": {"tone": "soft", "beam": "4"}, "glossaries": ["terms"]}
    (batch,) = batches(intake.take(request(**wishes)))
    assert batch.translations == [None, "x"]


def test_a_batch_carries_the_terms_that_occur_in_it_and_the_exact_version():
    (batch,) = batches(Intake().take(request(glossaries=["terms"])))
    assert (batch.terms, batch.job.glossaries) == ({"engine": "motor"}, ["terms@1"])


def test_a_name_means_the_newest_version_of_the_time_when_the_request_was_accepted():
    intake = Intake()
    later = dataclasses.replace(TERMS, version=2, entries={"engine": "máquina"}, created_at=NOW * 2)
    intake.glossaries.shelf.put(later)
    (batch,) = batches(intake.take(request(glossaries=["terms"])))
    assert batch.job.glossaries == ["terms@1"]
    (batch,) = batches(intake.take(request(request_id="r2", glossaries=["terms@2"])))
    assert batch.terms == {"engine": "máquina"}


@pytest.mark.parametrize(
    ("wishes", "cause"),
    [
        ({"glossaries": ["none"]}, "unknown_glossary"),
        ({"glossaries": ["terms@2"]}, "unknown_glossary"),
        ({"glossaries": ["terms"], "tenant": "globex"}, "unknown_glossary"),
        ({"glossaries": ["terms"], "target_language": "de"}, "glossary_of_other_languages"),
    ],
)
def test_a_glossary_that_there_is_not_for_the_request_is_a_refusal_by_name(wishes, cause):
    outputs = Intake().take(request(**wishes))
    assert not batches(outputs)
    (order,) = [one for one in outputs if one.topic == CONTROL]
    found = CODEC.decode(order.value, JobControl)
    assert (found.cause, found.field) == (cause, "glossaries")


def test_tenants_of_one_group_share_a_memory_and_their_batches_say_so():
    intake = Intake(memory_scopes={"acme": "plants", "globex": "plants"})
    intake.remember("Start it slowly.", "x", context=dataclasses.replace(CONTEXT, scope="group:plants"))
    for tenant in ("acme", "globex"):
        (batch,) = batches(intake.take(request(tenant=tenant)))
        assert (batch.translations, batch.job.memory_scope) == ([None, "x"], "plants")


def test_remembered_translations_that_burst_a_batch_are_left_out():
    intake = Intake()
    intake.remember("Start it slowly.", "x" * 99_000)
    (batch,) = batches(intake.take(request()))
    assert batch.translations == [None, None]


def test_a_detected_language_is_named_in_the_job():
    (batch,) = batches(Intake().take(request(source_language="auto")))
    assert (batch.job.source_language, batch.job.detected_language) == ("en", "en")


@pytest.mark.parametrize(
    ("detected", "changes", "source", "mark"),
    [
        (Language("pt"), {"source_language": "auto"}, "pt", "already_in_target_language"),
        (Language("pt", None, "BR"), {"source_language": "auto"}, "pt-BR", "already_in_target_language"),
        (None, {"source_language": "auto"}, "und", "undetected_language"),
        (Language("en"), {"source_language": "pt_BR"}, "pt-BR", "already_in_target_language"),
        (Language("en"), {"text": " 123 👍\r\n"}, "en", "no_letters"),
    ],
)
def test_what_needs_no_translation_is_answered_as_it_is_marked_and_not_billed(detected, changes, source, mark):
    intake = Intake()
    intake.detected = detected
    (done,) = read(intake.take(asked := request(**changes)), TRANSLATED, TranslatedBatch)
    result = join([done], NOW)
    assert (result.status, result.text) == ("COMPLETED", asked.text)
    assert [(one.cause, one.count) for one in result.warnings] == [(mark, 1)]
    assert (result.source_language, result.target_language, result.segments) == (source, "pt", 0)
    bill = billed_usage(result, done.job)
    assert (result.source_words, bill.source_words, bill.source_characters, result.model) == (0, 0, 0, "")


def test_pieces_without_letters_are_no_segments_and_cost_nothing():
    (batch,) = batches(Intake().take(request(text="One.\n\n***\n\n12:30 - 14:00\n\nTwo.")))
    assert (batch.texts, batch.gaps) == (["One.", "Two."], ["\n\n***\n\n12:30 - 14:00\n\n", ""])
    assert (batch.job.words, batch.job.segments) == (2, 2)
    assert [(one.cause, one.count) for one in batch.job.warnings] == [("no_letters", 2)]


def test_the_job_names_its_languages_by_their_canonical_codes():
    (batch,) = batches(Intake().take(request(source_language="eng", target_language="pb")))
    assert (batch.job.source_language, batch.job.target_language) == ("en", "pt-BR")


def test_a_text_behind_a_reference_is_fetched():
    intake = Intake()
    ref = intake.objects.write_text("tenants/acme/requests/a.txt", TEXT)
    (batch,) = batches(intake.take(request(text=None, content_ref=ref)))
    assert batch.texts == ["The engine is cold.", "Start it slowly."]


DOCUMENT = {"text": None, "content_ref": "tenants/acme/inbox/a.docx", "content_type": "application/octet-stream"}


def test_a_document_is_handed_on_as_it_is_and_noted_as_one():
    intake = Intake()
    asked = request(**DOCUMENT, file_name="a.docx", content_sha256="ab" * 32)
    record = intake.record(asked, redrive=b"1")
    (handed_on,) = intake.take_record(record)
    assert (handed_on.topic, handed_on.key) == ("translation.documents.high", b"acme/r1")
    assert handed_on.value == record.value
    assert handed_on.headers == {**record.headers, "accepted": str(NOW - 500).encode()}
    plan = intake.plan_of(asked)
    assert (plan.kind, plan.file_name, plan.batches, plan.last_batch) == ("document", "a.docx", 0, None)


def test_a_document_that_was_sent_before_is_not_handed_on_again():
    intake = Intake()
    assert len(intake.take(request(**DOCUMENT))) == 1
    assert intake.take(request(**DOCUMENT)) == ()


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"content_sha256": "AB" * 32}, "bad_sha256"),
        ({"content_sha256": "ab"}, "bad_sha256"),
        ({"file_name": "../a.docx"}, "bad_file_name"),
        ({"file_name": "a\n.docx"}, "bad_file_name"),
        ({"file_name": "x" * 256}, "bad_file_name"),
        ({"content_ref": "tenants/globex/inbox/a.docx"}, "foreign_content_ref"),
        ({"deadline": 5}, "bad_deadline"),
        ({"output_mode": "bilingual"}, "not_supported"),
    ],
)
def test_what_is_wrong_with_a_document_before_it_is_read_is_refused_at_once(changes, cause):
    outputs = Intake().take(request(**{**DOCUMENT, "content_type": "text/plain", **changes}))
    (order,) = read(outputs, CONTROL, JobControl)
    assert (order.cause, order.job is not None) == (cause, True)
    assert [one.topic for one in outputs if "documents" in one.topic] == []


@pytest.mark.parametrize(
    ("changes", "cause", "field"),
    [
        ({"text": "   "}, "empty_text", "text"),
        ({"target_language": "ja"}, "unsupported_pair", "target_language"),
        ({"text": None, "content_ref": "tenants/acme/requests/nobody.txt"}, "content_missing", "content_ref"),
        ({"text": None, "content_ref": "tenants/acme/requests/../globex/a.txt"}, "bad_content_ref", "content_ref"),
        ({"text": None, "content_ref": "tenants/globex/a.txt"}, "foreign_content_ref", "content_ref"),
        ({"do_not_translate": ["  "]}, "bad_terms", "do_not_translate"),
        ({"metadata": {"a": "x" * 10_000}}, "metadata_too_large", "metadata"),
    ],
)
def test_a_refused_request_gets_a_dead_letter_and_an_order_to_answer_it(changes, cause, field):
    outputs = Intake().take(request(**changes))
    (dead_letter,), (order,) = read(outputs, DEAD_LETTERS, DeadLetter), read(outputs, CONTROL, JobControl)
    assert (dead_letter.cause, dead_letter.field, dead_letter.request_id, dead_letter.tenant) == (
        cause,
        field,
        "r1",
        "acme",
    )
    assert (order.action, order.cause, order.field, order.key) == ("FAIL", cause, field, key("r1", "acme"))
    assert (order.tenant, order.job.priority, order.job.accepted_at) == ("acme", "high", NOW - 500)
    assert len(outputs) == 2


def test_an_order_to_answer_echoes_no_oversized_metadata():
    (order,) = read(Intake().take(request(metadata={"a": "x" * 10_000})), CONTROL, JobControl)
    assert order.job.metadata == {}


def test_a_request_without_a_usable_id_gets_no_answer():
    outputs = Intake().take(request(request_id=""))
    (dead_letter,) = read(outputs, DEAD_LETTERS, DeadLetter)
    assert (dead_letter.cause, dead_letter.request_id, len(outputs)) == ("bad_request_id", None, 1)


@pytest.mark.parametrize("tenant", ["", "a/b", "Acme", "-acme", "acme_1", "a" * 64, "açme", "acme\n"])
def test_a_request_of_no_tenant_that_could_be_gets_a_dead_letter_and_no_answer(tenant):
    outputs = Intake().take(request(tenant=tenant))
    (dead_letter,) = read(outputs, DEAD_LETTERS, DeadLetter)
    assert (dead_letter.cause, dead_letter.field, dead_letter.tenant) == ("bad_tenant", "tenant", None)
    assert dead_letter.limit == "1 to 63 of a-z, 0-9 and -, not at either end"
    assert dead_letter.cure
    assert len(outputs) == 1


def test_requests_of_two_tenants_under_one_id_are_two_requests():
    intake = Intake()
    mine, theirs = request(), request(tenant="globex", text="Something else.")
    both = [intake.take(mine), intake.take(theirs)]
    assert [record.key for (record,) in both] == [b"acme/r1/0", b"globex/r1/0"]
    assert [batch.texts for outputs in both for batch in batches(outputs)] == [
        ["The engine is cold.", "Start it slowly."],
        ["Something else."],
    ]
    assert [one and one.fingerprint for one in map(intake.plan_of, (mine, theirs, request(tenant="hooli")))] == [
        payload_fingerprint(mine),
        payload_fingerprint(theirs),
        None,
    ]
    assert (intake.take(mine), intake.take(theirs)) == ((), ())


def test_bytes_that_are_no_request_are_a_decode_error():
    record = InboundRecord("translation.requests.high", 0, 1, b"k", b'{"text": "hello"}')
    (error,) = asyncio.run(Intake().handler.handle([record]))
    assert isinstance(error, DecodeError)
    outputs = Intake().take_record(record)
    (dead_letter,) = read(outputs, DEAD_LETTERS, DeadLetter)
    assert (dead_letter.cause, dead_letter.value, dead_letter.request_id, len(outputs)) == (
        "undecodable",
        record.value,
        None,
        1,
    )


def test_a_deadline_that_has_passed_is_answered_without_work():
    outputs = Intake().take(request(deadline=NOW - 1, submitted_at=NOW - 900))
    (order,) = read(outputs, CONTROL, JobControl)
    assert (order.action, order.job.deadline, len(outputs)) == ("EXPIRE", NOW - 1, 1)


def test_a_repeat_is_dropped_once_the_first_was_delivered():
    intake = Intake()
    assert intake.take(request(submitted_at=NOW - 2000))
    assert intake.take(request(submitted_at=NOW - 1000)) == ()
    assert intake.take(request(), topic="translation.requests.critical") == ()


def test_a_record_read_again_before_its_delivery_is_no_repeat():
    intake = Intake()
    first = intake.take(request(), offset=5, delivered=False)
    assert intake.take(request(), offset=5) == first


def test_a_repeat_in_the_same_take_is_dropped():
    intake = Intake()
    intake.take(request(), delivered=False)
    assert intake.take(request()) == ()


def test_a_dropped_repeat_does_not_mark_the_first_one_as_delivered():
    intake = Intake()
    intake.take(request(), offset=5, delivered=False)
    intake.take(request(), offset=6)
    assert intake.plan_of(request()) is None
    assert intake.take(request(), offset=5)
    assert intake.plan_of(request()) is not None


@pytest.mark.parametrize("delivered", [True, False])
def test_another_payload_under_the_same_id_is_a_dead_letter_only(delivered):
    intake = Intake()
    intake.take(request(), delivered=delivered)
    outputs = intake.take(request(text="Something else."))
    (dead_letter,) = read(outputs, DEAD_LETTERS, DeadLetter)
    assert (dead_letter.cause, dead_letter.field, len(outputs)) == ("id_reused", "request_id", 1)


def test_even_a_broken_payload_under_a_used_id_does_not_fail_the_first_request():
    intake = Intake()
    intake.take(request())
    assert [output.topic for output in intake.take(request(text=""))] == [DEAD_LETTERS]


def test_a_plan_that_redis_did_not_take_is_noted_when_it_is_tried_again():
    intake = Intake()
    record = intake.record(request())
    outputs = intake.take_record(record, delivered=False)
    healthy = intake.plans.note

    async def away(_plans):
        raise TransientError("Redis is away")

    intake.plans.__dict__["note"] = away
    with pytest.raises(TransientError):
        asyncio.run(intake.handler.delivered([record], [[StoredAt(3, 70)]]))
    intake.plans.__dict__["note"] = healthy
    asyncio.run(intake.handler.delivered([record], [[StoredAt(3, 70)]]))
    assert outputs
    assert intake.plan_of(request()).last_batch == StoredAt(3, 70)
    assert intake.take(request()) == ()


def test_what_intake_made_of_a_request_is_noted_for_those_who_look_at_it():
    intake = Intake()
    (record,) = intake.take(request(submitted_at=NOW - 900, deadline=NOW + 60_000))
    plan = intake.plan_of(request())
    assert (plan.priority, plan.pool, plan.source_language, plan.target_language) == (
        "high",
        "default",
        "en",
        "pt",
    )
    assert (plan.segments, plan.batches, plan.words, plan.cached_segments) == (2, 1, 7, 0)
    assert (plan.submitted_at, plan.noted_at, plan.deadline) == (NOW - 900, NOW, NOW + 60_000)
    assert plan.last_batch == StoredAt(record.partition, 70)


def test_the_deadline_of_a_correction_is_not_noted():
    intake = Intake()
    intake.take(request(deadline=NOW + 60_000), redrive=b"2")
    assert intake.plan_of(request()).deadline is None


def test_a_batch_that_the_memory_knows_completely_goes_past_the_workers():
    intake = Intake()
    intake.remember("The engine is cold.", "O motor está frio.", 0.5)
    intake.remember("Start it slowly.", "Ligue-o devagar.", 1.0)
    outputs = intake.take(request())
    (done,) = read(outputs, TRANSLATED, TranslatedBatch)
    assert [output.key for output in outputs] == [b"acme/r1"]
    assert (done.translations, done.scores, done.cached) == (
        ["O motor está frio.", "Ligue-o devagar."],
        [0.5, 1.0],
        [True, True],
    )
    assert (done.key, done.source_words, done.cached_words, done.model) == (key("r1", "acme"), 7, 7, "m1")
    assert (intake.plan_of(request()).cached_segments, intake.plan_of(request()).last_batch) == (2, None)


@pytest.mark.parametrize(
    ("waiting", "topic", "is_early"),
    [(10, "standard", True), (11, "standard", False), (10**6, "high", True), (10**6, "critical", True)],
)
def test_while_assembly_lags_behind_only_urgent_requests_go_past_the_workers(waiting, topic, is_early):
    intake, room = Intake(), AssemblyRoom(most_records=10)
    room.measured([PartitionLag("translation.translated", 0, 5, 5 + waiting)])
    outputs = intake.handler._outputs
    stores = dataclasses.replace(outputs.stores, answers_early=room.answers_early)
    intake.handler._outputs = dataclasses.replace(outputs, stores=stores)
    for sentence in ("The engine is cold.", "Start it slowly."):
        intake.remember(sentence, "x")
    (output,) = intake.take(request(), topic=f"translation.requests.{topic}")
    assert (output.topic == TRANSLATED) == is_early


def test_a_take_is_answered_request_by_request_and_a_repeat_in_it_is_dropped():
    intake = Intake()
    records = [intake.record(one) for one in (request(), request(tenant="globex"), request(text=" "), request())]
    first, second, refused, repeated = intake.take_records(records)
    assert [output.key for output in (*first, *second)] == [b"acme/r1/0", b"globex/r1/0"]
    assert [output.topic for output in refused] == [DEAD_LETTERS]
    assert repeated == ()


def test_long_texts_are_split_on_another_thread_with_the_same_outcome():
    text = TEXT * 40
    long, short = Intake(thread_characters=10), Intake(thread_characters=10_000)
    assert batches(long.take(request(text=text))) == batches(short.take(request(text=text)))


def test_a_long_document_keeps_every_segment_once():
    text = " ".join("The engine is cold." for number in range(100))
    found = sorted(batches(Intake().take(request(text=text))), key=lambda batch: batch.batch_number)
    assert [len(batch.texts) for batch in found] == [25, 25, 25, 25]
    assert {batch.job.batches for batch in found} == {4}
    assert [text for batch in found for text in batch.texts][99] == "The engine is cold."


def test_a_callback_goes_with_every_batch_and_one_that_is_refused_is_not_told_of_it():
    url = "https://hooks.acme.example/in"
    intake = Intake(callback_schemes=("https",))
    assert {one.job.callback for one in batches(intake.take(request(callback=url)))} == {url}
    (order,) = read(intake.take(request(request_id="r2", callback="https://127.0.0.1/")), CONTROL, JobControl)
    assert (order.cause, order.field) == ("private_callback", "callback")
    assert order.job.callback is None


def test_the_fields_of_a_request_all_decide_whether_it_is_a_repeat():
    base = request()
    changed = [
        dataclasses.replace(base, **{name: value})
        for name, value in {
            "text": "other", "tenant": "other", "target_language": "es", "source_language": "fr",
            "glossaries": ["g"], "engine_options": {"a": "b"}, "metadata": {"a": "b"}, "deadline": 1,
            "content_type": "x", "late_policy": "serve", "labels": {"a": "b"}, "content_ref": "x",
            "do_not_translate": ["a"], "texts": ["a"], "callback": "x",
        }.items()
    ]  # fmt: skip
    assert len({payload_fingerprint(each) for each in (base, *changed)}) == len(changed) + 1
    same = dataclasses.replace(base, submitted_at=5, priority="high")
    assert payload_fingerprint(same) == payload_fingerprint(base)


def test_a_redriven_request_is_processed_again_for_the_revision_that_is_asked_for():
    intake = Intake()
    intake.take(request())
    assert batches(intake.take(request())) == []
    (again,) = batches(intake.take(request(), redrive=b"1"))
    (correction,) = batches(intake.take(request(), redrive=b"2"))
    assert (again.job.revision, correction.job.revision) == (1, 2)


class UsedUp(NoBudgets):
    """The budget of acme is used up."""

    async def check(self, tenant):
        if tenant == "acme":
            raise BudgetUsedUpError(tenant, Spending("2026-11", Decimal(5), Decimal(5), stops=True))


def test_a_request_of_a_tenant_whose_budget_is_used_up_is_answered_with_the_cause():
    intake = Intake(budgets=UsedUp())
    outputs = intake.take(request())
    (dead_letter,), (order,) = read(outputs, DEAD_LETTERS, DeadLetter), read(outputs, CONTROL, JobControl)
    assert dead_letter.cause == order.cause == "budget_used_up"
    assert order.tenant == "acme"
    assert batches(intake.take(request(tenant="globex", request_id="r2")))


def test_a_repeat_of_a_request_from_before_the_stop_is_no_failure():
    intake = Intake()
    intake.take(request())
    intake.handler._stores = dataclasses.replace(intake.handler._stores, budgets=UsedUp())
    assert intake.take(request()) == ()


def test_a_redriven_request_that_is_refused_again_asks_for_the_answer_of_its_revision():
    intake = Intake()
    (order,) = read(intake.take(request(target_language="xx"), redrive=b"3"), CONTROL, JobControl)
    assert order.job.revision == 3


@pytest.mark.parametrize("spoiled", [b"", b"two", b"9" * 5_000, b"1001", "\u00b2".encode()])
def test_a_spoiled_redrive_header_is_none(spoiled):
    intake = Intake()
    (batch,) = batches(intake.take(request(), redrive=spoiled))
    assert batch.job.revision == 1
    assert batches(intake.take(request(), redrive=spoiled)) == []


def _limits(changed: dict) -> tuple[IntakeLimits, RequestLimits]:
    """Those of intake, and those of every way in."""
    rules = {name: value for name, value in changed.items() if name in RequestLimits.model_fields}
    own = {name: value for name, value in changed.items() if name not in rules}
    return IntakeLimits(**own), RequestLimits(**rules)


def test_an_array_of_texts_is_one_request_whose_segments_keep_to_their_texts():
    texts = ["The engine is cold. Start", "it slowly.", "", "42"]
    intake = Intake()
    (batch,) = batches(intake.take(request(text=None, texts=texts)))
    assert (batch.job.kind, batch.job.characters, batch.job.words) == ("texts", 37, 7)
    assert batch.texts == ["The engine is cold.", "Start", "it slowly."]
    assert [(mark.cause, mark.count) for mark in batch.job.warnings] == [("no_letters", 1)]


def test_the_texts_of_an_array_have_one_language_which_all_of_them_tell():
    intake = Intake()
    intake.take(request(text=None, texts=["Save", "Open it."], source_language="auto"))
    assert intake.seen == ["Save\nOpen it."]


def test_an_array_in_the_target_language_passes_through_text_by_text():
    asked = request(text=None, texts=["Bom dia.", " ", "Boa noite."], source_language="pt")
    (done,) = read(Intake().take(asked), TRANSLATED, TranslatedBatch)
    result = join([done], NOW)
    assert (result.texts, result.source_words) == (("Bom dia.", " ", "Boa noite."), 0)
    assert [(mark.cause, mark.count) for mark in result.warnings] == [("already_in_target_language", 2)]


def test_a_text_with_the_separator_is_refused_by_its_index():
    outputs = Intake().take(request(text=None, texts=["a", "b\x1ec"]))
    (letter,) = read(outputs, DEAD_LETTERS, DeadLetter)
    assert (letter.cause, letter.field) == ("separator_in_text", "texts[1]")
    (order,) = read(outputs, CONTROL, JobControl)
    assert (order.cause, order.job and order.job.kind) == ("separator_in_text", "texts")
