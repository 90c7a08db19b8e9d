"""`python -m deploy.autoscaler`: every few seconds measures, decides, and hands the decision on. Wiring only."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from connectors.shutdown import Shutdown
from connectors.telemetry.health import Health, serve_health
from connectors.telemetry.logging import configure_logging
from deploy.autoscaler.controller import Controller, ScalingState
from deploy.autoscaler.fleet import PolledFleet, Fleet, LocalFleet
from deploy.autoscaler.measurement import KafkaMeter
from deploy.autoscaler.policy import Policy
from deploy.autoscaler.settings import AutoscalerSection, AutoscalerSettings
from schemas.errors import FatalError, TransientError

log = structlog.get_logger()

FATAL_EXIT = 70

Publish = Callable[[ScalingState], None]


def main() -> None:
    """Runs until SIGTERM; leaves with 70 on a fatal error, so that a fresh process takes over."""
    settings = AutoscalerSettings()
    configure_logging("autoscaler", settings.instance, settings.log_level)
    health = Health(settings.autoscaler.silence_seconds)
    server = serve_health(health, settings.health_port, settings.health_host)
    try:
        shutdown = Shutdown().install()
        with _keda(settings.autoscaler) as publish:
            Autoscaler(settings, health, publish).run(shutdown)
    except (FatalError, TransientError) as error:
        log.error("autoscaler_failed", error=str(error))
        sys.exit(FATAL_EXIT)
    finally:
        server.close()


class Autoscaler:
    """The process. Kafka may be away at any time, also at the start. `publish` is told of every turn."""

    def __init__(self, settings: AutoscalerSettings, health: Health, publish: Publish) -> None:
        self._settings = settings
        self._health = health
        self._publish = publish
        section = settings.autoscaler
        fleet, policy = _fleet(section)
        self._controller = Controller(section.pool, fleet, policy, section.startup_seconds)
        self._meter: KafkaMeter | None = None

    def run(self, shutdown: Shutdown) -> None:
        """Until a signal. Raises FatalError."""
        try:
            while not shutdown.is_wanted():
                self._show(self._turn())
                shutdown.wait(self._settings.autoscaler.interval_seconds)
        finally:
            if self._meter:
                self._meter.close()

    def _turn(self) -> ScalingState:
        try:
            self._meter = self._meter or KafkaMeter(self._settings.kafka, self._settings.autoscaler)
        except TransientError as error:
            return self._controller.blind(str(error))
        return self._controller.turn(self._meter, time.time())

    def _show(self, standing: ScalingState) -> None:
        self._publish(standing)
        self._health.beat()
        if standing.snapshot:
            self._health.ready()
        else:
            self._health.not_ready(f"cannot measure, the last decision stands: {standing.blind_because}")


@contextmanager
def _keda(section: AutoscalerSection) -> Iterator[Publish]:
    if not section.keda_address:
        yield lambda _: None
        return
    from deploy.autoscaler.keda.server import KedaServer, PoolScaler  # noqa: PLC0415  # gRPC is an extra

    scaler = PoolScaler(section.pool)
    server = KedaServer(scaler, section.keda_address)
    try:
        yield scaler.publish
    finally:
        server.close()


def _fleet(section: AutoscalerSection) -> tuple[Fleet, Policy]:
    if section.local_root is None:
        return PolledFleet(), section.policy(section.min_replicas, section.max_replicas)
    local = LocalFleet(section.local_root)
    return local, section.policy(*local.bounds())
