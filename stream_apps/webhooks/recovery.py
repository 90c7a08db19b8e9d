"""Note the deliveries anew after the state Redis was lost (docs/decisions/0008): from the results themselves.

A mark in the state says for which epoch it holds all deliveries of the time in which they are tried. Where it is
missing, or the epoch is new, the results of that time are read again, and only then is it set. Deliveries that the
state still knows stay as they are; those that it lost are made again, with the same ids.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from math import inf
from typing import Protocol

import structlog

from schemas.records import InboundRecord

log = structlog.get_logger()

_TAKE_RECORDS, _TAKE_SECONDS = 500, 0.5
_CHECK_SECONDS = 1.0


class ResultLog(Protocol):
    """The committed results up to the end of the log at opening (connectors.kafka.partition_reader.LogScan)."""

    @property
    def is_done(self) -> bool: ...
    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]: ...
    def close(self) -> None: ...


class Mark(Protocol):
    """Whether the state is complete (connectors.redis.deliveries). Raises TransientError."""

    def is_complete(self) -> bool:
        """Tell whether the mark is there."""

    def set_complete(self) -> None:
        """Set it."""


@dataclass
class DeliveryRecovery:
    """For one thread. `note` notes the deliveries of records; `open_log` gets the milliseconds to begin at."""

    mark: Mark
    note: Callable[[Sequence[InboundRecord]], int]
    open_log: Callable[[int], ResultLog]
    window_ms: int
    now_ms: Callable[[], int]
    on_progress: Callable[[], object] = lambda: None
    clock: Callable[[], float] = time.monotonic
    _checked_at: float = field(default=-inf, init=False)

    def ensure(self) -> None:
        """Return when the state is complete; looks once a second. Blocks while results are read.

        Raises TransientError: then it begins anew with the next call.
        """
        if self.clock() - self._checked_at < _CHECK_SECONDS:
            return
        if not self.mark.is_complete():
            self._restore()
            self.mark.set_complete()
        self._checked_at = self.clock()

    def _restore(self) -> None:
        noted = 0
        with closing(self.open_log(self.now_ms() - self.window_ms)) as results:
            while not results.is_done:
                noted += self.note(results.take(_TAKE_RECORDS, _TAKE_SECONDS))
                self.on_progress()
        log.info("deliveries_restored", deliveries=noted)
