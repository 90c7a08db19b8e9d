"""What is told of the work: job events, usage, dead letters, and orders that end a request."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from schemas.messages import (
    Datum,
    Job,
    Message,
    SegmentBatch,
    TranslatedBatch,
    TranslationRequest,
    TranslationResult,
)


@dataclass(frozen=True, kw_only=True)
class JobEvent(Message):
    """A step of a request. Any order and any repeat gives the same job view."""

    request_id: str
    tenant: str = ""
    stage: str
    priority: str = "standard"
    pool: str = "default"
    batch_number: int | None = None
    batches: int = 0
    segments: int = 0
    words: int = 0
    cached_segments: int = 0
    status: str | None = None
    detail: Mapping[str, str] = dataclasses.field(default_factory=dict)
    submitted_at: int = 0
    at: int = 0
    deadline: int | None = None


@dataclass(frozen=True, kw_only=True)
class UsageEvent(Message):
    """What was used.

    kind billed: one per request, in the transaction of its result. kind compute: one per batch, in
    the transaction of its translation.
    """

    event_id: str
    kind: str
    request_id: str
    batch_number: int | None = None
    tenant: str = ""
    priority: str = "standard"
    source_language: str = ""
    target_language: str = ""
    model: str = ""
    pool: str = "default"
    worker: str = ""
    device: str = "cpu"
    market: str = "on_demand"
    status: str = ""
    source_words: int = 0
    target_words: int = 0
    source_characters: int = 0
    segments: int = 0
    cached_segments: int = 0
    cached_words: int = 0
    failed_segments: int = 0
    busy_ms: float = 0.0
    queue_ms: float = 0.0
    latency_ms: float = 0.0
    sla_ms: int = 0
    at: int = 0


@dataclass(frozen=True, kw_only=True)
class DeadLetter(Message):
    """A record or segment that cannot be processed, with all that is needed to send it again."""

    dead_letter_id: str
    stage: str
    cause: str
    message: str
    field: str | None = None
    limit: str | None = None
    cure: str | None = None
    attempt: int = 1
    request_id: str | None = None
    tenant: str | None = None
    batch_number: int | None = None
    segment: int | None = None
    topic: str = ""
    partition: int = 0
    offset: int = 0
    timestamp: int = 0
    key: bytes | None = None
    value: bytes | None = None
    headers: Mapping[str, bytes] = dataclasses.field(default_factory=dict)
    failed_at: int = 0


@dataclass(frozen=True, kw_only=True)
class JobControl(Message):
    """An order that concerns a whole request. Competes with its completion: one of them answers."""

    request_id: str
    action: str
    cause: str = ""
    message: str = ""
    field: str | None = None
    requested_by: str = ""
    job: Job | None = None
    at: int = 0

    def to_datum(self) -> Datum:
        return {**vars(self), "job": self.job and self.job.to_datum()}

    @classmethod
    def from_datum(cls, datum: Datum) -> Self:
        return cls(**{**datum, "job": datum["job"] and Job.from_datum(datum["job"])})


MESSAGES: Mapping[str, type[Message]] = {
    one.__name__: one
    for one in (
        TranslationRequest,
        SegmentBatch,
        TranslatedBatch,
        TranslationResult,
        JobEvent,
        UsageEvent,
        DeadLetter,
        JobControl,
    )
}
"""Every message by the name of its schema."""
