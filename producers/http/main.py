"""Wires the HTTP process: settings -> adapters -> application -> uvicorn."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass

import structlog
import uvicorn
from fastapi import FastAPI

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.lost_client import watch_connection
from connectors.kafka.producer import DurableProducer
from connectors.kafka.schema_registry import open_codec
from connectors.objects.object_store import open_objects
from connectors.redis.client import AsyncClient, Client, open_state, open_state_async
from connectors.redis.job_view import JobViews
from connectors.redis.model_registry import AsyncModelRegistry
from connectors.redis.results import ResultStore
from connectors.shutdown import Shutdown
from connectors.telemetry.health import Health, serve_health
from connectors.telemetry.logging import configure_logging
from producers.http.adapters import (
    KafkaBacklog,
    NoTexts,
    PartsReadiness,
    RedisJobs,
    RegisteredModels,
    StoredTexts,
)
from producers.http.admission import Backpressure
from producers.http.app import create_app
from producers.http.measuring import measure_backlog
from producers.http.ports import Ports, Texts
from producers.http.request_log import KafkaRequestLog
from producers.http.settings import HttpSettings
from producers.http.watch import watch_readiness
from schemas.errors import FatalError

log = structlog.get_logger()

# Longest answer of Kafka to a question in the background; the end of the process may have to wait for it.
_KAFKA_SECONDS = 2.0


@dataclass(frozen=True)
class Connections:
    """Everything that is opened once and closed at the end. Opening connects to nothing yet."""

    producer: DurableProducer
    state: Client
    state_async: AsyncClient

    async def close(self) -> None:
        """What is still under way is delivered first."""
        self.producer.close()
        self.state.close()
        await self.state_async.aclose()


class Server:
    """uvicorn, with a way to end it from inside."""

    def __init__(self, settings: HttpSettings) -> None:
        self.has_failed = False
        self._settings = settings
        self._health = Health()
        self._connections = _connect(settings)
        self._admission = Backpressure(settings.admission)
        app = create_app(self._ports(), settings.http, self._health, self._lifespan)
        self._uvicorn = uvicorn.Server(_uvicorn_config(app, settings))

    def run(self) -> None:
        """Until SIGTERM, SIGINT or a fatal error."""
        with closing(serve_health(self._health, self._settings.health_port, self._settings.health_host)):
            self._uvicorn.run()

    def end(self, error: FatalError) -> None:
        """The producer is of no use any more; a fresh process will do."""
        log.error("fatal", error=str(error))
        self.has_failed = True
        self._uvicorn.should_exit = True

    def _ports(self) -> Ports:
        settings, connections = self._settings, self._connections
        codec = open_codec(settings.kafka)
        timeout_seconds = settings.http.acknowledge_timeout_seconds
        return Ports(
            requests=KafkaRequestLog(connections.producer, codec, timeout_seconds, _now_ms, self.end),
            jobs=RedisJobs(JobViews(connections.state), ResultStore(connections.state), codec),
            texts=_texts(settings),
            models=RegisteredModels(AsyncModelRegistry(connections.state_async), settings.kafka.pools),
            admission=self._admission,
            now_ms=_now_ms,
        )

    @asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        settings = self._settings
        kafka = watch_connection(settings.kafka, self._connections.producer.is_reachable)
        readiness = PartsReadiness(kafka, self._connections.state_async)
        backlog = KafkaBacklog(KafkaAdmin(settings.kafka, _KAFKA_SECONDS), settings.kafka.pools)
        tasks = [
            asyncio.create_task(watch_readiness(self._health, readiness, settings.http.watch_seconds, self.end)),
            asyncio.create_task(measure_backlog(self._admission, backlog, settings.admission.measure_seconds)),
        ]
        log.info("started")
        yield
        for task in tasks:
            task.cancel()
        await self._connections.close()
        log.info("stopped")


def main() -> None:
    """Exit code 1 after a fatal error, so that a supervisor starts it again."""
    settings = HttpSettings()
    configure_logging("http", settings.instance, settings.log_level)
    # uvicorn raises a signal again when it has stopped; with this it ends in an exit code of 0.
    Shutdown().install()
    server = Server(settings)
    server.run()
    raise SystemExit(int(server.has_failed))


def _connect(settings: HttpSettings) -> Connections:
    return Connections(
        DurableProducer(settings.kafka), open_state(settings.redis), open_state_async(settings.redis)
    )


def _texts(settings: HttpSettings) -> Texts:
    if settings.objects.url.startswith("memory:"):
        return NoTexts(settings.http.max_inline_bytes)
    return StoredTexts(open_objects(settings.objects), settings.http.max_result_bytes)


def _uvicorn_config(app: FastAPI, settings: HttpSettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.http.host,
        port=settings.http.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.http.shutdown_seconds,
    )


def _now_ms() -> int:
    return int(time.time() * 1000)
