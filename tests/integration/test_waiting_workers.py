"""On a real broker: a worker that has heard nothing for long waits at all of its readers at once."""

import time
import uuid
from collections.abc import Iterator

import pytest

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.lane_reader import LaneReader
from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from inference_workers.main import open_readers
from inference_workers.priority_credit import PriorityCredit, Shares
from inference_workers.priority_source import Next, PrioritySource
from inference_workers.reader_watch import ReaderWatch
from inference_workers.settings import WorkerSettings
from schemas.lanes import Lane
from schemas.records import OutboundRecord
from schemas.topics import batches_topic
from tests.fleet import until

pytestmark = [pytest.mark.real, pytest.mark.slow]

_LONG_SILENCE, _PATIENCE_SECONDS = 60.0, 10.0
# A wait for one reader takes 10 ms.
_WATCHED_SECONDS = 0.1


class Waiter:
    """What of a worker waits for work. It takes itself to have heard nothing for a minute when it is told so."""

    def __init__(self, bootstrap: str, pool: str, name: str) -> None:
        self.pool, self._silence = pool, 0.0
        settings = WorkerSettings.model_validate(
            {
                "instance": name,
                "kafka": {"bootstrap": bootstrap, "session_timeout_ms": 6000},
                "worker": {"pool": pool},
            }
        )
        self.readers = open_readers(settings)
        for reader in self.readers:
            reader.subscribe()
        self.source: PrioritySource[LaneReader] = PrioritySource(
            self.readers,
            {lane: batches_topic(pool, lane) for lane in Lane},
            PriorityCredit(Shares({}), 100),
            lambda: 100,
            lambda: 0,
            ReaderWatch(len(self.readers)),
            clock=lambda: time.monotonic() + self._silence,
        )

    def fall_silent(self) -> None:
        self._silence += _LONG_SILENCE

    def next(self) -> Next | None:
        return self.source.next([])

    def heard(self) -> Next:
        """Wait for work."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while (found := self.next()) is None:
            assert time.monotonic() < end, "nothing came"
        return found

    def joined(self, partitions: int) -> bool:
        """Ask for work, and tell whether each topic has given it so many partitions."""
        assert self.next() is None
        return all(len(one.assignment) == partitions * len(one.topics) for one in self.readers)

    def waits(self) -> bool:
        """Ask for work, and tell whether that took longer than a wait for one reader."""
        began = time.monotonic()
        return self.next() is None and time.monotonic() - began > _WATCHED_SECONDS

    def finish(self, found: Next) -> None:
        """Commit what was taken, as a worker does once its outputs are stored."""
        for one in found.taken:
            self.source.reader_of(one.ticket.topic).tracker.finished(one.ticket)
        for reader in self.source.at_hand:
            reader.commit()

    def close(self) -> None:
        self.source.close()
        for reader in self.readers:
            reader.close()


@pytest.fixture
def pool(kafka_bootstrap: str) -> str:
    name = f"waiting-{uuid.uuid4().hex[:8]}"
    KafkaAdmin(KafkaSettings(bootstrap=kafka_bootstrap, pools=(name,))).create_topics()
    return name


@pytest.fixture
def waiter(kafka_bootstrap: str, pool: str) -> Iterator[Waiter]:
    waiter = Waiter(kafka_bootstrap, pool, "first")
    until(lambda: waiter.joined(6), "its partitions", 30)
    waiter.fall_silent()
    until(waiter.waits, "a wait for all readers", 10)
    yield waiter
    waiter.close()


@pytest.fixture
def producer(kafka_bootstrap: str) -> Iterator[DurableProducer]:
    producer = DurableProducer(KafkaSettings(bootstrap=kafka_bootstrap))
    yield producer
    producer.close()


@pytest.mark.parametrize("lane", list(Lane))
def test_what_comes_to_any_lane_is_heard_at_once_and_taken_once(waiter, producer, lane):
    producer.send([OutboundRecord(batches_topic(waiter.pool, lane), b"", b"1", {}, 3)])
    began = time.monotonic()
    found = waiter.heard()
    assert time.monotonic() - began < 0.5
    assert (found.lane, [one.record.value for one in found.taken]) == (lane, [b"1"])
    waiter.finish(found)
    waiter.fall_silent()
    until(waiter.waits, "another wait for all readers", 10)


def test_a_second_worker_gets_its_share_while_the_readers_of_the_first_are_away(waiter, kafka_bootstrap):
    second = Waiter(kafka_bootstrap, waiter.pool, "second")
    try:
        until(lambda: waiter.joined(3) and second.joined(3), "half of the partitions for each", 30)
        until(waiter.waits, "another wait for all readers", 10)
    finally:
        second.close()


def test_a_worker_that_is_to_stop_has_its_readers_back_within_a_second(waiter):
    began = time.monotonic()
    waiter.source.recall()
    assert time.monotonic() - began < 1.5
    assert waiter.source.at_hand == waiter.readers
