"""Handle one cycle of assembly: batches and orders in; results, usage and dead letters out."""

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace

from connectors.telemetry import metrics
from connectors.telemetry.metrics import labelled
from schemas import topics
from schemas.codec import Codec
from schemas.dead_letters import ENVELOPE_BYTES, about_request
from schemas.errors import PermanentError
from schemas.events import JobControl, UsageBatch, UsageEvent
from schemas.ids import JobKey, result_texts
from schemas.messages import Job, TranslatedBatch, TranslationResult, changed
from schemas.own_topics import order_of
from schemas.records import (
    CALLBACK_HEADER,
    Headers,
    InboundRecord,
    OutboundRecord,
    StoredAt,
    erased_header,
    status_header,
    version_header,
)
from schemas.slots import AnswerOrder, AnswerSource, Arrival, RequestRevision, SlotDecision, Verdict
from schemas.units import whole_text
from stream_apps.assembly.answered import Answered, answer_facts
from stream_apps.assembly.erasing import Erasure, Newest, erasures
from stream_apps.assembly.parsed_records import ParsedRecord, portions, request_of
from stream_apps.pipeline.early_results import check_order, early_result, withheld
from stream_apps.pipeline.join import check_batch, join, split_of
from stream_apps.pipeline.result_events import billed_usage
from stream_apps.pipeline.stores import ObjectStore, Slots
from stream_apps.runtime.dead_letters import DeadLetterWriter
from stream_apps.runtime.stage_spans import StageSpans

Finish = Callable[[TranslationResult, Job], TranslationResult]
"""Returns the answer as it is published. Raises PermanentError where its text cannot be handed over, or
TransientError.
"""

STAGE = "assembly"
# Rows of one usage record: about half a megabyte.
_USAGE_ROWS = 1000


@dataclass
class AssemblyHandler:
    """A handler of the transactional processor. Handling the same records again gives the same answers.

    An answer that `finish` refuses is FAILED, and the record that completed it becomes a dead letter. Each of
    `own_tenants` has a topic with copies of its results.
    """

    codec: Codec
    slots: Slots
    told: Callable[[], Set[AnswerSource]]
    objects: ObjectStore
    inline_limit_bytes: int
    now_ms: Callable[[], int]
    dead_letters: DeadLetterWriter
    slots_bytes: int = 16_000_000
    usage_partition: int | None = None
    max_message_bytes: int = 2_000_000
    finish: Finish = lambda result, _job: result
    newest: Newest = lambda _wanted: {}
    own_tenants: Set[str] = frozenset()
    spans: StageSpans = field(default_factory=StageSpans)
    _answered: dict[RequestRevision, Answered] = field(default_factory=dict, init=False)
    _unstored: dict[RequestRevision, Answered] = field(default_factory=dict, init=False)
    _offsets: dict[AnswerSource, int] = field(default_factory=dict, init=False)
    _unfinished: list[OutboundRecord] = field(default_factory=list, init=False)

    def handle(self, records: list[InboundRecord]) -> list[OutboundRecord]:
        """Return all outputs of the records. Raises TransientError only."""
        self._answered, self._unfinished = {}, []
        billed: list[UsageEvent] = []
        results: list[OutboundRecord] = []
        parsed_records, refused = self._parse(records)
        orders = [order for parsed in parsed_records if (order := parsed.erasure)]
        # Before the others, so that no answer of this cycle is one that they overrule.
        for erasure in erasures(orders, self.slots, self.newest, self.codec, self.now_ms()) if orders else ():
            results.append(self._erased(erasure))
            if erasure.is_answer:
                billed.append(billed_usage(erasure.result, erasure.job))
        others = [parsed for parsed in parsed_records if not parsed.erasure] if orders else parsed_records
        for some in portions(others, self.slots_bytes):
            for result, usage in self._decided(some):
                results.append(result)
                billed.append(usage)
        # The results first: `committed` knows them by their places.
        return [*results, *self._usage_records(billed), *refused, *self._unfinished, *self._copies(results)]

    def confirm(self) -> None:
        """Confirm that the answers may be committed.

        Raises TransientError when Redis was lost or a request was erased meanwhile.

        The answers are written first and confirmed then, because a rebuild reads the log up to an end that is
        measured after the loss: an answer that was confirmed before the loss lies in front of that end.
        """
        if self._answered:
            self.slots.confirm({request: done.coordinates for request, done in self._answered.items()})

    def committed(self, places: Sequence[StoredAt]) -> None:
        """Show the results to HTTP and release the slots; `places` tells where each output is stored.

        Raises TransientError; what Redis did not take then is told before the next cycle. If the process ends
        before that, whoever answers here next tells it (stream_apps/assembly/recovery.py, `CatchUp`).
        """
        for done in self._answered.values():
            done.count()
        self.spans.end(done.coordinates for done in self._answered.values())
        self._unstored |= self._answered
        self._note_offsets(places)
        self._answered = {}
        self.tell()

    def tell(self) -> None:
        """Tell callers of what is committed and not told yet. Raises TransientError; then call it again."""
        if not self._unstored:
            return
        by_revision = sorted(self._unstored.items(), key=lambda entry: entry[0].revision)
        self.slots.finish({request: done.completion for request, done in by_revision}, self._offsets)
        self._unstored, self._offsets = {}, {}

    def _note_offsets(self, places: Sequence[StoredAt]) -> None:
        """Note the offsets up to which callers are told, where nothing of a predecessor is still to be told."""
        told = self.told()
        # The answers are the first outputs. One with a foreign key lies in another partition than what led to it.
        for done, (partition, offset) in zip(self._answered.values(), places, strict=False):
            if done.source in told and done.source.partition == partition:
                self._offsets[done.source] = max(offset + 1, self._offsets.get(done.source, 0))

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
        if topics.is_control(record.topic):
            order = order_of(record, self.codec)
            check_order(order)
            return ParsedRecord(record, order, AnswerOrder(request_of(order), record.coordinates))
        batch = self.codec.decode(record.value, TranslatedBatch)
        check_batch(batch)
        entry = Arrival(
            request=request_of(batch),
            split=split_of(batch.job),
            batch_number=batch.batch_number,
            batches=batch.job.batches,
            payload=record.value or b"",
            coordinates=record.coordinates,
        )
        return ParsedRecord(record, batch, entry)

    def _copies(self, results: Sequence[OutboundRecord]) -> Iterator[OutboundRecord]:
        for result in results if self.own_tenants else ():
            tenant = JobKey.decode(result.key).tenant
            if tenant in self.own_tenants:
                yield replace(result, topic=topics.results_topic(tenant))

    def _usage_records(self, billed: Sequence[UsageEvent]) -> list[OutboundRecord]:
        starts = range(0, len(billed), _USAGE_ROWS)
        batches = [UsageBatch(billed[start : start + _USAGE_ROWS]) for start in starts]
        headers = {"schema": b"UsageBatch"}
        return [
            OutboundRecord(topics.USAGE, None, self.codec.encode(batch), headers, self.usage_partition)
            for batch in batches
        ]

    def _decided(self, parsed_records: Sequence[ParsedRecord]) -> Iterator[tuple[OutboundRecord, UsageEvent]]:
        decisions = self.slots.decide([parsed.entry for parsed in parsed_records])
        for parsed, decision in zip(parsed_records, decisions, strict=True):
            labelled(metrics.SLOT_VERDICTS, decision.verdict).inc()
            if decision.verdict is Verdict.COMPLETE:
                yield self._answer(parsed, decision)

    def _answer(self, parsed: ParsedRecord, decision: SlotDecision) -> tuple[OutboundRecord, UsageEvent]:
        batches = self._batches(parsed, decision)
        record = self.spans.begin(parsed.record)
        result, job = _concluded(parsed.message, batches, self.now_ms())
        encoded, result = self._fitted(self._finished(record, result, job))
        return self._published(record, parsed.entry.request, encoded, result), billed_usage(result, job)

    def _erased(self, erasure: Erasure) -> OutboundRecord:
        result, request = erasure.result, RequestRevision(erasure.result.key)
        record, encoded = self.spans.begin(erasure.record), self.codec.encode(result)
        return self._published(record, request, encoded, result, is_again=not erasure.is_answer)

    def _published(
        self,
        record: InboundRecord,
        request: RequestRevision,
        encoded: bytes,
        result: TranslationResult,
        *,
        is_again: bool = False,
    ) -> OutboundRecord:
        # Its text is in `encoded` already.
        textless = changed(result, text=None, texts=())
        source = AnswerSource(record.topic, record.partition)
        self._answered[request] = Answered(source, record.coordinates, record.headers, encoded, textless, is_again)
        if span := self.spans.of(record):
            span.say(answer_facts(result))
        return OutboundRecord(topics.RESULTS, result.key.encode(), encoded, _headers(record, result))

    def _batches(self, parsed: ParsedRecord, decision: SlotDecision) -> list[TranslatedBatch]:
        """Return the batches of the completed request; an only batch is the record in hand, decoded already."""
        message, entry = parsed.message, parsed.entry
        if isinstance(message, TranslatedBatch) and isinstance(entry, Arrival) and entry.batches == 1:
            return [message]
        return [self.codec.decode(slot, TranslatedBatch) for slot in decision.slots]

    def _finished(self, record: InboundRecord, result: TranslationResult, job: Job) -> TranslationResult:
        try:
            return self.finish(result, job)
        except PermanentError as error:
            dead_letter = about_request(self.dead_letters.dead_letter_of(record, error), result.key)
            self._unfinished.append(self.dead_letters.record_of(dead_letter))
            return withheld(result, error)

    def _fitted(self, result: TranslationResult) -> tuple[bytes, TranslationResult]:
        """Encode the result, with its text in the object store where it would be too large for Kafka."""
        encoded = self.codec.encode(result)
        text = whole_text(result)
        if len(encoded) > self.inline_limit_bytes and text is not None:
            result = self._with_stored_text(result, text)
            encoded = self.codec.encode(result)
        if len(encoded) + ENVELOPE_BYTES > self.max_message_bytes:
            result = withheld(result, _too_many_holes(result, self.max_message_bytes))
            encoded = self.codec.encode(result)
        return encoded, result

    def _with_stored_text(self, result: TranslationResult, text: str) -> TranslationResult:
        try:
            # Named by request and version: a repeat after an aborted transaction replaces the text by the same.
            ref = self.objects.write_text(f"{result_texts(result.key)}v{result.version}.txt", text)
        except PermanentError as error:
            return withheld(result, error)
        return changed(result, text=None, texts=(), content_ref=ref)


def _concluded(
    message: TranslatedBatch | JobControl, batches: Sequence[TranslatedBatch], now_ms: int
) -> tuple[TranslationResult, Job]:
    """Build the answer, and the header of the request as far as it is known."""
    if isinstance(message, TranslatedBatch):
        return join(batches, now_ms), message.job
    # The sender of an order knows less of the request than intake, which wrote the header of its batches.
    job = batches[0].job if batches else message.job or Job()
    return early_result(message, job, now_ms), job


def _headers(record: InboundRecord, result: TranslationResult) -> Headers:
    headers = {
        "schema": b"TranslationResult",
        "tenant": result.tenant.encode(),
        "priority": result.priority.encode(),
        "words": str(result.source_words).encode(),
    }
    told = {CALLBACK_HEADER: b"1"} if result.callback else {}
    known = version_header(result.version) | status_header(result.status) | erased_header(result.erased_at)
    return headers | told | known | record.trace


def _too_many_holes(result: TranslationResult, limit_bytes: int) -> PermanentError:
    return PermanentError(
        "result_too_large",
        f"{len(result.holes)} of {result.segments} segments could not be translated, too many to name each",
        limit=f"{limit_bytes} bytes in one Kafka record",
        cure="send the text in smaller requests",
    )
