"""Ask for a translation; follow it; cancel it."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from producers.http.acceptance import Envelope, accept
from producers.http.caller import CallerOfRequest
from producers.http.cancellation import cancel
from producers.http.following import read_job
from producers.http.ports import Ports
from producers.http.problems import responses
from producers.http.settings import HttpLimits
from producers.http.submission import Submission
from producers.http.views import AcceptedResponse, JobResponse, accepted_response, job_response

router = APIRouter(prefix="/api/v1/translations", tags=["translations"])


@router.post("", status_code=202, responses=responses(400, 413, 415, 422, 503))
async def submit_translation(
    submission: Submission,
    request: Request,
    response: Response,
    caller: CallerOfRequest,
    envelope: Annotated[Envelope, Header()],
) -> AcceptedResponse:
    """Accepted once Kafka has stored the request: from then on exactly one result will come."""
    ports: Ports = request.app.state.ports
    limits: HttpLimits = request.app.state.limits
    judged = await accept(submission, envelope, caller, ports, limits)
    status_url = str(request.url_for("read_translation", job_id=judged.request.request_id))
    response.headers["Location"] = status_url
    return accepted_response(judged, status_url)


@router.get("/{job_id}", responses=responses(404, 422, 503))
async def read_translation(
    job_id: str,
    request: Request,
    caller: CallerOfRequest,
    wait: Annotated[float, Query(ge=0, description="Seconds to wait for the result; long ones are cut.")] = 0,
) -> JobResponse:
    """Progress, place in the queue and, when finished, the result."""
    ports: Ports = request.app.state.ports
    limits: HttpLimits = request.app.state.limits
    glance = await read_job(job_id, caller, ports, limits, min(wait, limits.max_wait_seconds))
    return job_response(job_id, glance)


@router.delete("/{job_id}", status_code=202, responses={200: {"model": JobResponse}, **responses(404, 422, 503)})
async def cancel_translation(job_id: str, request: Request, response: Response, caller: CallerOfRequest) -> JobResponse:
    """Ordered once Kafka has stored it: 202 and the job as it was. A finished job stays as it is: 200."""
    ports: Ports = request.app.state.ports
    glance = await cancel(job_id, caller, ports, request.app.state.limits)
    if glance.is_finished:
        response.status_code = 200
    return job_response(job_id, glance)
