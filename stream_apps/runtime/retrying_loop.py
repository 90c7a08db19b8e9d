"""Turn again and again until the process is to stop: the one loop in which failures are caught.

TransientError: nothing was committed that was not finished. The loop waits, rewinds and lets the same records come
    again, for as long as it takes (docs/retries.md). A signal ends the wait; the next process takes them.
FatalError: the loop ends, the process exits and is restarted.
PermanentError: never arrives here; bad input becomes a dead letter, which is an output like any other.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import structlog

from connectors.telemetry.metrics import CYCLES_RETRIED
from schemas.errors import FatalError, TransientError
from stream_apps.runtime.retry import RetryPolicy

log = structlog.get_logger()

# The first pause is what the error itself asks for.
_RETRY = RetryPolicy(first_seconds=0.0)
_REWIND_ATTEMPTS = 10
# After a rewind the records are fetched anew. Until they arrive, turns are idle and say nothing about whether
# the records can be processed now; only so many of them in a row mean that there is nothing to do.
_IDLE_TURNS = 5


class Turn(Enum):
    """What a turn came to: something is finished for good, nothing to do, or neither."""

    DONE = "done"
    IDLE = "idle"
    UNDER_WAY = "under_way"


@dataclass(frozen=True)
class RetryingLoop:
    """The loop of one process. `stage` names it in metrics; `rewind` makes everything unfinished come again.

    `sleep` gets seconds and should return early when the process is to stop. `on_waiting` gets the reason before
    each pause; `on_working` is called after each turn that finished something, and once there is nothing to do.
    """

    stage: str
    turn: Callable[[], Turn]
    rewind: Callable[[], None]
    should_stop: Callable[[], bool]
    sleep: Callable[[float], object] = time.sleep
    on_waiting: Callable[[str], None] = lambda _reason: None
    on_working: Callable[[], None] = lambda: None
    idle_turns: int = _IDLE_TURNS

    def run(self) -> None:
        """Turn until `should_stop`, which is asked between two turns. Blocks. Raises FatalError."""
        failures = idle = 0
        while not self.should_stop():
            try:
                turn = self.turn()
            except TransientError as error:
                failures, idle = self._recover(error, failures + 1), 0
                continue
            idle = idle + 1 if turn is Turn.IDLE else 0
            if turn is Turn.DONE or idle == self.idle_turns:
                failures = 0
                self.on_working()

    def _recover(self, error: TransientError, failures: int) -> int:
        """Wait and rewind; return the failures in a row so far, early when the process is to stop.

        Raises FatalError when nothing can be rewound: a rewind asks no other process, so waiting longer would not
        help.
        """
        CYCLES_RETRIED.labels(self.stage).inc()
        for _ in range(_REWIND_ATTEMPTS):
            pause = _RETRY.pause_seconds(failures, random.random(), error.retry_after_seconds)
            log.warning("cycle_retried", error=str(error), failures=failures, pause_seconds=round(pause, 3))
            self.on_waiting(str(error))
            self.sleep(pause)
            if self.should_stop():
                return failures
            try:
                self.rewind()
            except TransientError as not_rewound:
                error, failures = not_rewound, failures + 1
            else:
                return failures
        raise FatalError(f"the readers cannot be rewound: {error}") from error
