"""How records are framed: with a schema registry, or without."""

from connectors.kafka.settings import KafkaSettings
from schemas.codec import Codec


def open_codec(settings: KafkaSettings) -> Codec:
    """Confluent framing where a registry is configured, else single-object encoding."""
    if not settings.schema_registry_url:
        return Codec()
    from connectors.kafka.http_schema_registry import HttpSchemaRegistry  # noqa: PLC0415  # 0.04 s of every start

    return Codec(HttpSchemaRegistry(settings.schema_registry_url))
