"""What keys and limits cost one accepted POST, in processor time of HTTP and of Redis: `make bench-door`.

One HTTP process on real Kafka and Valkey; nobody reads what it accepts. The same requests come from callers
without a key (the setting allows it), with one, with one whose tenant has limits, and with the token of a login,
in turns. Processor time is the kernel's, so other work on the machine hardly shows.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from connectors.kafka.settings import KafkaSettings
from deploy.local.main import read_run
from producers.cli.output import lines_of
from schemas.accounts import Tenant
from schemas.codec import Codec
from stream_apps.accounts.api_keys import new_key as make_key
from stream_apps.accounts.changes import Change, Login, Rights, new_key, new_tenant, new_user
from stream_apps.accounts.passwords import hashed
from stream_apps.accounts.store import KafkaAccounts
from stream_apps.runtime.process import now_ms
from tests.accounts import SECRET, bearer
from tests.bench.harness import processor_ms, say
from tests.ports import free_port
from tests.servers import CHECKOUT, Servers, open_servers, wait_for_coordinators

REPORT = CHECKOUT / ".dragoman" / "door.json"
BODY = {"text": "Good morning.", "source_language": "en", "target_language": "pt"}
_CONNECTIONS = 4
_START_SECONDS = 30.0
_PASSWORD = "correct horse battery"
# Far more than is sent, so that nothing is refused.
_MANY = 100_000_000
_LIMITS = dict.fromkeys(
    ("requests_per_minute", "characters_per_day", "requests_in_flight", "characters_in_flight"), _MANY
)


@dataclass(frozen=True)
class Cost:
    """Microseconds of processor time per request."""

    caller: str
    requests: int
    http_us: float
    redis_us: float


def main() -> int:
    """Print the costs and write them down."""
    options = _options()
    with TemporaryDirectory() as folder, open_servers(Path(folder)) as servers:
        if servers is None or servers.root is None:
            print("needs Kafka and Valkey of its own", file=sys.stderr)
            return 1
        wait_for_coordinators(servers.kafka_bootstrap)
        with _http(servers, Path(folder)) as (url, pid):
            costs = measure(url, pid, servers.root, _callers(servers, url), options)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps([asdict(one) for one in costs], indent=2))
    rows = [(one.caller, str(one.requests), f"{one.http_us:.0f}", f"{one.redis_us:.0f}") for one in costs]
    print(lines_of(("caller", "requests", "HTTP us", "Redis us"), rows))
    return 0


def measure(
    url: str, pid: int, root: Path, callers: dict[str, dict[str, str]], options: argparse.Namespace
) -> list[Cost]:
    """Let the callers take turns, after one turn that warms everything."""
    redis = read_run(root).processes["redis-state"]
    spent = {name: [0.0, 0.0] for name in callers}
    for turn in range(options.turns + 1):
        for name, headers in callers.items():
            say(f"turn {turn}: {name}")
            before = processor_ms(pid), processor_ms(redis)
            asyncio.run(_post(url, headers, options.requests))
            # Notes in the background end after the last answer.
            time.sleep(0.3)
            after = processor_ms(pid), processor_ms(redis)
            if turn:
                spent[name] = [one + new - old for one, new, old in zip(spent[name], after, before, strict=True)]
    count = options.turns * options.requests
    return [Cost(name, count, http / count * 1000, redis / count * 1000) for name, (http, redis) in spent.items()]


async def _post(url: str, headers: dict[str, str], count: int) -> None:
    left = iter(range(count))
    async with httpx.AsyncClient(headers=headers, timeout=30) as client:

        async def one() -> None:
            for _ in left:
                answer = await client.post(f"{url}/api/v1/translations", json=BODY)
                answer.raise_for_status()

        await asyncio.gather(*(one() for _ in range(_CONNECTIONS)))


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
    shown = {"email": login.email, "password": _PASSWORD}
    token = httpx.post(f"{url}/auth/login", json=shown, timeout=30).raise_for_status().json()["access_token"]
    return {
        "no key": {},
        "key": bearer(free.text),
        "token": bearer(token),
        "key, limits": bearer(limited.text),
    }


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
    command = [sys.executable, "-m", "producers.http.main"]
    with subprocess.Popen(command, cwd=CHECKOUT, env=os.environ | told) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url)
            yield url, process.pid
        finally:
            process.terminate()


def _wait_until_ready(url: str) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/ready").is_success:
                return
        time.sleep(0.1)
    raise TimeoutError(url)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=1500, help="of each caller and turn")
    parser.add_argument("--turns", type=int, default=3, help="that are measured")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
