"""One cycle of assembly: batches and orders in; results, usage, job events and dead letters out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from connectors.telemetry import metrics
from schemas import topics
from schemas.codec import Codec
from schemas.dead_letters import ENVELOPE_BYTES
from schemas.errors import PermanentError
from schemas.events import JobControl
from schemas.ids import fingerprint
from schemas.messages import Job, Message, TranslatedBatch, TranslationResult
from schemas.records import FIRST_REVISION, Headers, InboundRecord, OutboundRecord, version_header
from schemas.slots import AnswerOrder, Arrival, RequestRevision, SlotDecision, Verdict
from stream_apps.pipeline.early_results import check_order, early_result, withheld
from stream_apps.pipeline.join import check_batch, join, split_of
from stream_apps.pipeline.result_events import billed_usage, finished_event
from stream_apps.pipeline.stores import ObjectStore, Results, Slots
from stream_apps.runtime.dead_letters import DeadLetterWriter

STAGE = "assembly"


@dataclass(frozen=True)
class ParsedRecord:
    """A sound record, what it holds, and what it asks of the slots."""

    record: InboundRecord
    message: TranslatedBatch | JobControl
    entry: Arrival | AnswerOrder

    @property
    def slots_bytes(self) -> int:
        """Expected size of what the slots give when this completes its request."""
        return len(self.record.value or b"") * (self.entry.batches if isinstance(self.entry, Arrival) else 1)


@dataclass(frozen=True)
class Answered:
    """An answer whose transaction is under way."""

    coordinates: str
    encoded: bytes
    result: TranslationResult


@dataclass
class AssemblyHandler:
    """Implements stream_apps.runtime.transactional_processor.Handler. Handling the same records again gives the same answers."""

    codec: Codec
    slots: Slots
    results: Results
    texts: ObjectStore
    inline_limit_bytes: int
    now_ms: Callable[[], int]
    dead_letters: DeadLetterWriter
    slots_bytes: int = 16_000_000
    max_message_bytes: int = 2_000_000
    _answered: dict[RequestRevision, Answered] = field(default_factory=dict, init=False)
    _untold: dict[RequestRevision, Answered] = field(default_factory=dict, init=False)

    def handle(self, records: list[InboundRecord]) -> list[OutboundRecord]:
        """Everything that the records lead to. Raises TransientError only."""
        self._answered = {}
        parsed_records, outputs = self._parse(records)
        for some in portions(parsed_records, self.slots_bytes):
            outputs += self._decided(some)
        return outputs

    def confirm(self) -> None:
        """The answers are in the log: may they be committed? Raises TransientError when Redis was lost meanwhile.

        In this order, because whoever rebuilds a lost state reads the log up to an end that he measured after the
        loss: an answer that was confirmed before it lies in front of that end.
        """
        if self._answered:
            self.slots.confirm()

    def committed(self) -> None:
        """Show the results to HTTP, let the slots go. Lost: the results topic has them, the slots expire.

        Raises TransientError; what Redis did not take then is told with the next answers.
        """
        for done in self._answered.values():
            _count(done.result)
        self._untold |= self._answered
        self._answered = {}
        if not self._untold:
            return
        by_revision = sorted(self._untold.items(), key=lambda entry: entry[0].revision)
        self.results.put_many(
            {request_revision.request_id: done.encoded for request_revision, done in by_revision}
        )
        self.slots.finish({request_revision: done.coordinates for request_revision, done in by_revision})
        self._untold = {}

    def _parse(self, records: Sequence[InboundRecord]) -> tuple[list[ParsedRecord], list[OutboundRecord]]:
        sound: list[ParsedRecord] = []
        refused: list[OutboundRecord] = []
        for record in records:
            try:
                sound.append(self._parsed(record))
            except PermanentError as error:
                refused.append(self.dead_letters.record_of(self.dead_letters.dead_letter_of(record, error)))
        return sound, refused

    def _parsed(self, record: InboundRecord) -> ParsedRecord:
        if record.topic == topics.CONTROL:
            order = self.codec.decode(record.value, JobControl)
            check_order(order)
            return ParsedRecord(record, order, AnswerOrder(_request_revision(order), record.coordinates))
        batch = self.codec.decode(record.value, TranslatedBatch)
        check_batch(batch)
        entry = Arrival(
            request_revision=_request_revision(batch),
            split=split_of(batch.job),
            batch_number=batch.batch_number,
            batches=batch.job.batches,
            payload=record.value or b"",
            coordinates=record.coordinates,
        )
        return ParsedRecord(record, batch, entry)

    def _decided(self, parsed_records: Sequence[ParsedRecord]) -> list[OutboundRecord]:
        outputs: list[OutboundRecord] = []
        decisions = self.slots.decide([parsed.entry for parsed in parsed_records])
        for parsed, decision in zip(parsed_records, decisions, strict=True):
            metrics.SLOT_VERDICTS.labels(decision.verdict).inc()
            if decision.verdict is Verdict.COMPLETE:
                outputs += self._answer(parsed, decision)
        return outputs

    def _answer(self, parsed: ParsedRecord, decision: SlotDecision) -> list[OutboundRecord]:
        batches = [self.codec.decode(slot, TranslatedBatch) for slot in decision.slots]
        result, job = _concluded(parsed.message, batches, self.now_ms())
        encoded, result = self._fitted(result)
        # Without its text, which is in the encoded one already.
        told = replace(result, text=None)
        self._answered[parsed.entry.request_revision] = Answered(parsed.record.coordinates, encoded, told)
        key = result.request_id.encode()
        usage = billed_usage(result, job)
        return [
            OutboundRecord(topics.RESULTS, key, encoded, _headers(parsed.record, result)),
            self._record(topics.USAGE, usage.event_id.encode(), usage),
            self._record(topics.STATUS, key, finished_event(result, job)),
        ]

    def _fitted(self, result: TranslationResult) -> tuple[bytes, TranslationResult]:
        """The encoded result, its text in the object store where it would be too large for Kafka."""
        encoded = self.codec.encode(result)
        if len(encoded) > self.inline_limit_bytes and result.text is not None:
            result = self._set_apart(result, result.text)
            encoded = self.codec.encode(result)
        if len(encoded) + ENVELOPE_BYTES > self.max_message_bytes:
            result = withheld(result, _too_many_holes(result, self.max_message_bytes))
            encoded = self.codec.encode(result)
        return encoded, result

    def _set_apart(self, result: TranslationResult, text: str) -> TranslationResult:
        try:
            # Named by request and version: a repeat after an aborted transaction replaces the text by the same.
            ref = self.texts.write_text(_text_name(result), text)
        except PermanentError as error:
            return withheld(result, error)
        return replace(result, text=None, content_ref=ref)

    def _record(self, topic: str, key: bytes, message: Message) -> OutboundRecord:
        return OutboundRecord(topic, key, self.codec.encode(message), {"schema": type(message).__name__.encode()})


def _request_revision(message: TranslatedBatch | JobControl) -> RequestRevision:
    return RequestRevision(message.request_id, message.job.revision if message.job else FIRST_REVISION)


def portions(parsed_records: Sequence[ParsedRecord], most_bytes: int) -> Iterator[list[ParsedRecord]]:
    """In order, so many at a time that the slots of all they may complete have about `most_bytes` at most.

    How large the other slots of a request are is not known; they are taken to be like the one that came.
    """
    portion: list[ParsedRecord] = []
    request_revisions: set[RequestRevision] = set()
    size = 0
    for parsed in parsed_records:
        # A request is completed once, however many of its records come.
        more = 0 if parsed.entry.request_revision in request_revisions else parsed.slots_bytes
        if portion and size + more > most_bytes:
            yield portion
            portion, request_revisions, size, more = [], set(), 0, parsed.slots_bytes
        portion.append(parsed)
        request_revisions.add(parsed.entry.request_revision)
        size += more
    if portion:
        yield portion


def _concluded(
    message: TranslatedBatch | JobControl, batches: Sequence[TranslatedBatch], now_ms: int
) -> tuple[TranslationResult, Job]:
    """The answer, and the header of the request as far as it is known."""
    if isinstance(message, TranslatedBatch):
        return join(batches, now_ms), message.job
    # Whoever orders knows less of the request than intake, which wrote the header of its batches.
    job = batches[0].job if batches else message.job or Job()
    return early_result(message, job, now_ms), job


def _text_name(result: TranslationResult) -> str:
    behind = "" if result.version == FIRST_REVISION else f"-{result.version}"
    return f"results/{fingerprint(result.request_id.encode())}{behind}.txt"


def _headers(record: InboundRecord, result: TranslationResult) -> Headers:
    told = {
        "schema": b"TranslationResult",
        "tenant": result.tenant.encode(),
        "priority": result.priority.encode(),
        "words": str(result.source_words).encode(),
    }
    return told | version_header(result.version) | record.trace


def _too_many_holes(result: TranslationResult, limit_bytes: int) -> PermanentError:
    return PermanentError(
        "result_too_large",
        f"{len(result.holes)} of {result.segments} segments could not be translated, too many to name each",
        limit=f"{limit_bytes} bytes in one Kafka record",
        cure="send the text in smaller requests",
    )


def _count(result: TranslationResult) -> None:
    metrics.RESULTS.labels(result.priority, result.status).inc()
    metrics.RESULT_SECONDS.labels(result.priority).observe(result.timings["total"])
