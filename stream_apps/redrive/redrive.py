"""List, show, redrive and drop the open dead letters of one Kafka.

A redrive commits what it sends again and the tombstones in one Kafka transaction, a few plans at a time: killed at
any moment, each plan is done completely or not at all.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial

from connectors.kafka.partition_reader import RecordLookup
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transactional_producer import TransactionalProducer
from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.events import DeadLetter
from schemas.lanes import DEFAULT_BULK_WORDS
from schemas.records import InboundRecord, OutboundRecord
from schemas.topics import DEAD_LETTERS
from stream_apps.glossaries.store import KafkaGlossaries
from stream_apps.pipeline.output_records import WireFormat
from stream_apps.pipeline.pieces import BatchLimits
from stream_apps.pipeline.stores import ObjectStore
from stream_apps.redrive.open_dead_letters import DeadLetterFilter, DeadLetterSummary, OpenDeadLetters, Place
from stream_apps.redrive.plans import RedrivePlan, RedrivePlanner, groups_of
from stream_apps.redrive.sources import DeadLetterRecords, KafkaSources, Track, read_answers, read_topic

# One for the whole platform: starting it aborts what a killed run left open, and fences one that still runs.
_TRANSACTIONAL_ID = "dead_letters"
# Of one transaction. A single plan may have more: it is never divided.
_MOST_RECORDS, _MOST_BYTES = 500, 8_000_000

CommitRecords = Callable[[Sequence[OutboundRecord]], object]
DeadLetterGroup = Sequence[DeadLetterSummary]


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

    def _planner(self, sources: KafkaSources, limits: BatchLimits) -> RedrivePlanner:
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


def _is_wanted_from(first: Place, wanted: DeadLetterFilter, one: DeadLetterSummary) -> bool:
    return one.place >= first and wanted.matches(one)


def _is_full(records: Sequence[OutboundRecord]) -> bool:
    return len(records) > _MOST_RECORDS or sum(len(record.value or b"") for record in records) > _MOST_BYTES
