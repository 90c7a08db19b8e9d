"""The HTTP application on ports in memory, where the examples of its document are true."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import uvicorn
from fastapi import FastAPI

from connectors.memory import InMemoryShares
from connectors.redis.job_view import JobView
from connectors.telemetry.health import Health
from producers.http.admission.backpressure import Backpressure
from producers.http.admission.tenant_shares import TenantShares
from producers.http.app import AppSettings, create_app
from producers.http.ports import Ports
from producers.http.settings import BackpressureLimits, HttpLimits
from schemas.ids import JobKey
from schemas.messages import TranslationRequest, TranslationResult
from schemas.priorities import Priority
from schemas.records import Headers
from schemas.states import RequestKind, ResultStatus
from stream_apps.accounts.store import InMemoryAccounts
from stream_apps.accounts.webhook_secrets import WebhookSecrets
from stream_apps.pipeline.request_limits import RequestLimits
from tests.accounts import SECRET, accounts_of, key_of, tenants
from tests.http_world import NOW_MS, World, in_capitals
from tests.ports import free_port
from tests.webhooks import delivery

JOB = JobKey("acme", "order-4711")


class PromptWorld(World):
    """Answers at once, and keeps the answers."""

    async def append(self, request: TranslationRequest, priority: Priority, headers: Headers) -> None:
        await super().append(request, priority, headers)
        self.results[request.key] = self.published[request.key]


@contextmanager
def served() -> Iterator[tuple[str, str]]:
    """Serve the application until the context ends; yield its address and the key."""
    app, key = described_app()
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}", key
    finally:
        server.should_exit = True
        thread.join()


def described_app() -> tuple[FastAPI, str]:
    """Return the application, and the key of an operator, of the tenant acme."""
    world, store = PromptWorld(served=["en-pt", "en-es"], answer=_answer), tenants(InMemoryAccounts())
    world.views[JOB] = JobView(key=JOB, segments=1, batches=1, words=2, submitted_at=NOW_MS, updated_at=NOW_MS)
    world.results[JOB] = _result(JOB)
    world.deliveries.enqueue([delivery(JOB.request_id)])
    ports = Ports(
        requests=world,
        jobs=world,
        results=world,
        texts=world,
        models=world,
        backpressure=Backpressure(BackpressureLimits(), clock=lambda: 0.0),
        accounts=accounts_of(store),
        shares=TenantShares(InMemoryShares(), lambda: NOW_MS),
        now_ms=lambda: NOW_MS,
        books=world,
        past_jobs=world,
        dead_letters=world,
        detector=world,
        documents=world.documents,
        deliveries=world.deliveries,
        signing=WebhookSecrets([SECRET]),
    )
    health = Health(silence_seconds=3600)
    health.ready()
    limits = HttpLimits(max_wait_seconds=0.02, poll_seconds=0.001, look_seconds=0.001, max_stream_seconds=0.02)
    key = key_of(store, "acme", role="operator")
    return create_app(ports, AppSettings(limits, RequestLimits()), health), key.text


def _answer(request: TranslationRequest) -> TranslationResult:
    if request.content_ref is None:
        return in_capitals(request) if request.texts else _result(request.key)
    return replace(
        _result(request.key),
        kind=RequestKind.DOCUMENT,
        text=None,
        content_ref=request.content_ref,
        file_name=request.file_name,
    )


def _result(job: JobKey) -> TranslationResult:
    return TranslationResult(
        **job._asdict(),
        kind=RequestKind.TEXT,
        status=ResultStatus.COMPLETED,
        text="Bom dia.",
        source_language="en",
        target_language="pt",
        segments=1,
        submitted_at=NOW_MS,
        completed_at=NOW_MS,
    )
