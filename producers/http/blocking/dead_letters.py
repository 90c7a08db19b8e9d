"""List the open dead letters of a tenant, and send those of a job again. Knows no routes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from producers.http.blocking.waiting_line import WaitingLine
from schemas.errors import FatalError, TransientError
from schemas.ids import JobKey
from stream_apps.redrive.open_dead_letters import DeadLetterFilter, DeadLetterSummary
from stream_apps.redrive.redrive import RedriveReport

_RETRY_AFTER_SECONDS = 5
_REFUSAL = "too many read dead letters at the same time"

Redrive = Callable[[DeadLetterFilter], RedriveReport]


class DeadLetters(Protocol):
    """Works on open dead letters. Raises TransientError, and OverloadedError while many wait."""

    async def open_of(self, wanted: DeadLetterFilter) -> Sequence[DeadLetterSummary]:
        """Return those that are wanted, the oldest first."""

    async def redrive(self, key: JobKey) -> RedriveReport:
        """Send again what failed of a job, and close its dead letters."""


class NoDeadLetters:
    """Stands in where no Kafka is read: nothing ever failed."""

    async def open_of(self, wanted: DeadLetterFilter) -> Sequence[DeadLetterSummary]:
        del wanted
        return ()

    async def redrive(self, key: JobKey) -> RedriveReport:
        del key
        return RedriveReport()


@dataclass
class KafkaDeadLetters:
    """Reads the whole topic on a thread, for one caller at a time. For one event loop.

    `oldest` and `redrive_all` are those of stream_apps.redrive.redrive.DeadLetterAdmin. `most_waiting` callers are
    in line at a time.
    """

    oldest: Callable[[DeadLetterFilter], Sequence[DeadLetterSummary]]
    redrive_all: Redrive
    most_waiting: int = 10
    _line: WaitingLine = field(init=False)

    def __post_init__(self) -> None:
        self._line = WaitingLine(1, self.most_waiting, _REFUSAL)

    async def open_of(self, wanted: DeadLetterFilter) -> Sequence[DeadLetterSummary]:
        return await self._line.run(self.oldest, wanted)

    async def redrive(self, key: JobKey) -> RedriveReport:
        wanted = DeadLetterFilter(tenant=key.tenant, request=key.request_id)
        try:
            return await self._line.run(self.redrive_all, wanted)
        except FatalError as error:
            # Its producer is of no use any more; this process has others.
            raise TransientError(f"another redrive came in between: {error}", _RETRY_AFTER_SECONDS) from error
