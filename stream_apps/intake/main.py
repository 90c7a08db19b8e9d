"""Intake's entrance: reads the configuration, wires the parts, runs until it is told to stop."""

import sys
import time

import structlog

from connectors.faust.consumption import EXIT_CODE
from connectors.kafka.schema_registry import open_codec
from connectors.objects.object_store import open_objects
from connectors.redis.client import open_cache_async, open_state_async
from connectors.redis.model_registry import AsyncModelRegistry
from connectors.redis.seen import RedisSeenRequests
from connectors.redis.translation_memory import AsyncRedisTranslationMemory
from connectors.telemetry.health import serve_health
from connectors.telemetry.logging import configure_logging
from schemas.errors import FatalError
from stream_apps.intake.app import GROUP, build_process
from stream_apps.intake.detection import LangidDetector
from stream_apps.intake.handler import IntakeHandler, Tools
from stream_apps.intake.outputs import WireFormat
from stream_apps.intake.repeats import Repeats
from stream_apps.intake.segmentation import SEGMENTATION_VERSION, Segmenter
from stream_apps.intake.settings import IntakeSettings

log = structlog.get_logger()


def main() -> None:
    """Runs until SIGTERM. Exit code 70 when a fresh process must try again."""
    settings = IntakeSettings()
    configure_logging(GROUP, settings.instance, settings.log_level)
    try:
        wire = build_wire(settings)
        process = build_process(
            settings, IntakeHandler(build_tools(settings), wire, settings.intake, _VERSION), wire
        )
        server = serve_health(process.health, settings.health_port, settings.health_host)
        log.info("process_started", health_port=server.port)
        process.run()
    except FatalError as error:
        log.critical("process_exits", reason=str(error), code=EXIT_CODE)
        sys.exit(EXIT_CODE)


_VERSION = f"segmentation-{SEGMENTATION_VERSION}"


def build_wire(settings: IntakeSettings) -> WireFormat:
    """How this deployment's records look."""
    return WireFormat(open_codec(settings.kafka), settings.kafka.batch_partitions, settings.kafka.max_message_bytes)


def build_tools(settings: IntakeSettings) -> Tools:
    """The real parts; none of them connects before its first use."""
    state = open_state_async(settings.redis)
    return Tools(
        repeats=Repeats(RedisSeenRequests(state), settings.redis.done_ttl_seconds, settings.intake.max_under_way),
        models=AsyncModelRegistry(state, settings.intake.registry_cache_seconds),
        memory=AsyncRedisTranslationMemory(open_cache_async(settings.redis)),
        objects=open_objects(settings.objects),
        split=Segmenter().split,
        detect=LangidDetector(threshold=settings.intake.detection_threshold).detect,
        now_ms=lambda: round(time.time() * 1000),
    )
