"""What has to be sent so that a letter is done with. Reads through protocols, sends nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Protocol

from producers.cli.dead_letters.correction import correction_of, repetition_of
from producers.cli.dead_letters.summary import DeadLetterSummary
from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.messages import SegmentBatch, TranslationResult
from schemas.records import Headers, InboundRecord, OutboundRecord
from schemas.redrive import FIRST_REVISION, attempt_header, redrive_header
from schemas.topics import DEAD_LETTERS
from stream_apps.intake.batching import BatchLimits
from stream_apps.intake.outputs import WireFormat, batch_records

_REQUESTS_STAGE = "intake"


class RedriveSources(Protocol):
    """What a redrive reads. Raises TransientError."""

    def original(self, letter: DeadLetterSummary) -> InboundRecord:
        """What failed, as it was sent. Raises PermanentError when it is gone."""

    def newest(self, request_id: str) -> TranslationResult | None:
        """The newest answer; None where there is none."""

    def text_of(self, result: TranslationResult) -> str:
        """The text of an answer, wherever it lies. Raises PermanentError when it is gone."""


@dataclass(frozen=True)
class RedrivePlan:
    """These letters are closed by sending these records; `version` is that of the answer, where one follows."""

    letters: Sequence[DeadLetterSummary]
    outputs: Sequence[OutboundRecord] = ()
    version: int | None = None

    @property
    def records(self) -> list[OutboundRecord]:
        """All of one transaction: what is sent again, and the tombstones."""
        return [*self.outputs, *map(tombstone_of, self.letters)]


def tombstone_of(letter: DeadLetterSummary) -> OutboundRecord:
    """Closes the letter, beside which it lies."""
    return OutboundRecord(DEAD_LETTERS, letter.dead_letter_id.encode(), None, {}, letter.letter_partition)


def groups_of(chosen: Sequence[DeadLetterSummary], others: Iterable[DeadLetterSummary]) -> list[list[DeadLetterSummary]]:
    """What is redriven together: the sentences of one request, all of them, or one letter of another kind.

    One answer fills every hole: `others` brings those letters of the same requests that were not chosen.
    """
    singles = [[letter] for letter in chosen if not letter.is_sentence]
    requests = {letter.request_id for letter in chosen if letter.is_sentence}
    sentences = [letter for letter in others if letter.is_sentence and letter.request_id in requests]
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

    def _request(self, letter: DeadLetterSummary, request_id: str) -> RedrivePlan:
        if letter.cause == "id_reused":
            raise PermanentError(
                "id_reused",
                "another request was answered under this id, and its answer must stand",
                cure="send the request under an id of its own, and drop the letter",
            )
        record = self.sources.original(letter)
        version = self._next_version(request_id, self.sources.newest(request_id))
        headers = redrive_header(version) | attempt_header(letter.attempt + 1)
        return RedrivePlan([letter], [_again(record, headers)], version)

    def _next_version(self, request_id: str, newest: TranslationResult | None) -> int:
        # Two letters of one request in one run ask for two versions: what they lead to must never be mixed.
        before = newest.version if newest else FIRST_REVISION - 1
        self._asked[request_id] = max(before, self._asked.get(request_id, 0)) + 1
        return self._asked[request_id]

    def _sentences(self, letters: Sequence[DeadLetterSummary]) -> RedrivePlan:
        result = self.sources.newest(_request(letters[0]))
        if result is None:
            raise PermanentError("not_answered", "the request has no answer yet", cure="wait for it, then redrive")
        if result.status == "COMPLETED":
            return RedrivePlan(letters, version=result.version)
        origin = self.sources.original(letters[0])
        attempt = attempt_header(max(letter.attempt for letter in letters) + 1)
        records = batch_records(self._batches(result, letters, origin), origin, self.wire)
        outputs = [replace(record, headers=record.headers | attempt) for record in records]
        return RedrivePlan(letters, outputs, result.version + 1)

    def _batches(
        self, result: TranslationResult, letters: Sequence[DeadLetterSummary], origin: InboundRecord
    ) -> list[SegmentBatch]:
        if result.status == "PARTIAL":
            batch = self.codec.decode(origin.value, SegmentBatch)
            return correction_of(result, self.sources.text_of(result), batch, self.limits, self.now_ms)
        if result.status == "FAILED" and 0 < result.segments == len(result.holes):
            return repetition_of(result, self._origins(result, letters), self.now_ms)
        raise PermanentError(
            "not_correctable",
            f"the request was answered with {result.status} ({result.error_cause})",
            cure="drop its letters; send it again under a new id if it is still wanted",
        )

    def _origins(self, result: TranslationResult, letters: Sequence[DeadLetterSummary]) -> dict[int, SegmentBatch]:
        """The batch of each number, cut as those of the result were."""
        first = {letter.batch_number: letter for letter in reversed(letters)}
        batches = [
            self.codec.decode(self.sources.original(letter).value, SegmentBatch) for letter in first.values()
        ]
        return {
            batch.batch_number: batch for batch in batches if batch.job.pipeline_version == result.pipeline_version
        }


def _again(record: InboundRecord, headers: Headers) -> OutboundRecord:
    return OutboundRecord(record.topic, record.key, record.value, record.headers | headers, record.partition)


def _request(letter: DeadLetterSummary) -> str:
    return letter.request_id or ""
