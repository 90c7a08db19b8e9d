"""The bare FastAPI peer of the door: one handler that stores what it is sent in Kafka, and nothing else.

It checks types, takes an id, produces JSON with acks=all and answers 202 once Kafka has stored it. It knows no
keys, limits, rules, languages, backlog or job.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from uuid import uuid4

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from fastapi import FastAPI
from pydantic import BaseModel

from schemas.priorities import Priority
from schemas.topics import requests_topic
from tests.bench.harness import process
from tests.ports import free_port

NAME = "bare FastAPI handler"
PATH = "/translations"
_BOOTSTRAP = "DOOR_PEER_BOOTSTRAP"
_TOPIC = requests_topic(Priority.STANDARD)

app = FastAPI()


class Wanted(BaseModel):
    """A request as simple as can be."""

    text: str
    source_language: str
    target_language: str


class Accepted(BaseModel):
    """What was stored."""

    job_id: str


@app.post(PATH, status_code=202)
async def accept(body: Wanted) -> Accepted:
    """Return once Kafka has stored the request."""
    loop, job_id = asyncio.get_running_loop(), uuid4().hex
    stored: asyncio.Future[None] = loop.create_future()

    def on_delivery(error: KafkaError | None, _message: Message) -> None:
        if error:
            loop.call_soon_threadsafe(stored.set_exception, KafkaException(error))
        else:
            loop.call_soon_threadsafe(stored.set_result, None)

    _producer().produce(_TOPIC, key=job_id, value=body.model_dump_json(), on_delivery=on_delivery)
    await stored
    return Accepted(job_id=job_id)


@contextmanager
def running(bootstrap: str) -> Iterator[tuple[str, int]]:
    """Run it in one process; yield its address and the id of the process."""
    port = free_port()
    arguments = ("--port", str(port), "--log-level", "error", "--no-access-log")
    command = (sys.executable, "-m", "uvicorn", f"{__name__}:app", *arguments)
    with process(*command, **{_BOOTSTRAP: bootstrap}) as pid:
        yield f"http://127.0.0.1:{port}", pid


@cache
def _producer() -> Producer:
    producer = Producer(
        {"bootstrap.servers": os.environ[_BOOTSTRAP], "acks": "all", "enable.idempotence": True, "linger.ms": 0}
    )

    def poll() -> None:
        while True:
            producer.poll(0.5)

    threading.Thread(target=poll, daemon=True).start()
    return producer
