"""The routes of dead letters: what could not be processed of a tenant's jobs, and sending it again."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from producers.http.admission.caller import Reader
from producers.http.moments import moment_of
from producers.http.ports import ports_of
from producers.http.problems import responses
from producers.http.translations.routes import JobToChange
from producers.http.translations.submission import Tenant
from schemas.errors import PermanentError
from stream_apps.redrive.open_dead_letters import DeadLetterFilter, DeadLetterSummary
from stream_apps.redrive.redrive import RedriveReport

router = APIRouter(tags=["dead letters"])

_MOST = 1000


class DeadLetterQuery(BaseModel):
    """Which dead letters are wanted."""

    model_config = ConfigDict(extra="forbid")

    job_id: str | None = Field(default=None, max_length=200, description="Of this job only.")
    cause: str | None = Field(default=None, max_length=200, description="With this cause only.")
    limit: int = Field(default=100, ge=1, le=_MOST, description="So many at most, the oldest first.")
    tenant: Tenant | None = Field(default=None, description="For callers who may act for several tenants.")


class DeadLetterResponse(BaseModel):
    """Something of a job that could not be processed; nothing of its text."""

    dead_letter_id: str
    job_id: str | None
    stage: str = Field(description="Where it failed: intake, inference, merging ...")
    cause: str = Field(description="The stable code of what was wrong.")
    segment: int | None = Field(description="The sentence in its batch that failed; null where all of it did.")
    batch_number: int | None
    attempt: int = Field(description="How often it was tried.")
    failed_at: datetime | None


class RefusedResponse(BaseModel):
    """A dead letter that stays open, and why."""

    dead_letter_id: str
    cause: str
    message: str
    cure: str | None


class RedriveResponse(BaseModel):
    """What came of a redrive."""

    job_id: str
    closed: list[str] = Field(description="The dead letters that are closed.")
    sent: int = Field(description="Records that were sent again.")
    version: int | None = Field(description="The version of the result that it leads to; null: none.")
    refused: list[RefusedResponse]


@router.get("/api/v1/dead-letters")
async def list_dead_letters(
    wanted: Annotated[DeadLetterQuery, Query()], caller: Reader, request: Request
) -> list[DeadLetterResponse]:
    """List what could not be processed of the jobs of one's own tenant, the oldest first.

    It takes as long as reading all dead letters that Kafka holds.
    """
    named = DeadLetterFilter(
        tenant=caller.tenant_for(wanted.tenant), request=wanted.job_id, cause=wanted.cause, limit=wanted.limit
    )
    return [_response(one) for one in await ports_of(request).dead_letters.open_of(named)]


@router.post("/api/v1/translations/{job_id}/redrive", responses=responses(404))
async def redrive_translation(job: JobToChange, request: Request) -> RedriveResponse:
    """Translate again what failed of a job: its dead letters are closed, and a new version of the result comes.

    A sentence is translated again with all others of its job that failed, a document whose file could not be put
    together is merged again, and a request that was refused is read again.
    """
    report = await ports_of(request).dead_letters.redrive(job)
    if not (report.plans or report.refused):
        raise PermanentError(
            "no_dead_letters",
            f"the job {job.request_id!r} has no open dead letters",
            field="job_id",
            cure="see GET /api/v1/dead-letters; what was answered completely needs none",
        )
    return _report(job.request_id, report)


def _response(one: DeadLetterSummary) -> DeadLetterResponse:
    return DeadLetterResponse(
        dead_letter_id=one.dead_letter_id,
        job_id=one.request_id,
        stage=one.stage,
        cause=one.cause,
        segment=one.segment,
        batch_number=one.batch_number,
        attempt=one.attempt,
        failed_at=moment_of(one.failed_at),
    )


def _report(job_id: str, report: RedriveReport) -> RedriveResponse:
    versions = [plan.version for plan in report.plans if plan.version is not None]
    return RedriveResponse(
        job_id=job_id,
        closed=[one.dead_letter_id for one in report.closed],
        sent=report.sent,
        version=max(versions, default=None),
        refused=[
            RefusedResponse(
                dead_letter_id=one.dead_letter_id, cause=error.cause, message=error.message, cure=error.cure
            )
            for one, error in report.refused
        ],
    )
