"""A producer whose `send` returns only once Kafka has stored all records."""

import threading
from collections.abc import Callable, Sequence

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connectors.kafka.client_config import producer_config
from connectors.kafka.errors import failure_of
from connectors.kafka.lost_connection import is_reachable
from connectors.kafka.settings import KafkaSettings
from schemas.errors import DragomanError, TransientError
from schemas.records import OutboundRecord

OnDone = Callable[[DragomanError | None], None]

_POLL_SECONDS = 0.1


class DurableProducer:
    """Idempotent, with acks=all. Thread-safe; delivery reports arrive on a thread of its own."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._producer = Producer(producer_config(settings))
        self._closing = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="kafka-delivery-reports", daemon=True)
        self._poller.start()

    def send_async(self, record: OutboundRecord, on_done: OnDone) -> None:
        """Queue the record; `on_done(None)` once stored, `on_done(error)` if it never will be."""

        def report(error: KafkaError | None, _message: Message) -> None:
            on_done(failure_of(error) if error else None)

        try:
            produce(self._producer, record, report)
        except BufferError:
            on_done(TransientError("the producer's queue is full", retry_after_seconds=1.0))
        except KafkaException as error:
            on_done(failure_of(error))

    def send(self, records: Sequence[OutboundRecord], timeout_seconds: float = 30.0) -> None:
        """Wait until all are stored. Raises the first error, or TransientError after the timeout."""
        failures: list[DragomanError] = []
        left = threading.Semaphore(0)

        def on_done(error: DragomanError | None) -> None:
            if error:
                failures.append(error)
            left.release()

        for record in records:
            self.send_async(record, on_done)
        for _ in records:
            if not left.acquire(timeout=timeout_seconds):
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

    def _poll(self) -> None:
        while not self._closing.is_set():
            self._producer.poll(_POLL_SECONDS)


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
