"""The routes of translations."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from producers.http.admission.caller import Caller, Reader, Submitter, Writer
from producers.http.errors import erased, not_found, rate_headers
from producers.http.ports import JobSnapshot, Ports
from producers.http.problems import responses
from producers.http.settings import HttpLimits
from producers.http.tracing import name_in_log
from producers.http.translations.calls import Call, prepared_call, sent_call
from producers.http.translations.events import batch_after, job_events
from producers.http.translations.jobs import cancel, erase, read_job
from producers.http.translations.listing import JobFilter, list_jobs
from producers.http.translations.responses import (
    AcceptedJobsResponse,
    AcceptedResponse,
    JobListResponse,
    JobResponse,
    JobsResponse,
    accepted_response,
    job_response,
    list_response,
)
from producers.http.translations.submission import Envelope, Submission
from producers.http.translations.submission_route import SubmissionRoute
from producers.http.translations.submit import preferred_wait
from schemas.ids import JobKey
from stream_apps.accounts.refusals import ForbiddenError

# The route of most calls has a router of its own, which is looked at first.
submissions = APIRouter(route_class=SubmissionRoute)
router = APIRouter()

_TRANSLATIONS = "/api/v1/translations"
# Stands for the id in a URL that is kept; no address has it.
_ANY_JOB = "{job_id}"
# Callers choose the header Host.
_MOST_ADDRESSES = 100
_EVENT_STREAM = "text/event-stream"
# Neither a cache nor a proxy such as nginx may keep events back.
_NOT_HELD_BACK = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


Named = Annotated[str | None, Query(description="Whose job it is, for callers who may act for several tenants.")]


async def job_to_read(job_id: str, caller: Reader, tenant: Named = None) -> JobKey:
    """Name the job of a path, for a caller who may read. Raises PermanentError for one that is not theirs."""
    return job_of(job_id, caller, tenant)


async def job_to_change(job_id: str, caller: Writer, tenant: Named = None) -> JobKey:
    """Name the job of a path, for a caller who may write. Raises PermanentError for one that is not theirs."""
    return job_of(job_id, caller, tenant)


def job_of(job_id: str, caller: Caller, tenant: str | None) -> JobKey:
    """Name a job of the caller. Raises PermanentError: a foreign one is as unknown as one that does not exist."""
    try:
        key = JobKey(caller.tenant_for(tenant), job_id)
    except ForbiddenError:
        raise not_found(job_id) from None
    name_in_log(key)
    return key


WaitSeconds = Annotated[float, Query(ge=0, description="Seconds to wait for the result; long waits are cut.")]
JobToRead = Annotated[JobKey, Depends(job_to_read)]
JobToChange = Annotated[JobKey, Depends(job_to_change)]


@submissions.post(
    _TRANSLATIONS,
    tags=["translations"],
    status_code=202,
    response_model=AcceptedResponse | AcceptedJobsResponse | JobResponse | JobsResponse,
    responses={
        200: {"model": JobResponse | JobsResponse},
        **responses(402),
    },
)
async def submit_translation(
    submission: Submission,
    request: Request,
    caller: Submitter,
    envelope: Annotated[Envelope, Header()],
    wait: WaitSeconds = 0,
) -> Response:
    """Accept a request. 202 says that Kafka has stored it: from then on exactly one result will come.

    With `?wait=30` or the header `Prefer: wait=30`, 200 shows the finished job if it takes no longer. With
    `targets` there is a job for each language: 202 says that all are stored, 200 that all are finished.
    """
    call = await prepared_call(submission, envelope, caller, request)
    urls = [status_url(request, one.request.key, caller) for one in call.valid]
    headers = {"Location": urls[0]}
    if call.rate:
        headers |= rate_headers(call.rate)
    snapshots = await sent_call(call, request, wait or preferred_wait(envelope.prefer))
    if snapshots and all(one.result is not None for one in snapshots):
        return _json(_finished(call, snapshots, request), 200, headers)
    return _json(_accepted(call, urls, request), 202, headers)


@router.get(_TRANSLATIONS, tags=["translations"])
async def list_translations(
    wanted: Annotated[JobFilter, Query()], caller: Reader, request: Request
) -> JobListResponse:
    """List the jobs that came by HTTP in the last days, the newest first."""
    ports: Ports = request.app.state.ports
    page = await list_jobs(caller.tenant_for(wanted.tenant), wanted, ports.jobs)
    return list_response(page.views, page.next_cursor)


@router.get(
    f"{_TRANSLATIONS}/{{job_id}}", tags=["translations"], response_model=JobResponse, responses=responses(404)
)
async def read_translation(
    job: JobToRead,
    request: Request,
    wait: WaitSeconds = 0,
) -> Response:
    """Show progress, the position in the queue and, when the job is finished, the result."""
    ports: Ports = request.app.state.ports
    limits: HttpLimits = request.app.state.limits
    snapshot = await read_job(job, ports, limits, min(wait, limits.max_wait_seconds))
    return _json(job_response(job, snapshot, ports.backpressure))


@router.get(
    f"{_TRANSLATIONS}/{{job_id}}/events",
    tags=["translations"],
    response_class=Response,
    responses={
        200: {"content": {_EVENT_STREAM: {}}},
        204: {"description": "Nothing comes after that event."},
        **responses(404, 410),
    },
)
async def stream_translation(
    job: JobToRead,
    request: Request,
    last_event_id: Annotated[str | None, Header(description="Begin behind this event.")] = None,
) -> Response:
    """Stream the translated batches in the order of the text, and at last the job with its result.

    An event `batch` has the next part of the text; what had not been streamed when the job ended is only in the
    event `result`. A client that was cut off sends `Last-Event-ID` and hears the rest.
    """
    state = request.app.state
    first = batch_after(last_event_id)
    if first is None:
        return Response(status_code=204)
    snapshot = await read_job(job, state.ports, state.limits, wait_seconds=0)
    if snapshot.erased_at is not None:
        raise erased(job.request_id)
    events = job_events(job, first, state.ports, state.limits, state.streams)
    # The first part is asked for here, while the answer may still be a refusal.
    stream = _behind(await anext(events), events)
    return StreamingResponse(stream, media_type=_EVENT_STREAM, headers=_NOT_HELD_BACK)


@router.delete(
    f"{_TRANSLATIONS}/{{job_id}}",
    tags=["translations"],
    status_code=202,
    responses={200: {"model": JobResponse}, **responses(404)},
)
async def cancel_translation(job: JobToChange, request: Request, response: Response) -> JobResponse:
    """Order the job to be cancelled.

    202 says that Kafka has stored the order, and shows the job as it was before. 200 shows a job that is
    finished already and stays as it is.
    """
    ports: Ports = request.app.state.ports
    snapshot = await cancel(job, ports, request.app.state.limits)
    if snapshot.is_finished:
        response.status_code = 200
    return job_response(job, snapshot, request.app.state.ports.backpressure)


@router.post(
    f"{_TRANSLATIONS}/{{job_id}}/erase",
    tags=["translations"],
    status_code=202,
    responses={200: {"model": JobResponse}, **responses(404)},
)
async def erase_translation(job: JobToChange, request: Request, response: Response) -> JobResponse:
    """Order all texts and files of the job to be erased; one that is not finished is cancelled.

    202 says that Kafka has stored the order, and shows the job as it was before. 200 shows a job that is erased
    already. Its status, its figures and what was billed for it stay.
    """
    ports: Ports = request.app.state.ports
    snapshot = await erase(job, ports, request.app.state.limits)
    if snapshot.erased_at is not None:
        response.status_code = 200
    return job_response(job, snapshot, ports.backpressure)


def _json(shown: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a model as it is: FastAPI would validate once more what was just built."""
    return Response(shown.model_dump_json(), status, headers, media_type="application/json")


def _finished(call: Call, snapshots: Sequence[JobSnapshot], request: Request) -> JobResponse | JobsResponse:
    ports: Ports = request.app.state.ports
    jobs = [
        job_response(one.request.key, snapshot, ports.backpressure)
        for one, snapshot in zip(call.valid, snapshots, strict=True)
    ]
    return JobsResponse(jobs=jobs) if call.call_id else jobs[0]


def _accepted(call: Call, urls: Sequence[str], request: Request) -> AcceptedResponse | AcceptedJobsResponse:
    ports: Ports = request.app.state.ports
    jobs = [
        accepted_response(
            one,
            url,
            ports.backpressure.ahead(ports.backpressure.lane_of(one.request, one.priority)),
            ports.now_ms(),
        )
        for one, url in zip(call.valid, urls, strict=True)
    ]
    return AcceptedJobsResponse(jobs=jobs) if call.call_id else jobs[0]


async def _behind(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for one in rest:
        yield one


def status_url(request: Request, key: JobKey, caller: Caller, route: str = "read_translation") -> str:
    """Return where the job is shown."""
    url = _any_url(request, route).replace(_ANY_JOB, key.request_id)
    return url if key.tenant == caller.tenant else f"{url}?{urlencode({'tenant': key.tenant})}"


def _any_url(request: Request, route: str) -> str:
    """Return the URL of a job named _ANY_JOB; routes are searched once for each address that callers use."""
    scope, known = request.scope, request.app.state.job_urls
    server = tuple(scope.get("server") or ())
    place = (route, scope["scheme"], request.headers.get("host"), scope.get("root_path"), server)
    if place not in known:
        if len(known) >= _MOST_ADDRESSES:
            known.clear()
        known[place] = str(request.url_for(route, job_id=_ANY_JOB))
    return str(known[place])
