"""Whether requests can be accepted right now: asked every other second, shown by /ready and the health port."""

import asyncio
from typing import Protocol

from connectors.telemetry.health import Health


class Readiness(Protocol):
    """Whether the parts that accepting needs can be reached."""

    async def problems(self) -> list[str]:
        """One line for each part that is away."""


async def watch(health: Health, readiness: Readiness, every_seconds: float) -> None:
    """Until cancelled. Its beats prove that the event loop turns."""
    while True:
        health.beat()
        problems = await readiness.problems()
        if problems:
            health.not_ready("; ".join(problems))
        else:
            health.ready()
        await asyncio.sleep(every_seconds)
