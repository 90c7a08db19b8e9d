"""Find what a redrive needs: the whole dead letters, what was sent, the newest answers, texts and glossaries."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from typing import Protocol, TypeVar

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.partition_reader import RecordLookup, read_spans
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Codec
from schemas.documents import unmerged_name
from schemas.errors import PermanentError
from schemas.events import DeadLetter
from schemas.ids import JobKey
from schemas.messages import SegmentBatch, TranslationResult
from schemas.records import InboundRecord
from schemas.topics import DEAD_LETTERS, RESULTS
from schemas.units import whole_text
from stream_apps.glossaries.shelf import entries_of, named_glossaries
from stream_apps.glossaries.store import GlossaryStore
from stream_apps.pipeline.stores import ObjectStore
from stream_apps.redrive.open_dead_letters import DeadLetterSummary

_TAKE_RECORDS = 500
_MOST_UNMERGED_BYTES = 300_000_000
_UTF8_BYTES = 4

T = TypeVar("T")


class Track(Protocol):
    """Shows how many items have been processed."""

    def __call__(self, items: Iterable[T], what: str) -> Iterable[T]:
        """Pass the items on, and count them as they are taken; `what` names the work."""


@dataclass(frozen=True)
class AnswerLocation:
    """Where the newest answer of a request is stored, and which version it is."""

    version: int
    partition: int
    offset: int


def read_answers(
    kafka: KafkaSettings, codec: Codec, keys: set[JobKey], track: Track
) -> dict[JobKey, AnswerLocation]:
    """Find the newest answers to these requests. Reads all results, remembers no text. Raises TransientError.

    A record that is no result, which somebody else must have written, is skipped.
    """
    wanted = {key.encode() for key in keys}
    newest: dict[JobKey, AnswerLocation] = {}
    for record in track(read_topic(kafka, RESULTS), "reading results") if wanted else ():
        if record.key in wanted and record.value is not None:
            with suppress(PermanentError):
                result = codec.decode(record.value, TranslationResult)
                found = AnswerLocation(result.version, record.partition, record.offset)
                # Of one version the later record counts: an erased answer is written again without its text.
                newest[result.key] = max(found, newest.get(result.key, found), key=_version)
    return newest


@dataclass(frozen=True)
class DeadLetterRecords:
    """Fetches dead letters and what they are about by their location. Raises TransientError."""

    lookup: RecordLookup
    codec: Codec

    def dead_letter(self, summary: DeadLetterSummary) -> DeadLetter:
        """Return the whole dead letter. Raises PermanentError when it is gone."""
        found = self.lookup.find(DEAD_LETTERS, summary.dead_letter_partition, summary.dead_letter_offset)
        return self.codec.decode(_still_kept(found, "the dead letter").value, DeadLetter)

    def original(self, summary: DeadLetterSummary) -> InboundRecord:
        """Return what failed, as it was sent. Raises PermanentError when it is gone."""
        return self.original_of(self.dead_letter(summary))

    def original_of(self, dead_letter: DeadLetter) -> InboundRecord:
        """Return the same for a dead letter that was fetched before."""
        location = dead_letter.topic, dead_letter.partition, dead_letter.offset
        if dead_letter.value is None:
            return _still_kept(self.lookup.find(*location), f"the record at {dead_letter.coordinates}")
        record = InboundRecord(*location, dead_letter.key, dead_letter.value)
        return replace(record, headers=dict(dead_letter.headers), timestamp_ms=dead_letter.timestamp)


@dataclass(frozen=True)
class KafkaSources(DeadLetterRecords):
    """Implements stream_apps.redrive.plans.RedriveSources."""

    answers: Mapping[JobKey, AnswerLocation]
    objects: ObjectStore
    glossaries: GlossaryStore

    def newest(self, key: JobKey) -> TranslationResult | None:
        answer = self.answers.get(key)
        if answer is None:
            return None
        found = self.lookup.find(RESULTS, answer.partition, answer.offset)
        return self.codec.decode(_still_kept(found, "the result").value, TranslationResult)

    def text_of(self, result: TranslationResult) -> str:
        # Of a document that are its units; what content_ref names is its file.
        ref = result.units_ref or result.content_ref
        if ref is None:
            return whole_text(result) or ""
        characters = result.target_characters + result.units
        return self.objects.read_text(ref, characters * _UTF8_BYTES)

    def unmerged(self, failed: TranslationResult) -> TranslationResult:
        try:
            kept = self.objects.read_text(unmerged_name(failed.key, failed.version), _MOST_UNMERGED_BYTES)
        except PermanentError:
            return _still_kept(None, "the translation of the document")
        # One that an older version kept lacks the fields that it did not know.
        return TranslationResult.from_datum(TranslationResult(request_id="").to_datum() | json.loads(kept))

    def entries_of(self, batch: SegmentBatch) -> Mapping[str, str]:
        names = batch.job.glossaries
        return entries_of(named_glossaries(self.glossaries.read(), batch.tenant, names)) if names else {}


def read_topic(kafka: KafkaSettings, topic: str) -> Iterable[InboundRecord]:
    """Return the committed records of the topic up to where it ends now. Reading raises TransientError."""
    return chain.from_iterable(read_spans(kafka, KafkaAdmin(kafka).spans([topic]), _TAKE_RECORDS))


def _still_kept(found: T | None, what: str) -> T:
    if found is None:
        raise PermanentError(
            "original_gone",
            f"{what} is no longer kept",
            cure="send the request again under a new id, and drop the dead letter",
        )
    return found


def _version(answer: AnswerLocation) -> int:
    return answer.version
