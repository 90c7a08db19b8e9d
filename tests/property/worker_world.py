"""A broker in memory, and a worker on it that can be killed, robbed of its partitions and kept waiting."""

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from confluent_kafka import KafkaError, TopicPartition

from connectors.kafka.lane_reader import LaneReader
from connectors.kafka.settings import KafkaSettings
from connectors.memory import FixedAnsweredRequests, InMemoryTranslationMemory
from inference_workers.answers import WorkerIdentity
from inference_workers.fidelity import Dialogue, Outcome
from inference_workers.fidelity.dialogue import Question, Steps
from inference_workers.handler import BatchHandler
from inference_workers.loop import WorkerLoop
from inference_workers.outbox import Outbox
from inference_workers.priority_credit import PriorityCredit, Shares, Speedometer
from inference_workers.priority_source import PrioritySource
from inference_workers.translating import SegmentTranslator
from schemas.codec import Codec
from schemas.errors import DragomanError, TransientError
from schemas.events import UsageBatch
from schemas.lanes import Lane
from schemas.messages import Job, SegmentBatch, TranslatedBatch
from schemas.records import OutboundRecord
from schemas.segments import TranslationContext
from schemas.topics import TRANSLATED, USAGE, batches_topic, inference_groups
from stream_apps.pipeline.deadline_policy import SkipPolicy
from tests.dead_letters import dead_letter_writer
from tests.translators import PlainTranslator
from tests.worker_cycle import NoWatch

CODEC = Codec()
PARTITIONS = 2
POLL_SECONDS = 120.0
_KAFKA = KafkaSettings()
Place = tuple[str, int]


class KafkaMessage:
    """As confluent-kafka hands them out."""

    def __init__(self, place: Place, offset: int, value: bytes) -> None:
        self._place, self._offset, self._value = place, offset, value

    def error(self) -> None:
        return None

    def topic(self) -> str:
        return self._place[0]

    def partition(self) -> int:
        return self._place[1]

    def offset(self) -> int:
        return self._offset

    def key(self) -> None:
        return None

    def value(self) -> bytes:
        return self._value

    def headers(self) -> None:
        return None

    def timestamp(self) -> tuple[int, int]:
        return (1, 0)


@dataclass
class Broker:
    """Logs, committed offsets, and what was produced."""

    logs: dict[Place, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    committed: dict[Place, int] = field(default_factory=dict)
    translated: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    counted_batches: int = 0

    def add(self, lane: Lane, partition: int, request_id: str) -> None:
        batch = SegmentBatch(
            request_id=request_id,
            batch_number=0,
            job=Job(priority=lane.priority, source_language="en", target_language="pt", batches=1),
            texts=(request_id, request_id[::-1]),
            gaps=(" ", ""),
            translations=(None, None),
            scores=(None, None),
        )
        self.logs[batches_topic("default", lane), partition].append(CODEC.encode(batch))

    def store(self, record: OutboundRecord) -> None:
        if record.topic == TRANSLATED:
            self.translated[CODEC.decode(record.value, TranslatedBatch).request_id] += 1
        elif record.topic == USAGE:
            self.counted_batches += sum(row.batches for row in CODEC.decode(record.value, UsageBatch).events)


class FakeConsumer:
    """The calls of confluent-kafka that a reader makes; rebalances and commits are served by `consume`."""

    def __init__(self, broker: Broker, config: Mapping[str, Any]) -> None:
        self.broker, self._on_commit = broker, config["on_commit"]
        self.positions: dict[Place, int] = {}
        self.moves: list[tuple[str, list[Place]]] = []
        self.commits: list[list[TopicPartition]] = []
        self.topics: list[str] = []
        self.paused: set[Place] = set()

    def pause(self, partitions: list[TopicPartition]) -> None:
        self.paused |= {(one.topic, one.partition) for one in partitions}

    def resume(self, partitions: list[TopicPartition]) -> None:
        self.paused -= {(one.topic, one.partition) for one in partitions}

    def subscribe(self, topics: list[str], on_assign: Any, on_revoke: Any, on_lost: Any) -> None:
        self.topics, self._callbacks = topics, {"assign": on_assign, "revoke": on_revoke, "lost": on_lost}
        self.moves.append(("assign", [(topic, number) for topic in topics for number in range(PARTITIONS)]))

    def consume(self, limit: int, _timeout: float) -> list[KafkaMessage]:
        while self.moves:
            self._move(*self.moves.pop(0))
        while self.commits:
            self._store(self.commits.pop(0))
        for place, position in self.positions.items():
            if place in self.paused:
                continue
            if values := self.broker.logs[place][position : position + limit]:
                self.positions[place] += len(values)
                return [KafkaMessage(place, position + at, value) for at, value in enumerate(values)]
        return []

    def commit(self, offsets: list[TopicPartition], asynchronous: bool) -> None:
        if asynchronous:
            self.commits.append(offsets)
            return
        # One connection: the broker hears them in their order.
        while self.commits:
            self._store(self.commits.pop(0))
        self._store(offsets, tells=False)

    def seek(self, partition: TopicPartition) -> None:
        self.positions[partition.topic, partition.partition] = partition.offset

    def assignment(self) -> list[TopicPartition]:
        return [TopicPartition(*place) for place in self.positions]

    def memberid(self) -> str:
        return "m-1"

    def _store(self, offsets: list[TopicPartition], tells: bool = True) -> None:
        is_refused = any((one.topic, one.partition) not in self.positions for one in offsets)
        if not is_refused:
            self.broker.committed |= {(one.topic, one.partition): one.offset for one in offsets}
        if tells:
            error = KafkaError(KafkaError.ILLEGAL_GENERATION) if is_refused else None
            self._on_commit(error, offsets)

    def _move(self, kind: str, places: list[Place]) -> None:
        self._callbacks[kind](self, [TopicPartition(*place) for place in places])
        for place in places:
            if kind == "assign":
                self.positions[place] = self.broker.committed.get(place, 0)
            else:
                # What was paused stays so while others have it: the worst that a client may do.
                self.positions.pop(place, None)


class ReaderInMemory(LaneReader):
    """The real reader with another client."""

    def __init__(self, broker: Broker, topics: list[str], clock: Callable[[], float]) -> None:
        self._broker = broker
        super().__init__(_KAFKA, "g", topics, "i", clock)

    def _open(self) -> Any:
        return FakeConsumer(self._broker, self._config())


@dataclass
class Wire:
    """A producer whose records arrive, in any order, when the test says so."""

    broker: Broker
    on_their_way: list[tuple[OutboundRecord, Callable[[DragomanError | None], None]]] = field(default_factory=list)

    def send_async(self, record: OutboundRecord, on_done: Callable[[DragomanError | None], None]) -> None:
        self.on_their_way.append((record, on_done))

    def deliver(self, chance: random.Random, *, fails: bool = False) -> None:
        record, on_done = self.on_their_way.pop(chance.randrange(len(self.on_their_way)))
        if not fails:
            self.broker.store(record)
        on_done(TransientError("timed out") if fails else None)


@dataclass
class _Engine(PlainTranslator):
    clock: "Clock"
    goes_text_by_text: bool

    def version_of(self, source: str, target: str) -> str:
        return f"shout-{source}-{target}"

    def is_one_by_one(self, source: str, target: str) -> bool:
        return self.goes_text_by_text and bool(source and target)

    def begin(self, texts: Sequence[str], context: TranslationContext) -> list[Dialogue[Any]]:
        return [Dialogue(text, _asked(text)) for text in texts]

    def translate(self, texts: Sequence[str]) -> list[Outcome]:
        self.clock.seconds += 0.05 * len(texts)
        return [Outcome(text.upper(), None) for text in texts]


def _asked(text: str) -> Steps[Any]:
    """Ask once, twice or three times, by the text: one that is doubtful has several calls of an engine."""
    for _ in range(1 + len(text) % 3):
        (outcome,) = yield Question([text], {})
    return outcome


@dataclass
class Clock:
    seconds: float = 1.0

    def __call__(self) -> float:
        return self.seconds


class Worker:
    """The worker's own parts on the broker, from its readers to its outbox. A new one takes what is committed."""

    def __init__(self, broker: Broker, clock: Clock, *, goes_text_by_text: bool) -> None:
        self.wire = Wire(broker)
        readers: list[LaneReader] = [
            ReaderInMemory(broker, topics, clock) for topics in inference_groups("default").values()
        ]
        for reader in readers:
            reader.subscribe()
        topics = {lane: batches_topic("default", lane) for lane in Lane}
        source = PrioritySource(
            readers,
            topics,
            PriorityCredit(Shares({}), 100),
            lambda: 40,
            lambda: 0,
            NoWatch(),
            take_records=3,
            clock=clock,
        )
        segments = SegmentTranslator(_Engine(clock, goes_text_by_text), InMemoryTranslationMemory(), clock)
        handler = BatchHandler(
            CODEC,
            SkipPolicy(FixedAnsweredRequests()),
            segments,
            WorkerIdentity("w", "default", "cpu", "spot"),
            Speedometer(100.0),
            lambda: 0,
            dead_letter_writer("inference"),
        )
        # Its own clock stands still: nobody waits in these tests.
        self.loop = WorkerLoop(source, handler, Outbox(self.wire, _Impatient()), POLL_SECONDS, clock=clock)

    @property
    def consumers(self) -> list[FakeConsumer]:
        return [cast(FakeConsumer, reader._consumer) for reader in self.loop.source.readers]

    def turn(self) -> None:
        """Turn once as the retrying loop does."""
        try:
            self.loop.turn()
        except TransientError:
            self.loop.rewind()


@dataclass
class _Impatient:
    """A clock that is a minute later each time it is read, so that no wait lasts."""

    seconds: float = 0.0

    def __call__(self) -> float:
        self.seconds += 60.0
        return self.seconds
