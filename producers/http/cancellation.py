"""From a caller's wish to a durable order: the job is looked up, and the order to end it stored."""

from connectors.redis.job_view import header_of
from connectors.telemetry.metrics import CANCELLATIONS_ORDERED
from producers.http.caller import Caller
from producers.http.following import JobSnapshot, read_job
from producers.http.ports import Ports
from producers.http.settings import HttpLimits
from schemas.messages import JobControl


async def cancel(job_id: str, caller: Caller, ports: Ports, limits: HttpLimits) -> JobSnapshot:
    """The job as it was. Unless it is finished, Kafka has stored the order; the job may still finish before it.

    Raises PermanentError for a job that is unknown or not the caller's, TransientError: then nothing is promised.
    """
    glance = await read_job(job_id, caller, ports, limits, wait_seconds=0)
    if not glance.is_finished:
        await ports.requests.cancel(cancellation(job_id, glance, ports.now_ms()))
        CANCELLATIONS_ORDERED.inc()
    return glance


def cancellation(job_id: str, glance: JobSnapshot, now_ms: int) -> JobControl:
    """The order. Its header serves where intake has not read the request yet."""
    return JobControl(
        request_id=job_id,
        action="CANCEL",
        cause="cancelled",
        message="cancelled by the caller",
        requested_by="http",
        job=header_of(glance.view) if glance.view else None,
        at=now_ms,
    )
