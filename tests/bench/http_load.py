"""Drive a server over HTTP with many clients, one sentence a call."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

import httpx

from tests.bench.figures import Leg

Call = Callable[[httpx.AsyncClient, str], Awaitable[None]]

_TIMEOUT_SECONDS = 60.0
_WAIT_SECONDS = 30


def clients(name: str, call: Call, texts: Iterator[str], count: int, seconds: float) -> Leg:
    """Let so many clients call again and again for that time; each waits for its answer before the next call."""
    return asyncio.run(_clients(name, call, texts, count, seconds))


async def translate_by_platform(
    client: httpx.AsyncClient, text: str, base_url: str, headers: dict[str, str]
) -> None:
    """Send a critical request and wait for its result: in one call where the server can, else with GETs."""
    body = {"text": text, "source_language": "en", "target_language": "pt", "priority": "critical"}
    answer = await client.post(f"{base_url}/api/v1/translations?wait={_WAIT_SECONDS}", json=body, headers=headers)
    answer.raise_for_status()
    job, location = answer.json(), answer.headers.get("location", "")
    while not job.get("is_finished"):
        answer = await client.get(location, params={"wait": _WAIT_SECONDS}, headers=headers)
        answer.raise_for_status()
        job = answer.json()
    assert job["result"]["status"] == "COMPLETED", job


async def translate_by_peer(client: httpx.AsyncClient, text: str, base_url: str) -> None:
    """Call tests/bench/peer_app.py."""
    answer = await client.post(f"{base_url}/translate", json={"text": text})
    answer.raise_for_status()
    # The bare engine answers some sentences with an empty text.
    assert isinstance(answer.json()["text"], str)


async def _clients(name: str, call: Call, texts: Iterator[str], count: int, seconds: float) -> Leg:
    taken: list[float] = []
    began = time.perf_counter()
    limits = httpx.Limits(max_connections=count)
    async with httpx.AsyncClient(limits=limits, timeout=_TIMEOUT_SECONDS) as client:

        async def one() -> None:
            while time.perf_counter() - began < seconds:
                started = time.perf_counter()
                await call(client, next(texts))
                taken.append((time.perf_counter() - started) * 1000)

        await asyncio.gather(*(one() for _ in range(count)))
    return Leg.of(name, taken, time.perf_counter() - began)
