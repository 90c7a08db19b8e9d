"""TLS of the clients that take a context of Python's instead of librdkafka's keys."""

import ssl

from connectors.kafka.settings import KafkaSettings


def tls_context(settings: KafkaSettings) -> ssl.SSLContext | None:
    """None where brokers are spoken to in the clear."""
    if not settings.security_protocol.endswith("SSL"):
        return None
    return ssl.create_default_context(cafile=settings.ca_file or None)
