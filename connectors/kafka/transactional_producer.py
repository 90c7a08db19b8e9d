"""A bound for calls of a client library that do not keep their own time-out.

Outputs and input offsets in one Kafka transaction: all of a cycle is seen, or nothing of it.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog
from confluent_kafka import KafkaException, Producer

from connectors.kafka.client_config import transactional_config
from connectors.kafka.errors import failure_of
from connectors.kafka.group_reader import GroupReader, OffsetClaim
from connectors.kafka.producer import produce
from connectors.kafka.settings import KafkaSettings
from schemas.errors import FATAL_EXIT_CODE, DragomanError, FatalError, TransientError
from schemas.records import OutboundRecord

log = structlog.get_logger()

_SLICES = 16


@contextmanager
def ends_process_after(seconds: float, call: str, leave: Callable[[int], object] = os._exit) -> Iterator[None]:
    """What runs inside returns in time, or the process ends at once with code 70 and is started afresh.

    Only for work that a killed process may leave behind at any moment, as an open transaction.
    """
    has_returned = threading.Event()

    def watch() -> None:
        # In slices: time in which the whole process stood still (SIGSTOP, a paused machine) counts as one of
        # them at most. Who wakes up from that has hung nowhere.
        if not any(has_returned.wait(seconds / _SLICES) for _ in range(_SLICES)):
            log.critical("call_never_returned", call=call, seconds=seconds, code=FATAL_EXIT_CODE)
            leave(FATAL_EXIT_CODE)

    threading.Thread(target=watch, name="deadline", daemon=True).start()
    try:
        yield
    finally:
        has_returned.set()


_FLUSH_SECONDS = 30.0
# Nothing can interrupt it, so less than the stated time to stop (stream_apps/runtime/process.py).
_START_SECONDS = 20.0
# Of a call to a coordinator. It takes milliseconds, unless the coordinator is away: then librdkafka (2.16) may
# forget the time-out and never return, and the process must end while the broker starts, to be back when it is.
# A writer that hangs with an open transaction holds up the readers of everybody else's.
_CALL_SECONDS = 7.0
_STUCK_SECONDS = _CALL_SECONDS + 1.0
_QUEUE_WAIT_SECONDS, _QUEUE_WAITS = 0.1, 300


class TransactionalProducer:
    """Single-threaded. Starting one fences any other process with the same transactional id."""

    def __init__(self, settings: KafkaSettings, transactional_id: str) -> None:
        self._producer = Producer(transactional_config(settings, transactional_id))
        self._is_open = False
        try:
            self._producer.init_transactions(_START_SECONDS)
        except KafkaException as error:
            raise failure_of(error) from error

    def commit(
        self,
        outputs: Sequence[OutboundRecord],
        readers: Sequence[GroupReader],
        confirm: Callable[[], None] | None = None,
    ) -> None:
        """Write the outputs and what the readers took, as one.

        1. what the readers claim  2. begin  3. produce  4. `confirm`, once Kafka has stored the outputs
        5. offsets of every reader  6. commit.
        Raises TransientError after an abort: nothing was written, the caller must rewind the readers. So does
        a TransientError of `confirm`. Raises FatalError when this process was fenced.
        """
        claims = [claim for reader in readers if (claim := reader.claim())]
        try:
            self._write(outputs, claims, confirm)
        except (KafkaException, TransientError) as error:
            failure = error if isinstance(error, DragomanError) else failure_of(error)
            if not isinstance(failure, FatalError):
                self.abort()
            raise failure from error
        self._is_open = False
        for reader in readers:
            reader.settle()

    def abort(self) -> None:
        """Undo what is open. Raises FatalError when not even that is possible."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            _in_time(self._producer.abort_transaction)
        except KafkaException as error:
            raise FatalError(f"the transaction cannot be aborted: {failure_of(error)}") from error

    def _write(
        self,
        outputs: Sequence[OutboundRecord],
        claims: Sequence[OffsetClaim],
        confirm: Callable[[], None] | None = None,
    ) -> None:
        self._producer.begin_transaction()
        self._is_open = True
        for record in outputs:
            self._produce(record)
        if outputs:
            # The commit would do so too, but its time is measured for a coordinator's answer, not for megabytes.
            self._flush()
            if confirm:
                confirm()
        for claim in claims:
            _in_time(self._producer.send_offsets_to_transaction, claim.offsets, claim.member)
        self._commit()

    def _produce(self, record: OutboundRecord) -> None:
        # A full queue empties as Kafka acknowledges.
        for _ in range(_QUEUE_WAITS):
            try:
                produce(self._producer, record)
                return
            except BufferError:
                self._producer.poll(_QUEUE_WAIT_SECONDS)
        raise TransientError(f"Kafka took nothing of a full queue in {_QUEUE_WAITS * _QUEUE_WAIT_SECONDS:g} s")

    def _flush(self) -> None:
        # A record that failed makes the commit fail, so only the wait matters here.
        if left := self._producer.flush(_FLUSH_SECONDS):
            raise TransientError(f"Kafka did not store {left} records within {_FLUSH_SECONDS:g} s")

    def _commit(self) -> None:
        try:
            _in_time(self._producer.commit_transaction)
        except KafkaException as error:
            if not error.args[0].retriable():
                raise
            # A time-out leaves the outcome open; only asking again tells, and that is safe.
            _in_time(self._producer.commit_transaction)


def _in_time(call: Callable[..., object], *arguments: object) -> None:
    """The last argument of these calls is their time-out; see above why that is not enough."""
    with ends_process_after(_STUCK_SECONDS, call.__name__):
        call(*arguments, _CALL_SECONDS)
