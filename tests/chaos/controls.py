"""Break worker and assembly on purpose, to see that the verdict notices: `... CONTROL MODULE`.

Assembly's outputs and offsets are committed in one transaction; a control takes it apart. A worker commits up to
the first record whose outputs are not stored; a control makes it commit more.
"""

import asyncio
import runpy
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import wraps
from itertools import count
from typing import Any

from connectors.kafka.commit_tracker import CommitTracker, Partition, Ticket
from connectors.kafka.committing_reader import CommittingReader, TakenRecord
from connectors.redis.slots import RedisSlots
from inference_workers.outbox import Outbox
from schemas.messages import SegmentBatch
from schemas.records import InboundRecord, OutboundRecord, StoredAt
from schemas.slots import AnswerOrder, Arrival, SlotDecision, Verdict
from stream_apps.assembly import handler
from stream_apps.assembly.erasing import Erasure, erasures
from stream_apps.pipeline.deadline_policy import SkipPolicy
from stream_apps.runtime.event_processor import EventProcessor
from stream_apps.runtime.retrying_loop import Turn
from stream_apps.runtime.transactional_processor import TransactionalProcessor

WORKER, ASSEMBLY = "inference_workers.main", "stream_apps.assembly.main"
INTAKE = "stream_apps.intake.main"

# Long enough that a kill falls into it now and then.
_GAP_SECONDS = 0.3
# A worker takes record by record.
_TAKE_GAP_SECONDS = 0.1
# Long enough that later records of the same partition are finished and committed meanwhile.
_LATE_SECONDS = 6.0
_LATE_EVERY = 3


class Control(StrEnum):
    """What is broken; the comment says what must be noticed."""

    COMMIT_BEFORE_SEND = "commit-before-send"  # at most once: lost
    SEND_BEFORE_COMMIT = "send-before-commit"  # at least once without slots: duplicates
    COMMIT_PAST_HOLE = "commit-past-hole"  # a hole that nobody fills: lost
    NO_COMPLETER = "no-completer"  # every record of an only batch answers: duplicates
    MARK_FIRST = "mark-first"  # a request counts as seen before its batches are stored: lost
    ERASE_OPEN_ONLY = "erase-open-only"  # what is answered already keeps its text: unerased


def commit_before_send(cycle: TransactionalProcessor) -> Turn:
    """Commit the offsets first: a process that dies before it sends the outputs loses them."""
    if records := cycle.source.take():
        cycle.producer.commit([], cycle.source.readers)
        outputs = cycle.handler.handle(records)
        time.sleep(_GAP_SECONDS)
        cycle.handler.committed(cycle.producer.commit(outputs, []))
    return Turn.DONE if records else Turn.IDLE


def send_before_commit(cycle: TransactionalProcessor) -> Turn:
    """Send the outputs first: a process that dies before it commits the offsets sends them again."""
    if records := cycle.source.take():
        places = cycle.producer.commit(cycle.handler.handle(records), [])
        time.sleep(_GAP_SECONDS)
        cycle.producer.commit([], cycle.source.readers)
        cycle.handler.committed(places)
    return Turn.DONE if records else Turn.IDLE


def commit_what_is_taken() -> None:
    """Make a worker's reader commit what it takes at once: a worker that dies before it sends loses that."""
    take = CommittingReader.take

    @wraps(take)
    def commits(reader: CommittingReader, limit: int, timeout_seconds: float) -> list[TakenRecord]:
        taken = take(reader, limit, timeout_seconds)
        for one in taken:
            reader.tracker.finished(one.ticket)
        reader.commit_now()
        if taken:
            time.sleep(_TAKE_GAP_SECONDS)
        return taken

    CommittingReader.take = commits  # type: ignore[method-assign, assignment]  # broken


def commit_past_holes() -> None:
    """Make a worker commit behind the last finished record, whatever is missing before it.

    Some outputs are late, as they are when Kafka acknowledges out of order. With the right tracker that loses
    nothing.
    """
    send_some_late()
    finished = CommitTracker.finished
    passed: dict[Partition, int] = {}

    def forgets(tracker: CommitTracker, ticket: Ticket) -> None:
        finished(tracker, ticket)
        if tracker.holds(ticket):
            partition = (ticket.topic, ticket.partition)
            passed[partition] = max(passed.get(partition, 0), ticket.offset + 1)

    def due(tracker: CommitTracker) -> Mapping[Partition, int]:
        return {
            partition: max(hand.position, passed.get(partition, 0)) for partition, hand in tracker._hands.items()
        }

    CommitTracker.finished = forgets  # type: ignore[method-assign, assignment]  # broken
    CommitTracker.due = due  # type: ignore[method-assign, assignment]  # broken


def send_some_late() -> None:
    """Send the outputs of every third record some seconds late, on another thread."""
    send, number = Outbox.send, count()

    @wraps(send)
    def late(outbox: Outbox, ticket: Ticket, outputs: Sequence[OutboundRecord], *, has_usage: bool) -> None:
        if next(number) % _LATE_EVERY:
            send(outbox, ticket, outputs, has_usage=has_usage)
        else:
            arguments = {"has_usage": has_usage}
            threading.Timer(_LATE_SECONDS, send, (outbox, ticket, outputs), arguments).start()

    Outbox.send = late  # type: ignore[method-assign, assignment]  # broken


def answer_without_completer() -> None:
    """Make each record of a request of one batch answer it, whoever answered before."""
    decide = RedisSlots.decide

    @wraps(decide)
    def forgets(slots: RedisSlots, entries: Sequence[Arrival | AnswerOrder]) -> list[SlotDecision]:
        return [
            SlotDecision(Verdict.COMPLETE, (entry.payload,))
            if isinstance(entry, Arrival) and entry.batches == 1
            else decision
            for entry, decision in zip(entries, decide(slots, entries), strict=True)
        ]

    RedisSlots.decide = forgets  # type: ignore[method-assign, assignment]  # broken


def skip_nothing() -> None:
    """Make a worker translate what is answered, too; else hardly any copy would reach assembly."""

    def wants_all(_policy: SkipPolicy, batches: Sequence[SegmentBatch], _now_ms: int) -> list[str | None]:
        return [None] * len(batches)

    SkipPolicy.reasons_to_skip = wants_all  # type: ignore[method-assign, assignment]  # broken


def mark_first() -> None:
    """Make intake note a request before its batches are sent: one that dies between the two never sends them."""
    deliver = EventProcessor._deliver

    @wraps(deliver)
    async def marks(
        processor: EventProcessor, records: Sequence[InboundRecord], outputs: Sequence[Sequence[OutboundRecord]]
    ) -> list[Sequence[StoredAt]]:
        await processor._tell(records, [()] * len(records))
        await asyncio.sleep(_GAP_SECONDS)
        return await deliver(processor, records, outputs)

    EventProcessor._deliver = marks  # type: ignore[method-assign, assignment]  # broken


def erase_open_only() -> None:
    """Make assembly erase only what nobody has answered, as if an order came too late for the rest."""

    def some(*arguments: Any) -> Iterator[Erasure]:
        return (one for one in erasures(*arguments) if one.is_answer)

    handler.erasures = some  # type: ignore[assignment, attr-defined]  # broken


def _break_cycle(broken: Callable[[TransactionalProcessor], Turn]) -> Callable[[], None]:
    def patch() -> None:
        TransactionalProcessor._run_cycle = broken  # type: ignore[method-assign, assignment]  # broken

    return patch


_BROKEN: Mapping[tuple[Control, str], Callable[[], None]] = {
    (Control.COMMIT_BEFORE_SEND, WORKER): commit_what_is_taken,
    (Control.COMMIT_BEFORE_SEND, ASSEMBLY): _break_cycle(commit_before_send),
    (Control.SEND_BEFORE_COMMIT, ASSEMBLY): _break_cycle(send_before_commit),
    (Control.COMMIT_PAST_HOLE, WORKER): commit_past_holes,
    (Control.NO_COMPLETER, WORKER): skip_nothing,
    (Control.NO_COMPLETER, ASSEMBLY): answer_without_completer,
    (Control.MARK_FIRST, INTAKE): mark_first,
    (Control.ERASE_OPEN_ONLY, ASSEMBLY): erase_open_only,
}


def is_broken(control: str, module: str) -> bool:
    """Tell whether the control breaks that module."""
    return (control, module) in _BROKEN


def main() -> None:
    """Run the module's main with its part broken."""
    control, module = sys.argv[1:]
    _BROKEN[Control(control), module]()
    runpy.run_module(module, run_name="__main__")


if __name__ == "__main__":
    main()
