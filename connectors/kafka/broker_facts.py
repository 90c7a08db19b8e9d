"""Ask a cluster about itself: which version its brokers have, and what our user may do with its topics."""

from collections.abc import Sequence

from confluent_kafka import TopicCollection
from confluent_kafka.admin import AdminClient

from connectors.kafka.client_config import client_config
from connectors.kafka.errors import kafka_errors
from connectors.kafka.python_client import admin_client
from connectors.kafka.settings import KafkaSettings


def broker_version(settings: KafkaSettings, timeout_seconds: float) -> tuple[int, ...]:
    """Return the oldest release of Kafka that a broker of the cluster can be. Raises TransientError."""
    with admin_client(settings, timeout_seconds) as client:
        brokers = [broker["broker_id"] for broker in client.describe_cluster()["brokers"]]
        return min(tuple(client.get_broker_version_data(broker).broker_version) for broker in brokers)


def allowed_operations(
    settings: KafkaSettings, topics: Sequence[str], timeout_seconds: float
) -> dict[str, frozenset[str] | None]:
    """Return what our user may do with each topic that exists, by Kafka's names; None where it is not told.

    A broker without an authorizer allows everything. Raises TransientError.
    """
    client = AdminClient(client_config(settings))
    with kafka_errors():
        known = client.list_topics(timeout=timeout_seconds).topics
        wanted = TopicCollection([topic for topic in topics if topic in known])
        answers = client.describe_topics(
            wanted, include_authorized_operations=True, request_timeout=timeout_seconds
        )
        found = {topic: future.result(timeout_seconds) for topic, future in answers.items()}
    return {
        topic: None if one.authorized_operations is None else _names(one.authorized_operations)
        for topic, one in found.items()
    }


def _names(operations: Sequence[object]) -> frozenset[str]:
    return frozenset(str(getattr(one, "name", one)) for one in operations)
