"""The messages of requests, batches and results: one frozen class per Avro schema of the same name.

Field names and defaults repeat those of schemas/avro/NAME.avsc; a test compares the two. A status is None here
where the wire has an empty string. Times are milliseconds since the epoch.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from schemas.states import ResultStatus, parse_optional_member

Datum = dict[str, Any]


class Message:
    """A message of a topic. `to_datum` gives what Avro writes, `from_datum` takes what Avro reads."""

    def to_datum(self) -> Datum:
        """Return the fields by name; the caller must not change the dict."""
        return vars(self)

    @classmethod
    def from_datum(cls, datum: Datum) -> Self:
        """Build the message from its fields. Raises PermanentError for an unknown name of an enum."""
        return cls(**datum)


@dataclass(frozen=True, kw_only=True)
class TranslationRequest(Message):
    """A wish for a translation. Send to translation.requests.<priority>, key = request_id."""

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
    """What a correction keeps of the answer it corrects: the figures of the segments translated already."""

    segments: int = 0
    cached_segments: int = 0
    target_words: int = 0
    characters: int = 0
    confidence: float | None = None
    models: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Job:
    """The header of a batch: what every stage must know of its request."""

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
        """Return the fields for the message that carries the header."""
        return {**vars(self), "kept": self.kept and vars(self.kept)}

    @classmethod
    def from_datum(cls, datum: Datum) -> Self:
        """Build the header from its fields."""
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
    """A segment that could not be translated; the result holds its source text instead."""

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
    status: ResultStatus | None = None
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
        status, holes = str(self.status or ""), [vars(hole) for hole in self.holes]
        return {**vars(self), "status": status, "holes": holes}

    @classmethod
    def from_datum(cls, datum: Datum) -> Self:
        status = parse_optional_member(ResultStatus, "status", datum["status"])
        holes = tuple(Hole(**hole) for hole in datum["holes"])
        return cls(**{**datum, "status": status, "holes": holes})
