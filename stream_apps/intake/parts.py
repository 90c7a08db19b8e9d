"""Build the parts of intake from settings; the extraction of documents has the same."""

from typing import Protocol

from connectors.kafka.schema_registry import open_codec
from connectors.kafka.settings import KafkaSettings
from connectors.object_store import ObjectSettings, open_objects
from connectors.redis.client import open_cache_async, open_state_async
from connectors.redis.presence import AsyncModelRegistry
from connectors.redis.request_markers import RedisRequestPlans
from connectors.redis.settings import RedisSettings
from connectors.redis.translation_memory import AsyncRedisTranslationMemory
from stream_apps.glossaries.store import GlossaryReader, KafkaGlossaries
from stream_apps.intake.cutting import RequestCutter
from stream_apps.intake.outputs import Stores
from stream_apps.intake.settings import IntakeLimits
from stream_apps.pipeline.cutting_limits import CuttingLimits
from stream_apps.pipeline.deduplication import RequestDeduplicator
from stream_apps.pipeline.language_detection import LangidDetector
from stream_apps.pipeline.output_records import WireFormat
from stream_apps.pipeline.request_limits import RequestLimits
from stream_apps.pipeline.segmentation import SEGMENTATION_VERSION, Segmenter
from stream_apps.runtime.process import now_ms

_VERSION = f"segmentation-{SEGMENTATION_VERSION}"


class TextSettings(Protocol):
    """What is configured where texts become batches: in intake, and in the extraction of documents."""

    @property
    def kafka(self) -> KafkaSettings: ...
    @property
    def redis(self) -> RedisSettings: ...
    @property
    def objects(self) -> ObjectSettings: ...
    @property
    def requests(self) -> RequestLimits: ...
    @property
    def cutting(self) -> CuttingLimits: ...
    @property
    def intake(self) -> IntakeLimits: ...


def build_wire(settings: TextSettings) -> WireFormat:
    """Build the wire format of this deployment's records."""
    kafka = settings.kafka
    return WireFormat(
        open_codec(kafka), kafka.batch_partitions, kafka.max_message_bytes, settings.requests.bulk_words
    )


def build_cutter(settings: TextSettings, wire: WireFormat) -> RequestCutter:
    """Build what reads and cuts requests; the store of large texts connects at its first use."""
    limits = settings.intake
    return RequestCutter(
        codec=wire.codec,
        objects=open_objects(settings.objects),
        split=Segmenter().split,
        detect=LangidDetector(threshold=limits.detection_threshold).detect,
        now_ms=now_ms,
        limits=limits,
        cutting=settings.cutting,
        requests=settings.requests,
        glossaries=GlossaryReader(KafkaGlossaries(settings.kafka, wire.codec), now_ms),
        pipeline_version=f"{_VERSION}-{settings.cutting.version}",
    )


def build_stores(settings: TextSettings, *, replaces_plans: bool = False) -> Stores:
    """Open the real stores; none of them connects before its first use."""
    state = open_state_async(settings.redis)
    plans = RedisRequestPlans(state, settings.redis.done_ttl_seconds, replaces=replaces_plans)
    return Stores(
        deduplicator=RequestDeduplicator(plans, settings.intake.max_under_way),
        models=AsyncModelRegistry(state, settings.intake.registry_cache_seconds),
        memory=AsyncRedisTranslationMemory(open_cache_async(settings.redis)),
    )
