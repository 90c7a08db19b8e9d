"""Wire a worker: load its models, warm up, and only then join its consumer groups."""

import threading
import time
from collections.abc import Sequence
from contextlib import closing

import structlog

from connectors.kafka.lane_reader import LaneReader
from connectors.kafka.lost_connection import watch_connection
from connectors.kafka.producer import DurableProducer
from connectors.kafka.schema_registry import open_codec
from connectors.redis.client import open_cache, open_state
from connectors.redis.presence import ModelRegistry
from connectors.redis.request_markers import RedisAnsweredRequests
from connectors.redis.translation_memory import RedisTranslationMemory
from connectors.telemetry import metrics
from connectors.tracing.opening import tracing
from connectors.tracing.spans import Tracer
from inference_workers.answers import STAGE, WorkerIdentity
from inference_workers.crash_journal import CrashJournal
from inference_workers.fitting import FittingTranslator, SafeSize
from inference_workers.handler import BatchHandler
from inference_workers.loop import WorkerLoop
from inference_workers.model_router import ModelRouter
from inference_workers.model_store import discover
from inference_workers.outbox import Outbox
from inference_workers.priority_credit import PriorityCredit, Shares, Speedometer
from inference_workers.priority_source import PrioritySource
from inference_workers.reader_watch import ReaderWatch
from inference_workers.settings import WorkerLimits, WorkerSettings
from inference_workers.states import StateIntervals, StateTeller, telling
from inference_workers.tracing import WorkSpans
from inference_workers.translating import SegmentTranslator
from schemas.catalogue import LanguageSet
from schemas.errors import FatalError, TransientError
from schemas.ids import fingerprint
from schemas.lanes import Lane
from schemas.priorities import Priority
from schemas.states import WorkerState
from schemas.topics import batches_topic, inference_groups
from stream_apps.pipeline.deadline_policy import SkipPolicy
from stream_apps.runtime.consumer_health import ConsumerHealthMonitor, joined
from stream_apps.runtime.dead_letters import open_dead_letters
from stream_apps.runtime.process import Process, Shutdown, now_ms, run_process
from stream_apps.runtime.retrying_loop import RetryingLoop
from stream_apps.runtime.state_watch import on_sound_state

log = structlog.get_logger()

# An idle turn takes 10 ms; after a rewind the first records come again within a fraction of a second.
_IDLE_TURNS = 50


def main() -> None:
    """Run a worker until SIGTERM."""
    run_process("worker", WorkerSettings, on_sound_state(run))


def run(settings: WorkerSettings, process: Process) -> None:
    """Join the groups only when the models are warm, so that every member is able to work."""
    limits = settings.worker
    with (
        closing(DurableProducer(settings.kafka)) as producer,
        telling(_state_teller(settings, producer), limits.tell_seconds) as states,
        tracing(settings.tracing, "worker", settings.instance) as tracer,
    ):
        router = _warm_router(limits)
        speed = Speedometer(limits.first_words_per_second)
        source = _source(settings, speed)
        monitor = ConsumerHealthMonitor(settings.kafka, source.readers, process.health)
        worker = WorkerLoop(
            source=source,
            handler=_handler(settings, router, speed, tracer),
            outbox=Outbox(producer),
            longest_held_seconds=settings.kafka.max_poll_interval_ms / 1000,
            most_unacknowledged_bytes=limits.take_bytes,
            check_connection=watch_connection(settings.kafka, producer.is_reachable).is_answered,
        )
        with (
            Announcer(settings, router.languages),
            joined(settings.kafka, settings.instance, monitor, process.shutdown),
            # Before the readers are closed.
            closing(source),
        ):
            states.enter(WorkerState.READY)
            process.started(pool=limits.pool, models=sorted({one.version for one in router.languages}))
            _loop(worker, monitor, process.shutdown).run()
            states.enter(WorkerState.DRAINING)
            worker.stop()


def _state_teller(settings: WorkerSettings, producer: DurableProducer) -> StateTeller:
    intervals = StateIntervals(_identity(settings), WorkerState.STARTING, now_ms())
    return StateTeller(intervals, producer, open_codec(settings.kafka), now_ms)


def _identity(settings: WorkerSettings) -> WorkerIdentity:
    limits = settings.worker
    return WorkerIdentity(settings.instance, limits.pool, limits.hardware, limits.market)


def _loop(worker: WorkerLoop, monitor: ConsumerHealthMonitor, shutdown: Shutdown) -> RetryingLoop:
    return RetryingLoop(
        stage=STAGE,
        turn=worker.turn,
        rewind=worker.rewind,
        should_stop=shutdown.is_wanted,
        sleep=shutdown.wait,
        on_waiting=monitor.waits,
        on_working=monitor.works,
        idle_turns=_IDLE_TURNS,
    )


def _warm_router(limits: WorkerLimits) -> ModelRouter:
    started = time.monotonic()
    router = ModelRouter(
        discover(limits.model_paths), limits.device, limits.model_memory_mb << 20, most_spans=limits.max_spans
    )
    if not router.languages:
        raise FatalError("no models found; name their folders in DRAGOMAN_WORKER_MODEL_PATHS")
    router.warm_up()
    metrics.MODEL_LOAD_SECONDS.labels(limits.pool).set(time.monotonic() - started)
    return router


def _source(settings: WorkerSettings, speed: Speedometer) -> PrioritySource[LaneReader]:
    limits, readers = settings.worker, open_readers(settings)
    return PrioritySource(
        readers=readers,
        lane_topics={lane: batches_topic(limits.pool, lane) for lane in Lane},
        credit=_credit(limits),
        budget_words=lambda: speed.words_in(limits.take_seconds),
        now_ms=now_ms,
        take_bytes=limits.take_bytes,
        watch=ReaderWatch(len(readers)),
    )


def open_readers(settings: WorkerSettings) -> list[LaneReader]:
    """Return a reader for every consumer group that a worker joins; the caller closes them."""
    groups = inference_groups(settings.worker.pool)
    return [LaneReader(settings.kafka, group, topics, settings.instance) for group, topics in groups.items()]


def _credit(limits: WorkerLimits) -> PriorityCredit:
    guaranteed = {Priority.HIGH: limits.high_share, Priority.STANDARD: limits.standard_share}
    shares = Shares(guaranteed, aged_share=limits.aged_share, bulk_share=limits.bulk_share)
    return PriorityCredit(shares, most_words=int(limits.first_words_per_second))


def _handler(settings: WorkerSettings, router: ModelRouter, speed: Speedometer, tracer: Tracer) -> BatchHandler:
    limits = settings.worker
    memory = RedisTranslationMemory(open_cache(settings.redis), settings.redis.tm_ttl_seconds)
    journal = CrashJournal(limits.journal_path / fingerprint(settings.instance.encode()))
    fitting = FittingTranslator(router, SafeSize(limits.safe_size_minutes * 60), time.monotonic, journal)
    segments = SegmentTranslator(
        fitting, memory, time.perf_counter, limits.longest_take_seconds, limits.part_seconds
    )
    skip_policy = SkipPolicy(RedisAnsweredRequests(open_state(settings.redis)))
    codec, most_bytes = open_codec(settings.kafka), settings.kafka.max_message_bytes
    dead_letters = open_dead_letters(STAGE, codec, settings.dead_letters, most_bytes)
    spans = WorkSpans(tracer, settings.tracing.open_spans)
    identity = _identity(settings)
    return BatchHandler(codec, skip_policy, segments, identity, speed, now_ms, dead_letters, most_bytes, spans)


class Announcer:
    """Announces the worker's models in the registry while it lives. They expire by themselves after its death."""

    def __init__(self, settings: WorkerSettings, models: Sequence[LanguageSet]) -> None:
        self._registry = ModelRegistry(open_state(settings.redis))
        self._pool = settings.worker.pool
        self._ttl_seconds = settings.worker.registry_ttl_seconds
        self._models = models
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="announcer", daemon=True)

    def __enter__(self) -> None:
        """Announce at once, then three times in each lifetime of an entry."""
        self._announce()
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._ttl_seconds / 3):
            self._announce()

    def _announce(self) -> None:
        try:
            self._registry.publish(self._pool, self._models, self._ttl_seconds)
        except TransientError as error:
            log.warning("announcement_failed", error=str(error))


if __name__ == "__main__":
    main()
