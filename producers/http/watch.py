"""Whether requests can be accepted right now: asked every other second, shown by /ready and the health port."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from connectors.telemetry.health import Health
from schemas.errors import FatalError


class Readiness(Protocol):
    """Whether the parts that accepting needs can be reached."""

    async def problems(self) -> list[str]:
        """One line for each part that is away. Raises FatalError when only a fresh process can reach it."""


async def watch_readiness(
    health: Health, readiness: Readiness, every_seconds: float, on_fatal: Callable[[FatalError], object]
) -> None:
    """Until cancelled, or told that all is over. Its beats prove that the event loop turns."""
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
