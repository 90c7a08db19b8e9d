"""The bare FastAPI peer: the platform's engine behind one route, and nothing else.

`running` starts it with several processes, each with an engine of its own. The engine holds the GIL, so a thread
pool would only add switches.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import httpx
from fastapi import FastAPI
from pydantic import BaseModel

from inference_workers.engines.protocol import Engine
from tests.bench.engine import open_engine
from tests.bench.harness import process
from tests.ports import free_port

NAME = "bare FastAPI"
_START_SECONDS = 60.0

app = FastAPI()


class Text(BaseModel):
    """A text and nothing else."""

    text: str


@app.post("/translate")
async def translate(body: Text) -> Text:
    """Translate by the engine of this process."""
    return Text(text=_engine().translate([body.text], {})[0].text)


@contextmanager
def running(processes: int) -> Iterator[str]:
    """Run it; yield its address once every process has loaded its engine."""
    port = free_port()
    arguments = ("--workers", str(processes), "--port", str(port), "--log-level", "error", "--no-access-log")
    with process(sys.executable, "-m", "uvicorn", f"{__name__}:app", *arguments):
        url = f"http://127.0.0.1:{port}"
        _warm_up(url, processes)
        yield url


def _warm_up(url: str, processes: int) -> None:
    """Call over many new connections, which reach every process."""
    end, answered = time.monotonic() + _START_SECONDS, 0
    while answered < processes * 16:
        try:
            httpx.post(f"{url}/translate", json={"text": "Good morning."}, timeout=_START_SECONDS)
            answered += 1
        except httpx.ConnectError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


@cache
def _engine() -> Engine:
    return open_engine()
