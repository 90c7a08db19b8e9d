"""The messages about the work: job events, usage events, dead letters, and orders that end a request."""

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
from schemas.states import (
    ControlAction,
    JobStage,
    ResultStatus,
    UsageKind,
    parse_member,
    parse_optional_member,
)


@dataclass(frozen=True, kw_only=True)
class JobEvent(Message):
    """A stage that a request has reached. Events in any order and with repeats give the same job view."""

    request_id: str
    tenant: str = ""
    stage: JobStage
    priority: str = "standard"
    pool: str = "default"
    batch_number: int | None = None
    batches: int = 0
    segments: int = 0
    words: int = 0
    cached_segments: int = 0
    status: ResultStatus | None = None
    detail: Mapping[str, str] = dataclasses.field(default_factory=dict)
    submitted_at: int = 0
    at: int = 0
    deadline: int | None = None

    def to_datum(self) -> Datum:
        return {**vars(self), "stage": str(self.stage), "status": self.status and str(self.status)}

    @classmethod
    def from_datum(cls, datum: Datum) -> Self:
        stage = parse_member(JobStage, "stage", datum["stage"])
        status = parse_optional_member(ResultStatus, "status", datum["status"])
        return cls(**{**datum, "stage": stage, "status": status})


@dataclass(frozen=True, kw_only=True)
class UsageEvent(Message):
    """Use that is counted.

    BILLED: one per answer, in the transaction of its result. COMPUTE: one per batch, in the transaction of its
    translation.
    """

    event_id: str
    kind: UsageKind
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
    status: ResultStatus | None = None
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

    def to_datum(self) -> Datum:
        return {**vars(self), "kind": str(self.kind), "status": str(self.status or "")}

    @classmethod
    def from_datum(cls, datum: Datum) -> Self:
        kind = parse_member(UsageKind, "kind", datum["kind"])
        status = parse_optional_member(ResultStatus, "status", datum["status"])
        return cls(**{**datum, "kind": kind, "status": status})


@dataclass(frozen=True, kw_only=True)
class DeadLetter(Message):
    """A record or segment that cannot be processed, with everything needed to send it again."""

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

    @property
    def coordinates(self) -> str:
        """Return `topic-partition-offset` of what failed."""
        return f"{self.topic}-{self.partition}-{self.offset}"


@dataclass(frozen=True, kw_only=True)
class JobControl(Message):
    """An order to end a whole request. It competes with the completion of the request: one of them answers."""

    request_id: str
    action: ControlAction
    cause: str = ""
    message: str = ""
    field: str | None = None
    requested_by: str = ""
    job: Job | None = None
    at: int = 0

    def to_datum(self) -> Datum:
        return {**vars(self), "action": str(self.action), "job": self.job and self.job.to_datum()}

    @classmethod
    def from_datum(cls, datum: Datum) -> Self:
        action = parse_member(ControlAction, "action", datum["action"])
        return cls(**{**datum, "action": action, "job": datum["job"] and Job.from_datum(datum["job"])})


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
