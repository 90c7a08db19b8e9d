"""Write outputs and input offsets in one Kafka transaction: readers see all of a cycle or nothing."""

import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from connectors.kafka.client_config import transactional_config
from connectors.kafka.errors import failure_of
from connectors.kafka.group_reader import GroupReader, OffsetClaim
from connectors.kafka.producer import produce
from connectors.kafka.settings import KafkaSettings
from schemas.errors import FATAL_EXIT_CODE, DragomanError, FatalError, TransientError
from schemas.records import OutboundRecord, StoredAt

log = structlog.get_logger()

_FLUSH_SECONDS = 30.0
# Nothing can interrupt it, so less than the time that a process has to stop (stream_apps/runtime/process.py).
_START_SECONDS = 20.0
# For a call to a coordinator. It takes milliseconds unless the coordinator is away. Then librdkafka (2.16) may
# forget the time-out and never return, and the process must end while the broker starts, to be back when it is:
# a writer that hangs with an open transaction holds up the readers of all others.
_CALL_SECONDS = 7.0
_STUCK_SECONDS = _CALL_SECONDS + 1.0
_TICK_SECONDS = 0.5
_QUEUE_WAIT_SECONDS, _QUEUE_WAITS = 0.1, 300


class TransactionalProducer:
    """For one thread. Opening one fences any other process with the same transactional id."""

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
    ) -> list[StoredAt]:
        """Write the outputs and commit the offsets of the readers, as one; return where each output is stored.

        1. collect the claims of the readers  2. begin  3. produce  4. add the offsets of every reader, while the
        outputs are on their way  5. call `confirm` once Kafka has stored the outputs  6. commit.
        Raises TransientError after an abort, also if `confirm` raises one: nothing was written, and the caller
        must rewind the readers. Raises FatalError if this process was fenced.
        """
        claims = [claim for reader in readers if (claim := reader.claim())]
        try:
            places = self._write(outputs, claims, confirm)
        except (KafkaException, TransientError) as error:
            failure = error if isinstance(error, DragomanError) else failure_of(error)
            if not isinstance(failure, FatalError):
                self.abort()
            raise failure from error
        self._is_open = False
        for reader in readers:
            reader.settle()
        return places

    def abort(self) -> None:
        """Abort an open transaction. Raises FatalError if not even that is possible."""
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
    ) -> list[StoredAt]:
        places = [StoredAt(-1, -1)] * len(outputs)
        self._producer.begin_transaction()
        self._is_open = True
        for number, record in enumerate(outputs):
            self._produce(record, partial(_note_place, places, number))
        for claim in claims:
            _in_time(self._producer.send_offsets_to_transaction, claim.offsets, claim.member)
        if outputs:
            # The commit would flush too, but its time-out is meant for a coordinator's answer, not for megabytes.
            self._flush()
            if confirm:
                confirm()
        self._commit()
        return places

    def _produce(self, record: OutboundRecord, report: Callable[[KafkaError | None, Message], None]) -> None:
        # A full queue empties while Kafka acknowledges.
        for _ in range(_QUEUE_WAITS):
            try:
                produce(self._producer, record, report)
                return
            except BufferError:
                with _reports_called():
                    self._producer.poll(_QUEUE_WAIT_SECONDS)
        raise TransientError(f"Kafka took nothing of a full queue in {_QUEUE_WAITS * _QUEUE_WAIT_SECONDS:g} s")

    def _flush(self) -> None:
        # A failed record makes the commit fail, so only the wait matters here.
        with _reports_called():
            left = self._producer.flush(_FLUSH_SECONDS)
        if left:
            raise TransientError(f"Kafka did not store {left} records within {_FLUSH_SECONDS:g} s")

    def _commit(self) -> None:
        try:
            _in_time(self._producer.commit_transaction)
        except KafkaException as error:
            if not error.args[0].retriable():
                raise
            # A time-out leaves the outcome open; committing again is safe and tells.
            _in_time(self._producer.commit_transaction)


class Watchdog:
    """One thread that ends the process when a watched call does not return. Thread-safe.

    It counts ticks and does not compare clocks: time during which the whole process stood still (SIGSTOP, a paused
    machine) counts as one tick at most, and a process that wakes up from that has not hung in its call. While
    nothing is watched the thread sleeps; it starts with the first call.
    """

    def __init__(
        self, exit_process: Callable[[int], object] = os._exit, tick_seconds: float = _TICK_SECONDS
    ) -> None:
        self._exit_process = exit_process
        self._tick_seconds = tick_seconds
        self._lock = threading.Lock()
        self._watched: list[_WatchedCall] = []
        self._has_work = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def watching(self, seconds: float, name: str) -> Iterator[None]:
        """Bound the body to that time, and at most a tick more: then the process ends at once with code 70."""
        # The tick that is running counts as a whole one.
        call = _WatchedCall(name, seconds, math.ceil(seconds / self._tick_seconds) + 1)
        with self._lock:
            self._watched.append(call)
            self._has_work.set()
            self._start()
        try:
            yield
        finally:
            with self._lock:
                self._watched.remove(call)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while self._has_work.wait():
            time.sleep(self._tick_seconds)
            for call in self._tick():
                log.critical("call_never_returned", call=call.name, seconds=call.seconds, code=FATAL_EXIT_CODE)
                self._exit_process(FATAL_EXIT_CODE)

    def _tick(self) -> list["_WatchedCall"]:
        """Count one tick for each call, and return those whose time is up."""
        with self._lock:
            if not self._watched:
                self._has_work.clear()
            for call in self._watched:
                call.ticks_left -= 1
            return [call for call in self._watched if call.ticks_left == 0]


@dataclass(eq=False)
class _WatchedCall:
    name: str
    seconds: float
    ticks_left: int


_watchdog = Watchdog()
ends_process_after = _watchdog.watching
"""Bound a call that may never return. Only for work that a killed process may leave behind at any moment."""


@contextmanager
def _reports_called() -> Iterator[None]:
    """Raise a fatal error as what it is.

    The client (2.16) raises it and calls the delivery reports all the same; Python then takes it for a fault of
    the first of them.
    """
    try:
        yield
    except SystemError as error:
        if isinstance(error.__cause__, KafkaException):
            raise error.__cause__ from None
        raise


def _note_place(places: list[StoredAt], number: int, error: KafkaError | None, message: Message) -> None:
    # A record that failed makes the commit fail.
    if error is None:
        places[number] = StoredAt(message.partition() or 0, message.offset() or 0)


def _in_time(call: Callable[..., object], *arguments: object) -> None:
    """Call with the time-out, and end the process if the call does not keep it (see _CALL_SECONDS)."""
    with ends_process_after(_STUCK_SECONDS, call.__name__):
        call(*arguments, _CALL_SECONDS)
