"""Translate our settings into those of the client libraries; no other module knows their keys."""

import ssl
from typing import Any

from connectors.kafka.settings import FIRST_RECONNECT_MS, KafkaSettings

Config = dict[str, str | int | float | bool]

# What a starting cluster says about itself is soon outdated; the libraries' default is 5 minutes.
METADATA_REFRESH_MS = 5000


def client_config(settings: KafkaSettings) -> Config:
    """Return what every client of librdkafka needs to reach the brokers."""
    config: Config = {
        "bootstrap.servers": settings.bootstrap,
        "security.protocol": settings.security_protocol,
        # librdkafka logs every reconnect attempt; our own errors say what matters.
        "log_level": 2,
        # librdkafka's own 10 s would miss a broker that is back for longer than it was away.
        "reconnect.backoff.ms": FIRST_RECONNECT_MS,
        "reconnect.backoff.max.ms": settings.reconnect_max_ms,
        # It does not help a client that was told of no broker at all: connectors/kafka/lost_connection.py.
        "topic.metadata.refresh.interval.ms": METADATA_REFRESH_MS,
    }
    if settings.security_protocol.startswith("SASL"):
        config |= {
            "sasl.mechanism": settings.sasl_mechanism,
            "sasl.username": settings.sasl_username,
            "sasl.password": settings.sasl_password.get_secret_value(),
        }
    if settings.ca_file:
        config["ssl.ca.location"] = settings.ca_file
    return config


def asking_config(settings: KafkaSettings) -> Config:
    """Return the settings of a client that only asks, and hears of brokers and leaders with what it asks for."""
    return client_config(settings) | {"topic.metadata.refresh.interval.ms": -1}


def producer_config(settings: KafkaSettings) -> Config:
    """Return the settings of an idempotent producer whose acknowledged records survive the loss of one broker."""
    return client_config(settings) | {
        "acks": "all",
        "enable.idempotence": True,
        # Java's and aiokafka's partitioner; librdkafka's default would put the same key elsewhere.
        "partitioner": "murmur2_random",
        "linger.ms": settings.linger_ms,
        "compression.type": "lz4",
        "message.max.bytes": settings.max_message_bytes,
        "delivery.timeout.ms": settings.delivery_timeout_ms,
        # librdkafka would hold a gigabyte.
        "queue.buffering.max.kbytes": settings.producer_buffer_kbytes,
    }


def transactional_config(settings: KafkaSettings, transactional_id: str) -> Config:
    """Return the settings of a transactional producer; a second one with the same id fences the first."""
    return producer_config(settings) | {
        "transactional.id": transactional_id,
        "transaction.timeout.ms": settings.transaction_timeout_ms,
        # It also limits how long librdkafka (2.16) remembers a group's coordinator. While a broker is away its
        # handle is dropped, but still remembered as coordinator: send_offsets_to_transaction would never return.
        "metadata.max.age.ms": 1000,
        # A transaction that follows at once waits for the end of the one before by this clock: 35 ms with the
        # library's 100. It doubles at each refusal.
        "retry.backoff.ms": 5,
        "retry.backoff.max.ms": 200,
        # Must not exceed the transaction's own timeout.
        "delivery.timeout.ms": min(settings.delivery_timeout_ms, settings.transaction_timeout_ms),
    }


def consumer_config(settings: KafkaSettings, group: str, instance: str, topics: int = 1) -> Config:
    """Return the settings of a group member that sees committed records only and never commits by itself.

    A member of several topics gets its share of each. Cooperative-sticky evens out the number of partitions of
    each member, whatever their topic: the second member may get all of one and none of the other. Round robin
    deals out the topics one after the other. Its price: at each change all members give up everything
    (docs/decisions/0047-long-requests-have-lanes-of-their-own.md).
    """
    membership: Config = {"group.instance.id": instance} if settings.static_membership else {}
    return (
        client_config(settings)
        | membership
        | {
            "group.id": group,
            "client.id": instance,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "partition.assignment.strategy": "cooperative-sticky" if topics == 1 else "roundrobin",
            "session.timeout.ms": settings.session_timeout_ms,
            "heartbeat.interval.ms": max(settings.session_timeout_ms // 5, 1000),
            "max.poll.interval.ms": settings.max_poll_interval_ms,
            "fetch.wait.max.ms": settings.fetch_wait_ms,
            # Without this, a fetch error on an idle partition delays its next records by half a second.
            "fetch.error.backoff.ms": 50,
            "queued.max.messages.kbytes": settings.consumer_buffer_kbytes,
            # How long a full buffer stays unasked. With the library's second, whoever takes 4 MB sooner waits for
            # the rest of it: 120 MB of a topic were read at 12 to 16 MB a second instead of 140 to 170.
            "fetch.queue.backoff.ms": 50,
            "fetch.max.bytes": settings.fetch_bytes,
        }
    )


def tls_context(settings: KafkaSettings) -> ssl.SSLContext | None:
    """Return the context for clients that take one of Python's; None where TLS is off."""
    if not settings.security_protocol.endswith("SSL"):
        return None
    return ssl.create_default_context(cafile=settings.ca_file or None)


def admin_client_config(settings: KafkaSettings, timeout_seconds: float) -> dict[str, Any]:
    """Return kafka-python's settings; the time-out holds for connecting and for each request."""
    timeout_ms = max(round(timeout_seconds * 1000), 1)
    config: dict[str, Any] = {
        "bootstrap_servers": [address.strip() for address in settings.bootstrap.split(",")],
        "bootstrap_timeout_ms": timeout_ms,
        "request_timeout_ms": timeout_ms,
        "reconnect_backoff_ms": FIRST_RECONNECT_MS,
        "reconnect_backoff_max_ms": settings.reconnect_max_ms,
        "security_protocol": settings.security_protocol,
        "ssl_context": tls_context(settings),
    }
    if settings.security_protocol.startswith("SASL"):
        config |= {
            "sasl_mechanism": settings.sasl_mechanism,
            "sasl_plain_username": settings.sasl_username,
            "sasl_plain_password": settings.sasl_password.get_secret_value(),
        }
    return config
