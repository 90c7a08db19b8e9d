"""List the open dead letters of a tenant, and send those of a job again. Knows no routes."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from producers.http.blocking.waiting_line import WaitingLine
from schemas.errors import FatalError, TransientError
from schemas.ids import JobKey
from stream_apps.redrive.open_dead_letters import DeadLetterFilter, DeadLetterSummary, OpenDeadLetters
from stream_apps.redrive.redrive import RedriveReport

_MOST_WAITING, _RETRY_AFTER_SECONDS = 10, 5
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

    `read` and `redrive_all` are those of stream_apps.redrive.redrive.DeadLetterAdmin.
    """

    read: Callable[[Callable[[DeadLetterSummary], bool]], OpenDeadLetters]
    redrive_all: Redrive
    _line: WaitingLine = field(default_factory=lambda: WaitingLine(1, _MOST_WAITING, _REFUSAL), init=False)

    async def open_of(self, wanted: DeadLetterFilter) -> Sequence[DeadLetterSummary]:
        async with self._line.turn():
            found = await asyncio.to_thread(self.read, wanted.matches)
        return list(islice(found.oldest_first(), wanted.limit))

    async def redrive(self, key: JobKey) -> RedriveReport:
        wanted = DeadLetterFilter(tenant=key.tenant, request=key.request_id)
        try:
            async with self._line.turn():
                return await asyncio.to_thread(self.redrive_all, wanted)
        except FatalError as error:
            # Its producer is of no use any more; this process has others.
            raise TransientError(f"another redrive came in between: {error}", _RETRY_AFTER_SECONDS) from error
