"""Erase requests: find their newest answers in the log, and write these again without anything of their texts.

An open request is ended first, as a cancellation ends it. Why no answer comes after its erasure:
docs/decisions/0046.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from schemas.codec import Codec
from schemas.errors import PermanentError, TransientError
from schemas.events import JobControl
from schemas.ids import JobKey
from schemas.messages import Job, TranslatedBatch, TranslationResult, changed
from schemas.records import InboundRecord
from schemas.slots import ErasureDecision, ErasureOrder, Verdict
from stream_apps.assembly.recovery import ResultLog
from stream_apps.pipeline.early_results import early_result, without_text
from stream_apps.pipeline.stores import Slots

_TAKE_RECORDS, _TAKE_SECONDS = 5_000, 0.2
# Longer than the broker leaves a killed writer's transaction open.
_SILENCE_SECONDS = 60.0

Wanted = Mapping[JobKey, ErasureDecision]
OpenLog = Callable[[int | None], ResultLog]
"""Opens the committed results stored since a time (ms; None: all), up to an end that is measured now."""


@dataclass(frozen=True)
class Erasure:
    """A request that is to be erased. `is_answer`: it was open, so this is its answer, which has a bill."""

    record: InboundRecord
    result: TranslationResult
    job: Job
    is_answer: bool


@dataclass(frozen=True)
class LoggedAnswers:
    """Finds the newest answers in the results topic. `clock` counts seconds.

    What is settled is looked for from its time on, until all are found. What may be under way is looked for up to
    an end that is measured after the claim; what nobody remembers, in all that is kept. For an open request that
    nobody was about to answer nothing is read.
    """

    codec: Codec
    open_log: OpenLog
    margin_ms: int = 0
    clock: Callable[[], float] = time.monotonic

    def newest(self, wanted: Wanted) -> dict[JobKey, TranslationResult]:
        """Return the newest committed answers. Blocks while it reads. Raises TransientError."""
        settled = {key: one for key, one in wanted.items() if one.is_settled and one.answered}
        others = {
            key: one for key, one in wanted.items() if not (one.is_settled and (one.answered or one.noted_at))
        }
        return {**self._found(settled, stops=True), **self._found(others)}

    def _since(self, wanted: Wanted) -> int | None:
        times = [one.answered.at_ms if one.answered else one.noted_at for one in wanted.values()]
        return min(times) - self.margin_ms if all(times) else None

    def _found(self, wanted: Wanted, *, stops: bool = False) -> dict[JobKey, TranslationResult]:
        found: dict[JobKey, TranslationResult] = {}
        if not wanted:
            return found
        keys = {key.encode(): key for key in wanted}
        with closing(self.open_log(self._since(wanted))) as results:
            for record in self._records(results):
                key = keys.get(record.key or b"")
                if key is not None and (result := self._read(record)) is not None:
                    found[key] = result
                    if stops and all(one in found and found[one].version >= wanted[one].version for one in wanted):
                        break
        return found

    def _records(self, results: ResultLog) -> Iterator[InboundRecord]:
        last_at = self.clock()
        while not results.is_done:
            if records := results.take(_TAKE_RECORDS, _TAKE_SECONDS):
                yield from records
                last_at = self.clock()
            elif self.clock() - last_at > _SILENCE_SECONDS:
                raise TransientError("Kafka sends nothing of the results")

    def _read(self, record: InboundRecord) -> TranslationResult | None:
        try:
            return self.codec.decode(record.value, TranslationResult) if record.value else None
        except PermanentError:
            return None


Newest = Callable[[Wanted], Mapping[JobKey, TranslationResult]]


def erasures(
    orders: Sequence[tuple[InboundRecord, JobControl]], slots: Slots, newest: Newest, codec: Codec, now_ms: int
) -> Iterator[Erasure]:
    """Claim the requests of these orders, and yield what is to be published of each. Raises TransientError.

    An order for a request that is erased already yields nothing.
    """
    claims = slots.erase([ErasureOrder(order.key, record.coordinates) for record, order in orders])
    claimed = [
        (record, order, decision)
        for (record, order), decision in zip(orders, claims, strict=True)
        if decision.verdict is Verdict.COMPLETE
    ]
    # Behind the claims: what was confirmed before them is in the log by now.
    answers = newest({order.key: decision for _, order, decision in claimed}) if claimed else {}
    for record, order, decision in claimed:
        answer = answers.get(order.key)
        if answer is None:
            job = _header(order, decision, codec)
            yield Erasure(record, without_text(early_result(order, job, now_ms), now_ms), job, is_answer=True)
        elif answer.erased_at is None:
            yield Erasure(record, without_text(answer, now_ms), Job(), is_answer=False)
        else:
            yield Erasure(record, answer, Job(), is_answer=False)


def _header(order: JobControl, decision: ErasureDecision, codec: Codec) -> Job:
    """Return the header of an open request, as the first answer has it."""
    known = codec.decode(decision.slot, TranslatedBatch).job if decision.slot else order.job or Job()
    return changed(known, revision=1)
