"""Ends transactions that Kafka has forgotten: readers of committed records would wait behind them for ever.

A broker that is killed can come back with a transaction open in a partition of which its coordinator knows
nothing: it was ended there, and the end never reached the partition. A coordinator adds a partition to a
transaction before the first record is written and forgets it after the end is, so a transaction that is open
before and after its coordinator says that it knows none will never end. Aborting is safe: nobody sees what was in
it, and a request that has no answer for it is sent again (reconcile.py).
"""

import threading
import time
from collections.abc import Callable, Collection
from typing import Protocol

import structlog

from connectors.kafka.open_transactions import OpenTransaction
from connectors.telemetry import metrics
from schemas.errors import TransientError
from stream_apps.runtime.process import Shutdown

log = structlog.get_logger()


class Transactions(Protocol):
    """Kafka's word (connectors.kafka.open_transactions). Each call raises TransientError."""

    def open(self) -> set[OpenTransaction]:
        """All that are open in the platform's topics."""

    def unknown(self, transactions: Collection[OpenTransaction]) -> set[OpenTransaction]:
        """Those that no coordinator knows."""

    def abort(self, transaction: OpenTransaction) -> None:
        """What is in it is never seen."""


class HangingTransactions:
    """Not thread-safe. A transaction is judged once it is open for `patience_seconds`."""

    def __init__(
        self, transactions: Transactions, open_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._transactions = transactions
        self._open_seconds = open_seconds
        self._clock = clock
        self._seen_at: dict[OpenTransaction, float] = {}

    def turn(self) -> None:
        """One look. Raises TransientError; the next one begins where this one ended."""
        now = self._clock()
        self._seen_at = {one: self._seen_at.get(one, now) for one in self._transactions.open()}
        old = {one for one, seen_at in self._seen_at.items() if now - seen_at >= self._open_seconds}
        if not old or not (unknown := self._transactions.unknown(old)):
            return
        # Asked once more: its end may have come while the coordinator was asked.
        for one in unknown & self._transactions.open():
            self._transactions.abort(one)
            metrics.REPAIR_HANGING_TRANSACTIONS.inc()
            log.warning("hanging_transaction_ended", **vars(one))


def watch_transactions(
    hanging: HangingTransactions, every_seconds: float, is_acting: threading.Event, shutdown: Shutdown
) -> None:
    """Looks while this instance acts, until the process is to stop."""
    while not shutdown.wait(every_seconds):
        try:
            if is_acting.is_set():
                hanging.turn()
        except TransientError as error:
            log.warning("hanging_transactions_not_sought", error=str(error))
