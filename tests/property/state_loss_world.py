"""A world of two assemblers that go from one moment at which they may be killed, or lose the state, to the next.

Kafka is a list here: an open transaction hides its answers from readers until it is committed or aborted.
The state is a real Valkey; the scripts, the epoch, the handler and the rebuild are those of production.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import redis
from obstore.store import MemoryStore

from connectors.object_store import UrlObjectStore
from connectors.redis.job_view import JobViews
from connectors.redis.slots import RedisSlots, SlotRetention, result_key
from connectors.redis.state_epoch import StateEpoch
from schemas import topics
from schemas.codec import Codec
from schemas.errors import TransientError
from schemas.events import JobControl, UsageBatch, UsageEvent
from schemas.ids import JobKey
from schemas.messages import Job, TranslatedBatch, TranslationResult
from schemas.records import InboundRecord, StoredAt
from schemas.slots import AnswerSource
from stream_apps.assembly.erasing import LoggedAnswers
from stream_apps.assembly.handler import AssemblyHandler
from stream_apps.assembly.recovery import CatchUp, Reach, Rebuilder, Recovery
from tests.dead_letters import dead_letter_writer

CODEC = Codec()
LONG_MS = 10**9
SIZES = {"r1": 1, "r2": 2, "r3": 3}
OPEN, COMMITTED, ABORTED = "open", "committed", "aborted"


@dataclass
class Entry:
    record: InboundRecord
    state: str = OPEN


@dataclass
class Kafka:
    """One partition of each topic."""

    inputs: dict[str, list[InboundRecord]] = field(
        default_factory=lambda: {topics.TRANSLATED: [], topics.CONTROL: []}
    )
    offsets: Counter[str] = field(default_factory=Counter)
    results: list[Entry] = field(default_factory=list)
    usage: list[Entry] = field(default_factory=list)
    now: int = 1_000_000

    def tick(self) -> int:
        self.now += 1
        return self.now

    def send(self, *messages: TranslatedBatch | JobControl) -> None:
        for message in messages:
            topic = topics.CONTROL if isinstance(message, JobControl) else topics.TRANSLATED
            at = len(self.inputs[topic])
            self.inputs[topic].append(InboundRecord(topic, 0, at, message.key.encode(), CODEC.encode(message)))

    def append(self, output) -> Entry:
        record = InboundRecord(
            topics.RESULTS, 0, len(self.results), output.key, output.value, output.headers, self.tick()
        )
        self.results.append(Entry(record))
        return self.results[-1]

    def bill(self, output) -> Entry:
        self.usage.append(Entry(InboundRecord(topics.USAGE, 0, len(self.usage), None, output.value)))
        return self.usage[-1]

    def bills(self) -> list[UsageEvent]:
        committed = [one.record.value for one in self.usage if one.state == COMMITTED]
        return [event for value in committed for event in CODEC.decode(value, UsageBatch).events]

    def newest(self, request_id: str) -> TranslationResult:
        """Return what is left of a request once the topic is compacted."""
        values = {JobKey.decode(one.record.key).request_id: one.record.value for one in self.committed()}
        return CODEC.decode(values[request_id], TranslationResult)

    def published(self) -> list[TranslationResult]:
        return [CODEC.decode(one.record.value, TranslationResult) for one in self.committed()]

    def committed(self) -> list[Entry]:
        return [one for one in self.results if one.state == COMMITTED]

    def answered(self) -> list[JobKey]:
        return [JobKey.decode(one.record.key) for one in self.results if one.state == COMMITTED]

    def answers(self) -> Counter[str]:
        return Counter(key.request_id for key in self.answered())


@dataclass
class Scan:
    """Stops at an open transaction, as a reader of committed records does."""

    entries: list[Entry]
    since_ms: int
    reached: int

    @property
    def is_done(self) -> bool:
        return not self.entries

    share = 0.5

    def take(self, limit: int, timeout_seconds: float) -> list[InboundRecord]:
        found = []
        while self.entries and self.entries[0].state != OPEN:
            entry = self.entries.pop(0)
            is_wanted = entry.record.timestamp_ms >= self.since_ms and entry.record.offset >= self.reached
            if entry.state == COMMITTED and is_wanted:
                found.append(entry.record)
        return found

    def close(self) -> None:
        pass


class Assembler:
    """Goes on from one moment at which it may be killed, or lose the state, to the next."""

    def __init__(self, kafka: Kafka, client: redis.Redis, topic: str) -> None:
        self.kafka, self.topic = kafka, topic
        epoch = StateEpoch(client, kafka.tick)
        slots = RedisSlots(client, SlotRetention(1000, 2000), epoch)
        self.source = AnswerSource(topic, 0)
        rebuilder = Rebuilder(slots, CODEC, show_after_ms=lambda: kafka.now - LONG_MS)
        self.catch_up = CatchUp(
            slots, rebuilder, lambda firsts: Scan(list(kafka.results), 0, firsts[0]), kafka.tick
        )
        self.handler = AssemblyHandler(
            codec=CODEC,
            slots=slots,
            told=lambda: self.catch_up.told,
            objects=UrlObjectStore(MemoryStore()),
            inline_limit_bytes=10**6,
            now_ms=kafka.tick,
            dead_letters=dead_letter_writer("assembly"),
            newest=LoggedAnswers(
                CODEC,
                lambda since_ms: Scan(list(kafka.results), since_ms or 0, 0),
                margin_ms=10,
                clock=kafka.tick,
            ).newest,
        )
        # A margin of nothing: all clocks are the same here, and the rule must hold without it.
        self.recovery = Recovery(
            epoch=epoch,
            open_log=lambda since_ms, reached: Scan(list(kafka.results), since_ms, reached.get(0, 0)),
            rebuilder=rebuilder,
            reach=Reach(LONG_MS, 0),
            slice_seconds=3,
            now_ms=kafka.tick,
            clock=kafka.tick,
        )
        self.open: list[Entry] = []
        self.is_telling = False
        self._moments = self._run()

    @property
    def is_idle(self) -> bool:
        return self.kafka.offsets[self.topic] == len(self.kafka.inputs[self.topic]) and not self.is_telling

    def step(self) -> None:
        next(self._moments)

    def kill(self) -> None:
        self._settle(ABORTED)

    def _settle(self, state: str) -> None:
        for entry in self.open:
            entry.state = state
        self.open = []

    def _run(self):
        while True:
            try:
                yield from self._cycle()
            except TransientError:
                self._settle(ABORTED)
                yield

    def _cycle(self):
        at = self.kafka.offsets[self.topic]
        records = self.kafka.inputs[self.topic][at : at + 2]
        self.recovery.ensure(is_idle=not records)
        self.handler.tell()
        self.catch_up.step({self.source})
        yield
        if not records:
            return
        outputs = self.handler.handle(records)
        yield
        self.open = [self.kafka.append(output) for output in outputs if output.topic == topics.RESULTS]
        places = [StoredAt(0, entry.record.offset) for entry in self.open]
        self.open += [self.kafka.bill(output) for output in outputs if output.topic == topics.USAGE]
        yield
        self.handler.confirm()
        yield
        self._settle(COMMITTED)
        self.is_telling = True
        self.kafka.offsets[self.topic] = at + len(records)
        yield
        self.handler.committed(places)
        self.is_telling = False


@dataclass
class World:
    kafka: Kafka
    client: redis.Redis
    assemblers: list[Assembler] = field(default_factory=list)
    snapshot: dict[bytes, bytes] = field(default_factory=dict)

    def act(self, action: str) -> None:
        name, _, number = action.partition(" ")
        match name:
            case "step":
                self.assemblers[int(number)].step()
            case "kill":
                self.assemblers[int(number)].kill()
                self.start(int(number))
            case "flush":
                self.client.flushall()
            case "save":
                self.snapshot = {key: self.client.dump(key) or b"" for key in self.client.scan_iter()}
            case "crash":
                self._throw_back()

    def start(self, number: int) -> None:
        topic = (topics.TRANSLATED, topics.CONTROL)[number]
        self.assemblers[number : number + 1] = [Assembler(self.kafka, self.client, topic)]

    def drain(self) -> None:
        for _ in range(2_000):
            if all(assembler.is_idle for assembler in self.assemblers):
                return
            for assembler in self.assemblers:
                assembler.step()
        raise AssertionError("never idle")

    def untold(self) -> list[str]:
        """Name the answers of which callers do not know."""
        views = JobViews(self.client)
        return [
            key.request_id
            for key in self.kafka.answered()
            if (view := views.read(key)) is None or view.status is None or not self.client.exists(result_key(key))
        ]

    def _throw_back(self) -> None:
        """Up to the saved moment everything is there, as after a crash or a failover; the server is another."""
        self.client.flushall()
        for key, value in self.snapshot.items():
            # A real server's run id would be another one: no rebuild under way could note or settle anything.
            if not key.startswith(b"{state}:rebuild:"):
                self.client.restore(key, 100_000, value)
        epoch = self.client.get("{state}:epoch")
        if isinstance(epoch, bytes):
            # A real server would have a new run id; here the old epoch gets another one.
            self.client.set("{state}:epoch", epoch.rpartition(b":")[0] + b":" + b"f" * 40)


def batches(name: str, revision: int = 1) -> list[TranslatedBatch]:
    size = SIZES[name]
    job = Job(batches=size, segments=size, pipeline_version="v1", accepted_at=1, words=5, revision=revision)
    rest: dict[str, Any] = {"gaps": ("",), "causes": (None,), "scores": (None,), "cached": (False,)}
    return [
        TranslatedBatch(request_id=name, batch_number=number, job=job, translations=(f"{number} ",), **rest)
        for number in range(size)
    ]


def world_of(valkey: redis.Redis, *messages: TranslatedBatch | JobControl) -> World:
    valkey.flushall()
    world = World(Kafka(), valkey)
    world.kafka.send(*messages)
    for number in (0, 1):
        world.start(number)
    return world


def step_until(world: World, number: int, is_so) -> None:
    for _ in range(50):
        if is_so():
            return
        world.act(f"step {number}")
    raise AssertionError("never")


def half_rebuilt(valkey: redis.Redis) -> World:
    """By assembler 1: r1 is restored, r2 is waited for, because assembler 0 has not committed it."""
    world = world_of(valkey, *batches("r1"), *batches("r2"))
    step_until(world, 0, lambda: world.kafka.answers() == {"r1": 1})
    step_until(world, 0, lambda: len(world.kafka.results) == 2)
    world.act("flush")
    world.act("step 1")
    return world
