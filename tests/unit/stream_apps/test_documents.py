"""A document from its request to its file, on stores in memory: extraction, a worker that shouts, merging."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from obstore.store import MemoryStore

from connectors.memory import (
    FixedAnsweredRequests,
    FixedModelVersions,
    InMemoryRequestPlans,
    InMemorySlots,
    InMemoryTranslationMemory,
)
from connectors.object_files import Files
from connectors.object_store import UrlObjectStore
from schemas import topics
from schemas.codec import Codec
from schemas.documents import source_name, translated_object
from schemas.errors import PermanentError, TransientError
from schemas.events import DeadLetter, JobControl, UsageBatch
from schemas.languages import Language
from schemas.messages import SegmentBatch, TranslatedBatch, TranslationRequest, TranslationResult
from schemas.records import InboundRecord, OutboundRecord, StoredAt, accepted_header
from schemas.segments import Remembered, TranslationContext
from schemas.slots import RequestRevision
from stream_apps.assembly.handler import AssemblyHandler
from stream_apps.documents.extraction.handler import ExtractionHandler
from stream_apps.documents.extraction.reading import DocumentReader
from stream_apps.documents.extraction.source import DocumentSource
from stream_apps.documents.formats import InProcessFormats
from stream_apps.documents.merging.finishing import DocumentMerger
from stream_apps.documents.storage import DocumentStore
from stream_apps.intake.cutting import RequestCutter
from stream_apps.intake.outputs import RequestOutputs, Stores
from stream_apps.intake.settings import IntakeLimits
from stream_apps.pipeline.batching import BatchLimits
from stream_apps.pipeline.deduplication import RequestDeduplicator
from stream_apps.pipeline.language_detection import Detection
from stream_apps.pipeline.output_records import WireFormat, early_answer, translated_record
from stream_apps.pipeline.request_limits import RequestLimits
from stream_apps.pipeline.segmentation import Segmenter
from stream_apps.redrive.correction import correction_of
from tests.dead_letters import dead_letter_writer
from tests.keys import key

CODEC = Codec()
NOW = 1_700_000_000_000
TEXT = "Good morning.\n\nThe engine is cold.\r\nStart it slowly.\r\n\r\n  1234\n"
REF = "tenants/acme/inbox/a.txt"
R1 = key("r1", "acme")


class AsyncMemory:
    def __init__(self) -> None:
        self.known = InMemoryTranslationMemory()

    async def get_many(self, keys):
        return self.known.get_many(keys)


class World:
    """Both processes on one object store. `translate` stands for the workers."""

    def __init__(self, max_bytes: int = 10_000, max_characters: int = 10_000) -> None:
        memory_store = MemoryStore()
        self.files = Files(memory_store)
        self.store = DocumentStore(self.files, max_bytes)
        self.plans = InMemoryRequestPlans(replaces=True)
        self.memory = AsyncMemory()
        self.runner = asyncio.Runner()
        self.answered: list[RequestRevision] = []
        self.cutter = RequestCutter(
            codec=CODEC,
            objects=UrlObjectStore(memory_store),
            split=Segmenter().split,
            detect=lambda _text: Detection(Language("en"), 1.0),
            now_ms=lambda: NOW,
            limits=IntakeLimits(max_segments_per_batch=2),
            requests=RequestLimits(),
            pipeline_version="v1",
        )
        models = FixedModelVersions({"default": {"en-pt": "m1"}})
        stores = Stores(RequestDeduplicator(self.plans), models, self.memory)
        self.extraction = ExtractionHandler(
            cutter=self.cutter,
            outputs=RequestOutputs(self.cutter, stores, WireFormat(CODEC)),
            documents=DocumentReader(self.store, InProcessFormats(), max_characters),
            answered=FixedAnsweredRequests(),
            dead_letters=dead_letter_writer("extraction"),
            run=self.runner.run,
        )
        self.merger = DocumentMerger(self.store, InProcessFormats())
        self.merging = AssemblyHandler(
            codec=CODEC,
            slots=InMemorySlots(),
            told=set,
            objects=UrlObjectStore(memory_store),
            inline_limit_bytes=700_000,
            now_ms=lambda: NOW + 500,
            dead_letters=dead_letter_writer("merging"),
            finish=lambda *one: self.merger.finish(*one),  # noqa: PLW0108  # tests exchange the merger
        )
        self.put(REF, TEXT.encode())

    def put(self, name: str, data: bytes) -> None:
        self.files.write(name, [data])

    def get(self, name: str | None) -> bytes:
        return b"".join(self.files.read(name or ""))

    def record(self, offset: int = 1, **changes: Any) -> InboundRecord:
        fields: dict[str, Any] = {
            "request_id": "r1",
            "tenant": "acme",
            "source_language": "en",
            "target_language": "pt",
            "content_ref": REF,
            **changes,
        }
        headers = accepted_header(NOW - 500)
        value = CODEC.encode(TranslationRequest(**fields))
        return InboundRecord("translation.documents.high", 0, offset, b"acme/r1", value, headers, NOW - 100)

    def extract(self, record: InboundRecord | None = None) -> list[OutboundRecord]:
        return self.extraction.handle([record or self.record()])

    def merge(self, outputs: list[OutboundRecord], cause: str = "") -> list[OutboundRecord]:
        """Translate the batches, the sentences with `cause` in them as holes, and hand them to merging."""
        return self.merging.handle([self.translated(one, offset, cause) for offset, one in enumerate(outputs)])

    def translated(self, output: OutboundRecord, offset: int, cause: str = "") -> InboundRecord:
        batch = CODEC.decode(output.value, SegmentBatch)
        done = early_answer(replace(batch, translations=[text.upper() for text in batch.texts]), "m1", NOW)
        is_hole = [bool(cause) and cause in text for text in batch.texts]
        texts = [
            source if hole else text
            for source, text, hole in zip(batch.texts, done.translations, is_hole, strict=True)
        ]
        done = replace(done, translations=texts, causes=["truncated" if hole else None for hole in is_hole])
        sent = translated_record(done, CODEC.encode(done), InboundRecord("batches", 0, 1, None, None))
        return InboundRecord(sent.topic, 0, offset, sent.key, sent.value, sent.headers, NOW)


@pytest.fixture
def world():
    world = World()
    yield world
    world.runner.close()


def of(outputs: list[OutboundRecord], topic: str, kind: Any) -> list[Any]:
    return [CODEC.decode(output.value, kind) for output in outputs if output.topic == topic]


def the_result(outputs: list[OutboundRecord]) -> TranslationResult:
    (result,) = of(outputs, topics.RESULTS, TranslationResult)
    assert isinstance(result, TranslationResult)
    return result


def refusal_of(outputs: list[OutboundRecord]) -> tuple[DeadLetter, JobControl]:
    (letter,) = of(outputs, topics.DEAD_LETTERS, DeadLetter)
    (order,) = of(outputs, topics.CONTROL, JobControl)
    return letter, order


def test_a_document_becomes_batches_that_know_their_file(world):
    outputs = world.extract()
    batches = of(outputs, "translation.batches.default.high", SegmentBatch)
    assert [batch.texts for batch in batches] == [["Good morning.", "The engine is cold."], ["Start it slowly."]]
    job = batches[0].job
    assert (job.kind, job.batches, job.segments, job.words) == ("document", 2, 3, 9)
    assert job.accepted_at == NOW - 500
    document = job.document
    assert (document.filter, document.units, document.file_name) == ("txt", 3, "a.txt")
    assert (document.source_bytes, document.media_type) == (len(TEXT), "text/plain")
    assert job.pipeline_version == f"v1-txt-{document.filter_version}"


def test_the_translation_of_a_document_is_a_file_like_it(world):
    outputs = world.merge(world.extract())
    result = the_result(outputs)
    assert (result.status, result.kind, result.text, result.file_name) == (
        "COMPLETED",
        "document",
        None,
        "a.pt.txt",
    )
    merged = world.get(result.content_ref)
    assert merged == b"GOOD MORNING.\n\nTHE ENGINE IS COLD.\r\nSTART IT SLOWLY.\r\n\r\n  1234\n"
    assert (result.content_type, result.content_bytes, result.units) == ("text/plain", len(merged), 3)
    assert world.get(result.units_ref).decode().count("\x1e") == 2
    ((usage,),) = [batch.events for batch in of(outputs, topics.USAGE, UsageBatch)]
    assert (usage.source_words, usage.request_kind, usage.content_type) == (9, "document", "text/plain")


def test_a_hole_shows_its_source_and_says_where_it_stands(world):
    result = the_result(world.merge(world.extract(), cause="cold"))
    assert result.status == "PARTIAL"
    assert [(hole.unit, hole.place, hole.cause) for hole in result.holes] == [(1, "line 3", "truncated")]
    assert b"The engine is cold.\r\nSTART" in world.get(result.content_ref)


def test_a_correction_fills_the_holes_and_makes_the_next_version_of_the_file(world):
    outputs = world.extract()
    partial = the_result(world.merge(outputs, cause="cold"))
    world.merging.committed([])
    origin = CODEC.decode(outputs[0].value, SegmentBatch)
    text = world.get(partial.units_ref).decode()
    (again,) = correction_of(partial, text, origin, BatchLimits(), NOW)
    value = CODEC.encode(again)
    corrected = world.merging.handle([world.translated(OutboundRecord("batches", None, value), 50)])
    result = the_result(corrected)
    assert (result.version, result.status, result.holes) == (2, "COMPLETED", ())
    assert (
        world.get(result.content_ref)
        == b"GOOD MORNING.\n\nTHE ENGINE IS COLD.\r\nSTART IT SLOWLY.\r\n\r\n  1234\n"
    )
    assert b"The engine is cold." in world.get(partial.content_ref)
    ((usage,),) = [batch.events for batch in of(corrected, topics.USAGE, UsageBatch)]
    assert usage.source_words == 0


def test_where_nothing_could_be_translated_there_is_no_file(world):
    result = the_result(world.merge(world.extract(), cause="."))
    assert (result.status, result.content_ref, result.error_cause) == ("FAILED", None, "truncated")


def test_extracting_again_gives_the_same_batches_even_when_the_original_is_gone(world):
    first = world.extract()
    world.put(REF, b"Another text.")
    assert world.extract() == first
    assert world.get(source_name(R1)) == TEXT.encode()


def test_merging_again_after_an_aborted_transaction_gives_the_same_answer(world):
    outputs = world.extract()
    assert world.merge(outputs) == world.merge(outputs)


def test_duplicate_batches_of_an_answered_document_are_silent(world):
    outputs = world.extract()
    world.merge(outputs)
    world.merging.committed([])
    late = [world.translated(one, 100 + at) for at, one in enumerate(outputs)]
    assert world.merging.handle(late) == []


def test_what_the_memory_knows_goes_to_merging_past_the_workers(world):
    context = TranslationContext("tenant:acme", "en", "pt")
    known = context.memory_keys("m1", ["Good morning.", "The engine is cold."])
    world.memory.known.put_many(dict(zip(known, [Remembered("Bom dia."), Remembered("Frio.")], strict=True)))
    early, waiting = world.extract()
    assert (early.topic, waiting.topic) == (topics.TRANSLATED_DOCUMENTS, "translation.batches.default.high")
    assert CODEC.decode(early.value, TranslatedBatch).translations == ["Bom dia.", "Frio."]


def test_the_plan_of_a_document_is_noted_when_its_batches_are_stored(world):
    async def plan():
        (found,) = await world.plans.look_up([R1])
        return found

    outputs = world.extract()
    assert world.runner.run(plan()) is None
    world.extraction.committed([StoredAt(0, 7 + at) for at in range(len(outputs))])
    noted = world.runner.run(plan())
    assert (noted.kind, noted.file_name, noted.content_bytes, noted.batches) == ("document", "a.txt", len(TEXT), 2)
    assert noted.last_batch == StoredAt(0, 8)


def test_a_document_that_is_answered_already_is_not_read(world):
    world.extraction.answered = FixedAnsweredRequests(RequestRevision(R1))
    assert world.extract() == []
    assert world.files.size(source_name(R1)) is None


def test_a_late_document_is_ended_without_being_read(world):
    (order,) = world.extract(world.record(deadline=NOW - 1))
    assert CODEC.decode(order.value, JobControl).action == "EXPIRE"
    assert world.files.size(source_name(R1)) is None


@pytest.mark.parametrize(
    ("content", "changes", "cause", "field"),
    [
        (b"\x00\x01\xff\xfe binary", {}, "unknown_format", "content_ref"),
        (b" \n\n ", {}, "no_text", "content_ref"),
        (TEXT.encode(), {"content_sha256": "0" * 64}, "content_changed", "content_sha256"),
        (TEXT.encode(), {"output_content_type": "application/pdf"}, "unsupported_output", "output_content_type"),
        (TEXT.encode(), {"content_ref": "tenants/acme/inbox/b.txt"}, "content_missing", "content_ref"),
        (TEXT.encode(), {"content_ref": "tenants/acme/inbox/../../globex/b"}, "bad_content_ref", "content_ref"),
        (TEXT.encode(), {"target_language": "ja"}, "unsupported_pair", "target_language"),
        (b"word " * 2_001, {}, "document_too_large", "content_ref"),
        (TEXT.encode(), {"output_mode": "bilingual"}, "not_supported", "output_mode"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name_with_a_dead_letter(world, content, changes, cause, field):
    world.put(REF, content)
    letter, order = refusal_of(world.extract(world.record(**changes)))
    assert (letter.stage, letter.cause, letter.field, letter.request_id) == ("extraction", cause, field, "r1")
    assert (order.action, order.cause, order.field) == ("FAIL", cause, field)
    assert order.job is not None
    assert order.job.kind == "document"


def test_a_text_beyond_the_limit_is_refused_by_name():
    world = World(max_characters=20)
    letter, _ = refusal_of(world.extract())
    assert (letter.cause, letter.limit) == ("text_too_long", "20 characters")
    world.runner.close()


def test_a_record_that_is_no_request_is_a_dead_letter_alone(world):
    (letter,) = of(world.extract(replace(world.record(), value=b"rubbish")), topics.DEAD_LETTERS, DeadLetter)
    assert (letter.stage, letter.cause) == ("extraction", "undecodable")


def test_a_merge_that_fails_is_a_failed_answer_that_is_not_billed_and_a_dead_letter(world):
    class Broken(InProcessFormats):
        def merge(self, *_: Any) -> None:
            raise PermanentError("broken_codes", "a code is missing", field="units")

    outputs = world.extract()
    world.merger = DocumentMerger(world.store, Broken())
    merged = world.merge(outputs)
    result = the_result(merged)
    assert (result.status, result.error_cause, result.source_words, result.holes) == (
        "FAILED",
        "broken_codes",
        0,
        (),
    )
    (letter,) = of(merged, topics.DEAD_LETTERS, DeadLetter)
    assert (letter.stage, letter.cause, letter.request_id) == ("merging", "broken_codes", "r1")
    ((usage,),) = [batch.events for batch in of(merged, topics.USAGE, UsageBatch)]
    assert (usage.source_words, usage.status) == (0, "FAILED")


def test_while_the_store_is_away_nothing_is_decided(world):
    def away(_name: str) -> int:
        raise TransientError("the store is away")

    world.store = DocumentStore(world.files, 100)
    world.files.size = away
    with pytest.raises(TransientError):
        world.extract()


def test_documents_of_two_tenants_under_one_id_lie_each_in_its_own_folder(world):
    world.put("tenants/globex/inbox/a.txt", b"Start it.\n")
    mine = the_result(world.merge(world.extract()))
    other = world.record(2, tenant="globex", content_ref="tenants/globex/inbox/a.txt")
    theirs = the_result(world.merge(world.extract(other)))
    assert mine.content_ref == translated_object(R1, 1, "a.txt")
    assert (theirs.content_ref or "").startswith("tenants/globex/jobs/")
    assert world.get(theirs.content_ref) == b"START IT.\n"


def test_units_that_were_not_asked_for_fail_by_name(world):
    outputs = world.extract()
    (name,) = [one.name for one in world.files.all("tenants/acme/jobs") if "/units-" in one.name]
    world.put(name, json.dumps([{"text": "one", "place": "", "translate": True}]).encode())
    assert the_result(world.merge(outputs)).error_cause == "unfit_units"


class Reader:
    def __init__(self, *records: str) -> None:
        self.left = list(records)
        self.asked = 0

    def take(self, _limit: int, _timeout_seconds: float) -> list[Any]:
        self.asked += 1
        return [self.left.pop(0)] if self.left else []


def test_urgent_documents_go_first_and_none_waits_for_ever():
    critical, high, standard = Reader(*["c"] * 9), Reader(*["h"] * 9), Reader(*["s"] * 9)
    source = DocumentSource([critical, high, standard], 0.1, lambda _seconds: None)  # type: ignore[list-item]
    assert "".join(str(source.take()[0]) for _ in range(12)) == "cchccscchccs"


def test_a_source_without_documents_rests():
    rests: list[float] = []
    source = DocumentSource([Reader()], 0.1, rests.append)  # type: ignore[list-item]  # reads as a member does
    assert source.take() == []
    assert rests == [0.1]
