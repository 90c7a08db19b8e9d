"""The messages: frozen data, one class per Avro schema of the same name (schemas/avro/NAME.avsc).

Field names and defaults repeat the schemas; a test holds the two against each other.
Times are milliseconds since the epoch.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

Datum = dict[str, Any]


class Message:
    """What travels in a topic. `to_datum` and `from_datum` are what Avro writes and reads."""

    def to_datum(self) -> Datum:
        """The fields by name; the caller must not change it."""
        return vars(self)

    @classmethod
    def from_datum(cls, datum: Datum) -> Self:
        """The message with these fields."""
        return cls(**datum)


@dataclass(frozen=True, kw_only=True)
class TranslationRequest(Message):
    """Ask for a translation. Send to translation.requests.<priority>, key = request_id."""

    request_id: str
    tenant: str = "default"
    source_language: str = "auto"
    target_language: str
    text: str | None = None
    content_ref: str | None = None
    content_type: str = "text/plain"
    priority: str | None = None
    glossary: str | None = None
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    submitted_at: int = 0
    deadline: int | None = None
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What a correction takes over from the answer that it corrects: the segments that were translated already."""

    segments: int = 0
    cached_segments: int = 0
    target_words: int = 0
    characters: int = 0
    confidence: float | None = None
    models: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Job:
    """What every stage must know of the request that a batch belongs to."""

    tenant: str = ""
    priority: str = "standard"
    pool: str = "default"
    source_language: str = ""
    detected_language: str | None = None
    target_language: str = ""
    glossary: str | None = None
    content_type: str = "text/plain"
    pipeline_version: str = ""
    segments: int = 0
    batches: int = 0
    words: int = 0
    characters: int = 0
    submitted_at: int = 0
    accepted_at: int = 0
    deadline: int | None = None
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    revision: int = 1
    billed_words: int = 0
    kept: Kept | None = None

    def to_datum(self) -> Datum:
        """As part of a message."""
        return {**vars(self), "kept": self.kept and vars(self.kept)}

    @classmethod
    def from_datum(cls, datum: Datum) -> Self:
        """Back again."""
        return cls(**{**datum, "kept": datum["kept"] and Kept(**datum["kept"])})


@dataclass(frozen=True, kw_only=True)
class SegmentBatch(Message):
    """Up to 32 segments of one request on their way to a worker. Arrays are parallel."""

    request_id: str
    batch_number: int
    job: Job
    lead: str = ""
    texts: Sequence[str] = ()
    gaps: Sequence[str] = ()
    translations: Sequence[str | None] = ()
    scores: Sequence[float | None] = ()
    source_words: int = 0
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    numbers: Sequence[int] = ()

    def to_datum(self) -> Datum:
        return {**vars(self), "job": self.job.to_datum()}

    @classmethod
    def from_datum(cls, datum: Datum) -> Self:
        return cls(**{**datum, "job": Job.from_datum(datum["job"])})


@dataclass(frozen=True, kw_only=True)
class TranslatedBatch(Message):
    """The answer to one SegmentBatch. Arrays are parallel."""

    request_id: str
    batch_number: int
    job: Job
    lead: str = ""
    gaps: Sequence[str] = ()
    translations: Sequence[str] = ()
    causes: Sequence[str | None] = ()
    scores: Sequence[float | None] = ()
    cached: Sequence[bool] = ()
    source_words: int = 0
    target_words: int = 0
    model: str = ""
    timings: Mapping[str, float] = dataclasses.field(default_factory=dict)
    translated_at: int = 0
    numbers: Sequence[int] = ()

    def to_datum(self) -> Datum:
        return {**vars(self), "job": self.job.to_datum()}

    @classmethod
    def from_datum(cls, datum: Datum) -> Self:
        return cls(**{**datum, "job": Job.from_datum(datum["job"])})


@dataclass(frozen=True, kw_only=True)
class Hole:
    """A segment that could not be translated; its source text stands in its place."""

    segment: int
    cause: str
    start: int = -1
    length: int = -1


@dataclass(frozen=True, kw_only=True)
class TranslationResult(Message):
    """The one answer to a request. Topic translation.results, key = request_id; read it read_committed."""

    request_id: str
    version: int = 1
    tenant: str = ""
    status: str = ""
    priority: str = "standard"
    text: str | None = None
    content_ref: str | None = None
    content_type: str = "text/plain"
    holes: Sequence[Hole] = ()
    error_cause: str | None = None
    error_message: str | None = None
    error_field: str | None = None
    source_language: str = ""
    detected_language: str | None = None
    target_language: str = ""
    segments: int = 0
    source_words: int = 0
    target_words: int = 0
    source_characters: int = 0
    target_characters: int = 0
    cached_share: float = 0.0
    confidence: float | None = None
    model: str = ""
    pipeline_version: str = ""
    timings: Mapping[str, float] = dataclasses.field(default_factory=dict)
    submitted_at: int = 0
    completed_at: int = 0
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def to_datum(self) -> Datum:
        return {**vars(self), "holes": [vars(hole) for hole in self.holes]}

    @classmethod
    def from_datum(cls, datum: Datum) -> Self:
        return cls(**{**datum, "holes": tuple(Hole(**hole) for hole in datum["holes"])})
