"""Requests through the platform's own segmenter, worker and assembler, in this process and on one model."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from connectors.redis.translation_memory import InMemoryTranslationMemory
from inference_workers.answers import Effort, translated_batch
from inference_workers.translating import SegmentTranslator
from producers.cli.replay.traffic import Exchange
from schemas.messages import Job, SegmentBatch, TranslationResult
from schemas.words import count_words
from stream_apps.assembly.join import join
from stream_apps.intake.batching import BatchLimits, Piece, batches_of, cut
from stream_apps.intake.segmentation import SEGMENTATION_VERSION, Segmenter

PIPELINE_VERSION = f"replay-segmentation-{SEGMENTATION_VERSION}"
# Texts of several requests share the engine's batches, and a request waits for few others.
_WORDS_AT_ONCE = 2000


@dataclass(frozen=True)
class Task:
    """An exchange that the model serves, its text, the language it is in, and how it is cut."""

    exchange: Exchange
    text: str
    source_language: str
    pieces: Sequence[Piece]


def task_of(exchange: Exchange, text: str, source_language: str, limits: BatchLimits) -> Task:
    """Cut as intake cuts. Raises PermanentError for a text that no batch can hold."""
    return Task(exchange, text, source_language, cut(Segmenter().split(text, source_language), limits))


@dataclass(frozen=True)
class Replayer:
    """One model. `now_ms` is milliseconds since the epoch."""

    segments: SegmentTranslator
    memory: InMemoryTranslationMemory
    now_ms: Callable[[], int]

    def translate(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, TranslationResult]]:
        """A result for each task, in order. Raises TransientError when the device is out of memory."""
        for some in _slices(tasks):
            batches = [self._batches(task) for task in some]
            done = self.segments.translate([batch for group in batches for batch in group])
            self.memory.put_many(done.learnt)
            efforts = [
                Effort(model, seconds * 1000, 0.0, self.now_ms())
                for model, seconds in zip(done.models, done.busy_seconds, strict=True)
            ]
            answered = iter(zip(done.answers, efforts, strict=True))
            for task, group in zip(some, batches, strict=True):
                translated = [translated_batch(batch, *next(answered)) for batch in group]
                yield task, join(translated, self.now_ms())

    def _batches(self, task: Task) -> list[SegmentBatch]:
        request = task.exchange.request
        pieces = task.pieces
        job = Job(
            tenant=request.tenant,
            priority=task.exchange.priority,
            source_language=task.source_language,
            target_language=request.target_language,
            glossary=request.glossary,
            content_type=request.content_type,
            pipeline_version=PIPELINE_VERSION,
            segments=sum(len(piece.texts) for piece in pieces),
            batches=len(pieces),
            words=sum(piece.words for piece in pieces),
            characters=len(task.text),
            submitted_at=request.submitted_at,
            accepted_at=self.now_ms(),
            metadata=request.metadata,
        )
        return batches_of(request.request_id, job, pieces, [None] * job.segments, request.options)


def _slices(tasks: Sequence[Task]) -> Iterator[list[Task]]:
    some: list[Task] = []
    words = 0
    for task in tasks:
        some.append(task)
        words += count_words(task.text)
        if words >= _WORDS_AT_ONCE:
            yield some
            some, words = [], 0
    if some:
        yield some
