"""Look at jobs, cancel and erase them.

A job is known by its view, which is read from what the processes note anyway, and by its result once there is one.
A look may wait for the result; cancelling and erasing are orders that Kafka stores and assembly carries out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace

from connectors.redis.job_view import JobView, header_of
from connectors.telemetry.metrics import CANCELLATIONS_ORDERED, ERASURES_ORDERED
from producers.http.errors import UnknownJobError, not_found
from producers.http.ports import JobSnapshot, Ports, ResultWaiter
from producers.http.settings import HttpLimits
from producers.http.translations.submit import ValidSubmission
from schemas.events import JobControl
from schemas.ids import JobKey
from schemas.messages import TranslationResult
from schemas.states import ControlAction, RequestKind
from schemas.units import shown


async def read_job(key: JobKey, ports: Ports, limits: HttpLimits, wait_seconds: float) -> JobSnapshot:
    """Look until the result is there or the time is up.

    Raises PermanentError for an unknown job, TransientError when Redis is away or too many wait.
    """
    with ports.results.expect(key) if wait_seconds else nullcontext() as waiter:
        snapshot = await ports.jobs.look(key)
        snapshot = await finished(key, snapshot, ports, limits, Wait(wait_seconds, waiter))
    if not snapshot.is_known:
        raise not_found(key.request_id)
    return await with_text(snapshot, ports)


async def translated(
    valid: Sequence[ValidSubmission],
    sent: Callable[[], Awaitable[None]],
    ports: Ports,
    limits: HttpLimits,
    wait_seconds: float,
) -> list[JobSnapshot]:
    """Send the requests by `sent` and return their jobs, those that are answered by then with their results.

    Raises TransientError when nothing is promised, and OverloadedError while too many wait.
    """
    with ExitStack() as registered:
        waiters = [registered.enter_context(ports.results.expect(one.request.key)) for one in valid]
        await sent()
        waits = [
            _finished(one, ports, limits, Wait(wait_seconds, waiter))
            for one, waiter in zip(valid, waiters, strict=True)
        ]
        snapshots = await asyncio.gather(*waits)
    return [await with_text(one, ports) for one in snapshots]


async def _finished(valid: ValidSubmission, ports: Ports, limits: HttpLimits, wait: "Wait") -> JobSnapshot:
    key = valid.request.key
    view = JobView(key=key, priority=valid.priority, submitted_at=valid.request.submitted_at)
    # A request that was answered before is not answered again: its result is there already.
    known = await ports.jobs.look(key) if valid.is_named else JobSnapshot(view, None)
    return await finished(key, known, ports, limits, wait)


@dataclass(frozen=True)
class Wait:
    """How long somebody waits for a result, and what wakes them up; None looks only."""

    seconds: float
    waiter: ResultWaiter | None = None

    def pause(self, least_seconds: float) -> float:
        """Return the seconds until the next look."""
        return self.waiter.pause(least_seconds) if self.waiter else least_seconds

    async def result(self, seconds: float) -> TranslationResult | None:
        """Return the result if it is published within that time."""
        if self.waiter is not None:
            return await self.waiter.result(seconds)
        await asyncio.sleep(seconds)
        return None


async def finished(
    key: JobKey, snapshot: JobSnapshot, ports: Ports, limits: HttpLimits, wait: Wait
) -> JobSnapshot:
    """Return the job with its result, or as it is when the time is up."""
    clock = asyncio.get_running_loop().time
    started = clock()
    while (
        left := waiting_seconds(snapshot, wait.seconds, limits.grace_seconds, ports.now_ms()) + started - clock()
    ) > 0:
        # A job that is about to show up is looked for often; one that is known is told of (missed_results.py).
        is_told = snapshot.view is not None and not snapshot.is_finished and wait.waiter is not None
        result = await wait.result(left if is_told else min(wait.pause(limits.poll_seconds), left))
        snapshot = replace(snapshot, result=result) if result else await ports.jobs.look(key)
    return snapshot


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


async def erase(key: JobKey, ports: Ports, limits: HttpLimits) -> JobSnapshot:
    """Store an order to erase the job, unless it is erased, and return the job as it was before.

    Raises PermanentError for an unknown job, TransientError when nothing is promised.
    """
    snapshot = await _read_past_job(key, ports, limits)
    if snapshot.erased_at is None:
        order = replace(
            cancellation(key, snapshot, ports.now_ms()),
            action=ControlAction.ERASE,
            cause="erased",
            message="erased by the caller",
        )
        await ports.requests.cancel(order)
        ERASURES_ORDERED.inc()
    return snapshot


async def _read_past_job(key: JobKey, ports: Ports, limits: HttpLimits) -> JobSnapshot:
    """Look as `read_job` does, and in the books for what the state has forgotten."""
    try:
        return await read_job(key, ports, limits, wait_seconds=0)
    except UnknownJobError:
        past = await ports.past_jobs.find(key)
        if past is None:
            raise
        return JobSnapshot(past, None)


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


async def with_text(snapshot: JobSnapshot, ports: Ports) -> JobSnapshot:
    """Fetch a text that is stored apart. Raises TransientError."""
    result = snapshot.result
    if result is None or result.content_ref is None or result.kind == RequestKind.DOCUMENT:
        return snapshot
    text = await ports.texts.load(result.content_ref)
    return replace(snapshot, result=replace(result, **shown(text, result.kind)))
