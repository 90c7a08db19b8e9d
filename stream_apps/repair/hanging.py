"""Abort transactions that Kafka has forgotten: readers of committed records would wait behind them for ever.

A killed broker can come back with a transaction open in a partition although its coordinator has ended it, because
the end never reached the partition. A coordinator adds a partition to a transaction before the first record is
written, and forgets it after the end marker is. So a transaction will never end if

1. it is open in a partition for a while, so that readers of committed records stand still,
2. its coordinator says that it knows no such transaction,
3. and it is still open after that answer.

Aborting it is safe: nobody ever sees its records, and a request that lost its answer with it is sent again
(reconcile.py).
"""

import time
from collections.abc import Callable, Collection
from typing import Protocol

import structlog

from connectors.kafka.open_transactions import HeldUp, OpenTransaction
from connectors.telemetry import metrics

log = structlog.get_logger()


class Transactions(Protocol):
    """What Kafka knows of transactions (connectors.kafka.open_transactions). Calls raise TransientError."""

    def held_up(self) -> set[HeldUp]:
        """Return where readers of the platform's topics wait for the end of a transaction."""

    def open(self, partitions: Collection[tuple[str, int]]) -> set[OpenTransaction]:
        """Return all that are open in these partitions."""

    def unknown(self, transactions: Collection[OpenTransaction]) -> set[OpenTransaction]:
        """Return those that no coordinator knows."""

    def abort(self, transaction: OpenTransaction) -> None:
        """Abort it; nobody ever sees its records."""


class HangingTransactions:
    """Finds and aborts them once they are open for `open_seconds`. `clock` counts seconds. Not thread-safe."""

    def __init__(
        self, transactions: Transactions, open_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._transactions = transactions
        self._open_seconds = open_seconds
        self._clock = clock
        self._waits_since: dict[HeldUp, float] = {}
        self._first_seen_at: dict[OpenTransaction, float] = {}

    def turn(self) -> None:
        """Look once, and abort what hangs. Blocks while Kafka answers.

        Raises TransientError; the next call goes on from there.
        """
        old = self._open_for_long(self._clock())
        if not old or not (unknown := self._transactions.unknown(old)):
            return
        # Step 3: the end may have arrived while the coordinator was asked.
        for one in unknown & self._transactions.open({one.position[:2] for one in unknown}):
            self._transactions.abort(one)
            metrics.REPAIR_HANGING_TRANSACTIONS.inc()
            log.warning("hanging_transaction_ended", **vars(one))

    def _open_for_long(self, now: float) -> set[OpenTransaction]:
        """Look into the partitions whose readers wait where they waited at the last look."""
        held_up = self._transactions.held_up()
        waited = {one: since for one, since in self._waits_since.items() if one in held_up}
        self._waits_since = {one: waited.get(one, now) for one in held_up}
        found = self._transactions.open({one[:2] for one in waited}) if waited else set()
        self._first_seen_at = {one: self._first_seen_at.get(one, waited.get(one.position, now)) for one in found}
        return {one for one, seen_at in self._first_seen_at.items() if now - seen_at >= self._open_seconds}
