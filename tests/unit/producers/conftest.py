"""The HTTP application on ports in memory: what Kafka, Redis and the object store would hold."""

import asyncio
import threading
from collections.abc import Iterator

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from connectors.memory import InMemoryShares
from connectors.telemetry.health import Health
from connectors.tracing.spans import NO_TRACER, Tracer
from producers.http.admission.backpressure import Backpressure
from producers.http.admission.tenant_shares import TenantShares
from producers.http.app import AppSettings, create_app
from producers.http.ports import Ports
from producers.http.settings import BackpressureLimits, HttpLimits
from stream_apps.accounts.store import InMemoryAccounts
from stream_apps.accounts.webhook_secrets import WebhookSecrets
from stream_apps.pipeline.request_limits import RequestLimits
from tests.accounts import SECRET, accounts_of, bearer, key_of, tenants
from tests.fleet import until
from tests.http_world import NOW_MS, World, in_capitals


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def limits() -> HttpLimits:
    return HttpLimits(
        max_body_bytes=20_000,
        max_wait_seconds=0.2,
        poll_seconds=0.001,
        look_seconds=0.001,
        grace_seconds=0.02,
    )


@pytest.fixture
def request_limits() -> RequestLimits:
    return RequestLimits(max_text_characters=2_000)


class Client:
    """Asks the application in this process, with an operator's key; every call runs an event loop to its end."""

    def showing(self, key: str) -> "Client":
        """Return a client that shows another key or token; an empty one: none."""
        return Client(self.app, key)

    def __init__(self, app: FastAPI, key: str = "") -> None:
        self.app = app
        self.headers = bearer(key) if key else {}
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    def get(self, url: str, **rest) -> httpx.Response:
        return self.ask("GET", url, **rest)

    def post(self, url: str, **rest) -> httpx.Response:
        return self.ask("POST", url, **rest)

    def delete(self, url: str, **rest) -> httpx.Response:
        return self.ask("DELETE", url, **rest)

    def ask(self, method: str, url: str, **rest) -> httpx.Response:
        headers = self.headers | rest.pop("headers", {})

        async def answer() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://testserver") as client:
                return await client.request(method, url, headers=headers, **rest)

        return asyncio.run(answer())


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
def backpressure() -> Backpressure:
    return Backpressure(BackpressureLimits(first_records_per_second=1.0), clock=lambda: 0.0)


@pytest.fixture
def store() -> InMemoryAccounts:
    return tenants(InMemoryAccounts())


@pytest.fixture
def tracer() -> Tracer:
    return NO_TRACER


@pytest.fixture
def http(  # noqa: PLR0917  # one fixture per part
    world: World,
    limits: HttpLimits,
    request_limits: RequestLimits,
    health: Health,
    backpressure: Backpressure,
    store: InMemoryAccounts,
    tracer: Tracer,
) -> Client:
    accounts, shares = accounts_of(store), TenantShares(InMemoryShares(), lambda: NOW_MS)
    others = (world,) * 4
    now_ms = lambda: NOW_MS  # noqa: E731
    documents, deliveries, signing = world.documents, world.deliveries, WebhookSecrets([SECRET])
    ports = Ports(
        *(world, *others, backpressure, accounts, shares, now_ms, world, world),
        documents=documents,
        deliveries=deliveries,
        signing=signing,
        past_jobs=world,
        dead_letters=world,
        tracer=tracer,
    )
    key = key_of(store, role="operator")
    return Client(create_app(ports, AppSettings(limits, request_limits), health), key.text)


@pytest.fixture
def url(http, world) -> Iterator[str]:
    """A server on a port of its own, whose engine writes capitals."""
    world.answer, world.served = in_capitals, ["en-pt", "pt-en"]
    server = uvicorn.Server(uvicorn.Config(http.app, port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started, "the server listens")
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
