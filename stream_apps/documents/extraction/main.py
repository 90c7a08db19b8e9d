"""The extraction process: opens Kafka, Redis and the object store, and takes documents apart one by one."""

import asyncio
from pathlib import Path

from connectors.formats.sandbox import Sandbox
from connectors.kafka.group_reader import GroupReader
from connectors.kafka.transactional_producer import TransactionalProducer
from connectors.object_files import open_files
from connectors.redis.client import open_state
from connectors.redis.request_markers import RedisAnsweredRequests
from connectors.tracing.opening import tracing
from schemas.priorities import Priority
from schemas.topics import documents_topic, extraction_group
from stream_apps.documents.extraction.handler import STAGE, ExtractionHandler
from stream_apps.documents.extraction.reading import DocumentReader
from stream_apps.documents.extraction.source import DocumentSource
from stream_apps.documents.formats import Formats
from stream_apps.documents.settings import ExtractionSettings
from stream_apps.documents.storage import DocumentStore
from stream_apps.documents.work_folder import open_work_folder
from stream_apps.intake.outputs import RequestOutputs
from stream_apps.intake.parts import build_cutter, build_stores, build_wire
from stream_apps.runtime.consumer_health import ConsumerHealthMonitor, joined
from stream_apps.runtime.dead_letters import open_dead_letters
from stream_apps.runtime.process import Process, run_process
from stream_apps.runtime.stage_spans import StageSpans
from stream_apps.runtime.state_watch import on_sound_state
from stream_apps.runtime.transactional_processor import TransactionalProcessor


def main() -> None:
    """Run extraction until SIGTERM."""
    run_process(STAGE, ExtractionSettings, on_sound_state(run))


def run(settings: ExtractionSettings, process: Process) -> None:
    """Turn documents into batches, one Kafka transaction each."""
    readers = [
        GroupReader(settings.kafka, extraction_group(one), [documents_topic(one)], settings.instance)
        for one in Priority
    ]
    monitor = ConsumerHealthMonitor(settings.kafka, readers, process.health)
    shutdown = process.shutdown
    with (
        asyncio.Runner() as runner,
        open_work_folder(settings.documents.folder, STAGE, settings.instance) as folder,
        Sandbox(settings.formats, folder) as formats,
        tracing(settings.tracing, STAGE, settings.instance) as tracer,
    ):
        spans = StageSpans(STAGE, tracer, settings.tracing.open_spans)
        processor = TransactionalProcessor(
            stage=STAGE,
            source=DocumentSource(readers, settings.documents.idle_wait_seconds, shutdown.wait),
            handler=_handler(settings, _documents(settings, formats, folder), runner, spans),
            producer=TransactionalProducer(settings.kafka, f"{STAGE}-{settings.instance}"),
            should_stop=shutdown.is_wanted,
            sleep=shutdown.wait,
            on_waiting=monitor.waits,
            on_working=monitor.works,
        )
        with joined(settings.kafka, settings.instance, monitor, shutdown):
            process.started()
            processor.run()


def _documents(settings: ExtractionSettings, formats: Formats, folder: Path) -> DocumentReader:
    limits = settings.documents
    store = DocumentStore(open_files(settings.objects), limits.max_bytes, folder)
    return DocumentReader(store, formats, limits.max_characters)


def _handler(
    settings: ExtractionSettings, documents: DocumentReader, runner: asyncio.Runner, spans: StageSpans
) -> ExtractionHandler:
    wire = build_wire(settings)
    cutter = build_cutter(settings, wire)
    return ExtractionHandler(
        cutter=cutter,
        outputs=RequestOutputs(cutter, build_stores(settings, replaces_plans=True), wire, spans),
        documents=documents,
        answered=RedisAnsweredRequests(open_state(settings.redis)),
        dead_letters=open_dead_letters(STAGE, wire.codec, settings.dead_letters, wire.max_message_bytes),
        run=runner.run,
        spans=spans,
    )


if __name__ == "__main__":
    main()
