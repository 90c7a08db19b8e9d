"""Thousands of spoiled records through every handler: nothing is raised, each deadly one is one dead letter."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

import pytest
import redis
from obstore.store import MemoryStore

from connectors.clickhouse.database import Database
from connectors.kafka.range_reader import StartingOffset
from connectors.memory import (
    FixedAnsweredRequests,
    FixedModelVersions,
    InMemoryRequestPlans,
    InMemoryTranslationMemory,
)
from connectors.object_store import ObjectSettings, UrlObjectStore, open_objects
from connectors.redis.request_markers import RedisAnsweredRequests
from connectors.redis.slots import RedisSlots, SlotRetention
from inference_workers import fidelity
from inference_workers.answers import WorkerIdentity
from inference_workers.handler import BatchHandler
from inference_workers.priority_credit import Speedometer
from inference_workers.translating import SegmentTranslator
from schemas.codec import Codec
from schemas.errors import DragomanError, PermanentError
from schemas.events import DeadLetter
from schemas.languages import Language
from schemas.priorities import Priority
from schemas.records import InboundRecord, OutboundRecord, StoredAt, words_of
from schemas.topics import (
    CONTROL,
    DAY_MS,
    DEAD_LETTERS,
    OPERATIONS,
    RESULTS,
    TRANSLATED,
    USAGE,
    batches_topic,
    requests_topic,
)
from stream_apps.assembly.handler import AssemblyHandler
from stream_apps.assembly.recovery import Rebuilder
from stream_apps.intake.cutting import RequestCutter
from stream_apps.intake.handler import IntakeHandler
from stream_apps.intake.outputs import Stores
from stream_apps.intake.settings import IntakeLimits
from stream_apps.pipeline.deadline_policy import SkipPolicy
from stream_apps.pipeline.deduplication import RequestDeduplicator
from stream_apps.pipeline.language_detection import Detection
from stream_apps.pipeline.output_records import WireFormat
from stream_apps.pipeline.request_limits import RequestLimits
from stream_apps.pipeline.segmentation import Segmenter
from stream_apps.redrive.open_dead_letters import OpenDeadLetters
from stream_apps.repair.open_requests import LossPolicy, OpenRequests
from stream_apps.runtime.event_processor import EventHandler, EventProcessor, EventRetry
from stream_apps.usage_sink.inserting import Inserter
from stream_apps.usage_sink.records import RecordSink
from stream_apps.usage_sink.sink import UsageSink
from tests.dead_letters import dead_letter_writer
from tests.fuzz.poison import Poison, Poisoner, encoded
from tests.fuzz.samples import MESSAGE_OF, sample
from tests.keys import revision
from tests.translators import PlainTranslator
from tests.valkey import running_valkey
from tests.worker_cycle import outputs_of

CODEC = Codec()
NOW = 1_700_000_000_000
SOUND = revision("sound", tenant="poison")
LIMIT = 2_000_000
RECORDS = 600
SEED = 1
_RECORD_TABLES = {
    RESULTS: "requests",
    DEAD_LETTERS: "dead_letters",
    CONTROL: "audit",
    OPERATIONS: "worker_intervals",
}
UNREADABLE = {
    "random bytes",
    "truncated",
    "trailing bytes",
    "unknown fingerprint",
    "unknown registry id",
    "JSON",
    "varint bomb",
    "foreign message",
}


@pytest.fixture(scope="module")
def valkey():
    with running_valkey() as url:
        yield url


@dataclass
class Outcome:
    """What a handler made of the records of one topic."""

    poison: list[Poison]
    outputs: list[OutboundRecord] = field(default_factory=list)

    def check(self) -> None:
        """Check that each deadly record has one dead letter with a known cause, and that all outputs fit."""
        dead_letters = [
            CODEC.decode(output.value, DeadLetter) for output in self.outputs if output.topic == DEAD_LETTERS
        ]
        per_record = Counter(dead_letter.offset for dead_letter in dead_letters if dead_letter.segment is None)
        spared = [one.kind for at, one in enumerate(self.poison) if one.is_deadly and at not in per_record]
        assert Counter(spared) == {}
        assert max(per_record.values()) == 1
        assert all(re.fullmatch("[a-z_]+", dead_letter.cause) for dead_letter in dead_letters)
        assert {
            dead_letter.cause for dead_letter in dead_letters if not (dead_letter.message and dead_letter.cure)
        } == set()
        assert "unexpected" not in {dead_letter.cause for dead_letter in dead_letters}
        assert max(map(_size, self.outputs)) <= LIMIT


def _size(output: OutboundRecord) -> int:
    return len(output.value or b"") + sum(len(name) + len(value or b"") for name, value in output.headers.items())


def _poison(topic: str) -> list[Poison]:
    return list(Poisoner(SEED, NOW).records(topic, RECORDS))


def _inbound(poison: list[Poison]) -> list[InboundRecord]:
    return [
        InboundRecord(
            one.topic, 0, at, one.key, one.value, {name: value or b"" for name, value in one.headers}, NOW
        )
        for at, one in enumerate(poison)
    ]


async def _nothing() -> None:
    """Close nothing."""


def _processed(poison: list[Poison], handler: EventHandler, close=_nothing) -> Outcome:
    outcome = Outcome(poison)

    async def store(outputs: Sequence[OutboundRecord]) -> list[StoredAt | DragomanError]:
        return [stored(output) for output in outputs]

    def stored(output: OutboundRecord) -> StoredAt | DragomanError:
        if _size(output) > LIMIT:
            return PermanentError("output_too_large", "Kafka would refuse it")
        outcome.outputs.append(output)
        return StoredAt(0, len(outcome.outputs))

    async def wait(_seconds: float) -> None:
        raise AssertionError("no record is a reason to wait")

    async def run() -> None:
        processor = EventProcessor(handler, store, EventRetry(sleep=wait))
        records = _inbound(poison)
        for start in range(0, len(records), 50):
            await processor.process(records[start : start + 50])
        await close()

    asyncio.run(run())
    return outcome


def _cycled(poison: list[Poison], handler) -> Outcome:
    outcome = Outcome(poison)
    records = _inbound(poison)
    for start in range(0, len(records), 50):
        outcome.outputs += handler.handle(records[start : start + 50])
        handler.committed([])
    return outcome


@pytest.mark.parametrize("priority", Priority)
def test_intake_refuses_every_spoiled_request(priority):
    class EmptyMemory:
        async def get_many(self, keys):
            return [None for _ in keys]

    cutter = RequestCutter(
        codec=CODEC,
        objects=open_objects(ObjectSettings(url="memory:///")),
        split=Segmenter().split,
        detect=lambda _text: Detection(Language("en"), 1.0),
        now_ms=lambda: NOW,
        limits=IntakeLimits(),
        requests=RequestLimits(),
        pipeline_version="v1",
    )
    models = FixedModelVersions({"default": {"en-pt": "m1"}})
    stores = Stores(RequestDeduplicator(InMemoryRequestPlans()), models, EmptyMemory())
    handler = IntakeHandler(cutter, stores, WireFormat(CODEC, 6, LIMIT))
    event_handler = EventHandler(_dead_letters("intake"), handler.handle, handler.delivered, handler.refused)
    _processed(_poison(requests_topic(priority)), event_handler).check()


@pytest.mark.parametrize("priority", Priority)
def test_a_worker_refuses_every_spoiled_batch(priority):
    poison, handler = _poison(batches_topic("default", priority)), _batch_handler()
    outcome, records = Outcome(poison), _inbound(poison)
    for start in range(0, len(records), 50):
        outcome.outputs += outputs_of(handler, records[start : start + 50])
    outcome.check()


def test_any_header_of_words_is_a_number_of_words():
    records = _inbound(_poison(batches_topic("default", Priority.HIGH)))
    assert all(1 <= words_of(record) < 10**9 for record in records)


@pytest.mark.parametrize("topic", [TRANSLATED, CONTROL])
def test_assembly_refuses_every_spoiled_batch_and_control(valkey, topic):
    with redis.Redis.from_url(valkey) as client:
        handler = AssemblyHandler(
            codec=CODEC,
            slots=RedisSlots(client, SlotRetention(60, 120)),
            told=set,
            objects=UrlObjectStore(MemoryStore()),
            inline_limit_bytes=700_000,
            now_ms=lambda: NOW,
            dead_letters=_dead_letters("assembly"),
            max_message_bytes=LIMIT,
        )
        _cycled(_poison(topic), handler).check()


def test_the_usage_sink_refuses_every_spoiled_event_and_keeps_its_place():
    poison = _poison(USAGE)
    outcome, log = Outcome(poison), _Log(_inbound(poison))
    box = _Box(outcome.outputs)
    sink = UsageSink(log, Inserter(_StrictTable()), box, _dead_letters("usage_sink"), batch_seconds=0)
    sink.begin([StartingOffset(USAGE, 0, 0, None)])
    sink.accept(log.take(RECORDS, 0.0))
    sink.write_due()
    outcome.check()
    assert log.finished == [RECORDS - 1]


def test_the_sink_of_records_passes_over_what_is_spoiled_and_inserts_only_what_clickhouse_takes(tmp_path):
    now = round(time.time() * 1000)
    with closing(Database(f"chdb://{tmp_path}")) as database:
        database.create({})
        for topic, table in _RECORD_TABLES.items():
            log = _Log([])
            sink = RecordSink(log, Inserter(database), CODEC, lambda: now, batch_seconds=0)
            poison = Poisoner(SEED, now).records(topic, RECORDS // 4)
            records = [replace(one, timestamp_ms=now) for one in _inbound(list(poison))]
            value = encoded(MESSAGE_OF[topic], sample(topic, "sound", now))
            sink.accept([*records, replace(records[0], key=b"sound", value=value, offset=RECORDS)])
            sink.drain()
            assert log.finished == [RECORDS]
            last = "until > since" if table == "worker_intervals" else f"kafka_offset = {RECORDS}"
            assert database.rows(f"SELECT count() FROM {table} WHERE {last}") >= [(1,)]


def test_a_rebuild_passes_over_every_spoiled_answer(valkey):
    with redis.Redis.from_url(valkey) as client:
        rebuilder = Rebuilder(RedisSlots(client, SlotRetention(60, 120)), CODEC, lambda: 0)
        records = _inbound(_poison(RESULTS))
        sound = replace(records[0], key=b"poison/sound", value=_result("sound"), offset=RECORDS)
        rebuilder.restore([*records, sound])
        answered = RedisAnsweredRequests(client)
        assert answered.among({SOUND, revision("open", tenant="poison")}) == {SOUND}


def test_repair_passes_over_every_spoiled_answer():
    found = OpenRequests(CODEC, refused=set())
    request = InboundRecord(requests_topic(Priority.HIGH), 0, 0, b"poison/sound", _request("sound"))
    found.add_request(request)
    for record in _inbound(_poison(RESULTS)):
        found.add_result(record)
    assert len(list(found.fates(dict.fromkeys(Priority, NOW), LossPolicy(0, 3)))) == 1
    found.add_result(InboundRecord(RESULTS, 0, RECORDS, b"poison/sound", _result("sound")))
    assert list(found.fates(dict.fromkeys(Priority, NOW), LossPolicy(0, 3))) == []


def test_the_list_of_dead_letters_passes_over_every_spoiled_one():
    poison = _poison(DEAD_LETTERS)
    dead_letters = OpenDeadLetters(CODEC, lambda _summary: True)
    for record in _inbound(poison):
        dead_letters.add(record)
    assert dead_letters.unreadable >= sum(one.kind in UNREADABLE and one.value is not None for one in poison)
    assert len(dead_letters.oldest_first()) > 0


def _result(request_id):
    return encoded(MESSAGE_OF[RESULTS], sample(RESULTS, request_id, NOW))


def _request(request_id):
    topic = requests_topic(Priority.HIGH)
    return encoded(MESSAGE_OF[topic], sample(topic, request_id, NOW))


def _dead_letters(stage):
    return dead_letter_writer(stage, burst_bytes=10**9, max_message_bytes=LIMIT, now_ms=NOW)


@dataclass
class _Log:
    records: list[InboundRecord]
    finished: list[int] = field(default_factory=list)

    def take(self, limit, timeout_seconds):
        return self.records

    def announce(self, ranges):
        pass

    def finish(self, lasts):
        self.finished += lasts.values()


@dataclass
class _Box:
    outputs: list[OutboundRecord]

    def send(self, records, timeout_seconds=30.0):
        self.outputs += records


class _StrictTable:
    """Takes what the columns of usage_events can hold (ddl/001_usage_events.sql)."""

    def insert(self, table, columns, token):
        for name in ("source_words", "target_words", "batches", "segments", "cached_words", "sla_ms"):
            assert all(0 <= value < 2**64 for value in columns[name])
        assert len({at // (28 * DAY_MS) for at in columns["at"]}) < 100


def _batch_handler() -> BatchHandler:
    memory = InMemoryTranslationMemory()
    segments = SegmentTranslator(_Shouting(), memory, clock=lambda: 0.0)
    identity = WorkerIdentity("w1", "default", "cpu", "on_demand")
    skip_policy, dead_letters, speed = (
        SkipPolicy(FixedAnsweredRequests()),
        _dead_letters("inference"),
        Speedometer(100.0),
    )
    return BatchHandler(CODEC, skip_policy, segments, identity, speed, lambda: NOW, dead_letters, LIMIT)


class _Shouting(PlainTranslator):
    def version_of(self, source, target):
        if (source, target) != ("en", "pt"):
            raise PermanentError("unsupported_pair", "no model")
        return "shout-1"

    def begin(self, texts, context):
        self.version_of(context.source, context.target)
        return super().begin(texts, context)

    def translate(self, texts):
        return [fidelity.Outcome(text.upper(), None) for text in texts]
