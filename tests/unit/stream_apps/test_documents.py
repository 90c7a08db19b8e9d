"""A document from its request to its file, on stores in memory: extraction, a worker that shouts, merging."""

import json
from dataclasses import replace
from typing import Any

import pytest

from connectors.memory import (
    FixedAnsweredRequests,
)
from schemas import topics
from schemas.documents import source_name, translated_object, unmerged_name
from schemas.errors import PermanentError, TransientError
from schemas.events import DeadLetter, JobControl, UsageBatch
from schemas.messages import SegmentBatch, TranslatedBatch, TranslationResult
from schemas.records import InboundRecord, OutboundRecord, StoredAt
from schemas.segments import Remembered, TranslationContext
from schemas.slots import RequestRevision
from stream_apps.documents.extraction.source import DocumentSource
from stream_apps.documents.formats import InProcessFormats
from stream_apps.documents.merging.finishing import DocumentMerger
from stream_apps.documents.storage import DocumentStore
from stream_apps.pipeline.pieces import BatchLimits
from stream_apps.redrive.correction import correction_of, merged_again
from tests.documents_world import CODEC, NOW, R1, REF, TEXT, World, of, refusal_of, the_result


@pytest.fixture
def world():
    world = World()
    yield world
    world.runner.close()


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


def test_a_suspect_says_where_it_stands_and_the_document_is_complete(world):
    result = the_result(world.merge(world.extract(), warning="cold"))
    assert (result.status, result.holes) == ("COMPLETED", ())
    assert [(one.unit, one.place, one.cause) for one in result.suspects] == [(1, "line 3", "figures_differ")]


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


@pytest.mark.parametrize("cause", ["", "cold"])
def test_a_merge_that_failed_is_made_good_from_what_was_kept_and_billed_then(world, cause):
    class Broken(InProcessFormats):
        def merge(self, *_: Any) -> None:
            raise PermanentError("broken_codes", "a code is missing", field="units")

    outputs, working = world.extract(), world.merger
    world.merger = DocumentMerger(world.store, Broken())
    failed = the_result(world.merge(outputs, cause=cause))
    world.merging.committed([])
    world.merger = working

    kept = TranslationResult.from_datum(json.loads(world.get(unmerged_name(failed.key, failed.version))))
    header = CODEC.decode(outputs[0].value, SegmentBatch).job
    again = merged_again(kept, failed, header, BatchLimits(), NOW)
    merged = world.merging.handle(
        [
            InboundRecord(topics.TRANSLATED_DOCUMENTS, 0, 90 + at, one.key.encode(), CODEC.encode(one), {}, NOW)
            for at, one in enumerate(again)
        ]
    )
    result = the_result(merged)
    assert (result.version, result.status) == (2, "PARTIAL" if cause else "COMPLETED")
    assert [(hole.unit, hole.place) for hole in result.holes] == ([(1, "line 3")] if cause else [])
    assert b"START IT SLOWLY.\r\n" in world.get(result.content_ref)
    ((usage,),) = [batch.events for batch in of(merged, topics.USAGE, UsageBatch)]
    assert (usage.source_words, usage.status) == (9, result.status)


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
