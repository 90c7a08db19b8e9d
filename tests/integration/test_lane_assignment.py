"""On a real broker: which worker gets which partitions of which lane, when workers come and go."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain

import pytest

from connectors.kafka.admin import KafkaAdmin
from connectors.kafka.lane_reader import LaneReader
from connectors.kafka.producer import DurableProducer
from connectors.kafka.settings import KafkaSettings
from inference_workers.main import open_readers
from inference_workers.settings import WorkerSettings
from schemas.lanes import Lane
from schemas.records import OutboundRecord
from schemas.topics import batches_topic
from tests.fleet import until

pytestmark = pytest.mark.real

_POOL = "dealt"
_TOPICS = {batches_topic(_POOL, lane) for lane in Lane}


class Crew:
    """Workers as far as Kafka sees them: the readers of each, which are asked in turn, as worker processes are."""

    def __init__(self, bootstrap: str) -> None:
        self._settings = WorkerSettings.model_validate(
            {"kafka": {"bootstrap": bootstrap, "session_timeout_ms": 6000}, "worker": {"pool": _POOL}}
        )
        self.workers: dict[str, list[LaneReader]] = {}

    def join(self, name: str) -> None:
        settings = self._settings.model_copy(update={"instance": name})
        self.workers[name] = open_readers(settings)
        for reader in self.workers[name]:
            reader.subscribe()

    def leave(self, name: str) -> None:
        for reader in self.workers.pop(name):
            reader.close()

    def shares(self) -> dict[str, list[int]]:
        """Let every reader take once; return of each topic how many of its partitions each worker holds."""
        for reader in chain.from_iterable(self.workers.values()):
            reader.take(1, 0.01)
        held = [
            Counter(topic for one in readers for topic, _ in one.assignment) for readers in self.workers.values()
        ]
        return {topic: sorted(one[topic] for one in held) for topic in _TOPICS}

    def wait_for(self, shares: list[int]) -> None:
        """Wait until the partitions of every topic are dealt out like this."""
        try:
            until(lambda: all(found == shares for found in self.shares().values()), f"shares of {shares}", 30)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.shares()}") from None

    def bulk_reader(self, name: str) -> LaneReader:
        return next(reader for reader in self.workers[name] if len(reader.topics) > 1)


@pytest.fixture
def crew(kafka_bootstrap: str) -> Iterator[Crew]:
    KafkaAdmin(KafkaSettings(bootstrap=kafka_bootstrap, pools=(_POOL,))).create_topics()
    crew = Crew(kafka_bootstrap)
    yield crew
    for name in [*crew.workers]:
        crew.leave(name)


def partitions_in(reader: LaneReader, topic: str) -> set[int]:
    """Take what comes next; return its partitions if it is of that topic."""
    return {one.record.partition for one in reader.take(1, 0.05) if one.record.topic == topic}


def test_every_worker_gets_its_share_of_every_lane_whoever_joins_or_leaves(crew):
    crew.join("first")
    crew.wait_for([6])
    crew.join("second")
    crew.wait_for([3, 3])
    crew.join("third")
    crew.wait_for([2, 2, 2])
    crew.leave("first")
    crew.wait_for([3, 3])


def test_a_lane_that_is_held_stays_so_while_a_worker_joins_and_is_delivered_afterwards(crew, kafka_bootstrap):
    crew.join("first")
    crew.wait_for([6])
    first, held = crew.bulk_reader("first"), batches_topic(_POOL, Lane.STANDARD_BULK)
    first.hold({held})
    producer = DurableProducer(KafkaSettings(bootstrap=kafka_bootstrap))
    producer.send([OutboundRecord(held, b"", b"", {}, partition) for partition in range(6)])
    producer.close()
    crew.join("second")
    second, delivered = crew.bulk_reader("second"), set[int]()

    def second_has_its_share() -> bool:
        assert not partitions_in(first, held)
        delivered.update(partitions_in(second, held))
        return len(delivered) == 3

    until(second_has_its_share, "share of the second worker")
    first.hold(frozenset())

    def all_is_delivered() -> bool:
        delivered.update(partitions_in(first, held))
        return len(delivered) == 6

    until(all_is_delivered, "what was held")
