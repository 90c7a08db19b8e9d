"""Send malformed records to every topic that the platform reads, good requests between them, and check both."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from confluent_kafka import Consumer, KafkaError, Message, Producer

from deploy.local.main import read_run
from schemas.codec import Codec
from schemas.events import DeadLetter
from schemas.priorities import Priority
from tests.fuzz.poison import Poison, Poisoner
from tests.fuzz.samples import INPUTS
from tests.outside import Outside
from tests.stack import Stack

Location = tuple[str | None, int | None, int | None]
"""Topic, partition, offset."""

SENTENCES = [
    f"The {noun} with the number {number} is {colour}."
    for noun in ("house", "garden", "boat", "bridge")
    for number in range(10)
    for colour in ("green", "old", "very small")
]
_FENCE = b"the last record of this partition"
_QUEUED = 50_000


@dataclass
class Outcome:
    """What a campaign found. `spared`: deadly records without a dead letter, by topic and kind."""

    sent: dict[str, int]
    dead_letters: dict[str, dict[str, int]]
    accepted_as_valid: dict[str, int]
    spared: dict[str, int]
    dead_twice: int
    good_sent: int
    good_answered: int
    good_twice: int
    good_wrong: int
    restarts: int
    seconds: float

    @property
    def violations(self) -> list[str]:
        """Return one line for each violation."""
        found = {
            f"deadly records were accepted as valid: {self.spared}": len(self.spared),
            f"{self.dead_twice} records have two dead letters": self.dead_twice,
            f"{self.good_sent - self.good_answered} good requests have no answer": self.good_sent
            - self.good_answered,
            f"{self.good_twice} good requests have two answers": self.good_twice,
            f"{self.good_wrong} answers are wrong": self.good_wrong,
            f"{self.restarts} processes were restarted": self.restarts,
            "an unexpected error: see the logs for event_surprised": sum(
                causes.get("unexpected", 0) for causes in self.dead_letters.values()
            ),
        }
        return [line for line, count in found.items() if count]


@dataclass
class Campaign:
    """One run against a stack. Records go to all topics in turn."""

    stack: Stack
    seed: int
    records_per_topic: int
    good_requests: int
    timeout_seconds: float = 60.0
    _sent: dict[Location, Poison] = field(default_factory=dict, init=False)
    _fences: set[Location] = field(default_factory=set, init=False)

    def run(self) -> Outcome:
        """Send, wait until every partition is read to its end, and compare."""
        outside = Outside(self.stack.kafka_bootstrap)
        expected = self._rehearse(outside)
        before, started = self._pids(), time.monotonic()
        results = outside.tail("translation.results")
        dead_letters = DeadLetterCauses(self.stack.kafka_bootstrap)
        good = self._send(outside)
        self._send_fences()
        end = time.monotonic() + self.timeout_seconds
        dead_letters.until(lambda: self._fences <= dead_letters.causes.keys(), end)
        results.until(
            lambda read: good.keys() <= {one["request_id"] for one in read}, max(end - time.monotonic(), 5)
        )
        # Long enough for a second answer, and for dead letters that were written beside the last ones.
        results.more(2.0)
        dead_letters.until(lambda: False, time.monotonic() + 1.0)
        answers = {one["request_id"]: one["text"] for one in results.read if one["request_id"] in good}
        counts = results.counts()
        results.close()
        dead_letters.close()
        return Outcome(
            **self._outcome(dead_letters),
            good_sent=len(good),
            good_answered=len(answers),
            good_twice=sum(counts[request_id] > 1 for request_id in good),
            good_wrong=sum(expected[good[request_id]] != text for request_id, text in answers.items()),
            restarts=restarted(before, self._pids()),
            seconds=round(time.monotonic() - started, 1),
        )

    def _rehearse(self, outside: Outside) -> dict[str, str]:
        """Return the undisturbed translation of each sentence."""
        results = outside.tail("translation.results")
        sent = {outside.send_request("high", text=text): text for text in SENTENCES}
        results.until(lambda read: sent.keys() <= {one["request_id"] for one in read})
        results.close()
        return {sent[one["request_id"]]: one["text"] for one in results.read if one["request_id"] in sent}

    def _send(self, outside: Outside) -> dict[str, str]:
        """Send all the poison, and the good requests evenly between it; return their texts by id."""
        producer = self._producer()
        now_ms = int(time.time() * 1000)
        streams = [
            Poisoner(self.seed + number, now_ms).records(topic, self.records_per_topic)
            for number, topic in enumerate(INPUTS)
        ]
        every = max(self.records_per_topic // self.good_requests, 1)
        good: dict[str, str] = {}
        for number, round_ in enumerate(zip_longest(*streams)):
            for poison in round_:
                self._produce(producer, poison)
            if number % every == 0 and len(good) < self.good_requests:
                text = SENTENCES[len(good) % len(SENTENCES)]
                good[outside.send_request(list(Priority)[len(good) % 3], text=text)] = text
        producer.flush(60)
        return good

    def _produce(self, producer: Producer, poison: Poison) -> None:
        def stored(error: KafkaError | None, message: Message) -> None:
            assert error is None, error
            self._sent[message.topic(), message.partition(), message.offset()] = poison

        if len(producer) > _QUEUED:
            producer.flush(60)
        producer.poll(0)
        producer.produce(
            poison.topic, key=poison.key, value=poison.value, headers=[*poison.headers], on_delivery=stored
        )

    def _send_fences(self) -> None:
        """Send a last record to each partition: its dead letter shows that all records before it were read."""
        producer = self._producer()
        partitions = producer.list_topics(timeout=10).topics

        def stored(error: KafkaError | None, message: Message) -> None:
            assert error is None, error
            self._fences.add((message.topic(), message.partition(), message.offset()))

        for topic in INPUTS:
            for partition in partitions[topic].partitions:
                producer.produce(topic, value=_FENCE, partition=partition, on_delivery=stored)
        producer.flush(60)

    def _producer(self) -> Producer:
        return Producer(
            {
                "bootstrap.servers": self.stack.kafka_bootstrap,
                "compression.type": "lz4",
                "linger.ms": 20,
                "message.max.bytes": 2_000_000,
                "queue.buffering.max.kbytes": 200_000,
                "log_level": 2,
            }
        )

    def _outcome(self, dead_letters: "DeadLetterCauses") -> dict[str, Any]:
        sent = Counter(poison.topic for poison in self._sent.values())
        dead: dict[str, Counter[str]] = defaultdict(Counter)
        valid, spared, twice = Counter[str](), Counter[str](), 0
        for location, poison in self._sent.items():
            causes = dead_letters.causes.get(location, [])
            dead[poison.topic].update(causes[:1])
            twice += len(causes) > 1
            if not causes:
                valid[poison.topic] += not poison.is_deadly
                spared[f"{poison.topic}: {poison.kind}"] += poison.is_deadly
        return {
            "sent": dict(sent),
            "dead_letters": {topic: dict(causes) for topic, causes in dead.items()},
            "accepted_as_valid": dict(+valid),
            "spared": dict(+spared),
            "dead_twice": twice,
        }

    def _pids(self) -> dict[str, int]:
        return read_run(self.stack.root).processes


def restarted(before: Mapping[str, int], now: Mapping[str, int]) -> int:
    """Count processes that were restarted or are gone. Idle workers may have been removed by the autoscaler."""
    return sum(now.get(name, pid if name.startswith("worker") else 0) != pid for name, pid in before.items())


class DeadLetterCauses:
    """Reads the causes of dead letters by the location of their record, except those of single segments."""

    def __init__(self, bootstrap: str) -> None:
        self.causes: dict[Location, list[str]] = {}
        self._codec = Codec()
        self._tail = Outside(bootstrap).tail("translation.dead_letters")
        self._consumer: Consumer = self._tail.consumer

    def until(self, is_enough: Any, end: float) -> None:
        """Read until it is enough, or until that moment."""
        while not is_enough() and time.monotonic() < end:
            for message in self._consumer.consume(500, 0.2):
                assert not message.error(), message.error()
                self._add(self._codec.decode(message.value() or b"", DeadLetter))

    def close(self) -> None:
        """Close the connections."""
        self._tail.close()

    def _add(self, dead_letter: DeadLetter) -> None:
        if dead_letter.segment is None:
            self.causes.setdefault((dead_letter.topic, dead_letter.partition, dead_letter.offset), []).append(
                dead_letter.cause
            )


def rows_of(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    """Return a row for each topic: sent, dead letters, accepted as valid, causes."""
    for topic, sent in outcome.sent.items():
        causes = Counter(outcome.dead_letters.get(topic, {}))
        told = ", ".join(f"{cause} {count}" for cause, count in causes.most_common())
        yield topic, str(sent), str(causes.total()), str(outcome.accepted_as_valid.get(topic, 0)), told
