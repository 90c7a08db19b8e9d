"""Plan what has to be sent so that dead letters can be closed. Reads through a protocol, sends nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Protocol

from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.ids import JobKey
from schemas.messages import SegmentBatch, TranslatedBatch, TranslationResult
from schemas.records import FIRST_REVISION, Headers, InboundRecord, OutboundRecord, attempt_header, redrive_header
from schemas.states import ResultStatus
from schemas.topics import DEAD_LETTERS
from stream_apps.pipeline.output_records import WireFormat, batch_records, translated_record
from stream_apps.pipeline.pieces import BatchLimits
from stream_apps.redrive.correction import correction_of, merged_again, repetition_of
from stream_apps.redrive.open_dead_letters import DeadLetterSummary

# Where a request is refused as a whole: sent there again, it is read again.
_REQUEST_STAGES = frozenset({"intake", "extraction"})
_MERGING_STAGE = "merging"


class RedriveSources(Protocol):
    """Reads what a redrive needs. Raises TransientError."""

    def original(self, summary: DeadLetterSummary) -> InboundRecord:
        """Return what failed, as it was sent. Raises PermanentError when it is gone."""

    def newest(self, key: JobKey) -> TranslationResult | None:
        """Return the newest answer; None where there is none."""

    def text_of(self, result: TranslationResult) -> str:
        """Return the text of an answer, wherever it is stored. Raises PermanentError when it is gone."""

    def unmerged(self, failed: TranslationResult) -> TranslationResult:
        """Return the answer before its file could not be put together. Raises PermanentError when it is gone."""

    def entries_of(self, batch: SegmentBatch) -> Mapping[str, str]:
        """Return the entries of the glossaries of its request. Raises PermanentError when one is gone."""


@dataclass(frozen=True)
class RedrivePlan:
    """These dead letters are closed by sending these records; `version` is that of the answer that will follow."""

    dead_letters: Sequence[DeadLetterSummary]
    outputs: Sequence[OutboundRecord] = ()
    version: int | None = None

    @property
    def records(self) -> list[OutboundRecord]:
        """Return everything that one transaction must hold: what is sent again, and the tombstones."""
        return [*self.outputs, *map(tombstone_of, self.dead_letters)]


def tombstone_of(dead_letter: DeadLetterSummary) -> OutboundRecord:
    """Return the record that closes the dead letter, in the dead letter's own partition."""
    return OutboundRecord(
        DEAD_LETTERS, dead_letter.dead_letter_id.encode(), None, {}, dead_letter.dead_letter_partition
    )


def groups_of(
    selected: Sequence[DeadLetterSummary], others: Iterable[DeadLetterSummary]
) -> list[list[DeadLetterSummary]]:
    """Group what is redriven together: all sentences of one request, or one dead letter of another kind.

    One answer fills every hole, so `others` adds the sentences of the same requests that were not selected.
    """
    singles = [[one] for one in selected if not one.is_sentence]
    requests = {one.job_key for one in selected if one.is_sentence}
    sentences = [one for one in others if one.is_sentence and one.job_key in requests]
    by_request = groupby(sorted(sentences, key=_job_key), key=_job_key)
    return [*singles, *(list(group) for _, group in by_request)]


@dataclass
class RedrivePlanner:
    """Makes the plans of one run. `now_ms` is milliseconds since the epoch."""

    sources: RedriveSources
    codec: Codec
    wire: WireFormat
    limits: BatchLimits
    now_ms: int
    _versions: dict[JobKey, int] = field(default_factory=dict, init=False)

    def plan(self, group: Sequence[DeadLetterSummary]) -> RedrivePlan:
        """Plan how one group is closed. Raises PermanentError where that is impossible, or TransientError."""
        first = group[0]
        newest = self.sources.newest(first.job_key) if first.job_key else None
        _check_not_erased(newest)
        if first.is_sentence:
            return self._sentences(group, _answered(newest))
        if first.stage in _REQUEST_STAGES and first.job_key is not None:
            return self._request(first, first.job_key, newest)
        if first.stage == _MERGING_STAGE and first.job_key is not None:
            return self._merge(first, _answered(newest))
        record = self.sources.original(first)
        return RedrivePlan(group, [_again(record, attempt_header(first.attempt + 1))])

    def _request(
        self, dead_letter: DeadLetterSummary, key: JobKey, newest: TranslationResult | None
    ) -> RedrivePlan:
        if dead_letter.cause == "id_reused":
            raise PermanentError(
                "id_reused",
                "another request was answered under this id, and its answer must stand",
                cure="send the request under an id of its own, and drop the dead letter",
            )
        record = self.sources.original(dead_letter)
        version = self._next_version(key, newest)
        headers = redrive_header(version) | attempt_header(dead_letter.attempt + 1)
        return RedrivePlan([dead_letter], [_again(record, headers)], version)

    def _merge(self, dead_letter: DeadLetterSummary, newest: TranslationResult) -> RedrivePlan:
        """Plan that the file of a document is put together once more, from what was translated."""
        if newest.status is not ResultStatus.FAILED:  # put together since
            return RedrivePlan([dead_letter], version=newest.version)
        origin = self.sources.original(dead_letter)
        header = self.codec.decode(origin.value, TranslatedBatch).job
        batches = merged_again(self.sources.unmerged(newest), newest, header, self.limits, self.now_ms)
        records = [translated_record(one, self.codec.encode(one), origin) for one in batches]
        return RedrivePlan([dead_letter], _tried_again(records, [dead_letter]), newest.version + 1)

    def _next_version(self, key: JobKey, newest: TranslationResult | None) -> int:
        # Two dead letters of one request in one run need two versions: their results must never be mixed.
        before = newest.version if newest else FIRST_REVISION - 1
        self._versions[key] = max(before, self._versions.get(key, 0)) + 1
        return self._versions[key]

    def _sentences(self, dead_letters: Sequence[DeadLetterSummary], result: TranslationResult) -> RedrivePlan:
        if result.status is ResultStatus.COMPLETED:
            return RedrivePlan(dead_letters, version=result.version)
        origin = self.sources.original(dead_letters[0])
        records = batch_records(self._batches(result, dead_letters, origin), origin, self.wire)
        return RedrivePlan(dead_letters, _tried_again(records, dead_letters), result.version + 1)

    def _batches(
        self, result: TranslationResult, dead_letters: Sequence[DeadLetterSummary], origin: InboundRecord
    ) -> list[SegmentBatch]:
        if result.status is ResultStatus.PARTIAL:
            batch = self.codec.decode(origin.value, SegmentBatch)
            text, entries = self.sources.text_of(result), self.sources.entries_of(batch)
            return correction_of(result, text, batch, self.limits, self.now_ms, entries)
        if result.status is ResultStatus.FAILED and 0 < result.segments == len(result.holes):
            return repetition_of(result, self._origins(result, dead_letters), self.now_ms)
        raise PermanentError(
            "not_correctable",
            f"the request was answered with {result.status} ({result.error_cause})",
            cure="drop its dead letters; send it again under a new id if it is still wanted",
        )

    def _origins(
        self, result: TranslationResult, dead_letters: Sequence[DeadLetterSummary]
    ) -> dict[int, SegmentBatch]:
        """Return the batch of each number, of those that were segmented by the same version as the result."""
        first = {one.batch_number: one for one in reversed(dead_letters)}
        batches = [self.codec.decode(self.sources.original(one).value, SegmentBatch) for one in first.values()]
        return {
            batch.batch_number: batch for batch in batches if batch.job.pipeline_version == result.pipeline_version
        }


def _check_not_erased(newest: TranslationResult | None) -> None:
    if newest is not None and newest.erased_at is not None:
        raise PermanentError(
            "erased",
            "the texts of the request were erased, and must not come back",
            cure="drop the dead letter",
        )


def _answered(newest: TranslationResult | None) -> TranslationResult:
    if newest is None:
        raise PermanentError("not_answered", "the request has no answer yet", cure="wait for it, then redrive")
    return newest


def _tried_again(
    records: Sequence[OutboundRecord], dead_letters: Sequence[DeadLetterSummary]
) -> list[OutboundRecord]:
    """Return the records with the number of the attempt that they are."""
    attempt = attempt_header(max(one.attempt for one in dead_letters) + 1)
    return [replace(record, headers=record.headers | attempt) for record in records]


def _again(record: InboundRecord, headers: Headers) -> OutboundRecord:
    return OutboundRecord(record.topic, record.key, record.value, record.headers | headers, record.partition)


def _job_key(dead_letter: DeadLetterSummary) -> JobKey:
    return dead_letter.job_key or JobKey("", "")
