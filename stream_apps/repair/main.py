"""Wire the repair process: comparisons on one thread, the lease and the deadlines on the main one.

Several instances may run. The one that holds the lease is active; the others stand by.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import structlog

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.open_transactions import CONSUMER_OFFSETS, KafkaTransactions
from connectors.kafka.partition_reader import read_spans
from connectors.kafka.producer import DurableProducer
from connectors.kafka.schema_registry import open_codec
from connectors.object_store import open_objects
from connectors.redis.client import open_state
from connectors.redis.erasures import RedisErasures
from connectors.redis.job_view import JobViews
from connectors.redis.presence import Lease
from connectors.redis.request_markers import Deadlines
from connectors.redis.slots import reopen
from connectors.redis.state_epoch import StateEpoch
from connectors.telemetry import metrics
from connectors.telemetry.health import Health
from schemas.errors import FatalError, PermanentError, TransientError
from schemas.records import InboundRecord
from schemas.topics import DAY_MS, DEAD_LETTERS, catalogue
from stream_apps.accounts.store import KafkaAccounts
from stream_apps.repair.deadlines import DeadlineSweeper
from stream_apps.repair.erasing import DeadLetterEraser, ErasureSweeper
from stream_apps.repair.following import FollowingReconciler
from stream_apps.repair.hanging import HangingTransactions
from stream_apps.repair.reconcile import Reconciler, ReconcileReport
from stream_apps.repair.retention import TextRetention
from stream_apps.repair.schedule import ComparisonIntervals, Schedule
from stream_apps.repair.settings import RepairSettings
from stream_apps.runtime.process import Process, Shutdown, now_ms, run_process
from stream_apps.runtime.state_watch import on_sound_state

log = structlog.get_logger()

STAGE = "repair"
_TURN_SECONDS = 0.5
_PAUSE_SECONDS = 2.0
_FIRST_LOOK_SECONDS = 60.0
_TAKE_RECORDS = 500
# A bucket that is missing, too, may be there next time.
_MENDABLE = (TransientError, PermanentError)


def main() -> None:
    """Run the repair process until SIGTERM."""
    run_process(STAGE, RepairSettings, on_sound_state(run))


def run(settings: RepairSettings, process: Process) -> None:
    """Compare requests with results on a thread; hold the lease and sweep deadlines on this one."""
    producer = DurableProducer(settings.kafka)
    lease = Lease(open_state(settings.redis), STAGE, settings.instance, settings.repair.lease_seconds)
    schedule = _schedule(settings, producer, process.health, process.shutdown)
    comparisons = Comparisons(schedule, process.shutdown, process.health)
    thread = comparisons.start()
    watch = Watch(comparisons.is_active, process.shutdown)
    watch.start("transactions", _hanging(settings).turn, settings.repair.transactions_every_seconds)
    watch.start("erasures", _erasures(settings, producer).turn, settings.repair.erasures_every_seconds)
    if settings.objects.is_shared:
        watch.start("old_texts", _retention(settings).turn, settings.repair.texts_every_seconds)
    process.started()
    try:
        instance = ActiveInstance(comparisons, lease, _sweeper(settings, producer))
        run_turns(instance, [comparisons, watch], process.shutdown, settings.repair.sweep_seconds)
    finally:
        thread.join(timeout=_PAUSE_SECONDS)
        producer.close()


class Work(Protocol):
    """Is done on threads of its own."""

    @property
    def failure(self) -> Exception | None:
        """Return what ended one of them; None while all go on."""


@dataclass
class Comparisons:
    """Runs the schedule on a thread of its own while `is_active` is set; `failure` is what ended the thread."""

    schedule: Schedule
    shutdown: Shutdown
    health: Health
    is_active: threading.Event = field(default_factory=threading.Event)
    failure: Exception | None = None

    def start(self) -> threading.Thread:
        """Start the thread and return it. It ends at a shutdown or with `failure`."""
        thread = threading.Thread(target=self._run, name="comparisons", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        while not self.shutdown.wait(_TURN_SECONDS):
            try:
                if self.is_active.is_set():
                    self._turn()
                self.health.beat()
            except _MENDABLE as error:
                log.warning("comparison_failed", error=str(error))
                self.shutdown.wait(_PAUSE_SECONDS)
            except Exception as error:  # whatever it is, the main thread ends the process with it
                self.failure = error
                return

    def _turn(self) -> None:
        started = time.monotonic()
        report = self.schedule.turn()
        if report is not None:
            _measure(report, time.monotonic() - started)


@dataclass(frozen=True)
class ActiveInstance:
    """Holds the lease, so that one instance is active and the others stand by, as ready as that allows."""

    comparisons: Comparisons
    lease: Lease
    sweeper: DeadlineSweeper

    def turn(self) -> None:
        """Renew or ask for the lease, and sweep if it is held. Blocks while Redis answers; raises FatalError.

        Without Redis no instance is active: only Redis knows of losses and deadlines.
        """
        try:
            is_held = self.lease.hold()
            self._set_active(is_held=is_held)
            if is_held:
                self.sweeper.sweep()
            self.comparisons.health.ready()
        except TransientError as error:
            self._set_active(is_held=False)
            self.comparisons.health.not_ready(str(error))

    def end(self) -> None:
        """Release the lease, so that another instance takes over at once."""
        try:
            self.lease.release()
        except TransientError as error:
            log.warning("lease_left_behind", error=str(error))

    def _set_active(self, *, is_held: bool) -> None:
        metrics.REPAIR_ACTING.set(is_held)
        if is_held:
            self.comparisons.is_active.set()
        else:
            self.comparisons.is_active.clear()


@dataclass
class Watch:
    """Does things at intervals while this instance is the active one; `failure` is what ended one of them."""

    is_active: threading.Event
    shutdown: Shutdown
    failure: Exception | None = None

    def start(self, name: str, turn: Callable[[], None], every_seconds: float) -> threading.Thread:
        """Call `turn` on a thread of its own, and return it. It ends at a shutdown or with `failure`."""
        arguments = (name, turn, every_seconds)
        # A daemon: it may be cut off at any point when the process ends.
        thread = threading.Thread(target=self._run, args=arguments, name=name, daemon=True)
        thread.start()
        return thread

    def _run(self, name: str, turn: Callable[[], None], every_seconds: float) -> None:
        # A process that is restarted often looks, too.
        wait_seconds = min(every_seconds, _FIRST_LOOK_SECONDS)
        while not self.shutdown.wait(wait_seconds):
            wait_seconds = every_seconds
            try:
                if self.is_active.is_set():
                    turn()
            except _MENDABLE as error:
                log.warning("look_failed", looked_for=name, error=str(error))
            except Exception as error:  # whatever it is, the main thread ends the process with it
                self.failure = error
                return


def _hanging(settings: RepairSettings) -> HangingTransactions:
    names = {topic.name for topic in catalogue(settings.kafka.plan)} | {CONSUMER_OFFSETS}
    transactions = KafkaTransactions(settings.kafka, names)
    return HangingTransactions(transactions, settings.repair.transactions_open_seconds)


def _retention(settings: RepairSettings) -> TextRetention:
    accounts = KafkaAccounts(settings.kafka, open_codec(settings.kafka))

    def tenant_days() -> dict[str, int]:
        return {one.tenant: one.retention_days for one in accounts.read().tenants()}

    return TextRetention(open_objects(settings.objects), settings.objects.job_days * DAY_MS, now_ms, tenant_days)


def _erasures(settings: RepairSettings, producer: DurableProducer) -> ErasureSweeper:
    def letters() -> Iterator[InboundRecord]:
        spans = KafkaAdmin(settings.kafka).spans([DEAD_LETTERS])
        for records in read_spans(settings.kafka, spans, _TAKE_RECORDS):
            yield from records

    return ErasureSweeper(
        erased=RedisErasures(open_state(settings.redis)),
        store=open_objects(settings.objects) if settings.objects.is_shared else None,
        letters=DeadLetterEraser(letters, producer, open_codec(settings.kafka)),
        now_ms=now_ms,
        again_ms=round(settings.repair.erasures_again_seconds * 1000),
    )


def run_turns(instance: ActiveInstance, work: Sequence[Work], shutdown: Shutdown, every_seconds: float) -> None:
    """Take turns until the shutdown. Raises FatalError, also where another thread ended with a failure."""
    try:
        while not shutdown.wait(every_seconds):
            _check(work)
            instance.turn()
    finally:
        instance.end()


def _check(work: Sequence[Work]) -> None:
    for failure in (one.failure for one in work if one.failure):
        raise FatalError(f"a thread ended: {failure}") from failure


def _sweeper(settings: RepairSettings, producer: DurableProducer) -> DeadlineSweeper:
    state = open_state(settings.redis)
    return DeadlineSweeper(
        deadlines=Deadlines(state),
        views=JobViews(state),
        producer=producer,
        codec=open_codec(settings.kafka),
        now_ms=now_ms,
        most_requests=settings.repair.sweep_requests,
    )


def _schedule(settings: RepairSettings, producer: DurableProducer, health: Health, shutdown: Shutdown) -> Schedule:
    limits = settings.repair
    reconciler = Reconciler(
        kafka=settings.kafka,
        admin=KafkaAdmin(settings.kafka),
        producer=producer,
        codec=open_codec(settings.kafka),
        limits=limits.reconcile_limits,
        now_ms=now_ms,
        reopen=partial(reopen, open_state(settings.redis)),
    )

    def on_progress(part: str, share: float) -> None:
        if shutdown.is_wanted():
            raise TransientError("the process is to stop; the next comparison starts from the beginning")
        metrics.REPAIR_SHARE.labels(part).set(share)
        health.beat()

    return Schedule(
        state=StateEpoch(open_state(settings.redis), now_ms),
        follow=FollowingReconciler(reconciler).compare,
        reconcile=reconciler.reconcile,
        intervals=ComparisonIntervals(
            limits.every_seconds, limits.every_seconds_after_loss, limits.window_ms, limits.window_after_loss_ms
        ),
        now_ms=now_ms,
        on_progress=on_progress,
    )


def _measure(report: ReconcileReport, seconds: float) -> None:
    metrics.REPAIR_COMPARISONS.inc()
    metrics.REPAIR_SECONDS.observe(seconds)
    metrics.REPAIR_REDRIVEN.inc(report.redriven)
    for fate in ("on_their_way", "lost", "given_up"):
        metrics.REPAIR_OPEN.labels(fate).set(getattr(report, fate))
    oldest_ms = report.oldest_open_ms
    metrics.REPAIR_OLDEST_OPEN_SECONDS.set(0 if oldest_ms is None else max(now_ms() - oldest_ms, 0) / 1000)
    if report.lost or report.given_up:
        log.warning("comparison_done", seconds=round(seconds, 3), **vars(report))


if __name__ == "__main__":
    main()
