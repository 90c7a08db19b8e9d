"""Decide when requests and results are compared, and how far back.

Normally seldom, not far back, and only what is new is read (following.py). After a loss of the state Redis at
once, far back, and often, until everything that was stored before the loss is answered.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from connectors.redis.state_epoch import StateIdentity
from stream_apps.repair.reconcile import OnReadProgress, ReconcileReport

log = structlog.get_logger()

# The rest after a comparison, as a multiple of its time, so that a long one does not keep Kafka busy for ever.
_REST_PER_WORK = 4


Compare = Callable[[int, OnReadProgress], ReconcileReport]
"""Compares what was stored since that time, in milliseconds since the epoch."""


class State(Protocol):
    """The identity of the state Redis (connectors.redis.state_epoch.StateEpoch). Calls raise TransientError."""

    def look(self) -> StateIdentity:
        """Return the identity as it is now."""

    def repaired(self) -> str:
        """Return the epoch whose losses are repaired."""

    def set_repaired(self, epoch: str) -> None:
        """Remember, in the state itself, that the losses before this epoch are repaired."""


@dataclass(frozen=True)
class ComparisonIntervals:
    """Seconds between two comparisons, and milliseconds that they look back."""

    every_seconds: float
    every_seconds_after_loss: float
    window_ms: int
    window_after_loss_ms: int


@dataclass
class Schedule:
    """Call `turn` again and again. `now_ms`: milliseconds since the epoch. Not thread-safe.

    A loss is repaired when everything that was stored before it was noticed is answered. The state itself keeps
    the repaired epoch, so a restart of this process neither forgets a loss nor sees one where there is none.
    """

    state: State
    follow: Compare
    reconcile: Compare
    intervals: ComparisonIntervals
    now_ms: Callable[[], int]
    on_progress: OnReadProgress
    _next_ms: int = field(default=0, init=False)
    _loss_seen_ms: int | None = field(default=None, init=False)
    _since_ms: int = field(default=0, init=False)
    _lost_epoch: str | None = field(default=None, init=False)
    _repaired: str | None = field(default=None, init=False)

    def turn(self) -> ReconcileReport | None:
        """Compare if it is time to, and return the report. Blocks while it compares. Raises TransientError."""
        now_ms, found = self.now_ms(), self.state.look()
        is_whole = found.is_sound and self._is_repaired(found.epoch)
        if not is_whole and found.epoch != self._lost_epoch:
            self._note_loss(found, now_ms)
        if now_ms < self._next_ms:
            return None
        report = self._compare(now_ms)
        if self._loss_seen_ms is not None:
            self._check_repaired(found, report)
        return report

    def _is_repaired(self, epoch: str) -> bool:
        # What was lost before an epoch is repaired once, so a repaired one is not asked for again.
        if epoch != self._repaired:
            self._repaired = self.state.repaired()
        return epoch == self._repaired

    def _note_loss(self, found: StateIdentity, now_ms: int) -> None:
        """Begin to repair: the state is gone or was rebuilt, so whatever was stored until now may be lost."""
        log.warning("state_loss_seen", epoch=found.epoch)
        if self._loss_seen_ms is None:
            self._since_ms = now_ms - self.intervals.window_after_loss_ms
        self._loss_seen_ms, self._lost_epoch, self._next_ms = now_ms, found.epoch, 0

    def _compare(self, now_ms: int) -> ReconcileReport:
        is_lost = self._loss_seen_ms is not None
        since_ms = self._since_ms if is_lost else now_ms - self.intervals.window_ms
        report = (self.reconcile if is_lost else self.follow)(since_ms, self.on_progress)
        rest_ms = (self.intervals.every_seconds_after_loss if is_lost else self.intervals.every_seconds) * 1000
        ended_ms = self.now_ms()
        self._next_ms = ended_ms + round(max(rest_ms, _REST_PER_WORK * (ended_ms - now_ms)))
        return report

    def _check_repaired(self, found: StateIdentity, report: ReconcileReport) -> None:
        oldest_ms, loss_seen_ms = report.oldest_open_ms, self._loss_seen_ms or 0
        if oldest_ms is not None and oldest_ms <= loss_seen_ms:
            # Everything before the oldest open request is answered, so the next comparison begins there.
            self._since_ms = oldest_ms
            return
        if found.is_sound:
            self.state.set_repaired(found.epoch)
            log.warning("state_loss_repaired", seconds=(self.now_ms() - loss_seen_ms) / 1000, epoch=found.epoch)
            self._loss_seen_ms = self._lost_epoch = None
