"""The intake process: opens Kafka, Redis and the object store, and reads each request topic with its own agent."""

from dataclasses import replace

from connectors.kafka.schema_registry import open_codec
from connectors.object_store import open_objects
from connectors.redis.client import open_cache_async, open_state_async
from connectors.redis.presence import AsyncModelRegistry
from connectors.redis.request_markers import RedisRequestPlans
from connectors.redis.spending import AsyncRedisSpending
from connectors.redis.translation_memory import AsyncRedisTranslationMemory
from schemas.priorities import Priority
from schemas.topics import ASSEMBLY_GROUP, INTAKE_GROUP, TRANSLATED, requests_topic
from stream_apps.accounts.budgets import MeasuredBudgets
from stream_apps.intake.cutting import RequestCutter
from stream_apps.intake.handler import AssemblyRoom, IntakeHandler, Stores
from stream_apps.intake.settings import IntakeSettings
from stream_apps.pipeline.deduplication import RequestDeduplicator
from stream_apps.pipeline.language_detection import LangidDetector
from stream_apps.pipeline.output_records import WireFormat
from stream_apps.pipeline.segmentation import SEGMENTATION_VERSION, Segmenter
from stream_apps.runtime.dead_letters import open_dead_letters
from stream_apps.runtime.event_process import EventProcess, GroupMember
from stream_apps.runtime.event_processor import EventHandler
from stream_apps.runtime.process import Process, now_ms, run_process
from stream_apps.runtime.state_watch import on_sound_state

GROUP = INTAKE_GROUP
_VERSION = f"segmentation-{SEGMENTATION_VERSION}"


def main() -> None:
    """Run intake until SIGTERM."""
    run_process(GROUP, IntakeSettings, on_sound_state(run))


def run(settings: IntakeSettings, process: Process) -> None:
    """Give each request topic an agent, so that a flood of standard requests never delays a critical one."""
    wire = build_wire(settings)
    room = AssemblyRoom(settings.intake.early_backlog_records)
    stores = replace(build_stores(settings), answers_early=room.answers_early)
    handler = IntakeHandler(build_cutter(settings, wire), stores, wire)
    dead_letters = open_dead_letters(GROUP, wire.codec, settings.dead_letters, wire.max_message_bytes)
    events = EventProcess(GroupMember(GROUP, settings.instance), settings.kafka, settings.faust, process.health)
    topics = [requests_topic(priority) for priority in Priority]
    events.consume(topics, EventHandler(dead_letters, handler.handle, handler.delivered, handler.refused))
    events.watch(ASSEMBLY_GROUP, [TRANSLATED], room.measured)
    process.started()
    events.run()


def build_wire(settings: IntakeSettings) -> WireFormat:
    """Build the wire format of this deployment's records."""
    return WireFormat(
        open_codec(settings.kafka), settings.kafka.batch_partitions, settings.kafka.max_message_bytes
    )


def build_cutter(settings: IntakeSettings, wire: WireFormat) -> RequestCutter:
    """Build what reads and cuts requests; the store of large texts connects at its first use."""
    limits = settings.intake
    return RequestCutter(
        codec=wire.codec,
        objects=open_objects(settings.objects),
        split=Segmenter().split,
        detect=LangidDetector(threshold=limits.detection_threshold).detect,
        now_ms=now_ms,
        limits=limits,
        requests=settings.requests,
        pipeline_version=f"{_VERSION}-{limits.max_segments_per_batch}x{limits.max_batch_bytes}",
    )


def build_stores(settings: IntakeSettings) -> Stores:
    """Open the real stores; none of them connects before its first use."""
    state = open_state_async(settings.redis)
    plans = RedisRequestPlans(state, settings.redis.done_ttl_seconds)
    return Stores(
        deduplicator=RequestDeduplicator(plans, settings.intake.max_under_way),
        models=AsyncModelRegistry(state, settings.intake.registry_cache_seconds),
        memory=AsyncRedisTranslationMemory(open_cache_async(settings.redis)),
        budgets=MeasuredBudgets(AsyncRedisSpending(state), settings.budgets.read_seconds, now_ms),
    )


if __name__ == "__main__":
    main()
