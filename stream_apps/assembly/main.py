"""The assembly process: opens Kafka, Redis and the object store, and runs the transactional processor."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.group_reader import GroupReader
from connectors.kafka.partition_reader import LogScan
from connectors.kafka.schema_registry import open_codec
from connectors.kafka.transactional_producer import TransactionalProducer
from connectors.object_store import open_shared_objects
from connectors.redis.client import open_state
from connectors.redis.slots import RedisSlots
from connectors.redis.state_epoch import StateEpoch
from connectors.tracing.opening import tracing
from schemas import topics
from schemas.codec import Codec
from schemas.records import InboundRecord
from schemas.slots import AnswerSource
from stream_apps.assembly.erasing import LoggedAnswers
from stream_apps.assembly.handler import STAGE, AssemblyHandler, Finish
from stream_apps.assembly.pace import Pace
from stream_apps.assembly.recovery import CatchUp, Reach, Rebuilder, Recovery
from stream_apps.assembly.settings import AssemblyLimits, AssemblySettings
from stream_apps.pipeline.result_events import usage_partition
from stream_apps.runtime.consumer_health import ConsumerHealthMonitor, joined
from stream_apps.runtime.dead_letters import open_dead_letters
from stream_apps.runtime.process import Process, Shutdown, now_ms, run_process
from stream_apps.runtime.stage_spans import StageSpans
from stream_apps.runtime.state_watch import on_sound_state
from stream_apps.runtime.topic_presence import wait_for_topics
from stream_apps.runtime.transactional_processor import TransactionalProcessor

GROUP = topics.ASSEMBLY_GROUP
# Room for the other fields of a result, and for Kafka's own headers.
_ENVELOPE_BYTES = 64_000


@dataclass(frozen=True)
class Assembler:
    """One kind of assembler: its name, its group, what it reads, and how it finishes an answer."""

    stage: str
    group: str
    topics: Sequence[str]
    finish: Finish = lambda result, _job: result


@dataclass
class AssemblySource:
    """Reads batches and orders in one group, so that both are in one transaction."""

    readers: Sequence[GroupReader]
    limits: AssemblyLimits
    recovery: Recovery
    catch_up: CatchUp
    tell: Callable[[], None]
    pace: Pace
    sleep: Callable[[float], object]

    def take(self) -> list[InboundRecord]:
        """Take the records of one cycle. Raises TransientError while the state is not known to be complete."""
        limits, reader = self.limits, self.readers[0]
        # First, because Kafka drops a member that rebuilds for minutes without asking for records.
        records = reader.take(limits.cycle_records, limits.idle_wait_seconds, limits.cycle_bytes)
        bytes_left = limits.cycle_bytes - sum(record.value_bytes for record in records)
        has_room = len(records) < limits.cycle_records and bytes_left > 0
        # A full cycle has nothing to wait for.
        if has_room and (pause := self.pace.pause_seconds(records)):
            self.sleep(pause)
            records += reader.take(limits.cycle_records - len(records), 0.0, bytes_left)
        self.pace.took(records)
        self.recovery.ensure(is_idle=not records)
        held = {AnswerSource(*partition) for partition in reader.assignment}
        # First, so that of what is committed here nothing is untold.
        self.tell()
        self.catch_up.step(held)
        return records


def main() -> None:
    """Run an assembler until SIGTERM."""
    run_process(STAGE, AssemblySettings, on_sound_state(run))


def run(settings: AssemblySettings, process: Process) -> None:
    """Answer requests for texts, one Kafka transaction a cycle."""
    assemble(settings, process, Assembler(STAGE, GROUP, topics.assembly_topics(settings.kafka.tenants)))


def assemble(settings: AssemblySettings, process: Process, kind: Assembler) -> None:
    """Answer requests until the process is to stop. Raises FatalError."""
    if settings.kafka.tenants:
        # One answer to a topic that is not there yet would hold up those of all tenants.
        seconds, shutdown = settings.assembly.startup_seconds, process.shutdown
        wait_for_topics(KafkaAdmin(settings.kafka), seconds, shutdown.wait, shutdown.is_wanted)
    reader = GroupReader(settings.kafka, kind.group, kind.topics, settings.instance)
    monitor = ConsumerHealthMonitor(settings.kafka, [reader], process.health)
    with tracing(settings.tracing, kind.stage, settings.instance) as tracer:
        spans = StageSpans(kind.stage, tracer, settings.tracing.open_spans)
        processor = _processor(settings, kind, reader, Surroundings(monitor, process.shutdown, spans))
        with joined(settings.kafka, settings.instance, monitor, process.shutdown):
            process.started()
            processor.run()


@dataclass(frozen=True)
class Surroundings:
    """What an assembler tells of its work, and what tells it to stop."""

    monitor: ConsumerHealthMonitor
    shutdown: Shutdown
    spans: StageSpans


def _processor(
    settings: AssemblySettings,
    kind: Assembler,
    reader: GroupReader,
    around: Surroundings,
) -> TransactionalProcessor:
    state = open_state(settings.redis)
    epoch = StateEpoch(state, now_ms, topics.answered_topics(settings.kafka.tenants))
    slots = RedisSlots(state, settings.retention, epoch)
    codec, admin = open_codec(settings.kafka), KafkaAdmin(settings.kafka)
    rebuilder = Rebuilder(slots, codec, lambda: now_ms() - settings.assembly.result_ttl_seconds * 1000)
    catch_up = _catch_up(settings, admin, rebuilder)
    handler = replace(
        _handler(settings, kind, slots, codec, lambda: catch_up.told),
        spans=around.spans,
        newest=_answers(settings, admin, codec).newest,
    )
    monitor, shutdown = around.monitor, around.shutdown
    return TransactionalProcessor(
        stage=kind.stage,
        source=AssemblySource(
            readers=[reader],
            limits=settings.assembly,
            recovery=_recovery(settings, admin, epoch, rebuilder),
            catch_up=catch_up,
            tell=handler.tell,
            pace=Pace(),
            sleep=shutdown.wait,
        ),
        handler=handler,
        # Starting it also aborts what a killed predecessor left open.
        producer=TransactionalProducer(settings.kafka, f"{kind.stage}-{settings.instance}"),
        should_stop=shutdown.is_wanted,
        sleep=shutdown.wait,
        on_waiting=monitor.waits,
        on_working=monitor.works,
        confirm=handler.confirm,
    )


def _catch_up(settings: AssemblySettings, admin: KafkaAdmin, rebuilder: Rebuilder) -> CatchUp:
    def open_log(offsets: Mapping[int, int]) -> LogScan:
        spans = admin.spans([topics.RESULTS], now_ms() - settings.redis.done_ttl_seconds * 1000)
        behind = [span.without(offsets[span.partition]) for span in spans if span.partition in offsets]
        return LogScan(settings.kafka, behind)

    return CatchUp(rebuilder.slots, rebuilder, open_log)


def _answers(settings: AssemblySettings, admin: KafkaAdmin, codec: Codec) -> LoggedAnswers:
    def open_log(since_ms: int | None) -> LogScan:
        return LogScan(settings.kafka, admin.spans([topics.RESULTS], since_ms))

    return LoggedAnswers(codec, open_log, settings.assembly.rebuild_margin_ms)


def _recovery(settings: AssemblySettings, admin: KafkaAdmin, epoch: StateEpoch, rebuilder: Rebuilder) -> Recovery:
    limits = settings.assembly
    reach = Reach(settings.redis.done_ttl_seconds * 1000, limits.rebuild_margin_ms)

    def open_log(since_ms: int, reached: Mapping[int, int]) -> LogScan:
        spans = admin.spans([topics.RESULTS], since_ms)
        return LogScan(settings.kafka, [span.without(reached.get(span.partition, 0)) for span in spans])

    return Recovery(
        epoch=epoch,
        open_log=open_log,
        rebuilder=rebuilder,
        reach=reach,
        slice_seconds=limits.rebuild_slice_seconds,
        now_ms=now_ms,
    )


def _handler(
    settings: AssemblySettings,
    kind: Assembler,
    slots: RedisSlots,
    codec: Codec,
    told: Callable[[], Set[AnswerSource]],
) -> AssemblyHandler:
    storeless_limit_bytes = settings.kafka.max_message_bytes - _ENVELOPE_BYTES
    inline_limit_bytes = settings.assembly.inline_limit_bytes
    return AssemblyHandler(
        codec=codec,
        slots=slots,
        told=told,
        objects=open_shared_objects(settings.objects, storeless_limit_bytes, "result_too_large"),
        inline_limit_bytes=inline_limit_bytes if settings.objects.is_shared else storeless_limit_bytes,
        slots_bytes=settings.assembly.cycle_bytes,
        usage_partition=usage_partition(settings.instance, settings.kafka.usage_partitions),
        now_ms=now_ms,
        dead_letters=open_dead_letters(kind.stage, codec, settings.dead_letters, settings.kafka.max_message_bytes),
        max_message_bytes=settings.kafka.max_message_bytes,
        finish=kind.finish,
        own_tenants=frozenset(settings.kafka.tenants),
    )


if __name__ == "__main__":
    main()
