"""The topics of a replay: past requests with the answers they got, and the topic of the new results."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.partition_reader import read_spans
from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Codec
from schemas.dead_letters import ENVELOPE_BYTES
from schemas.errors import PermanentError
from schemas.ids import JobKey
from schemas.languages import AUTO
from schemas.messages import TranslationRequest, TranslationResult
from schemas.own_topics import request_of
from schemas.priorities import Priority
from schemas.records import InboundRecord, OutboundRecord
from schemas.topics import DAY_MS, JOB_KEY, RESULTS, Topic, catalogue, request_topics
from schemas.units import whole_text
from stream_apps.glossaries.shelf import Shelf, entries_of, named_glossaries
from stream_apps.glossaries.store import GlossaryStore, InMemoryGlossaries
from stream_apps.pipeline.stores import ObjectStore
from stream_apps.runtime.sending import RecordSender

_LARGEST_TEXT_BYTES = 16_000_000
_TAKE_RECORDS = 500
_RESULTS_KEPT_MS = 30 * DAY_MS
_END_OF_TIME_MS = 2**63 - 1
_LONGEST_TOPIC = 249
_TOPIC = re.compile(rf"[A-Za-z0-9._-]{{1,{_LONGEST_TOPIC}}}")


class PastRecords(Protocol):
    """Reads what topics received between two times."""

    def records(self, topic: str, since_ms: int, until_ms: int) -> Iterator[InboundRecord]:
        """Yield records stamped from `since_ms` on and before `until_ms`. Raises TransientError or FatalError."""


@dataclass(frozen=True)
class KafkaPastRecords:
    """Committed records, up to now."""

    settings: KafkaSettings
    admin: KafkaAdmin

    def records(self, topic: str, since_ms: int, until_ms: int) -> Iterator[InboundRecord]:
        for records in read_spans(self.settings, self.admin.spans([topic], since_ms), _TAKE_RECORDS):
            # Time stamps need not ascend, so a late one does not end the reading.
            yield from (record for record in records if since_ms <= record.timestamp_ms < until_ms)


@dataclass(frozen=True)
class Selection:
    """Which requests to replay: sent from `since_ms` on and before `until_ms`, the oldest `limit` of them."""

    since_ms: int
    until_ms: int
    priorities: Sequence[Priority] = tuple(Priority)
    limit: int | None = None


@dataclass(frozen=True)
class Exchange:
    """A request, its priority, and its newest answer; None where it has none."""

    request: TranslationRequest
    priority: Priority
    answer: TranslationResult | None

    @property
    def source_language(self) -> str:
        """Return the language that was asked for, or detected for the answer; empty where neither is known."""
        if self.request.source_language != AUTO:
            return self.request.source_language
        return (self.answer and self.answer.detected_language) or ""

    @property
    def glossaries(self) -> Sequence[str]:
        """Return the glossaries of the answer, which are exact versions; without one those of the request."""
        return self.answer.glossaries if self.answer else self.request.glossaries


@dataclass
class Traffic:
    """Past requests and answers. `unreadable` counts records that are no requests, and answers that are none.

    Each of `own_tenants` has request topics of its own.
    """

    past: PastRecords
    codec: Codec
    objects: ObjectStore
    glossaries: GlossaryStore = field(default_factory=InMemoryGlossaries)
    own_tenants: Sequence[str] = ()
    unreadable: int = field(default=0, init=False)

    def exchanges(self, selection: Selection) -> list[Exchange]:
        """Return the selected requests but erased ones, the oldest first, each once. Raises TransientError."""
        selected = self._requests(selection)[: selection.limit]
        answers = self._answers(selection.since_ms, {request.key for request, _ in selected})
        found = [Exchange(request, priority, answers.get(request.key)) for request, priority in selected]
        return [one for one in found if one.answer is None or one.answer.erased_at is None]

    def text_of(self, message: TranslationRequest | TranslationResult) -> str:
        """Return the text, units joined, wherever it is stored. Raises PermanentError or TransientError."""
        text = whole_text(message)
        if text is not None:
            return text
        return self.objects.read_text(message.content_ref or "", _LARGEST_TEXT_BYTES)

    def entries_of(self, exchange: Exchange) -> Mapping[str, str]:
        """Return the entries of its glossaries. Raises PermanentError where one is gone."""
        if not exchange.glossaries:
            return {}
        return entries_of(named_glossaries(self._shelf, exchange.request.tenant, exchange.glossaries))

    @cached_property
    def _shelf(self) -> Shelf:
        return self.glossaries.read()

    def _requests(self, selection: Selection) -> list[tuple[TranslationRequest, Priority]]:
        found: dict[JobKey, tuple[int, TranslationRequest, Priority]] = {}
        for priority in selection.priorities:
            for topic in request_topics(priority, self.own_tenants):
                records = self.past.records(topic, selection.since_ms, selection.until_ms)
                for record, request in self._decoded(records):
                    found.setdefault(request.key, (record.timestamp_ms, request, priority))
        ordered = sorted(found.values(), key=lambda one: (one[0], one[1].key))
        return [(request, priority) for _, request, priority in ordered]

    def _decoded(self, records: Iterable[InboundRecord]) -> Iterator[tuple[InboundRecord, TranslationRequest]]:
        for record in records:
            try:
                yield record, request_of(record, self.codec)
            except PermanentError:
                self.unreadable += 1

    def _answers(self, since_ms: int, wanted: set[JobKey]) -> dict[JobKey, TranslationResult]:
        answers: dict[JobKey, TranslationResult] = {}
        # An answer is never older than its request, but it may be much younger.
        for record in self.past.records(RESULTS, since_ms, _END_OF_TIME_MS):
            if JobKey.decode(record.key) not in wanted:
                continue
            try:
                result = self.codec.decode(record.value, TranslationResult)
            except PermanentError:  # somebody else must have written it
                self.unreadable += 1
                continue
            known = answers.get(result.key)
            if known is None or result.version >= known.version:
                answers[result.key] = result
        return answers


@dataclass(frozen=True)
class ReplayOutput:
    """Writes the results of a replay to a topic of their own."""

    producer: RecordSender
    codec: Codec
    topic: str
    max_message_bytes: int

    def write(self, results: Sequence[TranslationResult]) -> None:
        """Return when Kafka has stored them. Raises TransientError."""
        self.producer.send([self._record(result) for result in results])

    def _record(self, result: TranslationResult) -> OutboundRecord:
        value = self.codec.encode(result)
        if len(value) + ENVELOPE_BYTES > self.max_message_bytes:
            value = self.codec.encode(replace(result, text=None, texts=(), error_cause="result_too_large"))
        headers = {"schema": b"TranslationResult", "words": str(result.source_words).encode()}
        return OutboundRecord(self.topic, result.key.encode(), value, headers)


def check_output_topic(name: str, kafka: KafkaSettings) -> None:
    """Raise PermanentError: `bad_topic` for what is none, `platform_topic` for one that the platform itself uses.

    That of a pool or a tenant is known by its beginning: this environment need not name all of them.
    """
    if not _TOPIC.fullmatch(name) or name.startswith(("__", ".")):
        raise PermanentError(
            "bad_topic",
            f"{name[:_LONGEST_TOPIC]!r} is no name of a topic for results",
            field="to",
            limit=f"1 to {_LONGEST_TOPIC} of A-Z, a-z, 0-9 and . _ -, not beginning with a point or __",
            cure="choose a name such as translation.replay.candidate",
        )
    if _family(name) in {_family(topic.name) for topic in catalogue(kafka.plan)}:
        raise PermanentError(
            "platform_topic", f"{name} is a topic of the platform's own", field="to", cure="choose another topic"
        )


def _family(topic: str) -> str:
    return ".".join(topic.split(".")[:2])


@contextmanager
def open_output(kafka: KafkaSettings, codec: Codec, topic: str) -> Iterator[ReplayOutput]:
    """Create the topic where it is missing; close the producer at the end. Raises TransientError."""
    KafkaAdmin(kafka).create_topic(Topic(topic, "TranslationResult", JOB_KEY, kafka.partitions, _RESULTS_KEPT_MS))
    producer = DurableProducer(kafka)
    try:
        yield ReplayOutput(producer, codec, topic, kafka.max_message_bytes)
    finally:
        producer.close()
