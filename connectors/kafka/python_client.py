"""kafka-python's admin client, for requests that librdkafka has no call for (docs/decisions/0019)."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connectors.kafka.client_config import admin_client_config
from connectors.kafka.settings import KafkaSettings
from schemas.errors import TransientError


@contextmanager
def admin_client(settings: KafkaSettings, timeout_seconds: float) -> Iterator[Any]:
    """Open a kafka.admin.KafkaAdminClient and close it at the end; every failure inside is a TransientError.

    Connecting may take the time-out, and so may each request.
    """
    from kafka.admin import KafkaAdminClient  # noqa: PLC0415  # 0.3 s, which most processes never have to spend
    from kafka.errors import KafkaError  # noqa: PLC0415  # as above
    from kafka.net.compat import KafkaNetClient  # noqa: PLC0415  # as above

    connections: list[Any] = []

    def connect(**config: Any) -> Any:
        connections.append(KafkaNetClient(**config))
        return connections[-1]

    # It logs every failed attempt, and at DEBUG the password; the error that is raised says what matters.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    try:
        yield KafkaAdminClient(kafka_client=connect, **admin_client_config(settings, timeout_seconds))
    except (KafkaError, OSError) as error:
        raise TransientError(f"Kafka: {error!r}") from error
    finally:
        # Not its own close(): an admin client (3.0.12) that could not connect keeps a thread and four sockets.
        for connection in connections:
            connection.close()
