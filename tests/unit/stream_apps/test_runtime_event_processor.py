"""What happens between a handler and Kafka: an event is finished only when its outputs are stored."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from schemas.codec import Codec
from schemas.dead_letters import about_request
from schemas.errors import FatalError, PermanentError, TransientError
from schemas.events import DeadLetter
from schemas.records import InboundRecord, OutboundRecord, StoredAt
from schemas.topics import DEAD_LETTERS
from stream_apps.runtime.event_processor import EventHandler, EventProcessor, EventRetry
from stream_apps.runtime.retry import RetryPolicy
from tests.dead_letters import dead_letter_writer
from tests.keys import key

CODEC = Codec()
BAD = PermanentError("empty_text", "text is empty", field="text", cure="send text")


def inbound(offset=0):
    return InboundRecord("in", 0, offset, b"k", b"v")


def outbound(record, topic="out"):
    return OutboundRecord(topic, b"k", f"answer to {record.offset}".encode())


@dataclass
class Kafka:
    """Takes records; fails as often as told first."""

    failures: list = field(default_factory=list)
    stored: list = field(default_factory=list)
    refused_topics: tuple = ()

    async def store(self, records):
        return [self._outcome(record) for record in records]

    def _outcome(self, record):
        if record.topic in self.refused_topics:
            return PermanentError("output_too_large", "too large")
        if self.failures:
            return self.failures.pop(0)
        self.stored.append(record)
        return StoredAt(0, len(self.stored))


@dataclass
class ScriptedHandler:
    """A handler that raises what it is given, once each, and then answers."""

    errors: dict = field(default_factory=dict)
    delivered_records: list = field(default_factory=list)
    kafka: Kafka = field(default_factory=Kafka)
    stored_when_told: int = 0
    interrupted: bool = False
    pauses: list = field(default_factory=list)
    asked: list = field(default_factory=list)
    places: list = field(default_factory=list)
    untold: list = field(default_factory=list)
    most: int | None = None

    async def handle(self, records):
        self.asked.append([record.offset for record in records])
        return [self._outcome(record) for record in records][: self.most]

    def _outcome(self, record):
        waiting = self.errors.get(record.offset, [])
        error = waiting.pop(0) if waiting else None
        if isinstance(error, PermanentError):
            return error
        if error:
            raise error
        return [outbound(record)]

    async def delivered(self, records, places):
        if self.untold:
            raise self.untold.pop(0)
        self.delivered_records.extend(records)
        self.places.extend(places)
        self.stored_when_told = len(self.kafka.stored)

    async def sleep(self, seconds):
        self.pauses.append(seconds)

    def processor(self, first_seconds=0.2, longest_seconds=3.0, **retry):
        policy = RetryPolicy(first_seconds, longest_seconds)
        waits = EventRetry(policy, is_interrupted=lambda: self.interrupted, sleep=self.sleep, **retry)
        return EventProcessor(
            EventHandler(dead_letter_writer("intake"), self.handle, self.delivered), self.kafka.store, waits
        )

    def process(self, *offsets, **retry):
        return asyncio.run(self.processor(**retry).process([inbound(offset) for offset in offsets]))


def dead_letters(kafka):
    return [CODEC.decode(record.value, DeadLetter) for record in kafka.stored if record.topic == DEAD_LETTERS]


def test_the_outputs_of_all_events_are_stored_before_anyone_is_told():
    scripted = ScriptedHandler()
    scripted.process(0, 1, 2)
    assert [record.value for record in scripted.kafka.stored] == [b"answer to 0", b"answer to 1", b"answer to 2"]
    assert scripted.stored_when_told == 3
    assert [record.offset for record in scripted.delivered_records] == [0, 1, 2]


def test_a_permanent_error_becomes_a_dead_letter_and_spares_the_neighbours():
    scripted = ScriptedHandler(errors={1: [BAD]})
    scripted.process(0, 1, 2)
    (dead_letter,) = dead_letters(scripted.kafka)
    assert (dead_letter.cause, dead_letter.field, dead_letter.cure) == ("empty_text", "text", "send text")
    assert (dead_letter.topic, dead_letter.offset, dead_letter.value) == ("in", 1, b"v")
    assert len(scripted.kafka.stored) == 3


def test_a_transient_error_is_retried_until_it_passes():
    scripted = ScriptedHandler(errors={0: [TransientError("redis is away", 0.1)] * 5})
    scripted.process(0, first_seconds=0.1, longest_seconds=0.5)
    assert [record.value for record in scripted.kafka.stored] == [b"answer to 0"]
    assert 0.5 < sum(scripted.pauses) < 3


def test_pauses_double_up_to_the_longest_one():
    scripted = ScriptedHandler(errors={0: [TransientError("away", 0.1)] * 8})
    scripted.process(0, first_seconds=0.1, longest_seconds=0.2)
    assert max(scripted.pauses) <= 0.2


def test_a_failed_delivery_alone_is_sent_again():
    scripted = ScriptedHandler(kafka=Kafka(failures=[TransientError("broker is away", 0.1)]))
    scripted.process(0, 1)
    assert sorted(record.value for record in scripted.kafka.stored) == [b"answer to 0", b"answer to 1"]


def test_a_producer_that_never_works_again_ends_the_process():
    scripted = ScriptedHandler(kafka=Kafka(failures=[TransientError("broker is away", 0.1)] * 100))
    with pytest.raises(FatalError, match="no output in 3 attempts"):
        scripted.process(0, send_attempts=3)
    assert scripted.delivered_records == []


def test_a_rebalance_interrupts_the_wait_and_nothing_is_told_delivered():
    scripted = ScriptedHandler(errors={0: [TransientError("redis is away")]}, interrupted=True)
    assert not scripted.process(0)
    assert scripted.delivered_records == []
    assert scripted.kafka.stored == []


def test_a_defect_is_tried_twice_and_then_becomes_a_dead_letter_without_the_text():
    scripted = ScriptedHandler(errors={0: [KeyError("secret text"), KeyError("secret text")]})
    scripted.process(0)
    (dead_letter,) = dead_letters(scripted.kafka)
    assert dead_letter.cause == "unexpected"
    assert "KeyError" in dead_letter.message
    assert "secret" not in dead_letter.message


def test_a_defect_that_passes_is_forgiven():
    scripted = ScriptedHandler(errors={0: [KeyError("once")]})
    scripted.process(0)
    assert dead_letters(scripted.kafka) == []
    assert len(scripted.kafka.stored) == 1


def test_a_fatal_error_passes_through():
    scripted = ScriptedHandler(errors={0: [FatalError("misconfigured")]})
    with pytest.raises(FatalError):
        scripted.process(0)


def test_an_output_that_kafka_will_never_take_becomes_a_dead_letter():
    scripted = ScriptedHandler(kafka=Kafka(refused_topics=("out",)))
    scripted.process(0)
    (dead_letter,) = dead_letters(scripted.kafka)
    assert dead_letter.cause == "output_too_large"


def test_a_dead_letter_that_kafka_will_never_take_ends_the_process():
    scripted = ScriptedHandler(errors={0: [BAD]}, kafka=Kafka(refused_topics=(DEAD_LETTERS,)))
    with pytest.raises(FatalError, match="in-0-0"):
        scripted.process(0)


def test_a_refusal_may_say_more_than_the_dead_letter():
    scripted = ScriptedHandler(errors={0: [BAD]})

    def refusal(record, error, dead_letter):
        return about_request(dead_letter, key("r1", "acme")), [outbound(record, "control")]

    handler = EventHandler(dead_letter_writer("intake"), scripted.handle, scripted.delivered, refusal)
    processor = EventProcessor(handler, scripted.kafka.store, EventRetry())
    asyncio.run(processor.process([inbound()]))
    assert [record.topic for record in scripted.kafka.stored] == [DEAD_LETTERS, "control"]
    assert [dead_letter.request_id for dead_letter in dead_letters(scripted.kafka)] == ["r1"]


@dataclass
class Told:
    words: list = field(default_factory=list)

    def retry(self):
        return {"on_waiting": self.words.append, "on_working": lambda: self.words.append("works")}


def test_a_processor_says_that_it_waits_and_that_it_works_again():
    told = Told()
    scripted = ScriptedHandler(errors={0: [TransientError("redis is away")] * 2})
    scripted.process(0, 1, **told.retry())
    assert told.words == ["redis is away"] * 2 + ["works"]


def test_a_wait_that_a_rebalance_ends_is_over():
    told = Told()
    scripted = ScriptedHandler(errors={0: [TransientError("redis is away")]}, interrupted=True)
    assert not scripted.process(0, **told.retry())
    assert told.words == ["redis is away", "works"]


def test_a_processor_that_never_waited_does_not_speak_for_those_that_do():
    told = Told()
    ScriptedHandler().process(0, 1, **told.retry())
    assert told.words == []


def test_what_the_handler_leaves_over_is_handled_when_the_first_events_are_stored():
    scripted = ScriptedHandler(most=2)
    scripted.process(*range(5))
    assert scripted.asked == [[0, 1, 2, 3, 4], [2, 3, 4], [4]]
    assert [record.offset for record in scripted.delivered_records] == list(range(5))
    assert len(scripted.kafka.stored) == 5


def test_whoever_is_told_learns_where_the_outputs_of_each_event_are_stored():
    scripted = ScriptedHandler(kafka=Kafka(failures=[TransientError("broker is away", 0.1)]))
    scripted.process(0, 1)
    assert scripted.places == [(StoredAt(0, 2),), (StoredAt(0, 1),)]


def test_a_delivery_that_cannot_be_told_is_told_again_until_it_is():
    scripted = ScriptedHandler(untold=[TransientError("redis is away", 0.1)] * 30)
    assert scripted.process(0, send_attempts=3)
    assert ([record.offset for record in scripted.delivered_records], len(scripted.kafka.stored)) == ([0], 1)


def test_a_defect_in_one_of_many_events_costs_this_one_only():
    scripted = ScriptedHandler(errors={5: [KeyError("defect")] * 20})
    scripted.process(*range(8))
    (dead_letter,) = dead_letters(scripted.kafka)
    assert (dead_letter.offset, dead_letter.cause) == (5, "unexpected")
    assert sorted(record.value for record in scripted.kafka.stored if record.topic == "out") == [
        f"answer to {offset}".encode() for offset in range(8) if offset != 5
    ]
    assert [record.offset for record in scripted.delivered_records] == list(range(8))


def test_the_handler_works_in_a_turn_and_sends_outside_of_it():
    scripted, seen = ScriptedHandler(), []

    @asynccontextmanager
    async def turn():
        seen.append(("begins", len(scripted.kafka.stored)))
        yield
        seen.append(("ends", len(scripted.kafka.stored)))

    handler = EventHandler(dead_letter_writer("intake"), scripted.handle)
    asyncio.run(EventProcessor(handler, scripted.kafka.store, EventRetry(), turn).process([inbound()]))
    assert (seen, len(scripted.kafka.stored)) == ([("begins", 0), ("ends", 0)], 1)


def test_a_refusal_that_kafka_refuses_too_leaves_the_dead_letter_alone():
    kafka = Kafka(refused_topics=("out", "control"))

    async def handle(records):
        return [[outbound(record)] for record in records]

    def refusal(_record, _error, dead_letter):
        return dead_letter, [OutboundRecord("control", b"k", b"too large")]

    processor = EventProcessor(
        EventHandler(dead_letter_writer("intake"), handle, refusal=refusal), kafka.store, EventRetry()
    )
    asyncio.run(asyncio.wait_for(processor.process([inbound()]), 5))
    assert {dead_letter.cause for dead_letter in dead_letters(kafka)} == {"output_too_large"}
