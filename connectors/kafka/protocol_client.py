"""Requests that neither librdkafka nor aiokafka knows, on aiokafka's connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from connectors.kafka.client_config import tls_context
from connectors.kafka.settings import KafkaSettings
from schemas.errors import TransientError


@asynccontextmanager
async def protocol_client(settings: KafkaSettings, timeout_seconds: float) -> AsyncIterator[Any]:
    """A connected client. Raises TransientError when all that is done with it takes longer, or fails."""
    client = AIOKafkaClient(
        bootstrap_servers=settings.bootstrap,
        security_protocol=settings.security_protocol,
        ssl_context=tls_context(settings),
        **_credentials(settings),
    )
    try:
        async with asyncio.timeout(timeout_seconds):
            await client.bootstrap()
            yield client
    except (KafkaError, TimeoutError, OSError) as error:
        raise TransientError(f"Kafka: {type(error).__name__}: {error}") from error
    finally:
        await client.close()


def _credentials(settings: KafkaSettings) -> dict[str, Any]:
    if not settings.security_protocol.startswith("SASL"):
        return {}
    return {
        "sasl_mechanism": settings.sasl_mechanism,
        "sasl_plain_username": settings.sasl_username,
        "sasl_plain_password": settings.sasl_password.get_secret_value(),
    }
