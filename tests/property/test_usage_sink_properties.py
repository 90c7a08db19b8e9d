"""Killed anywhere, any number of times, the sink writes every usage event exactly once."""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kafka.range_reader import StartingOffset
from schemas.codec import Codec
from schemas.errors import TransientError
from schemas.events import UsageBatch, UsageEvent
from schemas.ids import event_id
from schemas.records import InboundRecord
from schemas.states import UsageKind
from stream_apps.usage_sink.inserting import Inserter, InsertRetry
from stream_apps.usage_sink.sink import UsageSink
from tests.dead_letters import dead_letter_writer

CODEC = Codec()
NOW = round(time.time() * 1000)
TOPIC, PARTITIONS = "translation.usage", 2
_HASTE = InsertRetry(sleep=lambda _: None)


class KilledError(Exception):
    """SIGKILL, at this very point."""


@dataclass
class Fate:
    """Kills with some probability at every point where it may matter."""

    chance: random.Random
    probability: float

    def decide(self) -> None:
        if self.chance.random() < self.probability:
            raise KilledError


@dataclass
class Kafka:
    """What survives a kill: the records and, per partition, the committed offset with its note."""

    records: list[list[InboundRecord]]
    committed: dict[int, tuple[int, int | None]] = field(default_factory=lambda: {0: (0, None), 1: (0, None)})


@dataclass
class Log:
    """One membership of the group."""

    kafka: Kafka
    fate: Fate
    takes_notes: bool = True

    def __post_init__(self) -> None:
        self._positions = {number: offset for number, (offset, _) in self.kafka.committed.items()}

    def places(self) -> list[StartingOffset]:
        return [StartingOffset(TOPIC, number, at, last) for number, (at, last) in self.kafka.committed.items()]

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]:
        taken: list[InboundRecord] = []
        for number, at in self._positions.items():
            count = self.fate.chance.randrange(4)
            found = self.kafka.records[number][at : at + count]
            self._positions[number] += len(found)
            taken += found
        return taken

    def announce(self, ranges: Mapping[tuple[str, int], tuple[int, int]]) -> None:
        self.fate.decide()
        if self.takes_notes:
            self.kafka.committed |= {partition: span for (_, partition), span in ranges.items()}
        self.fate.decide()

    def finish(self, lasts: Mapping[tuple[str, int], int]) -> None:
        self.fate.decide()
        self.kafka.committed |= {partition: (last + 1, None) for (_, partition), last in lasts.items()}
        self.fate.decide()


@dataclass
class Table:
    """Takes rows once for a token, as ClickHouse does; sometimes it does not take them at first."""

    fate: Fate
    refusals: float
    tokens: set[str] = field(default_factory=set)
    events: list[str] = field(default_factory=list)

    def insert(self, table: str, columns: Mapping[str, Sequence[object]], token: str) -> None:
        self.fate.decide()
        if self.fate.chance.random() < self.refusals:
            raise TransientError("not now")
        if token not in self.tokens:
            self.tokens.add(token)
            self.events += map(str, columns["event_id"])
        self.fate.decide()
        if self.fate.chance.random() < self.refusals:
            raise TransientError("taken, but the answer is lost")


class DeadLetterTopic:
    def send(self, records, timeout_seconds=30.0) -> None:
        """Stored."""


def rows_in(offset: int) -> int:
    """How many rows a record holds; now and then none, or rubbish."""
    return 0 if offset % 7 == 5 else offset % 4


def usage(partition: int, offset: int) -> InboundRecord:
    events = [
        UsageEvent(event_id=event_id(partition, offset, row), kind=UsageKind.BILLED, at=NOW)
        for row in range(rows_in(offset))
    ]
    is_rubbish = offset % 7 == 5
    return InboundRecord(
        TOPIC, partition, offset, b"k", b"rubbish" if is_rubbish else CODEC.encode(UsageBatch(events))
    )


def run(counts: list[int], seed: int, kills: float, refusals: float, *, takes_notes: bool = True) -> list[str]:
    """The events in the table after everything was read, over as many lives as it takes."""
    kafka = Kafka([[usage(number, offset) for offset in range(count)] for number, count in enumerate(counts)])
    fate = Fate(random.Random(seed), kills)
    table = Table(fate, refusals)
    for life in range(500):
        if life == 400:
            fate.probability = 0.0  # a sink that is always killed gets nowhere
        log = Log(kafka, fate, takes_notes)
        size = fate.chance.randrange(1, 6)
        sink = UsageSink(
            log,
            Inserter(table, _HASTE),
            DeadLetterTopic(),
            dead_letter_writer("usage_sink"),
            size,
            batch_seconds=0.0,
        )
        sink.begin(log.places())
        try:
            for _ in range(50):
                sink.accept(log.take(50, 0.2))
                sink.write_due()
            sink.drain()
        except KilledError:
            continue
        if all(kafka.committed[number] == (count, None) for number, count in enumerate(counts)):
            break
    return table.events


def wanted(counts: list[int]) -> list[str]:
    return [
        event_id(n, at, row) for n, count in enumerate(counts) for at in range(count) for row in range(rows_in(at))
    ]


@given(
    st.lists(st.integers(0, 30), min_size=PARTITIONS, max_size=PARTITIONS),
    st.integers(0, 10**6),
    st.sampled_from([0.0, 0.05, 0.2]),
    st.sampled_from([0.0, 0.3]),
)
def test_every_event_is_in_the_table_once(counts, seed, kills, refusals):
    assert sorted(run(counts, seed, kills, refusals)) == sorted(wanted(counts))


def test_without_the_note_of_the_pending_range_events_are_doubled():
    doubled = [
        seed for seed in range(20) if len(run([30, 30], seed, 0.2, 0.0, takes_notes=False)) > len(wanted([30, 30]))
    ]
    assert doubled


@pytest.mark.parametrize("seed", range(5))
def test_bytes_that_are_no_usage_event_hold_nothing_up(seed):
    assert len(run([30, 30], seed, 0.1, 0.0)) == len(wanted([30, 30]))
