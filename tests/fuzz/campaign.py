"""Poison on every topic that the platform reads, good requests between it, and what became of both."""

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

Place = tuple[str, int, int]

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
    """What a campaign found. `spared`: deadly records that no process refused, by topic and kind."""

    sent: dict[str, int]
    dead_letters: dict[str, dict[str, int]]
    taken_for_sound: dict[str, int]
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
        """One line for each thing that must not be."""
        found = {
            f"deadly records were taken for sound: {self.spared}": len(self.spared),
            f"{self.dead_twice} records have two dead letters": self.dead_twice,
            f"{self.good_sent - self.good_answered} good requests have no answer": self.good_sent
            - self.good_answered,
            f"{self.good_twice} good requests have two answers": self.good_twice,
            f"{self.good_wrong} answers are wrong": self.good_wrong,
            f"{self.restarts} processes were restarted": self.restarts,
            "a bug was met: see the logs for event_surprised": sum(
                causes.get("unexpected", 0) for causes in self.dead_letters.values()
            ),
        }
        return [line for line, count in found.items() if count]


@dataclass
class Campaign:
    """One run against a stack. Everything is sent first come, first served, on all topics in turn."""

    stack: Stack
    seed: int
    records_per_topic: int
    good_requests: int
    timeout_seconds: float = 60.0
    _places: dict[Place, Poison] = field(default_factory=dict, init=False)
    _fences: set[Place] = field(default_factory=set, init=False)

    def run(self) -> Outcome:
        """Sends, waits until every partition is read to its end, and judges."""
        outside = Outside(self.stack.kafka_bootstrap)
        expected = self._rehearse(outside)
        before, started = self._pids(), time.monotonic()
        results = outside.tail("translation.results")
        dead_letters = Letters(self.stack.kafka_bootstrap)
        good = self._send(outside)
        self._send_fences()
        end = time.monotonic() + self.timeout_seconds
        dead_letters.until(lambda: self._fences <= dead_letters.causes.keys(), end)
        results.until(
            lambda read: good.keys() <= {one["request_id"] for one in read}, max(end - time.monotonic(), 5)
        )
        # Long enough for a second answer, and for letters that were on their way beside the last ones.
        results.more(2.0)
        dead_letters.until(lambda: False, time.monotonic() + 1.0)
        answers = {one["request_id"]: one["text"] for one in results.read if one["request_id"] in good}
        counts = results.counts()
        results.close()
        dead_letters.close()
        return Outcome(
            **self._judged(dead_letters),
            good_sent=len(good),
            good_answered=len(answers),
            good_twice=sum(counts[request_id] > 1 for request_id in good),
            good_wrong=sum(expected[good[request_id]] != text for request_id, text in answers.items()),
            restarts=restarted(before, self._pids()),
            seconds=round(time.monotonic() - started, 1),
        )

    def _rehearse(self, outside: Outside) -> dict[str, str]:
        """What the platform makes of each sentence while nobody disturbs it."""
        results = outside.tail("translation.results")
        sent = {outside.send_request("high", text=text): text for text in SENTENCES}
        results.until(lambda read: sent.keys() <= {one["request_id"] for one in read})
        results.close()
        return {sent[one["request_id"]]: one["text"] for one in results.read if one["request_id"] in sent}

    def _send(self, outside: Outside) -> dict[str, str]:
        """All the poison, and the good requests evenly between it: id -> text."""
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
            self._places[message.topic(), message.partition(), message.offset()] = poison

        if len(producer) > _QUEUED:
            producer.flush(60)
        producer.poll(0)
        producer.produce(
            poison.topic, key=poison.key, value=poison.value, headers=poison.headers, on_delivery=stored
        )

    def _send_fences(self) -> None:
        """A dead letter of the last record says that all before it in its partition were read."""
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

    def _judged(self, dead_letters: "Letters") -> dict[str, Any]:
        sent = Counter(poison.topic for poison in self._places.values())
        dead: dict[str, Counter[str]] = defaultdict(Counter)
        sound, spared, twice = Counter[str](), Counter[str](), 0
        for place, poison in self._places.items():
            causes = dead_letters.causes.get(place, [])
            dead[poison.topic].update(causes[:1])
            twice += len(causes) > 1
            if not causes:
                sound[poison.topic] += not poison.is_deadly
                spared[f"{poison.topic}: {poison.kind}"] += poison.is_deadly
        return {
            "sent": dict(sent),
            "dead_letters": {topic: dict(causes) for topic, causes in dead.items()},
            "taken_for_sound": dict(+sound),
            "spared": dict(+spared),
            "dead_twice": twice,
        }

    def _pids(self) -> dict[str, int]:
        return read_run(self.stack.root).processes


def restarted(before: Mapping[str, int], now: Mapping[str, int]) -> int:
    """Processes that are others than before, or gone. Workers may have been taken away for want of work."""
    return sum(now.get(name, pid if name.startswith("worker") else 0) != pid for name, pid in before.items())


class Letters:
    """The causes of the dead letters by the place of their record; letters of single segments do not count."""

    def __init__(self, bootstrap: str) -> None:
        self.causes: dict[Place, list[str]] = {}
        self._codec = Codec()
        self._tail = Outside(bootstrap).tail("translation.dead_letters")
        self._consumer: Consumer = self._tail.consumer

    def until(self, is_enough: Any, end: float) -> None:
        """Reads on until it is enough, or until that moment."""
        while not is_enough() and time.monotonic() < end:
            for message in self._consumer.consume(500, 0.2):
                assert not message.error(), message.error()
                self._add(self._codec.decode(message.value(), DeadLetter))

    def close(self) -> None:
        """Closes the connections."""
        self._tail.close()

    def _add(self, dead_letter: DeadLetter) -> None:
        if dead_letter.segment is None:
            self.causes.setdefault((dead_letter.topic, dead_letter.partition, dead_letter.offset), []).append(
                dead_letter.cause
            )


def rows_of(outcome: Outcome) -> Iterator[tuple[str, ...]]:
    """A row for each topic: sent, dead letters, taken for sound, causes."""
    for topic, sent in outcome.sent.items():
        causes = Counter(outcome.dead_letters.get(topic, {}))
        told = ", ".join(f"{cause} {count}" for cause, count in causes.most_common())
        yield topic, str(sent), str(causes.total()), str(outcome.taken_for_sound.get(topic, 0)), told
