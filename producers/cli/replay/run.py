"""One replay: chooses what can be replayed, translates it, writes the results, collects the differences."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from connectors.kafka.producer import DurableProducer
from inference_workers.models.catalogue import ModelRouter
from producers.cli.replay.comparison import Comparison, TextPair
from producers.cli.replay.traffic import Exchange, Traffic
from producers.cli.replay.translating import Replayer, Task, task_of
from schemas.codec import Codec
from schemas.dead_letters import ENVELOPE_BYTES
from schemas.errors import PermanentError
from schemas.languages import LanguagePair, parse_language
from schemas.messages import TranslationResult
from schemas.records import OutboundRecord
from schemas.words import count_words
from stream_apps.intake.batching import BatchLimits

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
