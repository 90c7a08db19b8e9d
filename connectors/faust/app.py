"""Build a Faust application that loses no record, add agents to it, and run it.

Faust is a member of the group: it fetches, rebalances and commits. It sends nothing; what the events lead to goes
through connectors/kafka/producer.py.
"""

import asyncio
from typing import Any, cast

import faust
import uvloop
from faust.app.base import BootStrategy
from faust.types import StreamT
from faust.worker import Worker

from connectors.faust.bundles import TakeLimits
from connectors.faust.resuming import PatientTables
from connectors.faust.settings import FaustSettings
from connectors.faust.taking import EventLine, ProcessRecords
from connectors.faust.transport import DurableTransport, FinishedConsumer, HeldLimits
from connectors.kafka.client_config import METADATA_REFRESH_MS, tls_context
from connectors.kafka.settings import KafkaSettings


class ConsumerOnly(BootStrategy):
    """Start no producer: an idle one asks the brokers for news all the time."""

    enable_kafka_producer = False


class DurableApp(faust.App):
    """A Faust application that uses the corrected transport and writes no files."""

    BootStrategy = ConsumerOnly
    held_limits: HeldLimits
    take_limits: TakeLimits

    def _new_transport(self) -> DurableTransport:
        return DurableTransport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Create none: they would be for tables, and a container may be read-only."""


def build_app(app_id: str, instance: str, kafka: KafkaSettings, settings: FaustSettings) -> DurableApp:
    """Build the application; nothing connects before it starts. `app_id` is also the consumer group."""
    app = DurableApp(
        app_id,
        broker=[f"kafka://{address.strip()}" for address in kafka.bootstrap.split(",")],
        broker_credentials=_credentials(kafka),
        # Faust would read BROKER_URL and a hundred others; only our settings classes may read the environment.
        env_prefix="DRAGOMAN_NOTHING_",
        loop=None,
        web_enabled=False,
        TableManager=PatientTables,
        **_consumer_options(kafka, settings, instance),
        **_storage_options(),
    )
    app.held_limits = HeldLimits(settings.buffered_records, settings.buffered_bytes)
    app.take_limits = TakeLimits(settings.take_records, settings.take_bytes)
    return app


def consume(app: DurableApp, topic: str, process: ProcessRecords) -> None:
    """Add an agent for the topic, with a line of its own, so that a flood on another topic does not delay it."""

    async def agent(stream: StreamT[Any]) -> None:
        line = EventLine(
            process,
            lambda: cast(FinishedConsumer, app.consumer),
            app.take_limits,
            may_cancel=lambda: app.should_stop,
        )
        task = asyncio.create_task(line.run())
        try:
            # Acknowledged by the line: only finished offsets are committed, so nothing can be passed over.
            async for event in cast(Any, stream).noack().events():  # Faust's type lacks the method
                line.add(event)
        finally:
            task.cancel()

    channel = app.topic(topic, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    # With more than one at a time, a later event could finish before an earlier one.
    app.agent(channel, name=f"consume.{topic}", concurrency=1)(agent)


def run_app(app: DurableApp) -> None:
    """Run in the main thread until SIGTERM or SIGINT. Raises SystemExit."""
    uvloop.install()
    worker = Worker(app, quiet=True, loglevel="info", override_logging=False, redirect_stdouts=False, debug=False)
    # Its log handler would set the root logger to DEBUG, which halves the speed.
    worker.spinner = None
    worker.execute_from_commandline()


def _consumer_options(kafka: KafkaSettings, settings: FaustSettings, instance: str) -> dict[str, Any]:
    session_seconds = kafka.session_timeout_ms / 1000
    return {
        "consumer_group_instance_id": instance if kafka.static_membership else None,
        "broker_client_id": instance,
        # A leader that knows no partition yet assigns none, and goes by that until it hears of them.
        "consumer_metadata_max_age_ms": METADATA_REFRESH_MS,
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
