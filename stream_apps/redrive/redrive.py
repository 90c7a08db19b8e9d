"""List, show, redrive and drop the open dead letters of one Kafka.

A redrive commits what it sends again and the tombstones in one Kafka transaction, a few plans at a time: killed at
any moment, each plan is done completely or not at all.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import Protocol, TypeVar

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.partition_reader import RecordLookup, read_spans
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transactional_producer import TransactionalProducer
from schemas.codec import Codec
from schemas.documents import unmerged_name
from schemas.errors import PermanentError
from schemas.events import DeadLetter
from schemas.ids import JobKey
from schemas.lanes import DEFAULT_BULK_WORDS
from schemas.messages import SegmentBatch, TranslationResult
from schemas.records import InboundRecord, OutboundRecord
from schemas.topics import DEAD_LETTERS, RESULTS
from schemas.units import whole_text
from stream_apps.glossaries.shelf import entries_of, named_glossaries
from stream_apps.glossaries.store import GlossaryStore, KafkaGlossaries
from stream_apps.pipeline.output_records import WireFormat
from stream_apps.pipeline.pieces import BatchLimits
from stream_apps.pipeline.stores import ObjectStore
from stream_apps.redrive.open_dead_letters import DeadLetterFilter, DeadLetterSummary, OpenDeadLetters, Place
from stream_apps.redrive.plans import RedrivePlan, RedrivePlanner, groups_of

# One for the whole platform: starting it aborts what a killed run left open, and fences one that still runs.
_TRANSACTIONAL_ID = "dead_letters"
# Of one transaction. A single plan may have more: it is never divided.
_MOST_RECORDS, _MOST_BYTES = 500, 8_000_000
_TAKE_RECORDS = 500
_MOST_UNMERGED_BYTES = 300_000_000
_UTF8_BYTES = 4

T = TypeVar("T")
CommitRecords = Callable[[Sequence[OutboundRecord]], object]
DeadLetterGroup = Sequence[DeadLetterSummary]


class Track(Protocol):
    """Shows how many items have been processed."""

    def __call__(self, items: Iterable[T], what: str) -> Iterable[T]:
        """Pass the items on, and count them as they are taken; `what` names the work."""


@dataclass
class RedriveReport:
    """The outcome of a run: what was closed, and what was refused and why. `sent` counts records sent again."""

    plans: list[RedrivePlan] = field(default_factory=list)
    refused: list[tuple[DeadLetterSummary, PermanentError]] = field(default_factory=list)
    sent: int = 0

    @property
    def closed(self) -> list[DeadLetterSummary]:
        """Return the dead letters that have a tombstone now."""
        return [dead_letter for plan in self.plans for dead_letter in plan.dead_letters]


@dataclass(frozen=True)
class DeadLetterAdmin:
    """Works on the open dead letters of one Kafka. Nothing stays open between two calls.

    `now_ms`: milliseconds since the epoch. `bulk_words`: what is longer is corrected in a bulk lane. Every method
    may raise TransientError or FatalError.
    """

    kafka: KafkaSettings
    codec: Codec
    track: Track
    now_ms: Callable[[], int]
    bulk_words: int = DEFAULT_BULK_WORDS

    def oldest(self, wanted: DeadLetterFilter, most: int) -> list[DeadLetterSummary]:
        """Return the open dead letters that are wanted, the oldest first, as many as its limit allows.

        At most twice `most` are remembered at a time, and those of the answer; of more the topic is read again.
        """
        oldest: list[DeadLetterSummary] = []
        first: Place | None = (0, "")
        while first is not None and (wanted.limit is None or len(oldest) < wanted.limit):
            found = self.read(partial(_is_wanted_from, first, wanted), most)
            oldest += found.oldest_first()
            first = found.forgotten
        return oldest[: wanted.limit]

    def read(self, is_wanted: Callable[[DeadLetterSummary], bool], most: int | None = None) -> OpenDeadLetters:
        """Read the whole topic; return the open dead letters that are wanted, all or the oldest `most`."""
        found = OpenDeadLetters(self.codec, is_wanted, most)
        for record in self.track(read_topic(self.kafka, DEAD_LETTERS), "reading dead letters"):
            found.add(record)
        return found

    def show(self, dead_letter_id: str, *, with_original: bool) -> tuple[DeadLetter, InboundRecord | None]:
        """Return one dead letter, and what was sent. Raises PermanentError when one of them is gone."""
        wanted = DeadLetterFilter(ids=(dead_letter_id,))
        (summary,) = select_known(wanted, self.read(wanted.matches).oldest_first())
        with closing(RecordLookup(self.kafka)) as lookup:
            records = DeadLetterRecords(lookup, self.codec)
            dead_letter = records.dead_letter(summary)
            return dead_letter, records.original_of(dead_letter) if with_original else None

    def redrive(
        self, wanted: DeadLetterFilter, objects: ObjectStore, limits: BatchLimits, *, is_dry_run: bool
    ) -> RedriveReport:
        """Send again what failed and close its dead letters. Raises PermanentError for an unknown id."""
        commit = self._commit(is_dry_run=is_dry_run)
        with closing(RecordLookup(self.kafka)) as lookup:
            found = self.read(
                lambda one: wanted.matches(one) or (one.is_sentence and wanted.may_share_job(one))
            ).oldest_first()
            groups = groups_of(select_known(wanted, found), found)
            requests = {one.job_key for group in groups for one in group if one.job_key}
            answers = read_answers(self.kafka, self.codec, requests, self.track)
            glossaries = KafkaGlossaries(self.kafka, self.codec)
            planner = self._planner(KafkaSources(lookup, self.codec, answers, objects, glossaries), limits)
            return carry_out(self.track(groups, "redriving"), planner.plan, commit)

    def drop(self, wanted: DeadLetterFilter, *, is_dry_run: bool) -> RedriveReport:
        """Close dead letters without sending anything. Raises PermanentError for an unknown id."""
        commit = self._commit(is_dry_run=is_dry_run)
        selected = select_known(wanted, self.read(wanted.matches).oldest_first())
        return carry_out(self.track([[one] for one in selected], "dropping"), RedrivePlan, commit)

    def _commit(self, *, is_dry_run: bool) -> CommitRecords:
        """Open the producer. Before anything is read, so that an earlier run is committed by then or never."""
        if is_dry_run:
            return lambda _records: None
        producer = TransactionalProducer(self.kafka, _TRANSACTIONAL_ID)
        return lambda records: producer.commit(records, [])

    def _planner(self, sources: "KafkaSources", limits: BatchLimits) -> RedrivePlanner:
        kafka = self.kafka
        wire = WireFormat(self.codec, kafka.batch_partitions, kafka.max_message_bytes, self.bulk_words)
        return RedrivePlanner(sources, self.codec, wire, limits, self.now_ms())


def select_known(wanted: DeadLetterFilter, found: Sequence[DeadLetterSummary]) -> list[DeadLetterSummary]:
    """Return those that are meant. Raises PermanentError for an id that no open dead letter has."""
    unknown = set(wanted.ids) - {one.dead_letter_id for one in found}
    if unknown:
        raise PermanentError(
            "unknown_dead_letter",
            f"no open dead letter is {', '.join(sorted(unknown))}",
            field="ids",
            cure="see: dragoman dead-letters list",
        )
    return wanted.select(found)


def carry_out(
    groups: Iterable[DeadLetterGroup], plan_of: Callable[[DeadLetterGroup], RedrivePlan], commit: CommitRecords
) -> RedriveReport:
    """Plan each group and commit the plans, several in one transaction. Raises TransientError or FatalError."""
    report = RedriveReport()
    waiting: list[OutboundRecord] = []
    for group in groups:
        try:
            plan = plan_of(group)
        except PermanentError as error:
            report.refused += [(dead_letter, error) for dead_letter in group]
            continue
        if waiting and _is_full([*waiting, *plan.records]):
            commit(waiting)
            waiting = []
        waiting += plan.records
        report.sent += len(plan.outputs)
        # The report needs no values, and there may be many plans.
        report.plans.append(RedrivePlan(plan.dead_letters, (), plan.version))
    if waiting:
        commit(waiting)
    return report


@dataclass(frozen=True)
class AnswerLocation:
    """Where the newest answer of a request is stored, and which version it is."""

    version: int
    partition: int
    offset: int


def read_answers(
    kafka: KafkaSettings, codec: Codec, keys: set[JobKey], track: Track
) -> dict[JobKey, AnswerLocation]:
    """Find the newest answers to these requests. Reads all results, remembers no text. Raises TransientError.

    A record that is no result, which somebody else must have written, is skipped.
    """
    wanted = {key.encode() for key in keys}
    newest: dict[JobKey, AnswerLocation] = {}
    for record in track(read_topic(kafka, RESULTS), "reading results") if wanted else ():
        if record.key in wanted and record.value is not None:
            with suppress(PermanentError):
                result = codec.decode(record.value, TranslationResult)
                found = AnswerLocation(result.version, record.partition, record.offset)
                newest[result.key] = max(newest.get(result.key, found), found, key=_version)
    return newest


@dataclass(frozen=True)
class DeadLetterRecords:
    """Fetches dead letters and what they are about by their location. Raises TransientError."""

    lookup: RecordLookup
    codec: Codec

    def dead_letter(self, summary: DeadLetterSummary) -> DeadLetter:
        """Return the whole dead letter. Raises PermanentError when it is gone."""
        found = self.lookup.find(DEAD_LETTERS, summary.dead_letter_partition, summary.dead_letter_offset)
        return self.codec.decode(_still_kept(found, "the dead letter").value, DeadLetter)

    def original(self, summary: DeadLetterSummary) -> InboundRecord:
        """Return what failed, as it was sent. Raises PermanentError when it is gone."""
        return self.original_of(self.dead_letter(summary))

    def original_of(self, dead_letter: DeadLetter) -> InboundRecord:
        """Return the same for a dead letter that was fetched before."""
        location = dead_letter.topic, dead_letter.partition, dead_letter.offset
        if dead_letter.value is None:
            return _still_kept(self.lookup.find(*location), f"the record at {dead_letter.coordinates}")
        record = InboundRecord(*location, dead_letter.key, dead_letter.value)
        return replace(record, headers=dict(dead_letter.headers), timestamp_ms=dead_letter.timestamp)


@dataclass(frozen=True)
class KafkaSources(DeadLetterRecords):
    """Implements stream_apps.redrive.plans.RedriveSources."""

    answers: Mapping[JobKey, AnswerLocation]
    objects: ObjectStore
    glossaries: GlossaryStore

    def newest(self, key: JobKey) -> TranslationResult | None:
        answer = self.answers.get(key)
        if answer is None:
            return None
        found = self.lookup.find(RESULTS, answer.partition, answer.offset)
        return self.codec.decode(_still_kept(found, "the result").value, TranslationResult)

    def text_of(self, result: TranslationResult) -> str:
        # Of a document that are its units; what content_ref names is its file.
        ref = result.units_ref or result.content_ref
        if ref is None:
            return whole_text(result) or ""
        characters = result.target_characters + result.units
        return self.objects.read_text(ref, characters * _UTF8_BYTES)

    def unmerged(self, failed: TranslationResult) -> TranslationResult:
        try:
            kept = self.objects.read_text(unmerged_name(failed.key, failed.version), _MOST_UNMERGED_BYTES)
        except PermanentError:
            return _still_kept(None, "the translation of the document")
        return TranslationResult.from_datum(json.loads(kept))

    def entries_of(self, batch: SegmentBatch) -> Mapping[str, str]:
        names = batch.job.glossaries
        return entries_of(named_glossaries(self.glossaries.read(), batch.tenant, names)) if names else {}


def read_topic(kafka: KafkaSettings, topic: str) -> Iterable[InboundRecord]:
    """Return the committed records of the topic up to where it ends now. Reading raises TransientError."""
    return chain.from_iterable(read_spans(kafka, KafkaAdmin(kafka).spans([topic]), _TAKE_RECORDS))


def _is_wanted_from(first: Place, wanted: DeadLetterFilter, one: DeadLetterSummary) -> bool:
    return one.place >= first and wanted.matches(one)


def _is_full(records: Sequence[OutboundRecord]) -> bool:
    return len(records) > _MOST_RECORDS or sum(len(record.value or b"") for record in records) > _MOST_BYTES


def _version(answer: AnswerLocation) -> int:
    return answer.version


def _still_kept(found: T | None, what: str) -> T:
    if found is None:
        raise PermanentError(
            "original_gone",
            f"{what} is no longer kept",
            cure="send the request again under a new id, and drop the dead letter",
        )
    return found
