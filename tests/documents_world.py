"""Extraction, workers that shout, and merging on stores in memory, as one world."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from obstore.store import MemoryStore

from connectors.memory import (
    FixedAnsweredRequests,
    FixedModelVersions,
    InMemoryRequestPlans,
    InMemorySlots,
    InMemoryTranslationMemory,
)
from connectors.object_files import Files
from connectors.object_store import UrlObjectStore
from schemas import topics
from schemas.codec import Codec
from schemas.events import DeadLetter, JobControl
from schemas.languages import Language
from schemas.messages import SegmentBatch, TranslationRequest, TranslationResult
from schemas.records import InboundRecord, OutboundRecord, accepted_header
from schemas.segments import Remembered
from schemas.slots import RequestRevision
from stream_apps.assembly.handler import AssemblyHandler
from stream_apps.documents.extraction.handler import ExtractionHandler
from stream_apps.documents.extraction.reading import DocumentReader
from stream_apps.documents.formats import InProcessFormats
from stream_apps.documents.merging.finishing import DocumentMerger
from stream_apps.documents.storage import DocumentStore
from stream_apps.intake.cutting import RequestCutter
from stream_apps.intake.outputs import RequestOutputs, Stores
from stream_apps.intake.settings import IntakeLimits
from stream_apps.pipeline.cutting_limits import CuttingLimits
from stream_apps.pipeline.deduplication import RequestDeduplicator
from stream_apps.pipeline.language_detection import Detection
from stream_apps.pipeline.output_records import WireFormat, early_answer, translated_record
from stream_apps.pipeline.request_limits import RequestLimits
from stream_apps.pipeline.segmentation import Segmenter
from tests.dead_letters import dead_letter_writer
from tests.keys import key

CODEC = Codec()
NOW = 1_700_000_000_000
TEXT = "Good morning.\n\nThe engine is cold.\r\nStart it slowly.\r\n\r\n  1234\n"
REF = "tenants/acme/inbox/a.txt"
R1 = key("r1", "acme")


class AsyncMemory:
    def __init__(self) -> None:
        self.known = InMemoryTranslationMemory()

    async def get_many(self, keys: Sequence[str]) -> list[Remembered | None]:
        return self.known.get_many(keys)


class World:
    """Both processes on one object store. `translate` stands for the workers."""

    def __init__(self, max_bytes: int = 10_000, max_characters: int = 10_000) -> None:
        memory_store = MemoryStore()
        self.files = Files(memory_store)
        self.store = DocumentStore(self.files, max_bytes)
        self.plans = InMemoryRequestPlans(replaces=True)
        self.memory = AsyncMemory()
        self.runner = asyncio.Runner()
        self.answered: list[RequestRevision] = []
        self.cutter = RequestCutter(
            codec=CODEC,
            objects=UrlObjectStore(memory_store),
            split=Segmenter().split,
            detect=lambda _text: Detection(Language("en"), 1.0),
            now_ms=lambda: NOW,
            limits=IntakeLimits(),
            cutting=CuttingLimits(max_segments_per_batch=2),
            requests=RequestLimits(),
            pipeline_version="v1",
        )
        models = FixedModelVersions({"default": {"en-pt": "m1"}})
        stores = Stores(RequestDeduplicator(self.plans), models, self.memory)
        self.extraction = ExtractionHandler(
            cutter=self.cutter,
            outputs=RequestOutputs(self.cutter, stores, WireFormat(CODEC)),
            documents=DocumentReader(self.store, InProcessFormats(), max_characters),
            answered=FixedAnsweredRequests(),
            dead_letters=dead_letter_writer("extraction"),
            run=self.runner.run,
        )
        self.merger = DocumentMerger(self.store, InProcessFormats())
        self.merging = AssemblyHandler(
            codec=CODEC,
            slots=InMemorySlots(),
            told=set,
            objects=UrlObjectStore(memory_store),
            inline_limit_bytes=700_000,
            now_ms=lambda: NOW + 500,
            dead_letters=dead_letter_writer("merging"),
            finish=lambda *one: self.merger.finish(*one),  # noqa: PLW0108  # tests exchange the merger
        )
        self.put(REF, TEXT.encode())

    def put(self, name: str, data: bytes) -> None:
        self.files.write(name, [data])

    def get(self, name: str | None) -> bytes:
        return b"".join(self.files.read(name or ""))

    def record(self, offset: int = 1, **changes: Any) -> InboundRecord:
        fields: dict[str, Any] = {
            "request_id": "r1",
            "tenant": "acme",
            "source_language": "en",
            "target_language": "pt",
            "content_ref": REF,
            **changes,
        }
        headers = accepted_header(NOW - 500)
        value = CODEC.encode(TranslationRequest(**fields))
        return InboundRecord("translation.documents.high", 0, offset, b"acme/r1", value, headers, NOW - 100)

    def extract(self, record: InboundRecord | None = None) -> list[OutboundRecord]:
        return self.extraction.handle([record or self.record()])

    def merge(self, outputs: list[OutboundRecord], cause: str = "", warning: str = "") -> list[OutboundRecord]:
        """Translate the batches and hand them to merging; sentences with `cause` in them are holes, with `warning`
        suspects.
        """
        translated = [self.translated(one, offset, cause, warning) for offset, one in enumerate(outputs)]
        return self.merging.handle(translated)

    def translated(self, output: OutboundRecord, offset: int, cause: str = "", warning: str = "") -> InboundRecord:
        batch = CODEC.decode(output.value, SegmentBatch)
        done = early_answer(replace(batch, translations=[text.upper() for text in batch.texts]), "m1", NOW)
        is_hole = [bool(cause) and cause in text for text in batch.texts]
        texts = [
            source if hole else text
            for source, text, hole in zip(batch.texts, done.translations, is_hole, strict=True)
        ]
        done = replace(done, translations=texts, causes=["truncated" if hole else None for hole in is_hole])
        if warning:
            done = replace(done, warnings=["figures_differ" if warning in text else None for text in batch.texts])
        sent = translated_record(done, CODEC.encode(done), InboundRecord("batches", 0, 1, None, None))
        return InboundRecord(sent.topic, 0, offset, sent.key, sent.value, sent.headers, NOW)


def of(outputs: list[OutboundRecord], topic: str, kind: Any) -> list[Any]:
    return [CODEC.decode(output.value, kind) for output in outputs if output.topic == topic]


def the_result(outputs: list[OutboundRecord]) -> TranslationResult:
    (result,) = of(outputs, topics.RESULTS, TranslationResult)
    assert isinstance(result, TranslationResult)
    return result


def refusal_of(outputs: list[OutboundRecord]) -> tuple[DeadLetter, JobControl]:
    (letter,) = of(outputs, topics.DEAD_LETTERS, DeadLetter)
    (order,) = of(outputs, topics.CONTROL, JobControl)
    return letter, order
