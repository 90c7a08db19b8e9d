"""Accepted means stored: a request is handed to Kafka and the caller waits for the acknowledgement."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from connectors.kafka.producer import OnDone
from schemas.codec import Codec
from schemas.errors import DragomanError, FatalError, TransientError
from schemas.messages import JobControl, JobEvent, TranslationRequest
from schemas.priorities import Priority
from schemas.records import Headers, OutboundRecord
from schemas.topics import CONTROL, STATUS, requests_topic

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
