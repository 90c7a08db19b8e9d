"""Replay requests through the platform's own segmenter, worker and assembler, in this process and on one model.

`KafkaReplay` is a whole replay: it selects past requests, translates them, writes the results to a topic of their
own and collects the differences.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.settings import KafkaSettings
from connectors.memory import InMemoryTranslationMemory
from inference_workers.answers import Effort, translated_batch
from inference_workers.translating import SegmentTranslator
from inference_workers.translator import Translator
from schemas.codec import Codec
from schemas.documents import is_document
from schemas.errors import PermanentError
from schemas.languages import Language, LanguagePair, parse_language
from schemas.markup import is_marked_up
from schemas.messages import Job, SegmentBatch, TranslationResult
from schemas.segments import count_words
from schemas.terms import NO_TERMS
from schemas.units import characters_of, kind_of, units_of, whole_text
from stream_apps.glossaries.store import KafkaGlossaries
from stream_apps.intake.read_units import reader_of
from stream_apps.pipeline.batching import batches_of, wishes_of
from stream_apps.pipeline.cutting_limits import CuttingLimits
from stream_apps.pipeline.join import join
from stream_apps.pipeline.language_detection import Detection, LangidDetector
from stream_apps.pipeline.pieces import Piece, cut
from stream_apps.pipeline.segmentation import SEGMENTATION_VERSION, Segmenter
from stream_apps.pipeline.stores import ObjectStore
from stream_apps.pipeline.units import split_units
from stream_apps.replay.comparison import Comparison, TextPair
from stream_apps.replay.traffic import (
    Exchange,
    KafkaPastRecords,
    ReplayOutput,
    Selection,
    Traffic,
    check_output_topic,
    open_output,
)
from stream_apps.runtime.process import now_ms

PIPELINE_VERSION = f"replay-segmentation-{SEGMENTATION_VERSION}"
# Texts of several requests share the engine's batches, and a request waits for few others.
_WORDS_AT_ONCE = 2000
_RESULTS_AT_ONCE = 100

OnReplayProgress = Callable[[int, int], None]
"""Told how many requests are done, and how many there are."""


@dataclass(frozen=True)
class KafkaReplay:
    """Replays past traffic of one Kafka. Nothing stays open between two calls."""

    kafka: KafkaSettings
    codec: Codec
    objects: ObjectStore
    limits: CuttingLimits

    def run(
        self, selection: Selection, models: Translator, topic: str, on_progress: OnReplayProgress
    ) -> Comparison:
        """Replay the selection on these models into `topic`.

        Raises PermanentError for a topic of the platform's own, TransientError or FatalError.
        """
        check_output_topic(topic, self.kafka)
        traffic = Traffic(
            KafkaPastRecords(self.kafka, KafkaAdmin(self.kafka)),
            self.codec,
            self.objects,
            KafkaGlossaries(self.kafka, self.codec),
            self.kafka.tenants,
        )
        exchanges = traffic.exchanges(selection)
        memory = InMemoryTranslationMemory()
        # Nobody waits for a replay, so a slow text may take its time.
        segments = SegmentTranslator(models, memory, time.perf_counter, longest_seconds=math.inf)
        replayer = Replayer(segments, memory, now_ms)
        with open_output(self.kafka, self.codec, topic) as output:
            detect = LangidDetector().detect
            return Replay(traffic, models, replayer, output, detect, on_progress, self.limits).run(exchanges)


@dataclass(frozen=True)
class Task:
    """An exchange that the model serves, with its text, its language, the pieces it is cut into, and its terms."""

    exchange: Exchange
    text: str
    source_language: str
    pieces: Sequence[Piece]
    entries: Mapping[str, str] = field(default_factory=dict)


def task_of(
    exchange: Exchange,
    text: str,
    source_language: str,
    limits: CuttingLimits,
    entries: Mapping[str, str] = NO_TERMS,
) -> Task:
    """Cut the text as intake does. Raises PermanentError for a text that no batch can hold."""
    target = str(parse_language(exchange.request.target_language, "target_language"))
    units = units_of(text, kind_of(exchange.request))
    read = reader_of(exchange.request, limits.amid)
    split = split_units(
        units, lambda unit: read(unit).split(lambda text: Segmenter().split(text, source_language, target))
    )
    return Task(exchange, text, source_language, cut(split, limits.batch), entries)


@dataclass(frozen=True)
class Replayer:
    """Translates on one model. `now_ms` is milliseconds since the epoch."""

    segments: SegmentTranslator
    memory: InMemoryTranslationMemory
    now_ms: Callable[[], int]

    def translate(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, TranslationResult]]:
        """Yield a result for each task, in order. Raises TransientError when the device is out of memory."""
        for some in _slices(tasks):
            batches = [self._batches(task) for task in some]
            done = self.segments.translate([batch for group in batches for batch in group])
            self.segments.remember()
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
            kind=kind_of(request),
            priority=task.exchange.priority,
            source_language=task.source_language,
            target_language=request.target_language,
            glossaries=task.exchange.glossaries,
            content_type=request.content_type,
            inline_codes=is_marked_up(kind_of(request), request.content_type),
            pipeline_version=PIPELINE_VERSION,
            segments=sum(len(piece.texts) for piece in pieces),
            batches=len(pieces),
            words=sum(piece.words for piece in pieces),
            characters=characters_of(task.text, kind_of(request)),
            submitted_at=request.submitted_at,
            accepted_at=self.now_ms(),
            metadata=request.metadata,
        )
        return batches_of(request.key, job, pieces, [None] * job.segments, wishes_of(request, task.entries))


@dataclass
class Replay:
    """One replay. `detect` names the language of a text.

    `limits` cut a text as intake cuts it; `clock` is seconds that never go back.
    """

    traffic: Traffic
    models: Translator
    replayer: Replayer
    output: ReplayOutput
    detect: Callable[[str], Detection]
    on_progress: OnReplayProgress
    limits: CuttingLimits
    clock: Callable[[], float] = time.perf_counter
    comparison: Comparison = field(default_factory=Comparison, init=False)

    def run(self, exchanges: Sequence[Exchange]) -> Comparison:
        """Translate and compare these exchanges; skip what the model cannot serve. Raises TransientError."""
        tasks = self._tasks(exchanges)
        self.comparison.skipped["unreadable"] += self.traffic.unreadable
        waiting: list[TranslationResult] = []
        for done, (task, result) in enumerate(self._timed(tasks), len(exchanges) - len(tasks) + 1):
            self.comparison.pairs.append(self._pair(task, result))
            waiting.append(result)
            if len(waiting) >= _RESULTS_AT_ONCE:
                self.output.write(waiting)
                waiting = []
            self.on_progress(done, len(exchanges))
        self.output.write(waiting)
        self.comparison.skipped = +self.comparison.skipped
        return self.comparison

    def _tasks(self, exchanges: Sequence[Exchange]) -> list[Task]:
        tasks: list[Task] = []
        for number, exchange in enumerate(exchanges, 1):
            try:
                tasks.append(self._task(exchange))
            except PermanentError as error:
                # Causes are codes; a message could quote the request.
                reason = error.limit if error.cause == "unsupported_pair" and error.limit else error.cause
                self.comparison.skipped[reason] += 1
                self.on_progress(number - len(tasks), len(exchanges))
        return tasks

    def _timed(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, TranslationResult]]:
        """Translate, and add up the seconds of that alone."""
        translated = self.replayer.translate(tasks)
        while True:
            started = self.clock()
            found = next(translated, None)
            self.comparison.seconds += self.clock() - started
            if found is None:
                return
            yield found

    def _task(self, exchange: Exchange) -> Task:
        """Prepare the exchange for the model. Raises PermanentError where the model cannot serve it."""
        if is_document(exchange.request):
            raise PermanentError("document", "the request is a file, which is no text before its extraction")
        text = self.traffic.text_of(exchange.request)
        if not text.strip():
            raise PermanentError("empty_text", "the request holds no text")
        source = exchange.source_language or str(self._detected(text))
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
        return task_of(exchange, text, pair.source, self.limits, self.traffic.entries_of(exchange))

    def _detected(self, text: str) -> Language:
        language = self.detect(text).language
        if language is None:
            raise PermanentError("undetected_language", "no language is likely enough")
        return language

    def _pair(self, task: Task, result: TranslationResult) -> TextPair:
        answer = task.exchange.answer
        return TextPair(
            key=str(result.key),
            past=self._past_text(answer) if answer else None,
            replayed=whole_text(result),
            segments=result.segments,
            words=result.source_words or count_words(task.text),
        )

    def _past_text(self, answer: TranslationResult) -> str | None:
        if whole_text(answer) is None and answer.content_ref is None:
            return None
        try:
            return self.traffic.text_of(answer)
        except PermanentError:
            return None


def _slices(tasks: Iterable[Task]) -> Iterator[list[Task]]:
    """Divide the tasks into lists of about _WORDS_AT_ONCE words."""
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
