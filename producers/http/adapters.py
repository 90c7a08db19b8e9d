"""The ports, made of Kafka, Redis and the object store.

Accepted means stored: a request is handed to Kafka and the caller waits for the acknowledgement.

Whether requests can be accepted right now: asked every other second, shown by /ready and the health port.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.lost_connection import LostConnection
from connectors.kafka.producer import OnDone
from connectors.redis.client import AsyncClient, redis_errors
from connectors.redis.job_view import JobView, JobViews
from connectors.redis.request_markers import ResultStore
from connectors.telemetry.health import Health
from producers.http.backpressure import BacklogReading, QueueCounts
from schemas.codec import Codec
from schemas.errors import DragomanError, FatalError, PermanentError, TransientError
from schemas.events import JobControl, JobEvent
from schemas.ids import event_id, fingerprint
from schemas.messages import TranslationRequest, TranslationResult
from schemas.priorities import Priority
from schemas.records import Headers, OutboundRecord
from schemas.topics import CONTROL, INTAKE_GROUP, STATUS, batches_topic, inference_group, requests_topic
from stream_apps.pipeline.stores import ModelVersions, ObjectStore


@dataclass(frozen=True)
class RedisJobs:
    """Jobs from the state Redis; its clients are for threads."""

    views: JobViews
    results: ResultStore
    codec: Codec

    async def view(self, job_id: str) -> JobView | None:
        return await asyncio.to_thread(self.views.read, job_id)

    async def result(self, job_id: str) -> TranslationResult | None:
        encoded = await asyncio.to_thread(self.results.get, job_id)
        return None if encoded is None else self.codec.decode(encoded, TranslationResult)


@dataclass(frozen=True)
class StoredTexts:
    """Texts in the object store, whose client blocks."""

    store: ObjectStore
    max_result_bytes: int

    async def keep(self, request_id: str, text: str) -> str:
        # The content is part of the name: a text that was accepted is never replaced.
        name = f"requests/{event_id(request_id, fingerprint(text.encode()))}.txt"
        return await asyncio.to_thread(self.store.write_text, name, text)

    async def load(self, reference: str) -> str:
        return await asyncio.to_thread(self.store.read_text, reference, self.max_result_bytes)


@dataclass(frozen=True)
class NoTexts:
    """Where no store is configured that the other processes could read too."""

    max_inline_bytes: int

    async def keep(self, request_id: str, text: str) -> str:
        raise PermanentError(
            "text_too_long",
            f"the text of {request_id} has {len(text.encode())} bytes",
            field="text",
            limit=f"{self.max_inline_bytes} bytes where no object store is configured",
            cure="split it into several requests, or have DRAGOMAN_OBJECTS_URL set",
        )

    async def load(self, reference: str) -> str:
        raise TransientError(f"no object store is configured to read {reference} from")


@dataclass(frozen=True)
class RegisteredModels:
    """What the pools' workers have announced."""

    versions: ModelVersions
    pools: tuple[str, ...]

    async def pairs(self) -> Sequence[str]:
        return sorted({pair for pool in self.pools for pair in await self.versions.read(pool)})


@dataclass(frozen=True)
class KafkaBacklog:
    """What the groups of intake and of the workers have still to read; the admin client blocks."""

    admin: KafkaAdmin
    pools: tuple[str, ...]
    clock: Callable[[], float] = time.monotonic

    async def read(self) -> BacklogReading:
        return await asyncio.to_thread(self._read)

    def _read(self) -> BacklogReading:
        requests = {one: self._queue([(INTAKE_GROUP, requests_topic(one))]) for one in Priority}
        batches = {
            one: self._queue([(inference_group(pool, one), batches_topic(pool, one)) for pool in self.pools])
            for one in Priority
        }
        return BacklogReading(self.clock(), requests, batches)

    def _queue(self, sources: Sequence[tuple[str, str]]) -> QueueCounts:
        lags = [lag for group, topic in sources for lag in self.admin.lag(group, [topic])]
        return QueueCounts(sum(lag.records for lag in lags), sum(max(lag.committed, 0) for lag in lags))


@dataclass(frozen=True)
class PartsReadiness:
    """Kafka to accept, Redis to answer."""

    kafka: LostConnection
    state: AsyncClient

    async def problems(self) -> list[str]:
        """Raises FatalError when the client of Kafka is lost."""
        is_heard = await asyncio.to_thread(self.kafka.is_heard)
        return [*([] if is_heard else ["Kafka does not answer"]), *await self._redis_problems()]

    async def _redis_problems(self) -> list[str]:
        try:
            with redis_errors():
                await self.state.ping()
        except DragomanError as error:
            return [str(error)]
        return []


log = structlog.get_logger()


class Sender(Protocol):
    """What is asked of connectors.kafka.producer.DurableProducer."""

    def send_async(self, record: OutboundRecord, on_done: OnDone) -> None:
        """Calls `on_done` from any thread, once."""


@dataclass(frozen=True)
class KafkaRequestLog:
    """Appends to the request topics and tells translation.status. `on_fatal`: the process must not go on."""

    sender: Sender
    codec: Codec
    acknowledge_timeout_seconds: float
    now_ms: Callable[[], int]
    on_fatal: Callable[[FatalError], None]

    async def append(self, request: TranslationRequest, priority: Priority, headers: Headers) -> None:
        """Raises TransientError when Kafka did not acknowledge in time; it may still store it then."""
        key = request.request_id.encode()
        record = OutboundRecord(requests_topic(priority), key, self.codec.encode(request), headers)
        await self._stored(
            record,
            f"a repeat with request_id {request.request_id}, or with your Idempotency-Key, is answered once",
        )
        accepted = _accepted(request, priority, self.now_ms())
        self.sender.send_async(OutboundRecord(STATUS, key, self.codec.encode(accepted), headers), _report_lost)

    async def cancel(self, order: JobControl) -> None:
        """As `append`. The key brings it to the assembler of the request."""
        headers = {"schema": b"JobControl"}
        record = OutboundRecord(CONTROL, order.request_id.encode(), self.codec.encode(order), headers)
        await self._stored(record, "a repeat is harmless")

    async def _stored(self, record: OutboundRecord, about_repeats: str) -> None:
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[None] = loop.create_future()

        def on_done(error: DragomanError | None) -> None:
            loop.call_soon_threadsafe(_settle, stored, error)

        self.sender.send_async(record, on_done)
        try:
            await asyncio.wait_for(stored, self.acknowledge_timeout_seconds)
        except TimeoutError:
            raise TransientError(
                f"Kafka did not acknowledge within {self.acknowledge_timeout_seconds:g} s; {about_repeats}",
                retry_after_seconds=5,
            ) from None
        except FatalError as error:
            self.on_fatal(error)
            raise TransientError("this process must restart", retry_after_seconds=5) from error


def _settle(stored: asyncio.Future[None], error: DragomanError | None) -> None:
    if stored.done():
        return
    if error is None:
        stored.set_result(None)
    else:
        stored.set_exception(error)


def _accepted(request: TranslationRequest, priority: Priority, now_ms: int) -> JobEvent:
    return JobEvent(
        request_id=request.request_id,
        tenant=request.tenant,
        stage="ACCEPTED",
        priority=priority,
        detail={"source_language": request.source_language, "target_language": request.target_language},
        submitted_at=request.submitted_at,
        at=now_ms,
    )


def _report_lost(error: DragomanError | None) -> None:
    # Later stages tell more than this event does; losing it costs a moment of "unknown job" only.
    if error:
        log.warning("status_event_lost", error=str(error))


class Readiness(Protocol):
    """Whether the parts that accepting needs can be reached."""

    async def problems(self) -> list[str]:
        """One line for each part that is away. Raises FatalError when only a fresh process can reach it."""


async def watch_readiness(
    health: Health, readiness: Readiness, every_seconds: float, on_fatal: Callable[[FatalError], object]
) -> None:
    """Until cancelled, or told that all is over. Its beats prove that the event loop turns."""
    while True:
        health.beat()
        try:
            problems = await readiness.problems()
        except FatalError as error:
            on_fatal(error)
            return
        if problems:
            health.not_ready("; ".join(problems))
        else:
            health.ready()
        await asyncio.sleep(every_seconds)
