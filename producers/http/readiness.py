"""Check every few seconds whether requests can be accepted; /ready and the health port show it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from connectors.kafka.lost_connection import LostConnection
from connectors.redis.client import AsyncClient, redis_errors
from connectors.telemetry.health import Health
from schemas.codec import Codec
from schemas.errors import DragomanError, FatalError, TransientError


class Readiness(Protocol):
    """Asks the parts that accepting a request needs."""

    async def problems(self) -> list[str]:
        """Return one line for each part that does not answer.

        Raises FatalError when only a fresh process can reach it.
        """


@dataclass(frozen=True)
class PartsReadiness:
    """Asks Kafka, which stores requests, the state Redis, which knows the jobs, and once the schema registry;
    looks whether the accounts are read.
    """

    kafka: LostConnection
    state: AsyncClient
    codec: Codec
    are_accounts_read: Callable[[], bool]

    async def problems(self) -> list[str]:
        is_answered = await asyncio.to_thread(self.kafka.is_answered)
        kafka_problems = [] if is_answered else ["Kafka does not answer"]
        accounts_problems = [] if self.are_accounts_read() else ["the accounts are not read yet"]
        return [
            *kafka_problems,
            *accounts_problems,
            *await self._redis_problems(),
            *await self._registry_problems(),
        ]

    async def _redis_problems(self) -> list[str]:
        try:
            with redis_errors():
                await self.state.ping()
        except DragomanError as error:
            return [str(error)]
        return []

    async def _registry_problems(self) -> list[str]:
        # Encoding is done in the event loop, so the ids have to be known before.
        if self.codec.is_at_hand():
            return []
        try:
            await asyncio.to_thread(self.codec.look_up)
        except TransientError as error:
            return [str(error)]
        return []


async def watch_readiness(
    health: Health, readiness: Readiness, every_seconds: float, on_fatal: Callable[[FatalError], object]
) -> None:
    """Report readiness to `health` until cancelled, or until `on_fatal` was told of a FatalError.

    Each turn beats, which proves that the event loop runs.
    """
    while True:
        health.beat()
        try:
            problems = await readiness.problems()
        except FatalError as error:
            on_fatal(error)
            return
        if problems:
            health.not_ready("; ".join(problems))
        else:
            health.ready()
        await asyncio.sleep(every_seconds)
