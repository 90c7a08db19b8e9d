"""Post what is due, many at a time and few to each host, and note what came of it.

A claimed delivery is noted after its attempt. A process that is killed in between leaves it claimed; when the
lease ends it is posted again, with the same id: at least once.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from connectors.telemetry import metrics
from connectors.tracing.spans import NO_TRACER, About, Span, SpanKind, Tracer
from connectors.webhooks.client import Answer
from schemas.deliveries import Delivery, DeliveryState
from schemas.errors import FatalError, TransientError
from schemas.records import TRACE_HEADER, Headers
from schemas.traces import exemplar_of
from stream_apps.runtime.retry import RetryPolicy
from stream_apps.webhooks.outcome import Moment, after
from stream_apps.webhooks.settings import WebhookLimits
from stream_apps.webhooks.signing import signed_headers

log = structlog.get_logger()

STAGE = "webhooks"
# The first pause is what the error itself asks for.
_RETRY = RetryPolicy(first_seconds=0.0)
# Of the pauses above: 20 s. The shortest lease is 30 s.
_NOTE_ATTEMPTS = 8
# Each note needs a connection to the state, and their number is limited (DRAGOMAN_REDIS_MAX_CONNECTIONS).
_MOST_NOTING = 8
_OUTCOMES = {
    DeliveryState.DELIVERED: "delivered",
    DeliveryState.PENDING: "failed",
    DeliveryState.GIVEN_UP: "given_up",
}
# What callers read of an attempt that ended so; the log tells the rest.
_DEFECT = Answer(0, 0.0, "defect")
_ALWAYS = {"content-type": "application/json", "user-agent": "Dragoman-Webhooks/1"}


class Queue(Protocol):
    """The deliveries that are due (connectors.redis.deliveries). Raises TransientError."""

    async def claim(
        self, now_ms: int, lease_until_ms: int, most: int, most_of_host: int, rooms: Mapping[str, int]
    ) -> list[Delivery]:
        """Take up to `most` that are due; of the hosts in `rooms` so many, of others up to `most_of_host`."""

    async def settle(self, delivery: Delivery) -> None:
        """Note how it stands; with `due_at` 0 it leaves the queue."""


class Poster(Protocol):
    """Posts (connectors.webhooks.client)."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post, and return what came of it."""


Secrets = Callable[[str], Awaitable[list[str]]]
"""Returns the living secrets of a tenant, the newest first. Raises TransientError."""


@dataclass
class Dispatcher:
    """Delivers. For one event loop; `now_ms` gives milliseconds since the epoch."""

    queue: Queue
    poster: Poster
    secrets: Secrets
    limits: WebhookLimits
    now_ms: Callable[[], int]
    tracer: Tracer = NO_TRACER
    chance: Callable[[], float] = random.random
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    _running: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _of_host: Counter[str] = field(default_factory=Counter, init=False)
    _failure: FatalError | None = field(default=None, init=False)
    _noting: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_MOST_NOTING), init=False)
    _silent: set[str] = field(default_factory=set, init=False)
    _woken: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def wake(self) -> None:
        """Have it look at once: something may be due, or is to stop. To be called in its loop."""
        self._woken.set()

    async def run(self, should_stop: Callable[[], bool]) -> None:
        """Deliver until `should_stop`, then end the attempts under way. Looks when woken, else every poll.

        Raises FatalError, also that of an attempt.
        """
        failures = 0
        while not should_stop() and self._failure is None:
            self._woken.clear()
            try:
                begun = await self.turn()
                failures, pause = 0, 0.0 if begun else self.limits.poll_seconds
            except TransientError as error:
                failures += 1
                pause = _RETRY.pause_seconds(failures, self.chance(), error.retry_after_seconds)
                log.warning("deliveries_wait", error=str(error), failures=failures)
            await self._sleep(pause)
        await self.drain()
        if self._failure:
            raise self._failure

    async def turn(self) -> int:
        """Begin what is due and has room; return how many."""
        room = self.limits.most_under_way - len(self._running)
        if room <= 0:
            return 0
        now = self.now_ms()
        claimed = await self.queue.claim(
            now, now + self.limits.lease_ms, room, self.limits.most_of_host, self._rooms()
        )
        metrics.WEBHOOK_LAG_SECONDS.set(max((now - one.due_at for one in claimed), default=0) / 1000)
        for delivery in claimed:
            self._begin(delivery)
        return len(claimed)

    async def drain(self) -> None:
        """Wait for the attempts under way; each ends within its time-out."""
        await asyncio.gather(*self._running)

    async def attempt(self, delivery: Delivery) -> Delivery:
        """Post once, and return the delivery as it stands then. Raises TransientError where the state is away."""
        try:
            settled = await self._tried(delivery)
        except (TransientError, FatalError):
            raise
        except Exception:  # a defect is a failed try: else it would come again with each lease, for ever
            log.exception("webhook_failed", **_about(delivery))
            settled = after(delivery, _DEFECT, Moment(self.now_ms(), self.chance()), self.limits)
        await self._note(settled)
        self._count(settled)
        return settled

    async def _tried(self, delivery: Delivery) -> Delivery:
        body = delivery.body.encode()
        secrets = await self.secrets(delivery.key.job.tenant)
        began = self.now_ms()
        headers = signed_headers(delivery.key.webhook_id, began // 1000, body, secrets)
        span = self.tracer.start(STAGE, delivery.traceparent.encode(), SpanKind.CLIENT)
        trace = {TRACE_HEADER: span.header.decode()} if span.header else {}
        answer = await self.poster.post(delivery.url, {**_ALWAYS, **headers, **trace}, body)
        self._heard(delivery.host, answer)
        settled = after(delivery, answer, Moment(began, self.chance()), self.limits)
        _end(span, settled)
        return settled

    async def _note(self, settled: Delivery) -> None:
        """Note how it stands, again and again for less than the lease: else it would be posted twice."""
        for failures in range(1, _NOTE_ATTEMPTS):
            try:
                async with self._noting:
                    return await self.queue.settle(settled)
            except TransientError as error:
                pause = _RETRY.pause_seconds(failures, self.chance(), error.retry_after_seconds)
            await self.sleep(pause)
        async with self._noting:
            return await self.queue.settle(settled)

    def _begin(self, delivery: Delivery) -> None:
        task = asyncio.create_task(self._run(delivery))
        self._running.add(task)
        self._of_host[delivery.host] += 1
        metrics.WEBHOOKS_UNDER_WAY.set(len(self._running))
        task.add_done_callback(lambda done: self._ended(done, delivery.host))

    async def _run(self, delivery: Delivery) -> None:
        try:
            await self.attempt(delivery)
        except TransientError as error:
            # It stays claimed, and comes again when the lease ends.
            log.warning("webhook_not_noted", **_about(delivery), error=str(error))
        except FatalError as error:
            self._failure = error
        except Exception:  # a defect that one delivery meets must not keep all others back
            log.exception("webhook_failed", **_about(delivery))

    def _ended(self, task: asyncio.Task[None], host: str) -> None:
        self._running.discard(task)
        self._of_host[host] -= 1
        if self._of_host[host] <= 0:
            del self._of_host[host]
        metrics.WEBHOOKS_UNDER_WAY.set(len(self._running))
        self._woken.set()

    def _heard(self, host: str, answer: Answer) -> None:
        """Remember which hosts do not answer: each of their attempts may take the whole time-out."""
        if answer.status_code:
            self._silent.discard(host)
        elif len(self._silent) < self.limits.most_under_way:
            self._silent.add(host)

    def _rooms(self) -> dict[str, int]:
        hosts = {*self._of_host, *self._silent}
        limits = {one: 1 if one in self._silent else self.limits.most_of_host for one in hosts}
        return {one: max(limits[one] - self._of_host.get(one, 0), 0) for one in hosts}

    def _count(self, settled: Delivery) -> None:
        metrics.WEBHOOKS.labels(_OUTCOMES[settled.state]).inc()
        last = settled.attempts[-1]
        log.debug("webhook_posted", **_about(settled), attempts=settled.count, status_code=last.status_code)
        if settled.state is DeliveryState.DELIVERED:
            seconds = max(self.now_ms() - settled.started_at, 0) / 1000
            metrics.WEBHOOK_SECONDS.observe(seconds, exemplar_of(_trace(settled)))
        elif settled.state is DeliveryState.GIVEN_UP:
            log.warning(
                "webhook_given_up", **_about(settled), attempts=settled.count, status_code=last.status_code
            )

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), seconds)


def _about(delivery: Delivery) -> dict[str, object]:
    """Return what each line of the log says of a delivery."""
    return {"webhook_id": delivery.key.webhook_id, "job": delivery.key.job, "trace": _trace(delivery)}


def _trace(delivery: Delivery) -> Headers:
    return {TRACE_HEADER: delivery.traceparent.encode()} if delivery.traceparent else {}


def _end(span: Span, settled: Delivery) -> None:
    """End the span of an attempt; the host is not among its facts, as a URL may hold a secret."""
    last, job = settled.attempts[-1], settled.key.job
    if span.is_recorded:
        span.say(
            {
                About.TENANT: job.tenant,
                About.REQUEST_ID: job.request_id,
                About.VERSION: settled.key.version,
                About.WEBHOOK_ID: settled.key.webhook_id,
                About.ATTEMPT: settled.count,
                About.STATUS_CODE: last.status_code,
                About.OUTCOME: _OUTCOMES[settled.state],
            }
        )
    span.end("" if settled.state is DeliveryState.DELIVERED else last.error or "refused")
