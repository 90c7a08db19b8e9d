"""Run the HTTP process: settings -> adapters -> application -> uvicorn."""

import asyncio
import resource
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.compacted_table import CompactedTable
from connectors.kafka.lost_connection import watch_connection
from connectors.kafka.partition_reader import open_tail
from connectors.kafka.producer import DurableProducer
from connectors.kafka.schema_registry import open_codec
from connectors.object_files import open_files
from connectors.object_store import open_shared_objects
from connectors.redis.client import AsyncClient, open_state_async
from connectors.redis.deliveries import AsyncRedisDeliveries
from connectors.redis.job_list import AsyncJobList
from connectors.redis.job_view import AsyncJobViews
from connectors.redis.presence import AsyncModelRegistry
from connectors.redis.request_markers import AcceptedRequests
from connectors.redis.shares import RedisShares
from connectors.redis.spending import AsyncRedisSpending
from connectors.tracing.opening import tracing
from connectors.tracing.spans import Tracer
from producers.http.adapters import (
    BackgroundNotes,
    KafkaRequestLog,
    RedisJobs,
    RegisteredModels,
    StoredDocuments,
    StoredTexts,
)
from producers.http.admission.accounts import Accounts
from producers.http.admission.backpressure import Backpressure, measure_backlog
from producers.http.admission.kafka_backlog import KafkaBacklog
from producers.http.admission.tenant_shares import TenantShares
from producers.http.app import AppSettings, create_app
from producers.http.blocking.detection import ThreadedDetector
from producers.http.blocking.glossaries import Glossaries
from producers.http.blocking.opening import BlockingParts
from producers.http.ports import Documents, NoDocuments, Ports, Texts
from producers.http.readiness import PartsReadiness, watch_readiness
from producers.http.settings import HttpLimits, HttpSettings
from producers.http.translations.missed_results import tell_missed_results
from producers.http.translations.result_tail import ResultTail, WaiterLimits
from schemas.errors import FatalError
from schemas.topics import ACCOUNT_TOPICS, RESULTS
from stream_apps.accounts.budgets import MeasuredBudgets
from stream_apps.accounts.directory import Directory
from stream_apps.accounts.store import KafkaAccounts
from stream_apps.accounts.tokens import Tokens, read_secrets
from stream_apps.glossaries.store import KafkaGlossaries
from stream_apps.runtime.process import Process, now_ms, run_process
from stream_apps.runtime.state_watch import on_sound_state

# How long the background tasks wait for an answer of Kafka. The end of the process may have to wait as long.
_KAFKA_SECONDS = 2.0


def main() -> None:
    """Run the HTTP producer until SIGTERM."""
    run_process("http", HttpSettings, on_sound_state(run))


def run(settings: HttpSettings, process: Process) -> None:
    """Serve HTTP until a signal. Raises FatalError when the Kafka client cannot be used any more."""
    _allow_open_files()
    with tracing(settings.tracing, "http", settings.instance) as tracer:
        server = Server(settings, process, tracer)
        server.run()
    if server.failure:
        raise server.failure


def _allow_open_files() -> None:
    """Raise the soft limit of open files to the hard one: each connection is one, and 1,024 are soon used up."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@dataclass(frozen=True)
class Connections:
    """What is opened once and closed at the end. Opening does not connect yet."""

    producer: DurableProducer
    state_async: AsyncClient

    async def close(self) -> None:
        """Deliver what the producer still holds, then close everything."""
        self.producer.close()
        await self.state_async.aclose()


class Server:
    """uvicorn, with a way to end it from inside."""

    def __init__(self, settings: HttpSettings, process: Process, tracer: Tracer) -> None:
        self._tracer = tracer
        self.failure: FatalError | None = None
        self._settings = settings
        self._process = process
        self._connections = _connect(settings)
        self._codec = open_codec(settings.kafka)
        self._views = AsyncJobViews(self._connections.state_async)
        directory = Directory(self._codec)
        self._table = table = CompactedTable(settings.kafka, ACCOUNT_TOPICS, directory.add)
        self._accounts = Accounts(
            directory,
            KafkaAccounts(settings.kafka, self._codec),
            _tokens(settings.http),
            now_ms,
            settings.tiers,
            is_read=lambda: table.is_complete,
            anonymous_tenant=settings.http.anonymous_tenant,
            most_waiting=settings.http.max_waiting_changes,
        )
        self._tail = ResultTail(
            lambda: open_tail(settings.kafka, RESULTS, fills_takes=False, also=table.next_offsets()),
            self._codec,
            WaiterLimits(settings.http.max_waiters, settings.http.looks_per_second),
            table,
        )
        self._backpressure = Backpressure(settings.backpressure, bulk_words=settings.requests.bulk_words)
        self._blocking = BlockingParts(settings, self._codec, threading.Event())
        self._erasing = self._blocking.erasing(self._connections.producer, self._connections.state_async)
        app = create_app(self._ports(), _app_settings(settings), process.health, self._lifespan)
        self._uvicorn = uvicorn.Server(_uvicorn_config(app, settings))

    def run(self) -> None:
        """Serve until SIGTERM, SIGINT or a fatal error."""
        self._uvicorn.run()

    def end(self, error: FatalError) -> None:
        """Stop serving, because only a fresh process can go on after this error."""
        self.failure = error
        self._uvicorn.should_exit = True

    def _ports(self) -> Ports:
        settings, connections = self._settings, self._connections
        codec, blocking = self._codec, self._blocking
        timeout_seconds = settings.http.acknowledge_timeout_seconds
        return Ports(
            requests=KafkaRequestLog(
                connections.producer, codec, timeout_seconds, self._notes(), now_ms, self.end
            ),
            jobs=RedisJobs(self._views, AsyncJobList(connections.state_async), codec),
            results=self._tail,
            texts=_texts(settings),
            documents=_documents(settings),
            models=RegisteredModels(AsyncModelRegistry(connections.state_async), settings.kafka.pools),
            backpressure=self._backpressure,
            accounts=self._accounts,
            shares=TenantShares(
                RedisShares(connections.state_async, settings.http.in_flight_forget_seconds), now_ms
            ),
            now_ms=now_ms,
            deliveries=AsyncRedisDeliveries(connections.state_async, settings.redis.done_ttl_seconds),
            signing=settings.signing.open(),
            tracer=self._tracer,
            detector=ThreadedDetector(most_waiting=settings.http.max_waiting_detections),
            books=blocking.books(),
            dead_letters=blocking.dead_letters(),
            past_jobs=blocking.past_jobs(),
            erasing=self._erasing,
            glossaries=Glossaries(
                KafkaGlossaries(settings.kafka, codec),
                now_ms,
                settings.glossaries,
                settings.http.max_waiting_changes,
            ),
            budgets=MeasuredBudgets(
                AsyncRedisSpending(connections.state_async), settings.budgets.read_seconds, now_ms
            ),
        )

    def _notes(self) -> BackgroundNotes:
        state, redis = self._connections.state_async, self._settings.redis
        return BackgroundNotes(AcceptedRequests(state, redis.done_ttl_seconds, self._settings.http.listed_jobs))

    @asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        settings, health = self._settings, self._process.health
        kafka = watch_connection(settings.kafka, self._connections.producer.is_reachable)
        readiness = PartsReadiness(
            kafka, self._connections.state_async, self._codec, lambda: self._table.is_complete
        )
        backlog = KafkaBacklog(KafkaAdmin(settings.kafka, _KAFKA_SECONDS), settings.kafka.plan)
        tasks = [
            asyncio.create_task(watch_readiness(health, readiness, settings.http.watch_seconds, self.end)),
            asyncio.create_task(
                measure_backlog(self._backpressure, backlog, settings.backpressure.measure_seconds)
            ),
        ]
        tasks.append(
            asyncio.create_task(
                tell_missed_results(
                    self._tail, self._views.results, settings.http.look_seconds, settings.http.looks_per_second
                )
            )
        )
        self._tail.start()
        self._process.started()
        yield
        await self._erasing.close(settings.http.shutdown_seconds)
        self._tail.close()
        for task in tasks:
            task.cancel()
        await self._connections.close()


def _connect(settings: HttpSettings) -> Connections:
    return Connections(DurableProducer(settings.kafka), open_state_async(settings.redis))


def _app_settings(settings: HttpSettings) -> AppSettings:
    return AppSettings(settings.http, settings.requests, settings.kafka.plan)


def _tokens(limits: HttpLimits) -> Tokens | None:
    if limits.token_secrets_file is None:
        return None
    return Tokens(read_secrets(limits.token_secrets_file), round(limits.token_hours * 3600))


def _documents(settings: HttpSettings) -> Documents:
    return StoredDocuments(open_files(settings.objects)) if settings.objects.is_shared else NoDocuments()


def _texts(settings: HttpSettings) -> Texts:
    limits = settings.http
    store = open_shared_objects(settings.objects, limits.max_inline_bytes, "text_too_long", field="text")
    return StoredTexts(store, limits.max_inline_bytes, limits.max_result_bytes)


def _uvicorn_config(app: FastAPI, settings: HttpSettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.http.host,
        port=settings.http.port,
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=settings.http.backlog,
        timeout_keep_alive=settings.http.keep_alive_seconds,
        timeout_graceful_shutdown=settings.http.shutdown_seconds,
    )


if __name__ == "__main__":
    main()
