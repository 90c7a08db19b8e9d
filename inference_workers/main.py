"""Wire a worker: load its models, warm up, and only then join its consumer groups."""

import threading
import time

import structlog

from connectors.kafka.group_reader import GroupReader
from connectors.kafka.schema_registry import open_codec
from connectors.kafka.transactional_producer import TransactionalProducer
from connectors.redis.client import open_cache, open_state
from connectors.redis.presence import ModelRegistry
from connectors.redis.request_markers import RedisAnsweredRequests
from connectors.redis.translation_memory import RedisTranslationMemory
from connectors.telemetry import metrics
from inference_workers.answers import STAGE, WorkerIdentity
from inference_workers.fitting import FittingTranslator, SafeSize
from inference_workers.handler import BatchHandler
from inference_workers.model_router import ModelRouter
from inference_workers.model_store import discover
from inference_workers.priority_source import PriorityCredit, PrioritySource, Shares, Speedometer
from inference_workers.settings import WorkerLimits, WorkerSettings
from inference_workers.translating import SegmentTranslator
from schemas.errors import FatalError, TransientError
from schemas.priorities import Priority
from schemas.topics import batches_topic, inference_group
from stream_apps.pipeline.deadline_policy import SkipPolicy
from stream_apps.runtime.consumer_health import ConsumerHealthMonitor, joined
from stream_apps.runtime.dead_letters import open_dead_letters
from stream_apps.runtime.process import Process, now_ms, run_process
from stream_apps.runtime.transactional_processor import TransactionalProcessor

log = structlog.get_logger()


def main() -> None:
    """Run a worker until SIGTERM."""
    run_process("worker", WorkerSettings, run)


def run(settings: WorkerSettings, process: Process) -> None:
    """Join the groups only when the models are warm, so that every member is able to work."""
    limits = settings.worker
    router = _warm_router(limits)
    speed = Speedometer(limits.first_words_per_second)
    source = _source(settings, speed)
    monitor = ConsumerHealthMonitor(settings.kafka, source.readers, process.health)
    processor = TransactionalProcessor(
        stage=STAGE,
        source=source,
        handler=_handler(settings, router, speed),
        producer=TransactionalProducer(settings.kafka, f"inference-{limits.pool}-{settings.instance}"),
        should_stop=process.shutdown.is_wanted,
        sleep=process.shutdown.wait,
        on_waiting=monitor.waits,
        on_working=monitor.works,
    )
    with (
        Announcer(settings, router.versions()),
        joined(settings.kafka, settings.instance, monitor, process.shutdown),
    ):
        process.started(pool=limits.pool, pairs=sorted(router.versions()))
        processor.run()


def _warm_router(limits: WorkerLimits) -> ModelRouter:
    started = time.monotonic()
    router = ModelRouter(discover(limits.model_paths), limits.device, limits.model_memory_mb << 20)
    if not router.versions():
        raise FatalError("no models found; name their folders in DRAGOMAN_WORKER_MODEL_PATHS")
    router.warm_up()
    metrics.MODEL_LOAD_SECONDS.labels(limits.pool).set(time.monotonic() - started)
    return router


def _source(settings: WorkerSettings, speed: Speedometer) -> PrioritySource[GroupReader]:
    limits = settings.worker
    return PrioritySource(
        by_priority={priority: _reader(settings, priority) for priority in Priority},
        credit=_credit(limits),
        budget_words=lambda: speed.words_in(limits.cycle_seconds),
        now_ms=now_ms,
        cycle_bytes=limits.cycle_bytes,
    )


def _reader(settings: WorkerSettings, priority: Priority) -> GroupReader:
    pool = settings.worker.pool
    topic = batches_topic(pool, priority)
    return GroupReader(settings.kafka, inference_group(pool, priority), [topic], settings.instance)


def _credit(limits: WorkerLimits) -> PriorityCredit:
    guaranteed = {Priority.HIGH: limits.high_share, Priority.STANDARD: limits.standard_share}
    shares = Shares(guaranteed, aged_share=limits.aged_share)
    return PriorityCredit(shares, most_words=int(limits.first_words_per_second))


def _handler(settings: WorkerSettings, router: ModelRouter, speed: Speedometer) -> BatchHandler:
    limits = settings.worker
    memory = RedisTranslationMemory(open_cache(settings.redis), settings.redis.tm_ttl_seconds)
    identity = WorkerIdentity(settings.instance, limits.pool, limits.device, limits.market)
    fitting = FittingTranslator(router, SafeSize(limits.safe_size_minutes * 60), time.monotonic)
    segments = SegmentTranslator(fitting, memory, time.perf_counter, limits.longest_cycle_seconds)
    skip_policy = SkipPolicy(RedisAnsweredRequests(open_state(settings.redis)))
    codec, most_bytes = open_codec(settings.kafka), settings.kafka.max_message_bytes
    dead_letters = open_dead_letters(STAGE, codec, settings.dead_letters, most_bytes)
    return BatchHandler(codec, skip_policy, segments, memory, identity, speed, now_ms, dead_letters, most_bytes)


class Announcer:
    """Announces the worker's pairs in the registry while it lives. They expire by themselves after its death."""

    def __init__(self, settings: WorkerSettings, versions: dict[str, str]) -> None:
        self._registry = ModelRegistry(open_state(settings.redis))
        self._pool = settings.worker.pool
        self._ttl_seconds = settings.worker.registry_ttl_seconds
        self._versions = versions
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
            self._registry.publish(self._pool, self._versions, self._ttl_seconds)
        except TransientError as error:
            log.warning("announcement_failed", error=str(error))


if __name__ == "__main__":
    main()
