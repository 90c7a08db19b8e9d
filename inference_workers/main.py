"""`python -m inference_workers`: loads its models, warms up, and only then joins its groups. Wiring only."""

import sys
import threading
import time
from collections.abc import Callable

import structlog

from connectors.dead_letters.writer import open_dead_letters
from connectors.kafka.cycle import TransactionalProcessor
from connectors.kafka.group_reader import GroupReader
from connectors.kafka.leaving import close_readers
from connectors.kafka.progress_watch import ConsumerHealthMonitor
from connectors.kafka.schema_registry import open_codec
from connectors.kafka.transactions import TransactionalProducer
from connectors.redis.answered import RedisAnsweredRequests
from connectors.redis.client import open_cache, open_state
from connectors.redis.model_registry import ModelRegistry
from connectors.redis.translation_memory import RedisTranslationMemory
from connectors.shutdown import Shutdown
from connectors.telemetry import metrics
from connectors.telemetry.health import Health, serve_health
from connectors.telemetry.logging import configure_logging
from inference_workers.answers import STAGE, WorkerIdentity
from inference_workers.fitting import FittingTranslator, SafeSize
from inference_workers.handler import BatchHandler
from inference_workers.models.catalogue import ModelRouter
from inference_workers.models.store import discover
from inference_workers.priorities import PriorityCredit, Shares
from inference_workers.relevance import SkipPolicy
from inference_workers.settings import WorkerLimits, WorkerSettings
from inference_workers.source import PrioritySource
from inference_workers.speed import Speedometer
from inference_workers.translating import SegmentTranslator
from schemas.errors import DragomanError, FatalError, TransientError
from schemas.priorities import Priority
from schemas.topics import batches_topic, inference_group

log = structlog.get_logger()

FATAL_EXIT = 70


def main() -> None:
    """Runs until SIGTERM; leaves with 70 on an error that no cycle can bear: a fresh process takes over."""
    settings = WorkerSettings()
    configure_logging("worker", settings.instance, settings.log_level)
    health = Health(settings.worker.silence_seconds)
    server = serve_health(health, settings.health_port, settings.health_host)
    try:
        _run(settings, health, Shutdown().install())
    except DragomanError as error:
        log.error("worker_failed", error=str(error))
        sys.exit(FATAL_EXIT)
    finally:
        server.close()


def _run(settings: WorkerSettings, health: Health, shutdown: Shutdown) -> None:
    catalogue = _warm(settings.worker)
    readers = {priority: _reader(settings, priority) for priority in Priority}
    producer = TransactionalProducer(settings.kafka, f"inference-{settings.worker.pool}-{settings.instance}")
    speed = Speedometer(settings.worker.first_words_per_second)
    limits = settings.worker
    source = PrioritySource(
        readers, _credit(limits), _budget(speed, limits), _now_ms, cycle_bytes=limits.cycle_bytes
    )
    handler = _handler(settings, catalogue, speed)
    announcer = Announcer(settings, catalogue.versions())
    announcer.start()
    watch = ConsumerHealthMonitor(settings.kafka, source.readers, health)
    for reader in source.readers:
        reader.subscribe()
    watch.start()
    log.info("worker_ready", pool=settings.worker.pool, pairs=sorted(catalogue.versions()))
    try:
        TransactionalProcessor(STAGE, source, handler, producer, shutdown.is_wanted, shutdown.wait, watch.waits, watch.works).run()
        log.info("worker_stopped")
    finally:
        watch.stop()
        announcer.stop()
        close_readers(settings.kafka, source.readers, settings.instance, for_good=shutdown.is_wanted())


def _warm(limits: WorkerLimits) -> ModelRouter:
    started = time.monotonic()
    catalogue = ModelRouter(discover(limits.model_paths), limits.device, limits.model_memory_mb << 20)
    if not catalogue.versions():
        raise FatalError("no models found; name their folders in DRAGOMAN_WORKER_MODEL_PATHS")
    catalogue.warm_up()
    metrics.MODEL_LOAD_SECONDS.labels(limits.pool).set(time.monotonic() - started)
    return catalogue


def _reader(settings: WorkerSettings, priority: Priority) -> GroupReader:
    pool = settings.worker.pool
    topic = batches_topic(pool, priority)
    return GroupReader(settings.kafka, inference_group(pool, priority), [topic], settings.instance)


def _credit(limits: WorkerLimits) -> PriorityCredit:
    guaranteed = {Priority.HIGH: limits.high_share, Priority.STANDARD: limits.standard_share}
    return PriorityCredit(
        Shares(guaranteed, aged_share=limits.aged_share), most_words=int(limits.first_words_per_second)
    )


def _budget(speed: Speedometer, limits: WorkerLimits) -> Callable[[], int]:
    return lambda: speed.words_in(limits.cycle_seconds)


def _handler(settings: WorkerSettings, catalogue: ModelRouter, speed: Speedometer) -> BatchHandler:
    limits = settings.worker
    memory = RedisTranslationMemory(open_cache(settings.redis), settings.redis.tm_ttl_seconds)
    identity = WorkerIdentity(settings.instance, limits.pool, limits.device, limits.market)
    fitting = FittingTranslator(catalogue, SafeSize(limits.safe_size_minutes * 60), time.monotonic)
    segments = SegmentTranslator(fitting, memory, time.perf_counter, limits.longest_cycle_seconds)
    relevance = SkipPolicy(RedisAnsweredRequests(open_state(settings.redis)))
    codec, most_bytes = open_codec(settings.kafka), settings.kafka.max_message_bytes
    letters = open_dead_letters(STAGE, codec, settings.dead_letters, most_bytes)
    return BatchHandler(codec, relevance, segments, memory, identity, speed, _now_ms, letters, most_bytes)


class Announcer:
    """Keeps the worker's pairs in the registry while it lives; they expire by themselves when it dies."""

    def __init__(self, settings: WorkerSettings, versions: dict[str, str]) -> None:
        self._registry = ModelRegistry(open_state(settings.redis))
        self._pool = settings.worker.pool
        self._ttl_seconds = settings.worker.registry_ttl_seconds
        self._versions = versions
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="announcer", daemon=True)

    def start(self) -> None:
        """Announces at once, then three times in each lifetime of an entry."""
        self._announce()
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._ttl_seconds / 3):
            self._announce()

    def _announce(self) -> None:
        try:
            self._registry.publish(self._pool, self._versions, self._ttl_seconds)
        except TransientError as error:
            log.warning("announcement_failed", error=str(error))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
