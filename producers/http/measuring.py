"""Asks Kafka for the backlog every few seconds, off the path of requests."""

import asyncio
from typing import Protocol

import structlog

from producers.http.admission import Backpressure
from producers.http.load import BacklogReading
from schemas.errors import TransientError

log = structlog.get_logger()


class BacklogSource(Protocol):
    """Where readings come from."""

    async def read(self) -> BacklogReading:
        """The queues right now. Raises TransientError when Kafka cannot be asked."""


async def measure_backlog(admission: Backpressure, backlog: BacklogSource, every_seconds: float) -> None:
    """Until cancelled. After a failure the last reading stands."""
    while True:
        try:
            admission.measured(await backlog.read())
        except TransientError as error:
            log.warning("backlog_not_measured", error=str(error))
        await asyncio.sleep(every_seconds)
