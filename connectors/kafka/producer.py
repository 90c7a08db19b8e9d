"""A producer whose `send` returns only once Kafka has stored all records."""

import asyncio
import itertools
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connectors.kafka.client_config import producer_config
from connectors.kafka.errors import failure_of
from connectors.kafka.lost_connection import is_reachable
from connectors.kafka.settings import KafkaSettings
from schemas.errors import DragomanError, PermanentError, TransientError
from schemas.records import OutboundRecord, StoredAt

log = structlog.get_logger()

OnDone = Callable[[DragomanError | None], None]
OnDelivery = Callable[[StoredAt | DragomanError], None]

# A delivery report ends it at once.
_POLL_SECONDS = 0.5
_TOO_LARGE = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.RECORD_LIST_TOO_LARGE})
_UNSETTLED = TransientError("not stored yet")


class DurableProducer:
    """Idempotent, with acks=all. Thread-safe; delivery reports arrive on a thread of its own."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._producer = Producer(producer_config(settings))
        self._closing = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="kafka-delivery-reports", daemon=True)
        self._poller.start()

    def send_async(self, record: OutboundRecord, on_done: OnDone) -> None:
        """Queue the record; `on_done(None)` once stored, `on_done(error)` if it never will be."""
        self._queue(record, lambda outcome: on_done(outcome if isinstance(outcome, DragomanError) else None))

    async def store(self, records: Sequence[OutboundRecord]) -> list[StoredAt | DragomanError]:
        """Queue the records; return for each where it is stored, or why it will not be. One wait for all."""
        loop = asyncio.get_running_loop()
        settled: asyncio.Future[None] = loop.create_future()
        outcomes: list[StoredAt | DragomanError] = [_UNSETTLED] * len(records)
        count = itertools.count(1)

        def settle(number: int, outcome: StoredAt | DragomanError) -> None:
            outcomes[number] = outcome
            # Counting is atomic: reports come on two threads.
            if next(count) == len(records):
                loop.call_soon_threadsafe(_finish, settled)

        for number, record in enumerate(records):
            self._queue(record, partial(settle, number))
        if records:
            await settled
        return outcomes

    def send(self, records: Sequence[OutboundRecord], timeout_seconds: float = 30.0) -> None:
        """Wait until all are stored. Raises the first error, or TransientError where that takes longer."""
        failures: list[DragomanError] = []
        left = threading.Semaphore(0)

        def on_done(error: DragomanError | None) -> None:
            if error:
                failures.append(error)
            left.release()

        for record in records:
            self.send_async(record, on_done)
        end = time.monotonic() + timeout_seconds
        for _ in records:
            if not left.acquire(timeout=max(end - time.monotonic(), 0.0)):
                raise TransientError(f"Kafka did not acknowledge within {timeout_seconds:g} s")
        if failures:
            raise failures[0]

    def is_reachable(self, timeout_seconds: float = 2.0) -> bool:
        """Tell whether a broker answers right now."""
        return is_reachable(self._producer, timeout_seconds)

    def close(self, timeout_seconds: float = 10.0) -> None:
        """Wait for records that are still on their way, then stop."""
        self._producer.flush(timeout_seconds)
        self._closing.set()
        self._poller.join(timeout=1.0)

    def _queue(self, record: OutboundRecord, on_delivery: OnDelivery) -> None:
        def report(error: KafkaError | None, message: Message) -> None:
            _tell(on_delivery, _failure_of(error) if error else _place_of(message))

        try:
            produce(self._producer, record, report)
        except BufferError:
            on_delivery(TransientError("the producer's queue is full", retry_after_seconds=1.0))
        except KafkaException as error:
            on_delivery(_failure_of(error.args[0]))

    def _poll(self) -> None:
        while not self._closing.is_set():
            try:
                self._producer.poll(_POLL_SECONDS)
            except (KafkaException, SystemError) as error:
                # The client raises its own fatal error here, and Python a SystemError where reports were called
                # nevertheless. The reports of the other records are still to come, and somebody waits for them.
                log.warning("delivery_reports_delayed", error=str(error.__cause__ or error))
                self._closing.wait(_POLL_SECONDS)


def produce(
    producer: Producer,
    record: OutboundRecord,
    report: Callable[[KafkaError | None, Message], None] | None = None,
) -> None:
    """Hand one record to librdkafka. Raises BufferError when its queue is full."""
    producer.produce(
        record.topic,
        value=record.value,
        key=record.key,
        partition=-1 if record.partition is None else record.partition,
        on_delivery=report,
        headers=dict(record.headers),
    )


def _place_of(message: Message) -> StoredAt:
    return StoredAt(message.partition() or 0, message.offset() or 0)


def _tell(on_delivery: OnDelivery, outcome: StoredAt | DragomanError) -> None:
    """Tell whoever waits for the record. What that raises concerns nobody else.

    Out of `poll` it would end the thread of reports, and out of `flush` the end of the process: all would wait.
    """
    try:
        on_delivery(outcome)
    except Exception:  # such as a closed event loop
        log.exception("delivery_report_failed")


def _finish(settled: asyncio.Future[None]) -> None:
    # Cancelled, when the process is being stopped.
    if not settled.done():
        settled.set_result(None)


def _failure_of(error: KafkaError) -> DragomanError:
    """Return a PermanentError for a record that is too large, else what `failure_of` says."""
    if error.code() not in _TOO_LARGE:
        return failure_of(error)
    return PermanentError(
        "output_too_large",
        f"a record exceeds what Kafka takes: {error.name()}",
        limit="DRAGOMAN_KAFKA_MAX_MESSAGE_BYTES",
        cure="send less text in one request, or raise the limit on brokers and processes",
    )
