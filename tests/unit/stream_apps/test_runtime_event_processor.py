"""What happens between a handler and Kafka: an event is finished only when its outputs are stored."""

import asyncio
from dataclasses import dataclass, field

import pytest

from schemas.codec import Codec
from schemas.dead_letters import about_request
from schemas.errors import FatalError, PermanentError, TransientError
from schemas.events import DeadLetter
from schemas.records import InboundRecord, OutboundRecord
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

    async def send(self, record):
        if record.topic in self.refused_topics:
            raise PermanentError("output_too_large", "too large")
        if self.failures:
            raise self.failures.pop(0)
        self.stored.append(record)


@dataclass
class ScriptedHandler:
    """A handler that raises what it is given, once each, and then answers."""

    errors: dict = field(default_factory=dict)
    delivered_records: list = field(default_factory=list)
    kafka: Kafka = field(default_factory=Kafka)
    stored_when_told: int = 0
    interrupted: bool = False
    pauses: list = field(default_factory=list)

    async def handle(self, record):
        waiting = self.errors.get(record.offset, [])
        if waiting:
            raise waiting.pop(0)
        return [outbound(record)]

    async def delivered(self, records):
        self.delivered_records.extend(records)
        self.stored_when_told = len(self.kafka.stored)

    async def sleep(self, seconds):
        self.pauses.append(seconds)

    def processor(self, first_seconds=0.2, longest_seconds=3.0, **retry):
        policy = RetryPolicy(first_seconds, longest_seconds)
        waits = EventRetry(policy, is_interrupted=lambda: self.interrupted, sleep=self.sleep, **retry)
        return EventProcessor(
            EventHandler(dead_letter_writer("intake"), self.handle, self.delivered), self.kafka.send, waits
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
    processor = EventProcessor(handler, scripted.kafka.send, EventRetry())
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


def test_outputs_beyond_the_bound_are_stored_before_the_next_event():
    scripted = ScriptedHandler()
    held = []

    async def handle(record):
        held.append(record.offset + 1 - len(scripted.kafka.stored))
        return [outbound(record)]

    processor = EventProcessor(
        EventHandler(dead_letter_writer("intake"), handle, scripted.delivered),
        scripted.kafka.send,
        EventRetry(),
        unsent_bytes=20,
    )
    asyncio.run(processor.process([inbound(offset) for offset in range(7)]))
    # Every output has 11 bytes, so two of them are too many.
    assert max(held) == 2
    assert [record.offset for record in scripted.delivered_records] == list(range(7))
    assert len(scripted.kafka.stored) == 7


def test_a_refusal_that_kafka_refuses_too_leaves_the_dead_letter_alone():
    kafka = Kafka(refused_topics=("out", "control"))

    async def handle(record):
        return [outbound(record)]

    def refusal(_record, _error, dead_letter):
        return dead_letter, [OutboundRecord("control", b"k", b"too large")]

    processor = EventProcessor(
        EventHandler(dead_letter_writer("intake"), handle, refusal=refusal), kafka.send, EventRetry()
    )
    asyncio.run(asyncio.wait_for(processor.process([inbound()]), 5))
    assert {dead_letter.cause for dead_letter in dead_letters(kafka)} == {"output_too_large"}
