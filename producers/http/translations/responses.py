"""The JSON that callers get: its models, and how they are built from a snapshot of a job."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from pydantic import BaseModel, Field

from connectors.redis.job_view import JobView
from producers.http.admission.queue_load import QueuePosition
from producers.http.moments import moment_of
from producers.http.ports import BackpressureGate, JobSnapshot
from producers.http.translations.document_info import DocumentInfo, document_info
from producers.http.translations.submit import ValidSubmission
from producers.http.translations.text_ids import TEXT_IDS, text_ids_of
from schemas.ids import JobKey
from schemas.messages import TranslationResult
from schemas.priorities import SLA_SECONDS, Priority
from schemas.states import JobStage, RequestKind


class AcceptedResponse(BaseModel):
    """The request is stored and will be answered."""

    job_id: str
    status: str = Field(default="QUEUED", description="Always QUEUED: Kafka has stored it.")
    status_url: str
    priority: Priority
    sla_seconds: int = Field(description="Within this time most requests of the priority are answered.")
    position_in_queue: int | None = Field(
        description="Batches as urgent or more urgent before it; null where that is not known."
    )
    estimated_completion: datetime = Field(
        description="By these batches and the measured speed; by the service level where they are not known."
    )


class AcceptedJobsResponse(BaseModel):
    """A job for each target language; all of them are stored."""

    status: str = Field(default="QUEUED", description="Always QUEUED: Kafka has stored all of them.")
    jobs: list[AcceptedResponse]


class HoleResponse(BaseModel):
    """A segment that could not be translated; the text holds its source instead."""

    segment: int
    cause: str
    start: int = Field(description="Its first code point in the text; -1 where that is not known.")
    length: int = Field(description="Its length in code points; -1 where that is not known.")
    place: str = Field(default="", description="Where it stands in a document, for people.")
    unit: int = Field(description="Which of the translations it is in, from 0; -1 where there is one text.")


class SuspectResponse(HoleResponse):
    """A segment that is translated and that a reader should look at; `cause` is one of those in warnings."""


class WarningResponse(BaseModel):
    """Something in the text that a reader should look at, such as what was passed through untranslated."""

    cause: str
    count: int
    place: str = Field(description="Where it stands, for people; empty where that is not known.")


class ErrorResponse(BaseModel):
    """Why there is no text."""

    cause: str
    message: str | None
    field: str | None


class TextTranslation(BaseModel):
    """The translation of one of several texts, with the id that its caller gave it."""

    id: str | None
    text: str


class ResultResponse(BaseModel):
    """The result of a job."""

    status: str
    text: str | None
    translations: list[TextTranslation] | None = Field(
        description="Of several texts, in their order; null for one text and where there is no translation."
    )
    content_type: str
    holes: list[HoleResponse]
    warnings: list[WarningResponse]
    suspects: list[SuspectResponse] = Field(description="Where warnings of segments stand: the first 1000.")
    error: ErrorResponse | None
    source_language: str
    detected_language: str | None
    target_language: str
    segments: int
    source_words: int
    target_words: int
    source_characters: int
    target_characters: int
    cached_share: float = Field(description="Share of segments that the translation memory knew, 0 to 1.")
    confidence: float | None = Field(description="0 to 1; null where the engine gives none.")
    model: str
    timings_seconds: dict[str, float]
    completed_at: datetime | None
    metadata: dict[str, str]
    file_name: str | None = Field(description="Name of the translated file of a document.")
    content_bytes: int = Field(description="Size of that file.")
    content_sha256: str | None = Field(description="SHA-256 of that file.")
    units: int = Field(description="Texts that an array or a document consists of; 0 for one text.")


class JobResponse(BaseModel):
    """How far a job is, and its result once there is one."""

    job_id: str
    tenant: str
    status: str
    stage: str
    priority: Priority
    sla_seconds: int
    is_finished: bool
    progress: int = Field(description="Per cent, 0 to 100.")
    segments: int
    batches: int
    batches_done: int
    words: int
    cached_segments: int
    queue_position: int | None = Field(
        description="Batches as urgent or more urgent before its last one; null: unknown."
    )
    estimated_completion_seconds: float | None = Field(
        description="These batches by the measured batches per second; null where that is not known."
    )
    submitted_at: datetime | None
    updated_at: datetime | None
    created_at: datetime | None = Field(description="The same as submitted_at.")
    completed_at: datetime | None = Field(description="When it was answered; null before.")
    processing_time_ms: int | None = Field(description="From the submission to the answer; null before.")
    word_count: int = Field(description="Source words, the same as words.")
    confidence_score: float | None = Field(description="Of the result, 0 to 1; null before, or where it has none.")
    source_language: str
    target_language: str
    erased_at: datetime | None = Field(
        default=None, description="When its texts were erased: its status stays, with the figures. Null before."
    )
    document_info: DocumentInfo | None = Field(description="Of a document; null for texts.")
    result: ResultResponse | None


class JobsResponse(BaseModel):
    """The finished jobs of a request for several target languages, in the order of the targets."""

    jobs: list[JobResponse]


class JobSummary(BaseModel):
    """What a list shows of a job."""

    job_id: str
    status: str
    stage: str
    priority: Priority
    is_finished: bool
    word_count: int
    source_language: str
    target_language: str
    created_at: datetime | None
    completed_at: datetime | None
    processing_time_ms: int | None


class JobListResponse(BaseModel):
    """A page of jobs, the newest first."""

    jobs: list[JobSummary]
    next_cursor: str | None = Field(description="Of the next page; null at the end.")


def accepted_response(
    valid: ValidSubmission, status_url: str, ahead: QueuePosition | None, now_ms: int
) -> AcceptedResponse:
    """Build the answer to a POST. `ahead` is what waits before the request, as far as that is known."""
    seconds = SLA_SECONDS[valid.priority] if ahead is None else ahead.seconds
    return AcceptedResponse(
        position_in_queue=None if ahead is None else ahead.batches_ahead,
        estimated_completion=datetime.fromtimestamp(now_ms / 1000 + seconds, UTC),
        job_id=valid.request.request_id,
        status_url=status_url,
        priority=valid.priority,
        sla_seconds=SLA_SECONDS[valid.priority],
    )


def job_response(key: JobKey, snapshot: JobSnapshot, backpressure: BackpressureGate) -> JobResponse:
    """Build the answer to a GET. The result overrules the view, which may lag behind."""
    result, view = snapshot.result, snapshot.view or JobView(key=key)
    if result:
        view = _overruled(view, result)
    position = backpressure.position(view)
    changed = {
        "job_id": key.request_id,
        "tenant": key.tenant,
        "status": view.status or "RUNNING",
        "sla_seconds": SLA_SECONDS[Priority(view.priority)],
        "is_finished": snapshot.is_finished,
        "queue_position": position and position.batches_ahead,
        "estimated_completion_seconds": position and position.seconds,
        "progress": round(100 * view.progress),
        "word_count": view.words,
        "confidence_score": result.confidence if result else None,
        **_times(view, snapshot.is_finished),
        "erased_at": moment_of(snapshot.erased_at) if snapshot.erased_at is not None else None,
        "document_info": document_info(view),
        "result": result_response(result) if result else None,
    }
    return JobResponse.model_validate(vars(view) | changed)


def list_response(views: Sequence[JobView], next_cursor: str | None) -> JobListResponse:
    """Build a page of a list."""
    return JobListResponse(jobs=[_summary(view) for view in views], next_cursor=next_cursor)


def _summary(view: JobView) -> JobSummary:
    is_finished = view.status is not None
    changed = {
        "job_id": view.key.request_id,
        "status": view.status or "RUNNING",
        "is_finished": is_finished,
        "word_count": view.words,
        **_times(view, is_finished),
    }
    return JobSummary.model_validate(vars(view) | changed)


def result_response(result: TranslationResult) -> ResultResponse:
    """Build the JSON of a result."""
    cause = result.error_cause
    changed = {
        "status": result.status or "",
        "translations": _translations(result) or None,
        "metadata": _metadata(result),
        "holes": [vars(hole) for hole in result.holes],
        "warnings": [vars(warning) for warning in result.warnings],
        "suspects": [vars(suspect) for suspect in result.suspects],
        "error": {"cause": cause, "message": result.error_message, "field": result.error_field} if cause else None,
        "timings_seconds": result.timings,
        "completed_at": moment_of(result.completed_at),
    }
    return ResultResponse.model_validate(vars(result) | changed)


def _metadata(result: TranslationResult) -> dict[str, str]:
    # The ids of an array stand beside its texts; in the metadata of a single text the entry is the caller's.
    is_array = result.kind == RequestKind.TEXTS
    return {name: value for name, value in result.metadata.items() if name != TEXT_IDS or not is_array}


def _translations(result: TranslationResult) -> list[TextTranslation]:
    ids = text_ids_of(result.metadata, len(result.texts))
    return [TextTranslation(id=one, text=text) for one, text in zip(ids, result.texts, strict=True)]


def _times(view: JobView, is_finished: bool) -> dict[str, datetime | int | None]:
    submitted_at, completed_at = moment_of(view.submitted_at), moment_of(view.updated_at) if is_finished else None
    return {
        "submitted_at": submitted_at,
        "created_at": submitted_at,
        "updated_at": moment_of(view.updated_at),
        "completed_at": completed_at,
        "processing_time_ms": view.updated_at - view.submitted_at if submitted_at and completed_at else None,
    }


def _overruled(view: JobView, result: TranslationResult) -> JobView:
    return replace(
        view,
        stage=JobStage.FINISHED,
        status=result.status,
        kind=result.kind,
        priority=result.priority,
        progress=1.0,
        segments=result.segments,
        batches_done=view.batches,
        words=result.source_words,
        cached_segments=result.cached_segments,
        last_batch=None,
        source_language=result.source_language,
        target_language=result.target_language,
        submitted_at=result.submitted_at,
        updated_at=result.completed_at,
    )
