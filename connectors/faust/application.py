"""One Faust application with every setting that decides whether a record can be lost."""

from typing import Any

import faust
from aiokafka.partitioner import DefaultPartitioner

from connectors.faust.settings import FaustSettings
from connectors.faust.transport import DurableTransport
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.tls import tls_context


class DurableApp(faust.App):
    """A Faust application on the corrected transport, which writes no files."""

    def _new_transport(self) -> DurableTransport:
        return DurableTransport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """None: they would be for tables, and a container may be read-only."""


def build_app(app_id: str, instance: str, kafka: KafkaSettings, settings: FaustSettings) -> DurableApp:
    """Nothing connects before the application starts. `app_id` is also the consumer group."""
    return DurableApp(
        app_id,
        broker=[f"kafka://{address.strip()}" for address in kafka.bootstrap.split(",")],
        broker_credentials=_credentials(kafka),
        # Faust would read BROKER_URL and a hundred others; our settings classes are the only way in.
        env_prefix="DRAGOMAN_NOTHING_",
        loop=None,
        web_enabled=False,
        **_consumer_options(kafka, settings, instance),
        **_producer_options(kafka, settings),
        **_storage_options(),
    )


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
        # Events in hand are finished before their partitions go.
        "stream_wait_empty": True,
    }


def _producer_options(kafka: KafkaSettings, settings: FaustSettings) -> dict[str, Any]:
    return {
        "producer_acks": -1,
        "producer_linger": kafka.linger_ms / 1000,
        "producer_max_batch_size": settings.producer_batch_bytes,
        "producer_max_request_size": kafka.max_message_bytes,
        "producer_request_timeout": kafka.delivery_timeout_ms / 1000,
        # murmur2, as Java's clients and `murmur2_random` of librdkafka.
        "producer_partitioner": DefaultPartitioner(),
    }


def _storage_options() -> dict[str, Any]:
    return {
        "key_serializer": "raw",
        "value_serializer": "raw",
        "store": "memory://",
        "table_standby_replicas": 0,
        # The catalogue creates topics; an application that declares them hides their absence.
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
