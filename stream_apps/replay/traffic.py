"""Requests of the past and the answers they got."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.log_scan import scanning
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.languages import AUTO
from schemas.messages import TranslationRequest, TranslationResult
from schemas.priorities import Priority
from schemas.records import InboundRecord
from schemas.topics import RESULTS, requests_topic
from stream_apps.pipeline.stores import ObjectStore

_LARGEST_TEXT_BYTES = 16_000_000
_TAKE_RECORDS = 500


class Past(Protocol):
    """What topics took between two moments."""

    def records(self, topic: str, since_ms: int, until_ms: int) -> Iterator[InboundRecord]:
        """Records stamped from `since_ms` on and before `until_ms`. Raises TransientError or FatalError."""


@dataclass(frozen=True)
class KafkaPast:
    """Committed records up to now."""

    settings: KafkaSettings
    admin: KafkaAdmin

    def records(self, topic: str, since_ms: int, until_ms: int) -> Iterator[InboundRecord]:
        with scanning(self.settings, self.admin.spans([topic], since_ms)) as scan:
            for records in scan.until_done(_TAKE_RECORDS):
                # Time stamps need not ascend, so a late one ends nothing.
                yield from (record for record in records if since_ms <= record.timestamp_ms < until_ms)


@dataclass(frozen=True)
class Exchange:
    """A request, its priority, and its newest answer; None where it has none."""

    request: TranslationRequest
    priority: Priority
    answer: TranslationResult | None

    @property
    def source_language(self) -> str:
        """As asked for, or as detected for the answer; empty where neither says."""
        if self.request.source_language != AUTO:
            return self.request.source_language
        return (self.answer and self.answer.detected_language) or ""


@dataclass
class Traffic:
    """What the topics hold. `unreadable` counts request records that are no requests."""

    past: Past
    codec: Codec
    objects: ObjectStore
    unreadable: int = field(default=0, init=False)

    def exchanges(
        self, since_ms: int, until_ms: int, priorities: Sequence[Priority], limit: int | None
    ) -> list[Exchange]:
        """The requests sent in that time, the oldest first, each once. Raises TransientError."""
        asked = self._requests(since_ms, until_ms, priorities)
        chosen = asked[:limit]
        answers = self._answers(since_ms, {request.request_id for request, _ in chosen})
        return [Exchange(request, priority, answers.get(request.request_id)) for request, priority in chosen]

    def text_of(self, message: TranslationRequest | TranslationResult) -> str:
        """The text, fetched where it is stored apart. Raises PermanentError or TransientError."""
        if message.text is not None:
            return message.text
        return self.objects.read_text(message.content_ref or "", _LARGEST_TEXT_BYTES)

    def _requests(
        self, since_ms: int, until_ms: int, priorities: Sequence[Priority]
    ) -> list[tuple[TranslationRequest, Priority]]:
        found: dict[str, tuple[int, TranslationRequest, Priority]] = {}
        for priority in priorities:
            records = self.past.records(requests_topic(priority), since_ms, until_ms)
            for record, request in self._decoded(records):
                found.setdefault(request.request_id, (record.timestamp_ms, request, priority))
        ordered = sorted(found.values(), key=lambda one: (one[0], one[1].request_id))
        return [(request, priority) for _, request, priority in ordered]

    def _decoded(self, records: Iterable[InboundRecord]) -> Iterator[tuple[InboundRecord, TranslationRequest]]:
        for record in records:
            try:
                yield record, self.codec.decode(record.value, TranslationRequest)
            except PermanentError:
                self.unreadable += 1

    def _answers(self, since_ms: int, wanted: set[str]) -> dict[str, TranslationResult]:
        answers: dict[str, TranslationResult] = {}
        # Nobody is answered before being asked; an answer may be as late as it likes.
        for record in self.past.records(RESULTS, since_ms, _END_OF_TIME_MS):
            if record.key is None or record.key.decode(errors="replace") not in wanted:
                continue
            result = self.codec.decode(record.value, TranslationResult)
            known = answers.get(result.request_id)
            if known is None or result.version >= known.version:
                answers[result.request_id] = result
        return answers


_END_OF_TIME_MS = 2**63 - 1
