"""Two regions on one machine: a whole stack, one on standby, and MirrorMaker 2 between them."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from connectors.kafka.settings import KafkaSettings
from connectors.redis.settings import RedisSettings
from deploy.local.kafka_broker import fetch_jars, has_jars
from deploy.local.machine import PortBook, first_port_of
from deploy.local.main import down, read_run, up
from deploy.local.process_spec import AnswersOk, ProcessSpec, is_port_free
from deploy.local.settings import StackSettings, inherited_environment
from deploy.local.stack import build_processes
from deploy.regions.mirror import POM, RegionSettings, mirror_command, mirror_properties
from tests.servers import LIBRARIES

MIRROR_LIBRARIES = LIBRARIES.with_name("mirror-libs")
SERVING = ("intake-1", "assembly-1", "worker-1", "status")


@dataclass
class Region:
    """One region; `settings` say which of its processes its supervisor runs."""

    settings: StackSettings
    extra: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        up(self.settings, detach=True, on_progress=lambda name, state: None)

    @property
    def kafka(self) -> KafkaSettings:
        return KafkaSettings(bootstrap=read_run(self.settings.root).kafka_bootstrap)

    @property
    def redis(self) -> RedisSettings:
        run = read_run(self.settings.root)
        return RedisSettings(cache_url=run.redis_cache_url, state_url=run.redis_state_url)

    def start_platform(self) -> None:
        """What turns a region that stands by into one that serves; returns when all are ready."""
        whole = self.settings.model_copy(update={"stores_only": False})
        specs = [spec for spec in build_processes(whole, self._ports()) if spec.name in SERVING]
        self.extra = [self._started(spec) for spec in specs]
        for spec in specs:
            _wait_until_ready(spec)

    def lose(self) -> None:
        """As a lost region: every process is gone at once, the supervisor first, so that none comes back."""
        run = read_run(self.settings.root)
        for pid in (run.supervisor_pid, *run.processes.values()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def start_stores(self) -> None:
        """After it was lost: the broker and the Valkeys alone, with what they had stored."""
        stores = self.settings.model_copy(update={"stores_only": True})
        up(stores, detach=True, on_progress=lambda name, state: None)

    def stop(self) -> None:
        for process in self.extra:
            process.terminate()
        for process in self.extra:
            process.wait(20)
        down(self.settings.root)

    def _ports(self) -> PortBook:
        """The stores keep the ports that they listen on."""
        root = self.settings.root
        given = json.loads((root / "ports.json").read_text())
        return PortBook(first_port_of(root), given, lambda port: port in given.values() or is_port_free(port))

    def _started(self, spec: ProcessSpec) -> subprocess.Popen[bytes]:
        with (self.settings.logs / f"{spec.name}.log").open("ab") as log:
            environment = {**inherited_environment(), **spec.environment}
            return subprocess.Popen(spec.command, env=environment, stdout=log, stderr=log)


@dataclass
class Mirror:
    """MirrorMaker 2, which may be killed."""

    command: tuple[str, ...]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def two_regions(folder: Path) -> Iterator[tuple[Region, Region]]:
    a = Region(StackSettings(root=folder / "a", workers=1, kafka_libraries=LIBRARIES))
    b = Region(StackSettings(root=folder / "b", workers=1, kafka_libraries=LIBRARIES, stores_only=True))
    try:
        a.start()
        b.start()
        yield a, b
    finally:
        a.stop()
        b.stop()


@contextmanager
def mirroring(a: Region, b: Region, folder: Path, only_requests: bool = False) -> Iterator[Mirror]:
    if not has_jars(MIRROR_LIBRARIES, POM):
        fetch_jars(MIRROR_LIBRARIES, POM)
    settings = RegionSettings(
        source_bootstrap=a.kafka.bootstrap, target_bootstrap=b.kafka.bootstrap, only_requests=only_requests
    )
    properties = folder / "mm2.properties"
    properties.write_text(mirror_properties(settings))
    mirror = Mirror(mirror_command(settings, MIRROR_LIBRARIES, properties), folder / "mirror.log")
    mirror.start()
    try:
        yield mirror
    finally:
        mirror.kill()


def _wait_until_ready(spec: ProcessSpec) -> None:
    assert isinstance(spec.ready, AnswersOk)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with suppress(httpx.TransportError):
            if httpx.get(spec.ready.url, timeout=2).is_success:
                return
        time.sleep(0.1)
    raise AssertionError(f"{spec.name} is not ready")
