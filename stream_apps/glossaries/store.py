"""Read and change the glossaries where they are kept: in a compacted topic, or in memory.

A writer takes the one transactional id of glossaries, reads the topic to its end, decides, and writes in one
transaction (connectors/kafka/lone_writer.py).
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from connectors.kafka.compacted_table import CompactedTable
from connectors.kafka.lone_writer import change_alone
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Codec
from schemas.records import OutboundRecord
from schemas.topics import GLOSSARIES
from stream_apps.glossaries.changes import Writing
from stream_apps.glossaries.shelf import Shelf

Plan = Callable[[Shelf], Writing]
"""Decides, from the glossaries as they are, what is written."""

GLOSSARIES_WRITER = "glossaries"


class GlossaryStore(Protocol):
    """Where glossaries are kept. Both methods block, and raise TransientError while it is away."""

    def read(self) -> Shelf:
        """Return the glossaries as they are now."""

    def change(self, plan: Plan) -> Writing:
        """Write what the plan returns, and return it. The plan may run again; what it raises goes through."""


class KafkaGlossaries:
    """The glossaries of one Kafka. Opens nothing before its first use, then reads what is new. For any thread."""

    def __init__(self, kafka: KafkaSettings, codec: Codec) -> None:
        self._kafka, self._codec = kafka, codec
        self._shelf = Shelf()
        self._table = CompactedTable(kafka, [GLOSSARIES], lambda record: self._shelf.add(record, codec))
        self._lock = threading.Lock()

    def read(self) -> Shelf:
        with self._lock:
            self._table.catch_up()
        return self._shelf

    def change(self, plan: Plan) -> Writing:
        def decide() -> tuple[Writing, Sequence[OutboundRecord]]:
            writing = plan(self.read())
            return writing, records_of(writing, self._codec)

        return change_alone(self._kafka, GLOSSARIES_WRITER, decide)


@dataclass
class InMemoryGlossaries:
    """The glossaries of one process. Remembers until it ends."""

    shelf: Shelf = field(default_factory=Shelf)

    def read(self) -> Shelf:
        return self.shelf

    def change(self, plan: Plan) -> Writing:
        writing = plan(self.shelf)
        for one in writing.written:
            self.shelf.put(one)
        for one in writing.ended:
            self.shelf.drop(one)
        return writing


@dataclass
class GlossaryReader:
    """Reads the glossaries again where a request may be newer than what is known. For one event loop.

    `now_ms` is milliseconds since the epoch, by the same time as that of the broker.
    """

    store: GlossaryStore
    now_ms: Callable[[], int]
    _read_at: int = field(default=-1, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def read(self, at_ms: int) -> Shelf:
        """Return the glossaries as they were at that time or later. Raises TransientError."""
        async with self._turn:
            if self._read_at <= at_ms:
                began_at = self.now_ms()
                self._shelf = await asyncio.to_thread(self.store.read)
                self._read_at = began_at
            return self._shelf


def records_of(writing: Writing, codec: Codec) -> list[OutboundRecord]:
    """Encode what is written for its topic."""
    headers = {"schema": b"Glossary"}
    written = [OutboundRecord(GLOSSARIES, one.key.encode(), codec.encode(one), headers) for one in writing.written]
    return written + [OutboundRecord(GLOSSARIES, one.key.encode(), None, headers) for one in writing.ended]
