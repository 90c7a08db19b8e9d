"""Build a Faust application that loses no record, add agents to it, and run it.

An agent takes the events of one topic in order, has them processed, and finishes them only then.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, cast

import faust
import structlog
import uvloop
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError
from aiokafka.partitioner import DefaultPartitioner
from faust.exceptions import ProducerSendError
from faust.types import EventT, ProducerT, StreamT
from faust.worker import Worker

from connectors.faust.settings import FaustSettings
from connectors.faust.transport import DurableTransport, FinishedConsumer
from connectors.kafka.client_config import tls_context
from connectors.kafka.settings import KafkaSettings
from schemas.errors import FATAL_EXIT_CODE, DragomanError, PermanentError, TransientError
from schemas.records import InboundRecord, OutboundRecord

log = structlog.get_logger()

_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)

ProcessRecords = Callable[[Sequence[InboundRecord]], Awaitable[bool]]
"""Returns True once the outputs of all records are stored, False if their partitions are about to be revoked."""


class DurableApp(faust.App):
    """A Faust application that uses the corrected transport and writes no files."""

    def _new_transport(self) -> DurableTransport:
        return DurableTransport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Create none: they would be for tables, and a container may be read-only."""


def build_app(app_id: str, instance: str, kafka: KafkaSettings, settings: FaustSettings) -> DurableApp:
    """Build the application; nothing connects before it starts. `app_id` is also the consumer group."""
    return DurableApp(
        app_id,
        broker=[f"kafka://{address.strip()}" for address in kafka.bootstrap.split(",")],
        broker_credentials=_credentials(kafka),
        # Faust would read BROKER_URL and a hundred others; only our settings classes may read the environment.
        env_prefix="DRAGOMAN_NOTHING_",
        loop=None,
        web_enabled=False,
        **_consumer_options(kafka, settings, instance),
        **_producer_options(kafka, settings),
        **_storage_options(),
    )


class Finisher(Protocol):
    """The part of the consumer that decides what may be committed."""

    def finish(self, message: Any) -> None:
        """Note that this event and all before it are done."""

    def abandon(self) -> None:
        """Commit nothing more before the next assignment."""


def consume(app: DurableApp, topic: str, process: ProcessRecords, settings: FaustSettings) -> None:
    """Add an agent for the topic, with a buffer of its own, so that a flood on another topic does not delay it."""

    async def agent(stream: StreamT[Any]) -> None:
        # Faust's type lacks a method that its streams have.
        async for events in cast(Any, stream).take_events(settings.take_records, settings.take_seconds):
            consumer = cast(FinishedConsumer, app.consumer)
            await process_events(events, process, consumer, may_cancel=lambda: app.should_stop)

    channel = app.topic(topic, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    # With more than one at a time, a later event could finish before an earlier one.
    app.agent(channel, name=f"consume.{topic}", concurrency=1)(agent)


async def process_events(
    events: Sequence[EventT[Any]],
    process: ProcessRecords,
    consumer: Finisher,
    *,
    may_cancel: Callable[[], bool],
    exit_process: Callable[[int], object] = os._exit,
) -> None:
    """Process the events, then finish them, or abandon them before a rebalance.

    After any exception the process ends, so that the events are delivered again: Faust would go on with the next
    event and lose these.
    """
    try:
        are_stored = await process([record_of(event) for event in events])
    except asyncio.CancelledError:
        if not may_cancel():
            _end_process("cancelled", exit_process)
        raise
    except BaseException as error:
        _end_process(f"{type(error).__name__}: {error}", exit_process)
        raise
    if not are_stored:
        log.warning("events_abandoned", events=len(events))
        consumer.abandon()
        return
    for event in events:
        consumer.finish(event.message)


def run_app(app: DurableApp) -> None:
    """Run in the main thread until SIGTERM or SIGINT. Raises SystemExit."""
    uvloop.install()
    worker = Worker(app, quiet=True, loglevel="info", override_logging=False, redirect_stdouts=False, debug=False)
    # Its log handler would set the root logger to DEBUG, which halves the speed.
    worker.spinner = None
    worker.execute_from_commandline()


def record_of(event: EventT[Any]) -> InboundRecord:
    """Return the record behind the event, as Kafka stored it."""
    message = event.message
    return InboundRecord(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        key=message.key,
        value=message.value,
        headers={name: bytes(value or b"") for name, value in _pairs(message.headers)},
        timestamp_ms=round(message.timestamp * 1000),
    )


async def send_durably(producer: ProducerT, record: OutboundRecord) -> None:
    """Send and wait for every in-sync replica. Raises TransientError, or PermanentError if it is too large."""
    try:
        stored = await producer.send(
            record.topic, record.key, record.value, record.partition, None, dict(record.headers) or None
        )
        await stored
    except (ProducerSendError, KafkaError) as error:
        raise failure_of(error, record.topic) from error


def failure_of(error: Exception, topic: str) -> DragomanError:
    """Return a PermanentError if the record is too large, else a TransientError."""
    root = error.__cause__ if isinstance(error, ProducerSendError) and error.__cause__ else error
    if isinstance(root, _TOO_LARGE):
        return PermanentError(
            "output_too_large",
            f"an output for {topic} exceeds what Kafka takes",
            limit="DRAGOMAN_KAFKA_MAX_MESSAGE_BYTES",
            cure="send less text in one request, or raise the limit on brokers and processes",
        )
    return TransientError(f"Kafka: {type(root).__name__}: {root}")


def _consumer_options(kafka: KafkaSettings, settings: FaustSettings, instance: str) -> dict[str, Any]:
    session_seconds = kafka.session_timeout_ms / 1000
    return {
        "consumer_group_instance_id": instance if kafka.static_membership else None,
        "broker_client_id": instance,
        "broker_session_timeout": session_seconds,
        "broker_heartbeat_interval": max(session_seconds / 5, 0.5),
        "broker_rebalance_timeout": settings.rebalance_timeout_seconds,
        "broker_request_timeout": max(session_seconds, settings.rebalance_timeout_seconds) + 10,
        "broker_commit_interval": settings.commit_interval_seconds,
        "broker_max_poll_records": settings.buffered_records,
        "consumer_auto_offset_reset": "earliest",
        "consumer_max_fetch_size": kafka.max_message_bytes,
        "stream_buffer_maxsize": settings.buffered_records,
        # Events in hand are finished before their partitions are revoked.
        "stream_wait_empty": True,
    }


def _producer_options(kafka: KafkaSettings, settings: FaustSettings) -> dict[str, Any]:
    return {
        "producer_acks": -1,
        "producer_linger": kafka.linger_ms / 1000,
        "producer_max_batch_size": settings.producer_batch_bytes,
        "producer_max_request_size": kafka.max_message_bytes,
        "producer_request_timeout": kafka.delivery_timeout_ms / 1000,
        # murmur2, as Java's clients and librdkafka's `murmur2_random`.
        "producer_partitioner": DefaultPartitioner(),
    }


def _storage_options() -> dict[str, Any]:
    return {
        "key_serializer": "raw",
        "value_serializer": "raw",
        "store": "memory://",
        "table_standby_replicas": 0,
        # `dragoman topics create` does it; an application that declares topics would hide their absence.
        "topic_allow_declare": False,
        "topic_disable_leader": True,
    }


def _credentials(kafka: KafkaSettings) -> faust.auth.Credentials | None:
    context = tls_context(kafka)
    if kafka.security_protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=kafka.sasl_username,
            password=kafka.sasl_password.get_secret_value(),
            mechanism=kafka.sasl_mechanism,
            ssl_context=context,
        )
    return faust.SSLCredentials(context=context) if context else None


def _end_process(reason: str, exit_process: Callable[[int], object]) -> None:
    log.critical("process_failed", error=reason, code=FATAL_EXIT_CODE)
    exit_process(FATAL_EXIT_CODE)


def _pairs(headers: Any) -> list[tuple[str, bytes]]:
    if not headers:
        return []
    return list(headers.items()) if isinstance(headers, dict) else list(headers)
