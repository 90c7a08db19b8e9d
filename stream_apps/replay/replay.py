"""Requests through the platform's own segmenter, worker and assembler, in this process and on one model.

One replay: chooses what can be replayed, translates it, writes the results, collects the differences.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from connectors.kafka.producer import DurableProducer
from connectors.memory import InMemoryTranslationMemory
from inference_workers.answers import Effort, translated_batch
from inference_workers.model_router import ModelRouter
from inference_workers.translating import SegmentTranslator
from schemas.codec import Codec
from schemas.dead_letters import ENVELOPE_BYTES
from schemas.errors import PermanentError
from schemas.languages import LanguagePair, parse_language
from schemas.messages import Job, SegmentBatch, TranslationResult
from schemas.records import OutboundRecord
from schemas.segments import count_words
from stream_apps.pipeline.batching import BatchLimits, Piece, batches_of, cut
from stream_apps.pipeline.join import join
from stream_apps.pipeline.segmentation import SEGMENTATION_VERSION, Segmenter
from stream_apps.replay.comparison import Comparison, TextPair
from stream_apps.replay.traffic import Exchange, Traffic

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


_WRITTEN_TOGETHER = 100


@dataclass(frozen=True)
class ReplayOutput:
    """The topic of a replay."""

    producer: DurableProducer
    codec: Codec
    topic: str
    max_message_bytes: int

    def write(self, results: Sequence[TranslationResult]) -> None:
        """Returns when Kafka has them. Raises TransientError."""
        self.producer.send([self._record(result) for result in results])

    def _record(self, result: TranslationResult) -> OutboundRecord:
        value = self.codec.encode(result)
        if len(value) + ENVELOPE_BYTES > self.max_message_bytes:
            value = self.codec.encode(replace(result, text=None, error_cause="result_too_large"))
        headers = {"schema": b"TranslationResult", "words": str(result.source_words).encode()}
        return OutboundRecord(self.topic, result.request_id.encode(), value, headers)


@dataclass
class Replay:
    """`detect` names the language of a text, or raises PermanentError; `on_done` is told of every exchange.

    `limits` cut a text as intake cuts it.
    """

    traffic: Traffic
    models: ModelRouter
    replayer: Replayer
    output: ReplayOutput
    detect: Callable[[str], object]
    on_done: Callable[[], None]
    limits: BatchLimits
    clock: Callable[[], float] = time.perf_counter
    comparison: Comparison = field(default_factory=Comparison, init=False)

    def run(self, exchanges: Iterable[Exchange]) -> Comparison:
        """Everything about these exchanges. Raises TransientError."""
        tasks = [task for exchange in exchanges if (task := self._task(exchange))]
        self.comparison.skipped["unreadable"] += self.traffic.unreadable
        waiting: list[TranslationResult] = []
        for task, result in self._timed(tasks):
            self.comparison.pairs.append(self._pair(task, result))
            waiting.append(result)
            if len(waiting) >= _WRITTEN_TOGETHER:
                self.output.write(waiting)
                waiting = []
            self.on_done()
        self.output.write(waiting)
        self.comparison.skipped = +self.comparison.skipped
        return self.comparison

    def _timed(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, TranslationResult]]:
        """Counts the seconds of translating alone."""
        translated = self.replayer.translate(tasks)
        while True:
            started = self.clock()
            found = next(translated, None)
            self.comparison.seconds += self.clock() - started
            if found is None:
                return
            yield found

    def _task(self, exchange: Exchange) -> Task | None:
        try:
            return self._served(exchange)
        except PermanentError as error:
            # Causes are codes; a message could quote the request.
            reason = error.limit if error.cause == "unsupported_pair" and error.limit else error.cause
            self.comparison.skipped[reason] += 1
            self.on_done()
            return None

    def _served(self, exchange: Exchange) -> Task:
        text = self.traffic.text_of(exchange.request)
        if not text.strip():
            raise PermanentError("empty_text", "the request holds no text")
        source = exchange.source_language or str(self.detect(text))
        pair = LanguagePair(
            str(parse_language(source, "source_language")),
            str(parse_language(exchange.request.target_language, "target_language")),
        )
        try:
            self.models.version_of(pair.source, pair.target)
        except PermanentError:
            raise PermanentError(
                "unsupported_pair", "the model does not serve it", limit=f"pair {pair} not served"
            ) from None
        return task_of(exchange, text, pair.source, self.limits)

    def _pair(self, task: Task, result: TranslationResult) -> TextPair:
        answer = task.exchange.answer
        return TextPair(
            request_id=result.request_id,
            past=self._past_text(answer) if answer else None,
            replayed=result.text,
            segments=result.segments,
            words=result.source_words or count_words(task.text),
        )

    def _past_text(self, answer: TranslationResult) -> str | None:
        if answer.text is None and answer.content_ref is None:
            return None
        try:
            return self.traffic.text_of(answer)
        except PermanentError:
            return None
