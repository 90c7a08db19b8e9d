"""The messages of requests, batches and results: one frozen class per Avro schema of the same name.

Field names and defaults repeat those of schemas/avro/NAME.avsc; a test compares the two. A status is None here
where the wire has an empty string. Times are milliseconds since the epoch.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from schemas.ids import JobKey
from schemas.message_parts import Document, Hole, Kept, Suspect, Warning
from schemas.states import ResultStatus, parse_optional_member

Datum = dict[str, Any]


class Message:
    """A message of a topic. `to_datum` gives what Avro writes, `from_datum` takes what Avro reads."""

    def to_datum(self) -> Datum:
        """Return the fields by name; the caller must not change the dict."""
        return vars(self)

    @classmethod
    def from_datum(cls, datum: Datum) -> Self:
        """Build the message from all of its fields. Raises PermanentError for an unknown name of an enum."""
        return built(cls, datum)


# Whose a message is that names nobody.
DEFAULT_TENANT = "default"

M = TypeVar("M")


def built(kind: type[M], fields: Datum, /, **others: object) -> M:
    """Build a message of all of its fields, those of the first mapping and others in place of some of them.

    As its constructor does, in a fifth of its time: that of a frozen class sets the fields one by one. Only for
    messages, which have neither slots nor a `__post_init__`.
    """
    message = object.__new__(kind)
    vars(message).update(fields, **others)
    return message


def changed(message: M, /, **fields: object) -> M:
    """Return a copy of a message with other fields, as dataclasses.replace does, in a tenth of its time."""
    return built(type(message), vars(message), **fields)


@dataclass(frozen=True, kw_only=True)
class RequestMessage(Message):
    """A message about one request, which tenant and request_id identify together."""

    tenant: str = DEFAULT_TENANT
    request_id: str

    @property
    def key(self) -> JobKey:
        """Return the identity of the request."""
        return JobKey(self.tenant, self.request_id)


@dataclass(frozen=True, kw_only=True)
class TranslationRequest(RequestMessage):
    """A wish for a translation. Send to translation.requests.<priority>, key = tenant/request_id."""

    source_language: str = "auto"
    target_language: str
    text: str | None = None
    texts: Sequence[str] = ()
    content_ref: str | None = None
    content_sha256: str | None = None
    file_name: str | None = None
    content_type: str = "text/plain"
    output_content_type: str | None = None
    output_mode: str = "translation"
    filter_options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    priority: str | None = None
    glossaries: Sequence[str] = ()
    do_not_translate: Sequence[str] = ()
    engine_options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    submitted_at: int = 0
    deadline: int | None = None
    late_policy: str | None = None
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    submitted_by: str | None = None
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    callback: str | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """The header of a batch: what every stage must know of its request."""

    kind: str = "text"
    priority: str = "standard"
    pool: str = "default"
    source_language: str = ""
    detected_language: str | None = None
    target_language: str = ""
    glossaries: Sequence[str] = ()
    content_type: str = "text/plain"
    inline_codes: bool = False
    pipeline_version: str = ""
    fingerprint: str = ""
    memory_scope: str = ""
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
    billed_characters: int = 0
    kept: Kept | None = None
    submitted_by: str | None = None
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    callback: str | None = None
    document: Document | None = None
    warnings: Sequence[Warning] = ()

    def to_datum(self) -> Datum:
        """Return the fields for the message that carries the header."""
        return {
            **vars(self),
            "kept": self.kept and vars(self.kept),
            "document": self.document and vars(self.document),
            "warnings": [vars(one) for one in self.warnings],
        }

    @classmethod
    def from_datum(cls, datum: Datum) -> Self:
        """Build the header from its fields."""
        kept, document = datum["kept"], datum["document"]
        return built(
            cls,
            datum,
            kept=kept and Kept(**kept),
            document=document and Document(**document),
            warnings=[Warning(**one) for one in datum["warnings"]],
        )


@dataclass(frozen=True, kw_only=True)
class SegmentBatch(RequestMessage):
    """Up to 32 segments of one request on their way to a worker. Arrays are parallel."""

    batch_number: int
    job: Job
    lead: str = ""
    texts: Sequence[str] = ()
    gaps: Sequence[str] = ()
    translations: Sequence[str | None] = ()
    scores: Sequence[float | None] = ()
    warnings: Sequence[str | None] = ()
    source_words: int = 0
    engine_options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    do_not_translate: Sequence[str] = ()
    numbers: Sequence[int] = ()
    code_starts: Sequence[str] = ()
    code_ends: Sequence[str] = ()
    message_forms: Sequence[str | None] = ()
    terms: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def to_datum(self) -> Datum:
        return {**vars(self), "job": self.job.to_datum()}

    @classmethod
    def from_datum(cls, datum: Datum) -> Self:
        return built(cls, datum, job=Job.from_datum(datum["job"]))


@dataclass(frozen=True, kw_only=True)
class TranslatedBatch(RequestMessage):
    """The answer to one SegmentBatch. Arrays are parallel."""

    batch_number: int
    job: Job
    lead: str = ""
    gaps: Sequence[str] = ()
    translations: Sequence[str] = ()
    causes: Sequence[str | None] = ()
    scores: Sequence[float | None] = ()
    cached: Sequence[bool] = ()
    warnings: Sequence[str | None] = ()
    source_words: int = 0
    cached_words: int = 0
    target_words: int = 0
    model: str = ""
    device: str = ""
    market: str = ""
    timings: Mapping[str, float] = dataclasses.field(default_factory=dict)
    translated_at: int = 0
    numbers: Sequence[int] = ()
    code_starts: Sequence[str] = ()
    code_ends: Sequence[str] = ()

    def to_datum(self) -> Datum:
        return {**vars(self), "job": self.job.to_datum()}

    @classmethod
    def from_datum(cls, datum: Datum) -> Self:
        return built(cls, datum, job=Job.from_datum(datum["job"]))


@dataclass(frozen=True, kw_only=True)
class TranslationResult(RequestMessage):
    """The one answer to a request. Topic translation.results, key = tenant/request_id; read it read_committed."""

    version: int = 1
    kind: str = "text"
    status: ResultStatus | None = None
    priority: str = "standard"
    text: str | None = None
    texts: Sequence[str] = ()
    content_ref: str | None = None
    content_bytes: int = 0
    content_sha256: str | None = None
    file_name: str | None = None
    units_ref: str | None = None
    units: int = 0
    content_type: str = "text/plain"
    holes: Sequence[Hole] = ()
    warnings: Sequence[Warning] = ()
    suspects: Sequence[Suspect] = ()
    error_cause: str | None = None
    error_message: str | None = None
    error_field: str | None = None
    source_language: str = ""
    detected_language: str | None = None
    target_language: str = ""
    glossaries: Sequence[str] = ()
    segments: int = 0
    cached_segments: int = 0
    source_words: int = 0
    cached_words: int = 0
    target_words: int = 0
    source_characters: int = 0
    target_characters: int = 0
    cached_share: float = 0.0
    confidence: float | None = None
    model: str = ""
    pool: str = "default"
    device: str = ""
    market: str = ""
    busy_ms: float = 0.0
    pipeline_version: str = ""
    timings: Mapping[str, float] = dataclasses.field(default_factory=dict)
    submitted_at: int = 0
    completed_at: int = 0
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    callback: str | None = None
    erased_at: int | None = None

    def to_datum(self) -> Datum:
        return {
            **vars(self),
            "status": str(self.status or ""),
            "holes": [vars(hole) for hole in self.holes],
            "warnings": [vars(warning) for warning in self.warnings],
            "suspects": [vars(suspect) for suspect in self.suspects],
        }

    @classmethod
    def from_datum(cls, datum: Datum) -> Self:
        return built(
            cls,
            datum,
            status=parse_optional_member(ResultStatus, "status", datum["status"]),
            holes=tuple(Hole(**hole) for hole in datum["holes"]),
            warnings=tuple(Warning(**warning) for warning in datum["warnings"]),
            suspects=tuple(Suspect(**suspect) for suspect in datum["suspects"]),
        )
