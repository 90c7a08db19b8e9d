"""The HTTP application on ports in memory: what Kafka, Redis and the object store would hold."""

import asyncio
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import httpx
import pytest
from fastapi import FastAPI

from connectors.memory import InMemoryShares
from connectors.redis.job_list import Listed
from connectors.redis.job_view import JobView
from connectors.redis.request_markers import place_of
from connectors.telemetry.health import Health
from producers.http.app import AppSettings, create_app
from producers.http.backpressure import Backpressure
from producers.http.ports import JobSnapshot, Ports
from producers.http.settings import BackpressureLimits, HttpLimits
from producers.http.tenant_shares import TenantShares
from schemas.catalogue import Catalogue, catalogue_of
from schemas.errors import TransientError
from schemas.events import JobControl
from schemas.ids import JobKey
from schemas.messages import TranslatedBatch, TranslationRequest, TranslationResult
from schemas.priorities import Priority
from schemas.records import Headers
from stream_apps.accounts.store import InMemoryAccounts
from stream_apps.pipeline.request_rules import RequestLimits
from tests.accounts import accounts_of, bearer, key_of, tenants

NOW_MS = 1_700_000_000_000


@dataclass
class World:
    """Every port of the HTTP producer at once."""

    appended: list[tuple[TranslationRequest, Priority, Headers]] = field(default_factory=list)
    ordered: list[JobControl] = field(default_factory=list)
    views: dict[JobKey, JobView] = field(default_factory=dict)
    published: dict[JobKey, TranslationResult] = field(default_factory=dict)
    results: dict[JobKey, TranslationResult] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    served: list[str] = field(default_factory=list)
    away: dict[str, Exception] = field(default_factory=dict)
    slots: dict[JobKey, list[TranslatedBatch]] = field(default_factory=dict)
    looks: int = 0
    finishes_at_look: dict[int, TranslationResult] = field(default_factory=dict)
    max_inline_bytes: int = 1_000

    async def append(self, request: TranslationRequest, priority: Priority, headers: Headers) -> None:
        self._check("kafka")
        self.appended.append((request, priority, headers))

    async def cancel(self, order: JobControl) -> None:
        self._check("kafka")
        self.ordered.append(order)

    async def look(self, key: JobKey) -> JobSnapshot:
        self._check("redis")
        self.looks += 1
        if finished := self.finishes_at_look.get(self.looks):
            self.results[finished.key] = finished
        return JobSnapshot(self.views.get(key), self.results.get(key))

    async def page(self, tenant: str, since_ms: int, before: str, most: int) -> list[Listed]:
        self._check("redis")
        places = {
            place_of(one.key, one.submitted_at): one for one in self.views.values() if one.key.tenant == tenant
        }
        first = place_of(JobKey(tenant, ""), since_ms)
        wanted = sorted((place for place in places if first <= place < before), reverse=True)
        return [Listed(place, places[place]) for place in wanted[:most]]

    async def batches(self, key: JobKey, first: int, most: int) -> list[TranslatedBatch]:
        self._check("redis")
        return self.slots.get(key, [])[first : first + most]

    def expect(self, key: JobKey) -> AbstractContextManager["Waiter"]:
        return nullcontext(Waiter(self, key))

    async def keep(self, key: JobKey, text: str) -> str:
        self.texts[f"requests/{key}"] = text
        return f"requests/{key}"

    async def load(self, reference: str) -> str:
        return self.texts[reference]

    async def catalogue(self) -> Catalogue:
        self._check("redis")
        return catalogue_of(dict.fromkeys(self.served, "1"))

    def _check(self, part: str) -> None:
        if part in self.away:
            raise self.away[part]

    def take_away(self, part: str, retry_after_seconds: float = 5) -> None:
        self.away[part] = TransientError(f"{part} is away", retry_after_seconds)


@dataclass
class Waiter:
    """Waits for the result of one job; `world.published` is what the tail of the results tells of."""

    world: World
    key: JobKey

    async def result(self, timeout_seconds: float) -> TranslationResult | None:
        if found := self.world.published.get(self.key):
            return found
        await asyncio.sleep(timeout_seconds)
        return None


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
def http(  # noqa: PLR0917  # one fixture per part
    world: World,
    limits: HttpLimits,
    request_limits: RequestLimits,
    health: Health,
    backpressure: Backpressure,
    store: InMemoryAccounts,
) -> Client:
    accounts, shares = accounts_of(store), TenantShares(InMemoryShares(), lambda: NOW_MS)
    ports = Ports(world, world, world, world, world, backpressure, accounts, shares, lambda: NOW_MS)
    key = key_of(store, role="operator")
    return Client(create_app(ports, AppSettings(limits, request_limits), health), key.text)
