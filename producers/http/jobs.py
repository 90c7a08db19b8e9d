"""Look at jobs and cancel them.

A job is known by its view, which is read from what the processes note anyway, and by its result once there is one.
A look may wait for the result; a cancellation is an order that Kafka stores and assembly carries out.
"""

import asyncio
from dataclasses import replace

from connectors.redis.job_view import header_of
from connectors.telemetry.metrics import CANCELLATIONS_ORDERED
from producers.http.ports import JobSnapshot, Ports
from producers.http.problems import not_found
from producers.http.settings import HttpLimits
from schemas.events import JobControl
from schemas.ids import JobKey
from schemas.states import ControlAction


async def read_job(key: JobKey, ports: Ports, limits: HttpLimits, wait_seconds: float) -> JobSnapshot:
    """Look until the result is there or the time is up.

    Raises PermanentError for an unknown job, TransientError when Redis is away.
    """
    clock = asyncio.get_running_loop().time
    started = clock()
    snapshot = await ports.jobs.look(key)
    while clock() - started < waiting_seconds(snapshot, wait_seconds, limits.grace_seconds, ports.now_ms()):
        await asyncio.sleep(limits.poll_seconds)
        snapshot = await ports.jobs.look(key)
    if not snapshot.is_known:
        raise not_found(key.request_id)
    return await _with_text(snapshot, ports)


def waiting_seconds(snapshot: JobSnapshot, wait_seconds: float, grace_seconds: float, now_ms: int) -> float:
    """Return how long, counted from the first look, a caller waits who would wait for `wait_seconds`."""
    if snapshot.result is not None:
        return 0
    if snapshot.view is None:
        # A job shows up a moment after it was accepted.
        return max(wait_seconds, grace_seconds)
    if not snapshot.is_finished:
        return wait_seconds
    # A result shows up a moment after its job is finished; later it never will.
    return wait_seconds if now_ms - snapshot.view.updated_at < grace_seconds * 1000 else 0


async def cancel(key: JobKey, ports: Ports, limits: HttpLimits) -> JobSnapshot:
    """Store an order to cancel the job, unless it is finished, and return the job as it was before.

    The job may still finish before the order is carried out. Raises PermanentError for an unknown job,
    TransientError when nothing is promised.
    """
    snapshot = await read_job(key, ports, limits, wait_seconds=0)
    if not snapshot.is_finished:
        await ports.requests.cancel(cancellation(key, snapshot, ports.now_ms()))
        CANCELLATIONS_ORDERED.inc()
    return snapshot


def cancellation(key: JobKey, snapshot: JobSnapshot, now_ms: int) -> JobControl:
    """Build the order. It carries the job's header, for the case that intake has not read the request yet."""
    return JobControl(
        **key._asdict(),
        action=ControlAction.CANCEL,
        cause="cancelled",
        message="cancelled by the caller",
        requested_by="http",
        job=header_of(snapshot.view) if snapshot.view else None,
        at=now_ms,
    )


async def _with_text(snapshot: JobSnapshot, ports: Ports) -> JobSnapshot:
    result = snapshot.result
    if result is None or result.content_ref is None:
        return snapshot
    return replace(snapshot, result=replace(result, text=await ports.texts.load(result.content_ref)))
