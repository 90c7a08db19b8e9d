"""Accepted POSTs a second beside a bare FastAPI handler that produces to Kafka: `make bench-door`.

One HTTP process on real Kafka and Valkey; nobody reads what it accepts. The same requests come from callers
without a key (the setting allows it), with one, with the token of a login, and with a key whose tenant has limits.
The bare handler is measured before and after them. Both answer once Kafka has stored the request.
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from connectors.kafka.settings import KafkaSettings
from deploy.local.main import read_run
from schemas.accounts import Tenant
from schemas.codec import Codec
from stream_apps.accounts.api_keys import new_key as make_key
from stream_apps.accounts.changes import Change, Login, Rights, new_key, new_tenant, new_user
from stream_apps.accounts.passwords import hashed
from stream_apps.accounts.store import KafkaAccounts
from stream_apps.runtime.process import now_ms
from tests.accounts import SECRET, bearer
from tests.bench import door_peer, raw_http
from tests.bench.figures import Figure, Findings, Leg, mean
from tests.bench.harness import Options, main, process, processor_ms, say
from tests.ports import free_port
from tests.servers import Servers, open_servers, wait_for_coordinators

DEFAULTS = Options(seconds=6, processes=32)
GOAL_SHARE = 0.6
# The caller whose rate has the goal: the one that costs most.
GOAL_CALLER = "key, limits"
BODY = b'{"text": "Good morning.", "source_language": "en", "target_language": "pt"}'
_PATH = "/api/v1/translations"
_ACCEPTED = 202
_WARM_SECONDS = 2.0
_START_SECONDS = 30.0
_PASSWORD = "correct horse battery"
# Far more than is sent, so that nothing is refused.
_MANY = 100_000_000
_LIMITS = dict.fromkeys(
    ("requests_per_minute", "characters_per_day", "requests_in_flight", "characters_in_flight"), _MANY
)


@dataclass(frozen=True)
class Door:
    """A process that accepts POSTs, and the processes behind it whose processor time counts, too."""

    url: str
    path: str
    pids: Mapping[str, int]

    def cpu_ms(self) -> dict[str, float]:
        """Return the processor time of them all, and of the clients, which are this process."""
        return {
            **{name: processor_ms(pid) for name, pid in self.pids.items()},
            "clients": processor_ms(os.getpid()),
        }


def measure(options: Options) -> Findings:
    """Measure the bare handler, the HTTP process with every caller, and the bare handler."""
    with TemporaryDirectory() as folder, open_servers(Path(folder)) as servers:
        if servers is None or servers.root is None:
            raise SystemExit("needs Kafka and Valkey of its own")
        wait_for_coordinators(servers.kafka_bootstrap)
        legs = _peer_legs(servers, options)
        legs += _platform_legs(servers, Path(folder), options)
        legs += _peer_legs(servers, options)
    return Findings(list(compared(legs)), legs)


def compared(legs: list[Leg]) -> Iterator[Figure]:
    """Return the rate of each caller by the mean of the bare handler's; one of them has a goal."""
    peers = mean([leg for leg in legs if leg.name == door_peer.NAME])
    for leg in legs:
        if leg.name != door_peer.NAME:
            goal = GOAL_SHARE if leg.name == GOAL_CALLER else None
            yield Figure(f"accepted POSTs, {leg.name} / bare FastAPI handler", leg.per_second / peers, "", goal)
    (ours,) = [leg for leg in legs if leg.name == GOAL_CALLER]
    yield Figure(f"accepted POSTs, {GOAL_CALLER}", ours.per_second, "/s")


def _peer_legs(servers: Servers, options: Options) -> list[Leg]:
    with door_peer.running(servers.kafka_bootstrap) as (url, pid):
        _wait_until(f"{url}/docs")
        door = Door(url, door_peer.PATH, {"bare handler": pid, **_stores(servers)})
        return [_leg(door_peer.NAME, door, {}, options)]


def _platform_legs(servers: Servers, folder: Path, options: Options) -> list[Leg]:
    with _http(servers, folder) as (url, pid):
        door = Door(url, _PATH, {"http": pid, **_stores(servers)})
        callers = _callers(servers, url)
        return [_leg(name, door, headers, options) for name, headers in callers.items()]


def _leg(name: str, door: Door, headers: Mapping[str, str], options: Options) -> Leg:
    say(name)
    asyncio.run(_post(door, headers, replace(options, seconds=_WARM_SECONDS)))
    before, began = door.cpu_ms(), time.perf_counter()
    waits = asyncio.run(_post(door, headers, options))
    seconds = time.perf_counter() - began
    # Notes in the background end after the last answer.
    time.sleep(0.3)
    cpu_ms = {one: round(ms - before[one], 1) for one, ms in door.cpu_ms().items()}
    return Leg.of(name, waits, seconds, cpu_ms)


async def _post(door: Door, headers: Mapping[str, str], options: Options) -> list[float]:
    """Post again and again on as many connections as `options.processes`; return the milliseconds of each."""
    url = httpx.URL(door.url)
    sent = raw_http.request("POST", door.path, url, {"content-type": "application/json", **headers}, BODY)
    end, waits = time.perf_counter() + options.seconds, list[float]()

    async def one() -> None:
        async with raw_http.connected(url) as ask:
            while (began := time.perf_counter()) < end:
                answer = await ask(sent)
                body = await answer.body()
                if answer.status != _ACCEPTED:
                    raise ValueError(f"{answer.status}: {body.decode()}")
                waits.append((time.perf_counter() - began) * 1000)

    await asyncio.gather(*(one() for _ in range(options.processes)))
    return waits


def _callers(servers: Servers, url: str) -> dict[str, dict[str, str]]:
    store = KafkaAccounts(KafkaSettings(bootstrap=servers.kafka_bootstrap), Codec())
    free, limited, change = make_key(), make_key(), Change("bench", now_ms())
    tenants = [
        Tenant(tenant="free", tier="unlimited"),
        Tenant(tenant="limited", tier="unlimited", limits=_LIMITS),
    ]
    store.change(lambda found: [new_tenant(found, one, change) for one in tenants])
    login = Login(tenant="free", email="ada@example.org", secret_hash=hashed(_PASSWORD))
    store.change(
        lambda found: [
            new_key(found, "free", free, Rights(), change),
            new_key(found, "limited", limited, Rights(), change),
            new_user(found, login, Rights(), change),
        ]
    )
    for key in (free, limited):
        _wait_until(f"{url}/api/v1/languages", bearer(key.text))
    shown = {"email": login.email, "password": _PASSWORD}
    token = httpx.post(f"{url}/auth/login", json=shown, timeout=30).raise_for_status().json()["access_token"]
    return {
        "no key": {},
        "key": bearer(free.text),
        "token": bearer(token),
        GOAL_CALLER: bearer(limited.text),
    }


def _stores(servers: Servers) -> dict[str, int]:
    assert servers.root is not None
    found = read_run(servers.root).processes
    return {name: found[name] for name in ("kafka", "redis-state")}


@contextmanager
def _http(servers: Servers, folder: Path) -> Iterator[tuple[str, int]]:
    port, secrets = free_port(), folder / "secrets"
    secrets.write_text(SECRET)
    told = {
        "DRAGOMAN_KAFKA_BOOTSTRAP": servers.kafka_bootstrap,
        "DRAGOMAN_REDIS_STATE_URL": servers.redis_state_url,
        "DRAGOMAN_HTTP_PORT": str(port),
        "DRAGOMAN_HTTP_ANONYMOUS_TENANT": "free",
        "DRAGOMAN_HTTP_TOKEN_SECRETS_FILE": str(secrets),
        "DRAGOMAN_BACKPRESSURE_LEAST_RECORDS_PER_SECOND": "1000000",
        "DRAGOMAN_BACKPRESSURE_MAX_BACKLOG_RECORDS": "100000000",
    }
    with process(sys.executable, "-m", "producers.http.main", **told) as pid:
        url = f"http://127.0.0.1:{port}"
        _wait_until(f"{url}/ready")
        yield url, pid


def _wait_until(url: str, headers: Mapping[str, str] | None = None) -> None:
    """Wait until a GET succeeds: the process is ready, or knows the key."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        with suppress(httpx.TransportError):
            if httpx.get(url, headers=dict(headers or {})).is_success:
                return
        time.sleep(0.1)
    raise TimeoutError(url)


if __name__ == "__main__":
    sys.exit(main("door", measure, DEFAULTS, __doc__))
