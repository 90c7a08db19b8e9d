"""What a redrive reads, from Kafka and the object store."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.log_scan import scanning
from connectors.kafka.partition_reader import RecordLookup
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.events import DeadLetter
from schemas.messages import TranslationResult
from schemas.records import InboundRecord
from schemas.topics import DEAD_LETTERS, RESULTS
from stream_apps.pipeline.stores import ObjectStore
from stream_apps.redrive.open_dead_letters import DeadLetterSummary, OpenDeadLetters

_UTF8_BYTES = 4
_TAKE_RECORDS = 500

T = TypeVar("T")


class Track(Protocol):
    """Gives the items on, and shows how many there were."""

    def __call__(self, items: Iterable[T], what: str) -> Iterable[T]:
        """The same items; `what` is done with them."""


@dataclass(frozen=True)
class NewestAnswer:
    """Where the newest answer of a request lies, and which version it is."""

    version: int
    partition: int
    offset: int


def read_dead_letters(
    kafka: KafkaSettings, codec: Codec, is_wanted: Callable[[DeadLetterSummary], bool], track: Track
) -> OpenDeadLetters:
    """All open letters that are wanted. Raises TransientError."""
    dead_letters = OpenDeadLetters(codec, is_wanted)
    for record in track(_whole(kafka, DEAD_LETTERS), "reading letters"):
        dead_letters.add(record)
    return dead_letters


def read_answers(
    kafka: KafkaSettings, codec: Codec, request_ids: set[str], track: Track
) -> dict[str, NewestAnswer]:
    """The newest answers to these requests. Reads all results, remembers no text. Raises TransientError.

    A record that is none, which somebody else must have put there, is passed over.
    """
    wanted = {request_id.encode() for request_id in request_ids}
    newest: dict[str, NewestAnswer] = {}
    for record in track(_whole(kafka, RESULTS), "reading results") if wanted else ():
        if record.key in wanted and record.value is not None:
            with suppress(PermanentError):
                result = codec.decode(record.value, TranslationResult)
                found = NewestAnswer(result.version, record.partition, record.offset)
                newest[result.request_id] = max(newest.get(result.request_id, found), found, key=_version)
    return newest


@dataclass(frozen=True)
class KafkaSources:
    """Implements stream_apps.redrive.plans.Sources."""

    lookup: RecordLookup
    codec: Codec
    answers: Mapping[str, NewestAnswer]
    objects: ObjectStore

    def dead_letter(self, summary: DeadLetterSummary) -> DeadLetter:
        """The letter itself. Raises PermanentError when it is gone."""
        found = self.lookup.find(DEAD_LETTERS, summary.dead_letter_partition, summary.dead_letter_offset)
        return self.codec.decode(_there(found, "the letter").value, DeadLetter)

    def original(self, summary: DeadLetterSummary) -> InboundRecord:
        dead_letter = self.dead_letter(summary)
        if dead_letter.value is None:
            found = self.lookup.find(dead_letter.topic, dead_letter.partition, dead_letter.offset)
            return _there(found, f"the record at {summary.place}")
        record = InboundRecord(
            dead_letter.topic, dead_letter.partition, dead_letter.offset, dead_letter.key, dead_letter.value
        )
        return replace(record, headers=dict(dead_letter.headers), timestamp_ms=dead_letter.timestamp)

    def newest(self, request_id: str) -> TranslationResult | None:
        answer = self.answers.get(request_id)
        if answer is None:
            return None
        found = self.lookup.find(RESULTS, answer.partition, answer.offset)
        return self.codec.decode(_there(found, "the result").value, TranslationResult)

    def text_of(self, result: TranslationResult) -> str:
        if result.content_ref is None:
            return result.text or ""
        return self.objects.read_text(result.content_ref, result.target_characters * _UTF8_BYTES)


def _whole(kafka: KafkaSettings, topic: str) -> Iterable[InboundRecord]:
    with scanning(kafka, KafkaAdmin(kafka).spans([topic])) as scan:
        for records in scan.until_done(_TAKE_RECORDS):
            yield from records


def _version(answer: NewestAnswer) -> int:
    return answer.version


def _there(found: T | None, what: str) -> T:
    if found is None:
        raise PermanentError(
            "original_gone",
            f"{what} is kept no longer",
            cure="send the request again under a new id, and drop the letter",
        )
    return found
