"""What has to be sent so that a letter is done with. Reads through protocols, sends nothing.

Carries out plans: what is sent again and the tombstones in one transaction, a few plans at a time.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Protocol

from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.messages import SegmentBatch, TranslationResult
from schemas.records import FIRST_REVISION, Headers, InboundRecord, OutboundRecord, attempt_header, redrive_header
from schemas.topics import DEAD_LETTERS
from stream_apps.pipeline.batching import BatchLimits
from stream_apps.pipeline.output_records import WireFormat, batch_records
from stream_apps.redrive.correction import correction_of, repetition_of
from stream_apps.redrive.open_dead_letters import DeadLetterSummary

_REQUESTS_STAGE = "intake"


class RedriveSources(Protocol):
    """What a redrive reads. Raises TransientError."""

    def original(self, dead_letter: DeadLetterSummary) -> InboundRecord:
        """What failed, as it was sent. Raises PermanentError when it is gone."""

    def newest(self, request_id: str) -> TranslationResult | None:
        """The newest answer; None where there is none."""

    def text_of(self, result: TranslationResult) -> str:
        """The text of an answer, wherever it lies. Raises PermanentError when it is gone."""


@dataclass(frozen=True)
class RedrivePlan:
    """These letters are closed by sending these records; `version` is that of the answer, where one follows."""

    dead_letters: Sequence[DeadLetterSummary]
    outputs: Sequence[OutboundRecord] = ()
    version: int | None = None

    @property
    def records(self) -> list[OutboundRecord]:
        """All of one transaction: what is sent again, and the tombstones."""
        return [*self.outputs, *map(tombstone_of, self.dead_letters)]


def tombstone_of(dead_letter: DeadLetterSummary) -> OutboundRecord:
    """Closes the letter, beside which it lies."""
    return OutboundRecord(
        DEAD_LETTERS, dead_letter.dead_letter_id.encode(), None, {}, dead_letter.dead_letter_partition
    )


def groups_of(
    chosen: Sequence[DeadLetterSummary], others: Iterable[DeadLetterSummary]
) -> list[list[DeadLetterSummary]]:
    """What is redriven together: the sentences of one request, all of them, or one letter of another kind.

    One answer fills every hole: `others` brings those letters of the same requests that were not chosen.
    """
    singles = [[dead_letter] for dead_letter in chosen if not dead_letter.is_sentence]
    requests = {dead_letter.request_id for dead_letter in chosen if dead_letter.is_sentence}
    sentences = [
        dead_letter for dead_letter in others if dead_letter.is_sentence and dead_letter.request_id in requests
    ]
    by_request = groupby(sorted(sentences, key=_request), key=_request)
    return [*singles, *(list(group) for _, group in by_request)]


@dataclass
class RedrivePlanner:
    """Makes the plans of one run. `now_ms` is milliseconds since the epoch."""

    sources: RedriveSources
    codec: Codec
    wire: WireFormat
    limits: BatchLimits
    now_ms: int
    _asked: dict[str, int] = field(default_factory=dict, init=False)

    def plan(self, group: Sequence[DeadLetterSummary]) -> RedrivePlan:
        """How the letters of one group are done with. Raises PermanentError where they cannot be."""
        first = group[0]
        if first.is_sentence:
            return self._sentences(group)
        if first.stage == _REQUESTS_STAGE and first.request_id is not None:
            return self._request(first, first.request_id)
        record = self.sources.original(first)
        return RedrivePlan(group, [_again(record, attempt_header(first.attempt + 1))])

    def _request(self, dead_letter: DeadLetterSummary, request_id: str) -> RedrivePlan:
        if dead_letter.cause == "id_reused":
            raise PermanentError(
                "id_reused",
                "another request was answered under this id, and its answer must stand",
                cure="send the request under an id of its own, and drop the letter",
            )
        record = self.sources.original(dead_letter)
        version = self._next_version(request_id, self.sources.newest(request_id))
        headers = redrive_header(version) | attempt_header(dead_letter.attempt + 1)
        return RedrivePlan([dead_letter], [_again(record, headers)], version)

    def _next_version(self, request_id: str, newest: TranslationResult | None) -> int:
        # Two letters of one request in one run ask for two versions: what they lead to must never be mixed.
        before = newest.version if newest else FIRST_REVISION - 1
        self._asked[request_id] = max(before, self._asked.get(request_id, 0)) + 1
        return self._asked[request_id]

    def _sentences(self, dead_letters: Sequence[DeadLetterSummary]) -> RedrivePlan:
        result = self.sources.newest(_request(dead_letters[0]))
        if result is None:
            raise PermanentError("not_answered", "the request has no answer yet", cure="wait for it, then redrive")
        if result.status == "COMPLETED":
            return RedrivePlan(dead_letters, version=result.version)
        origin = self.sources.original(dead_letters[0])
        attempt = attempt_header(max(dead_letter.attempt for dead_letter in dead_letters) + 1)
        records = batch_records(self._batches(result, dead_letters, origin), origin, self.wire)
        outputs = [replace(record, headers=record.headers | attempt) for record in records]
        return RedrivePlan(dead_letters, outputs, result.version + 1)

    def _batches(
        self, result: TranslationResult, dead_letters: Sequence[DeadLetterSummary], origin: InboundRecord
    ) -> list[SegmentBatch]:
        if result.status == "PARTIAL":
            batch = self.codec.decode(origin.value, SegmentBatch)
            return correction_of(result, self.sources.text_of(result), batch, self.limits, self.now_ms)
        if result.status == "FAILED" and 0 < result.segments == len(result.holes):
            return repetition_of(result, self._origins(result, dead_letters), self.now_ms)
        raise PermanentError(
            "not_correctable",
            f"the request was answered with {result.status} ({result.error_cause})",
            cure="drop its letters; send it again under a new id if it is still wanted",
        )

    def _origins(
        self, result: TranslationResult, dead_letters: Sequence[DeadLetterSummary]
    ) -> dict[int, SegmentBatch]:
        """The batch of each number, cut as those of the result were."""
        first = {dead_letter.batch_number: dead_letter for dead_letter in reversed(dead_letters)}
        batches = [
            self.codec.decode(self.sources.original(dead_letter).value, SegmentBatch)
            for dead_letter in first.values()
        ]
        return {
            batch.batch_number: batch for batch in batches if batch.job.pipeline_version == result.pipeline_version
        }


def _again(record: InboundRecord, headers: Headers) -> OutboundRecord:
    return OutboundRecord(record.topic, record.key, record.value, record.headers | headers, record.partition)


def _request(dead_letter: DeadLetterSummary) -> str:
    return dead_letter.request_id or ""


# Of one transaction. A single plan may have more: it is never divided.
_MOST_RECORDS, _MOST_BYTES = 500, 8_000_000

CommitRecords = Callable[[Sequence[OutboundRecord]], None]
DeadLetterGroup = Sequence[DeadLetterSummary]


@dataclass
class RedriveReport:
    """What became of the letters. `sent` counts records that were sent again."""

    plans: list[RedrivePlan] = field(default_factory=list)
    refused: list[tuple[DeadLetterSummary, PermanentError]] = field(default_factory=list)
    sent: int = 0

    @property
    def closed(self) -> list[DeadLetterSummary]:
        """The letters that have a tombstone now."""
        return [dead_letter for plan in self.plans for dead_letter in plan.dead_letters]


def carry_out(
    groups: Iterable[DeadLetterGroup], plan_of: Callable[[DeadLetterGroup], RedrivePlan], commit: CommitRecords
) -> RedriveReport:
    """Killed anywhere, each plan is done wholly or not at all. Raises TransientError or FatalError."""
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


def _is_full(records: Sequence[OutboundRecord]) -> bool:
    return len(records) > _MOST_RECORDS or sum(len(record.value or b"") for record in records) > _MOST_BYTES
