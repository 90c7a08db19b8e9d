"""A look at a job: how far it is and, when finished, its result. Can wait for that, up to a limit.

From a caller's wish to a durable order: the job is looked up, and the order to end it stored.
"""

import asyncio
from dataclasses import dataclass, replace

from connectors.redis.job_view import JobView, header_of
from connectors.telemetry.metrics import CANCELLATIONS_ORDERED
from producers.http.caller import Caller
from producers.http.ports import Ports
from producers.http.problems import not_found
from producers.http.settings import HttpLimits
from schemas.events import JobControl
from schemas.messages import TranslationResult

FINISHED = frozenset({"COMPLETED", "PARTIAL", "FAILED", "CANCELLED", "EXPIRED"})


@dataclass(frozen=True)
class JobSnapshot:
    """Both may be there, or one of them: the view lags behind, the result expires first."""

    view: JobView | None
    result: TranslationResult | None

    @property
    def tenant(self) -> str | None:
        """Whose job it is; None for an unknown job."""
        known = self.result or self.view
        return known.tenant if known else None

    @property
    def is_finished(self) -> bool:
        """Whether the view says so, or the result is there."""
        return self.result is not None or (self.view is not None and self.view.status in FINISHED)


async def read_job(
    job_id: str, caller: Caller, ports: Ports, limits: HttpLimits, wait_seconds: float
) -> JobSnapshot:
    """Looks until the result is there or the time is up. Raises PermanentError for an unknown job."""
    clock = asyncio.get_running_loop().time
    started = clock()
    snapshot = await _look(job_id, caller, ports)
    while clock() - started < waiting_seconds(snapshot, wait_seconds, limits.grace_seconds, ports.now_ms()):
        await asyncio.sleep(limits.poll_seconds)
        snapshot = await _look(job_id, caller, ports)
    if snapshot.tenant is None:
        raise not_found(job_id)
    return await _with_text(snapshot, ports)


def waiting_seconds(snapshot: JobSnapshot, wait_seconds: float, grace_seconds: float, now_ms: int) -> float:
    """How long, counted from the first look, a caller who is ready to wait so long should wait."""
    if snapshot.result is not None:
        return 0
    if snapshot.view is None:
        # A job shows up a moment after it was accepted.
        return max(wait_seconds, grace_seconds)
    if not snapshot.is_finished:
        return wait_seconds
    # A result shows up a moment after its job is finished; later it never will.
    return wait_seconds if now_ms - snapshot.view.updated_at < grace_seconds * 1000 else 0


async def _look(job_id: str, caller: Caller, ports: Ports) -> JobSnapshot:
    result = await ports.jobs.result(job_id)
    snapshot = JobSnapshot(await ports.jobs.view(job_id), result)
    # What is not the caller's looks, and takes as long, as if it did not exist.
    is_visible = snapshot.tenant is not None and caller.may_see(snapshot.tenant)
    return snapshot if is_visible else JobSnapshot(None, None)


async def _with_text(snapshot: JobSnapshot, ports: Ports) -> JobSnapshot:
    result = snapshot.result
    if result is None or result.content_ref is None:
        return snapshot
    return replace(snapshot, result=replace(result, text=await ports.texts.load(result.content_ref)))


async def cancel(job_id: str, caller: Caller, ports: Ports, limits: HttpLimits) -> JobSnapshot:
    """The job as it was. Unless it is finished, Kafka has stored the order; the job may still finish before it.

    Raises PermanentError for a job that is unknown or not the caller's, TransientError: then nothing is promised.
    """
    snapshot = await read_job(job_id, caller, ports, limits, wait_seconds=0)
    if not snapshot.is_finished:
        await ports.requests.cancel(cancellation(job_id, snapshot, ports.now_ms()))
        CANCELLATIONS_ORDERED.inc()
    return snapshot


def cancellation(job_id: str, snapshot: JobSnapshot, now_ms: int) -> JobControl:
    """The order. Its header serves where intake has not read the request yet."""
    return JobControl(
        request_id=job_id,
        action="CANCEL",
        cause="cancelled",
        message="cancelled by the caller",
        requested_by="http",
        job=header_of(snapshot.view) if snapshot.view else None,
        at=now_ms,
    )
