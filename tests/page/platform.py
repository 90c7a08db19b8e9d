"""The real HTTP application on a real port, with a platform in memory whose only worker is the test."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import uvicorn
from fastapi import FastAPI

from connectors.memory import InMemoryShares
from connectors.redis.job_view import JobView
from connectors.telemetry.health import Health
from producers.http.admission.accounts import Accounts
from producers.http.admission.backpressure import Backpressure
from producers.http.admission.tenant_shares import TenantShares
from producers.http.app import AppSettings, create_app
from producers.http.ports import Ports
from producers.http.settings import BackpressureLimits, HttpLimits
from schemas.ids import JobKey
from schemas.messages import Job, TranslatedBatch, TranslationRequest, TranslationResult
from schemas.priorities import Priority
from schemas.records import Headers
from schemas.states import JobStage, ResultStatus
from stream_apps.accounts.changes import Change, Login, Rights, TenantChange, changed_tenant, new_user
from stream_apps.accounts.passwords import hashed
from stream_apps.accounts.store import InMemoryAccounts
from stream_apps.accounts.tiers import Tiers
from stream_apps.accounts.tokens import Tokens
from stream_apps.pipeline.request_limits import RequestLimits
from tests.accounts import SECRET, key_of, tenants
from tests.http_world import World
from tests.ports import free_port

EMAIL, PASSWORD = "ada@acme.example", "correct horse battery"
MOST_CHARACTERS = 20_000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Platform(World):
    """Keeps what is asked for until the test translates it."""

    served: list[str] = field(default_factory=lambda: ["en-pt", "pt-en", "en-ar", "en-de", "de-en"])

    async def append(self, request: TranslationRequest, priority: Priority, headers: Headers) -> None:
        await super().append(request, priority, headers)
        self.views[request.key] = JobView(
            key=request.key,
            priority=priority,
            source_language=request.source_language,
            target_language=request.target_language,
            submitted_at=request.submitted_at,
        )

    def asked(self, most_seconds: float = 10) -> TranslationRequest:
        """Return the newest request, once there is one."""
        end = time.monotonic() + most_seconds
        while not self.appended:
            assert time.monotonic() < end, "nothing was asked for"
            time.sleep(0.02)
        return self.appended[-1][0]

    def translate(self, request: TranslationRequest, *texts: str, gap: str = "\n\n", batches: int = 4) -> None:
        """Add one more translated batch."""
        slots = self.slots.setdefault(request.key, [])
        batch = TranslatedBatch(
            tenant=request.tenant,
            request_id=request.request_id,
            job=Job(batches=batches),
            batch_number=len(slots),
            translations=texts,
            gaps=(gap,) * len(texts),
            causes=(None,) * len(texts),
        )
        slots.append(batch)
        self._seen(request.key, batches, len(slots))

    def finish(self, request: TranslationRequest, text: str | None, **fields: Any) -> None:
        """Publish the result."""
        whole: dict[str, Any] = {
            "status": ResultStatus.PARTIAL if fields.get("holes") else ResultStatus.COMPLETED,
            "priority": request.priority,
            "source_language": request.source_language.replace("auto", "en"),
            "detected_language": "en" if request.source_language == "auto" else None,
            "target_language": request.target_language,
            "source_words": len((request.text or "").split()),
            "submitted_at": request.submitted_at,
            "completed_at": now_ms(),
            "timings": {"total": 1.25},
            **fields,
        }
        self.results[request.key] = TranslationResult(
            tenant=request.tenant, request_id=request.request_id, text=text, **whole
        )

    def _seen(self, key: JobKey, batches: int, done: int) -> None:
        view = replace(self.views[key], stage=JobStage.SEGMENTED, batches=batches, batches_done=done)
        self.views[key] = replace(view, progress=done / batches)


@dataclass
class Site:
    """What the browser sees: an address, and whoever may sign in there.

    What the platform holds outlives the server, as Kafka and Redis outlive the HTTP process.
    """

    platform: Platform
    store: InMemoryAccounts
    port: int = field(default_factory=free_port)
    _server: uvicorn.Server | None = None
    _thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def key(self, tenant: str = "acme", role: str = "member") -> str:
        return key_of(self.store, tenant, now_ms(), role=role).text

    def limit(self, tenant: str, **limits: int) -> None:
        change = Change("tests", now_ms())
        self.store.change(lambda found: [changed_tenant(found, tenant, TenantChange(limits=limits), change)])

    def start(self) -> None:
        """Serve in a thread, until `stop`."""
        config = uvicorn.Config(
            self._app(), port=self.port, log_config=None, timeout_graceful_shutdown=1, lifespan="off"
        )
        self._server = server = uvicorn.Server(config)
        self._thread = threading.Thread(target=server.run)
        self._thread.start()
        _wait_for(lambda: server.started)

    def stop(self) -> None:
        """End the server, and with it every stream."""
        if self._server and self._thread:
            self._server.should_exit = True
            self._thread.join()

    def _app(self) -> FastAPI:
        world = self.platform
        backpressure = Backpressure(BackpressureLimits(), clock=time.monotonic)
        accounts = Accounts(self.store.directory, self.store, Tokens([SECRET], 3600), now_ms, Tiers())
        shares = TenantShares(InMemoryShares(), now_ms)
        ports = Ports(world, world, world, world, world, backpressure, accounts, shares, now_ms)
        limits = HttpLimits(poll_seconds=0.05, look_seconds=0.1)
        settings = AppSettings(limits, RequestLimits(max_text_characters=MOST_CHARACTERS))
        return create_app(ports, settings, Health())


def new_site() -> Site:
    store = tenants(InMemoryAccounts(), now_ms())
    login = Login(tenant="acme", email=EMAIL, secret_hash=hashed(PASSWORD))
    store.change(lambda found: [new_user(found, login, Rights(role="member"), Change("tests", now_ms()))])
    return Site(Platform(), store)


def _wait_for(is_true: Callable[[], bool], most_seconds: float = 20) -> None:
    end = time.monotonic() + most_seconds
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.02)
