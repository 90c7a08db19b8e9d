"""When requests and results are compared, and how far back: often and far after a loss, else seldom and near."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from connectors.redis.state_epoch import StateIdentity
from stream_apps.repair.reconcile import OnReadProgress, ReconcileReport

log = structlog.get_logger()

# A comparison that takes long must not keep the process, and Kafka, busy with nothing else.
_REST_PER_WORK = 4


class State(Protocol):
    """What is asked of connectors.redis.state_epoch.StateEpoch."""

    def look(self) -> StateIdentity: ...
    def repaired(self) -> str: ...
    def set_repaired(self, epoch: str) -> None: ...


@dataclass(frozen=True)
class Rhythm:
    """Seconds between comparisons, milliseconds that they look back."""

    every_seconds: float
    every_seconds_after_loss: float
    window_ms: int
    window_after_loss_ms: int


@dataclass
class Schedule:
    """`turn` again and again. `now_ms`: milliseconds since the epoch.

    A loss is over when everything that was stored before it was noticed is answered; that is remembered in the
    state itself, so a restart of this process neither forgets a loss nor imagines one.
    """

    state: State
    reconcile: Callable[[int, OnReadProgress], ReconcileReport]
    rhythm: Rhythm
    now_ms: Callable[[], int]
    on_progress: OnReadProgress
    _next_ms: int = field(default=0, init=False)
    _lost_ms: int | None = field(default=None, init=False)
    _since_ms: int = field(default=0, init=False)
    _seen_epoch: str | None = field(default=None, init=False)

    def turn(self) -> ReconcileReport | None:
        """Compares when it is time to. Raises TransientError."""
        now_ms, found = self.now_ms(), self.state.look()
        is_whole = found.is_sound and found.epoch == self.state.repaired()
        if not is_whole and found.epoch != self._seen_epoch:
            self._note_loss(found, now_ms)
        if now_ms < self._next_ms:
            return None
        report = self._compare(now_ms)
        if self._lost_ms is not None:
            self._judge_loss(found, report)
        return report

    def _note_loss(self, found: StateIdentity, now_ms: int) -> None:
        """The state is gone, or was rebuilt; either way, what was stored until now may have been lost with it."""
        log.warning("state_loss_seen", epoch=found.epoch)
        if self._lost_ms is None:
            self._since_ms = now_ms - self.rhythm.window_after_loss_ms
        self._lost_ms, self._seen_epoch, self._next_ms = now_ms, found.epoch, 0

    def _compare(self, now_ms: int) -> ReconcileReport:
        is_lost = self._lost_ms is not None
        since_ms = self._since_ms if is_lost else now_ms - self.rhythm.window_ms
        report = self.reconcile(since_ms, self.on_progress)
        rest_ms = (self.rhythm.every_seconds_after_loss if is_lost else self.rhythm.every_seconds) * 1000
        ended_ms = self.now_ms()
        self._next_ms = ended_ms + round(max(rest_ms, _REST_PER_WORK * (ended_ms - now_ms)))
        return report

    def _judge_loss(self, found: StateIdentity, report: ReconcileReport) -> None:
        oldest_ms, lost_ms = report.oldest_open_ms, self._lost_ms or 0
        if oldest_ms is not None and oldest_ms <= lost_ms:
            # What lies before it is answered for good.
            self._since_ms = oldest_ms
            return
        if found.is_sound:
            self.state.set_repaired(found.epoch)
            log.warning("state_loss_repaired", seconds=(self.now_ms() - lost_ms) / 1000, epoch=found.epoch)
            self._lost_ms = self._seen_epoch = None
