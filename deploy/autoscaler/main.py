"""The autoscaler process: measures a pool every few seconds, decides, and passes each decision on."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from connectors.kafka.producer import DurableProducer
from connectors.kafka.schema_registry import open_codec
from connectors.telemetry.health import Health
from deploy.autoscaler.controller import Controller, ScalingState
from deploy.autoscaler.decision import Policy
from deploy.autoscaler.fleet import Fleet, LocalFleet, PolledFleet
from deploy.autoscaler.measurement import KafkaMeter
from deploy.autoscaler.settings import AutoscalerSection, AutoscalerSettings
from deploy.autoscaler.telling import DecisionTeller
from schemas.errors import TransientError
from stream_apps.runtime.process import Process, Shutdown, now_ms, run_process

Publish = Callable[[ScalingState], None]
"""Called with the result of every turn."""


def main() -> None:
    """Run the autoscaler until SIGTERM."""
    run_process("autoscaler", AutoscalerSettings, run)


def run(settings: AutoscalerSettings, process: Process) -> None:
    """Measure, decide, and hand each decision to the fleet and to KEDA."""
    with _keda(settings.autoscaler) as publish, closing(DurableProducer(settings.kafka)) as producer:
        codec, pool = open_codec(settings.kafka), settings.autoscaler.pool
        tell = DecisionTeller(settings.instance, pool, producer, codec, now_ms)
        process.started()
        Autoscaler(settings, process.health, publish, tell).run(process.shutdown)


class Autoscaler:
    """The loop of the process. Kafka may be unreachable at any time, also at the start."""

    def __init__(self, settings: AutoscalerSettings, health: Health, *publish: Publish) -> None:
        self._settings = settings
        self._health = health
        self._publish = publish
        section = settings.autoscaler
        fleet, policy = _fleet(section)
        self._controller = Controller(
            section.pool, fleet, policy, section.startup_seconds, section.interval_seconds
        )
        self._meter: KafkaMeter | None = None

    def run(self, shutdown: Shutdown) -> None:
        """Take turns until a shutdown is requested, then close the meter. Raises FatalError."""
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
            return self._controller.blind_turn(str(error))
        # Not the time of day: where that is set, starts would take hours, and a window would be over at once.
        return self._controller.turn(self._meter, time.monotonic())

    def _show(self, state: ScalingState) -> None:
        for publish in self._publish:
            publish(state)
        self._health.beat()
        if state.snapshot:
            self._health.ready()
        else:
            self._health.not_ready(f"cannot measure, the last decision stands: {state.blind_because}")


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


if __name__ == "__main__":
    main()
