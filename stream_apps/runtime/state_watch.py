"""Refuse to work on a state Redis that may forget: eviction would take markers unnoticed, and duplicates follow.

Every process that opens the state runs inside `on_sound_state`: its policy is looked at before anything else, and
from then on together with the count of evicted keys. docs/security.md says what to set.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Protocol, TypeVar

import structlog

from connectors.redis.client import Client, open_state, redis_errors
from connectors.redis.settings import RedisSettings
from connectors.telemetry import metrics
from connectors.telemetry.health import Health
from schemas.errors import FatalError, TransientError
from stream_apps.runtime.process import Process

log = structlog.get_logger()

_RIGHT_POLICY = "noeviction"


class StateUser(Protocol):
    """Settings of a process that opens the state."""

    @property
    def redis(self) -> RedisSettings:
        """Return where Redis is."""


S = TypeVar("S", bound=StateUser)


@dataclass(frozen=True)
class StateServer:
    """What a Redis says of itself. `policy` is empty where it does not tell."""

    policy: str
    evicted_keys: int
    is_cluster: bool = False

    def check(self) -> None:
        """Raise FatalError, with the cure, for one that must not hold the state."""
        if self.is_cluster:
            raise FatalError(
                "the state Redis is a cluster; its keys must be lost and kept together: "
                "set DRAGOMAN_REDIS_STATE_URL to one server, which may have replicas"
            )
        if self.policy not in (_RIGHT_POLICY, ""):
            raise FatalError(
                f"the state Redis has maxmemory-policy {self.policy}, so it may forget who was answered: "
                f"set maxmemory-policy {_RIGHT_POLICY} (managed: in its parameter group), then start again"
            )


def read_state_server(client: Client) -> StateServer:
    """Ask the server with INFO, which managed Redis allows. Raises TransientError or FatalError (credentials)."""
    with redis_errors():
        found = {**client.info("memory"), **client.info("stats"), **client.info("server")}
    return StateServer(
        policy=str(found.get("maxmemory_policy", "")),
        evicted_keys=int(found.get("evicted_keys", 0)),
        is_cluster=found.get("redis_mode") == "cluster",
    )


class StateWatch:
    """Looks at the state every so many seconds, on a thread; `failure` is why the process was ended."""

    def __init__(self, client: Client, health: Health, end: Callable[[], object]) -> None:
        self.failure: FatalError | None = None
        self._client = client
        self._health = health
        self._end = end
        self._evicted_keys = 0
        self._stopped = threading.Event()

    def first_look(self) -> None:
        """Look once. Raises FatalError for a state that must not be used; one that is away is looked at later."""
        try:
            found = self._found()
        except TransientError as error:
            log.warning("state_not_checked", error=str(error))
            return
        if not found.policy:
            log.warning("state_policy_unknown", cure=f"make sure that it is {_RIGHT_POLICY}")
        self._evicted_keys = found.evicted_keys

    def look(self) -> None:
        """Look again; a loss since the last look is logged, and the process not ready until the next without one.

        Raises TransientError or FatalError.
        """
        found = self._found()
        # A server that was started again counts from 0.
        lost = found.evicted_keys - self._evicted_keys if found.evicted_keys > self._evicted_keys else 0
        self._evicted_keys = found.evicted_keys
        if lost:
            log.critical("state_evicted_keys", keys=lost, policy=found.policy)
        self._health.object(
            f"the state Redis evicted {lost} keys: give it memory, set {_RIGHT_POLICY}" if lost else ""
        )

    @contextmanager
    def watching(self, every_seconds: float) -> Iterator[None]:
        """Look on a thread inside the context."""
        thread = threading.Thread(target=self._run, args=(every_seconds,), name="state-watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._stopped.set()

    def _found(self) -> StateServer:
        found = read_state_server(self._client)
        metrics.STATE_EVICTED_KEYS.set(found.evicted_keys)
        found.check()
        return found

    def _run(self, every_seconds: float) -> None:
        while not self._stopped.wait(every_seconds):
            try:
                self.look()
            except TransientError:
                continue  # whoever uses the state says that it is away
            except FatalError as error:
                self.failure = error
                log.critical("state_unfit", error=str(error))
                self._end()
                return


def on_sound_state(run: Callable[[S, Process], None]) -> Callable[[S, Process], None]:
    """Make `run` of a process refuse a state that may forget, and end with FatalError when it becomes one."""

    @wraps(run)
    def checked(settings: S, process: Process) -> None:
        watch = StateWatch(open_state(settings.redis), process.health, end=_stop_this_process)
        watch.first_look()
        try:
            with watch.watching(settings.redis.policy_seconds):
                run(settings, process)
        finally:
            # Also in place of the SystemExit of a library that saw the signal.
            if watch.failure:
                raise watch.failure

    return checked


def _stop_this_process() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
