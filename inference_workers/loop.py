"""Work through batches part by part: deliver at least once, and let urgent work wait for no more than one part.

One turn:

1. Once a second: send the usage of the second, remember what was learnt, keep the memberships.
2. Hear which records have everything that they led to stored, and commit up to the first that has not.
3. Choose the lane that is next, and take from it if nothing of it is in hand.
4. Give the engine one part of it, and send the batches that the oldest part has finished. An engine that goes text
   by text ends its part where more urgent work waits.

A record is passed by a commit only when its outputs and its usage are acknowledged. Everything else may happen
twice, which is harmless: docs/decisions/0023-workers-deliver-at-least-once.md.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from connectors.kafka.commit_tracker import Ticket
from connectors.kafka.lane_reader import LaneReader
from inference_workers.handler import BatchHandler, OpenedRecords
from inference_workers.outbox import Outbox
from inference_workers.part_runner import PartRunner
from inference_workers.priority_source import Next, PrioritySource
from inference_workers.workload import Part, PartResult
from schemas.errors import TransientError
from schemas.lanes import Lane
from stream_apps.runtime.retrying_loop import Turn

log = structlog.get_logger()

_SECOND = 1.0
# A usage record is acknowledged a moment after each full second, and the commit must not wait for the next one.
_COMMIT_SECONDS = 0.9
# When partitions are given up, their next owner waits meanwhile.
_RELEASE_SECONDS = 1.0
_FULL_WAIT_SECONDS = 0.01
# A producer that hears nothing for so long may have lost its brokers for good.
_SILENT_SECONDS = 5.0


@dataclass
class WorkerLoop:
    """For one thread; call `turn` again and again (stream_apps/runtime/retrying_loop.py), and `stop` at the end.

    Work that was in hand for more than `longest_held_seconds` is dropped and taken again: no repeat may come so
    late that the marker of its request is gone. Nothing is taken while more than `most_unacknowledged_bytes` are
    on their way. `check_connection` raises FatalError when the producer can never reach Kafka
    again.
    """

    source: PrioritySource[LaneReader]
    handler: BatchHandler
    outbox: Outbox
    longest_held_seconds: float
    most_unacknowledged_bytes: int = 8_000_000
    check_connection: Callable[[], object] = lambda: None
    clock: Callable[[], float] = time.monotonic
    # Of each lane the oldest first. One is in hand while something of it is left to submit. What comes back from
    # the engine unfinished is first in its own lane: a long request never passes a short one because of it.
    _hands: dict[Lane, list[OpenedRecords]] = field(default_factory=dict, init=False)
    runner: PartRunner[tuple[Lane, OpenedRecords]] = field(init=False)
    _served: Lane = field(default=Lane.CRITICAL, init=False)
    _next_second_at: float = field(default=0.0, init=False)
    _commit_at: float = field(default=0.0, init=False)
    _check_at: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.runner = PartRunner(self._run, self.handler.segments.clock)
        for reader in self.source.readers:
            reader.before_release = self.settle_within_a_second

    def turn(self) -> Turn:
        """Do the four steps. Raises TransientError, after which `rewind`, or FatalError."""
        self._keep_time()
        is_done = self._hear()
        self._commit()
        self.outbox.check()
        found = None if self._is_full() else self.source.next(self._hands.keys())
        if found is not None:
            self._work(found)
        else:
            self._finish_parts()
        if is_done:
            return Turn.DONE
        return Turn.IDLE if found is None and self.outbox.is_empty else Turn.UNDER_WAY

    def rewind(self) -> None:
        """Drop everything in hand; it comes again. Raises TransientError."""
        self.outbox.restart()
        self.source.restart()
        self.runner.restart()
        self._hands.clear()
        for reader in self.source.readers:
            reader.rewind()

    def settle_within_a_second(self) -> None:
        """Wait for what is on its way, for a second at most, so that it can be committed. Never raises."""
        self.outbox.send_usage(self.handler.usage_records())
        self.outbox.wait(_RELEASE_SECONDS)
        self._hear()

    def stop(self) -> None:
        """Commit what can be committed. What is in hand and not finished is left to others."""
        self._finish_parts()
        self.runner.close()
        self.handler.segments.remember()
        self.settle_within_a_second()
        # A reader that cannot go on has nothing to commit either.
        with suppress(TransientError):
            self.source.recall()
        for reader in self.source.readers:
            reader.commit_now()

    def _keep_time(self) -> None:
        now = self.clock()
        if now < self._next_second_at:
            return
        self._next_second_at = now + _SECOND
        self.outbox.send_usage(self.handler.usage_records())
        self.handler.segments.remember()
        self.source.keep_memberships()
        self._check_age(max((one.held_seconds() for one in self.source.at_hand), default=0.0))
        if self.outbox.silent_seconds > _SILENT_SECONDS and now >= self._check_at:
            self._check_at = now + _SILENT_SECONDS
            self.check_connection()

    def _hear(self) -> bool:
        """Note what is acknowledged, and tell whether anything was."""
        tickets = self.outbox.acknowledged()
        for ticket in tickets:
            self.source.reader_of(ticket.topic).tracker.finished(ticket)
        return bool(tickets)

    def _commit(self) -> None:
        if self.clock() >= self._commit_at:
            # Every reader is asked, whatever the one before it had to commit.
            has_asked = [reader.commit() for reader in self.source.at_hand]
            if any(has_asked):
                self._commit_at = self.clock() + _COMMIT_SECONDS

    def _is_full(self) -> bool:
        is_full = self.outbox.unacknowledged_bytes > self.most_unacknowledged_bytes
        if is_full:
            self.outbox.wait(_FULL_WAIT_SECONDS)
        return is_full

    def _work(self, found: Next) -> None:
        if found.taken:
            opened = self.handler.open([one for one in found.taken if self._holds(one.ticket)])
            for ended in opened.ended:
                self.outbox.send(ended.ticket, ended.outputs, has_usage=False)
            self._send_finished(opened)
            self._keep(found.lane, opened)
        else:
            self._translate(found.lane)

    def _translate(self, lane: Lane) -> None:
        hand, self._served = self._hands[lane][0], lane
        for taken, batch in zip(hand.records, hand.workload.batches, strict=True):
            batch.is_wanted = self._holds(taken.ticket)
        part = self.handler.segments.next_part(hand.workload, self.runner.context)
        if part is not None:
            self.runner.submit(part, (lane, hand))
        elif hand.workload.lines:
            self._finish_parts()
        # Once nothing of it is left to submit, more may be taken while its last part is under way.
        self._keep(lane, hand)
        if self.runner.is_full:
            self._finish_part()
        # What was refused has become holes without the engine.
        self._send_finished(hand)

    def _run(self, part: Part) -> PartResult:
        # Another thread must not ask the readers; it runs parts that nothing interrupts.
        is_urgent = self._is_urgent_waiting if part.is_one_by_one else None
        return self.handler.segments.run(part, is_urgent)

    def _is_urgent_waiting(self) -> bool:
        return self.source.has_before(self._served)

    def _finish_parts(self) -> None:
        while not self.runner.is_empty:
            self._finish_part()

    def _finish_part(self) -> None:
        part, (lane, hand), result = self.runner.take()
        self.handler.segments.note(hand.workload, part, result)
        self._keep(lane, hand)
        self.source.spent(lane, part.words)
        self.handler.spans.part_done(part, hand.records, result, self.handler.identity.pool)
        self._send_finished(hand)

    def _keep(self, lane: Lane, hand: OpenedRecords) -> None:
        """Have it in hand if something of it is left to submit: texts may come back from the engine unfinished."""
        others = [one for one in self._hands.pop(lane, []) if one is not hand]
        hands = [hand, *others] if hand.workload.lines else others
        if hands:
            self._hands[lane] = hands

    def _send_finished(self, hand: OpenedRecords) -> None:
        for index in hand.workload.finished():
            record, ticket = hand.records[index]
            if self._holds(ticket):
                self._check_age(self.source.reader_of(ticket.topic).age_of(ticket))
                outputs = self.handler.outputs(record, hand.workload.batches[index])
                self.outbox.send(ticket, outputs, has_usage=True)

    def _holds(self, ticket: Ticket) -> bool:
        return self.source.reader_of(ticket.topic).tracker.holds(ticket)

    def _check_age(self, held_seconds: float) -> None:
        if held_seconds > self.longest_held_seconds:
            raise TransientError(f"work was in hand for {held_seconds:.0f} s, which is too long", 0.0)
