"""Wait for records of several readers at once, each on a thread of its own.

Who asks readers in turn has to ask often, or what is urgent waits for a reader that has nothing: twenty rounds a
second took 8 ms of processor time. A client of Kafka cannot be asked whether something has come without taking it,
so a thread waits at each reader. It ends as soon as its reader has a record, or after a second, and its reader is
*away* meanwhile: a reader serves one thread at a time, so nobody else may use it until it is back.
"""

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Protocol

from connectors.kafka.committing_reader import TakenRecord

# A worker that is told to stop waits for readers that are away.
_AWAY_SECONDS = 1.0


class WatchedReader(Protocol):
    """A reader that one thread uses at a time (connectors.kafka.lane_reader.LaneReader)."""

    @property
    def is_settled(self) -> bool:
        """Tell whether nothing is in hand and every position that advanced is stored."""

    def take(self, limit: int, timeout_seconds: float) -> list[TakenRecord]:
        """Return up to `limit` records; an empty list after the timeout. Raises TransientError or FatalError."""


class ReaderWatch:
    """Sends readers away to wait for a record each. For one thread; whoever opens it closes it."""

    def __init__(self, most_readers: int) -> None:
        self._threads = ThreadPoolExecutor(most_readers, thread_name_prefix="reader-watch")
        self._away: dict[WatchedReader, Future[list[TakenRecord]]] = {}

    def may_begin(self, readers: Sequence[WatchedReader]) -> bool:
        """Tell whether all of them may be sent away: what is in hand is for the own thread to commit."""
        return all(self.is_away(one) or one.is_settled for one in readers)

    def wait(self, readers: Sequence[WatchedReader]) -> None:
        """Send away those that are not, and block until one of them is back: after a second at the latest."""
        for one in readers:
            if one not in self._away:
                self._away[one] = self._threads.submit(one.take, 1, _AWAY_SECONDS)
        wait(self._away.values(), return_when=FIRST_COMPLETED)

    def is_away(self, reader: WatchedReader) -> bool:
        """Tell whether the reader was sent away and what it brings was not collected."""
        return reader in self._away

    def collect(self, reader: WatchedReader) -> list[TakenRecord]:
        """Return what the reader brings if it is back, else nothing. Raises what its `take` raised."""
        return self._away.pop(reader).result() if self._away[reader].done() else []

    def recall(self) -> None:
        """Wait until every reader is back, and drop what they bring. Raises what one of them raised."""
        wait(self._away.values())
        dropped, self._away = self._away, {}
        for one in dropped.values():
            one.result()

    def close(self) -> None:
        """Wait until every reader is back, whatever it brings."""
        self._threads.shutdown()
