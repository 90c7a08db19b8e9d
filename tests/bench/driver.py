"""Drive the platform over Kafka: send requests, read the committed answers, and check every one of them."""

import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from confluent_kafka import Producer

from connectors.kafka.schema_registry import open_codec
from connectors.kafka.settings import KafkaSettings
from schemas.messages import TranslationRequest, TranslationResult
from schemas.priorities import Priority
from schemas.states import ResultStatus
from schemas.topics import RESULTS, requests_topic
from tests.bench.figures import Leg
from tests.bench.harness import Platform, used
from tests.outside import Outside

_TAKE_SECONDS, _TAKE_RECORDS = 0.01, 500
_SILENT_SECONDS = 120.0
# A leg begins and ends with few requests on their way: the rate is that of the answers between.
_TRIMMED = 0.05


@dataclass(frozen=True)
class Record:
    """One request as it is sent."""

    topic: str
    key: bytes
    value: bytes


@dataclass
class Traffic:
    """When each request was sent and its first answer seen, on the driver's clock in seconds; and the answers."""

    sent: dict[bytes, float] = field(default_factory=dict)
    arrived: dict[bytes, float] = field(default_factory=dict)
    answers: Counter[bytes] = field(default_factory=Counter)
    values: list[bytes] = field(default_factory=list)

    @property
    def open(self) -> int:
        """Count the requests without an answer."""
        return len(self.sent) - len(self.arrived)

    def milliseconds(self) -> dict[bytes, float]:
        """Return the time from sending to the answer, by request."""
        return {key: (at - self.sent[key]) * 1000 for key, at in self.arrived.items()}

    def leg(self, name: str, cpu_ms: dict[str, float]) -> Leg:
        """Sum it up."""
        seconds = max(self.arrived.values()) - min(self.sent.values())
        leg = Leg.of(name, list(self.milliseconds().values()), seconds, cpu_ms)
        return replace(leg, per_second=rate(list(self.arrived.values()), seconds))


class Driver:
    """Sends and reads, for one leg after the other. `linger_ms`: how long a request waits for others."""

    def __init__(self, platform: Platform, answers: str = RESULTS, linger_ms: int = 5) -> None:
        bootstrap = platform.run.kafka_bootstrap
        kafka = KafkaSettings(bootstrap=bootstrap, schema_registry_url=platform.registry_url)
        self._codec = open_codec(kafka)
        self._platform = platform
        self._producer = Producer(
            {"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": linger_ms, "message.max.bytes": 2_000_000}
        )
        self._tail = Outside(bootstrap).tail(answers, message="TranslationResult")
        self.traffic = Traffic()

    def records(self, texts: Iterable[str], priority: Priority) -> list[Record]:
        """Encode a request of its own for each text."""
        return [self._record(text, priority) for text in texts]

    def closed_loop(self, name: str, records: Sequence[Record], in_flight: int, seconds: float = 1e9) -> Leg:
        """Keep so many requests on their way until all are sent or the time is over; return when all are answered.

        Raises TimeoutError when answers stay away.
        """
        waiting = deque(records)

        def send_more(elapsed: float) -> bool:
            if elapsed > seconds:
                return False
            for _ in range(min(len(waiting), in_flight - self.traffic.open)):
                self._send(waiting.popleft())
            return bool(waiting)

        return self._run(name, send_more)

    def paced(self, name: str, records: Sequence[Record], every_seconds: float) -> Leg:
        """Send one request after each pause, whatever is answered; return when all are."""
        waiting = deque(records)

        def send_due(elapsed: float) -> bool:
            if len(records) - len(waiting) <= elapsed / every_seconds:
                self._send(waiting.popleft())
            return bool(waiting)

        return self._run(name, send_due)

    def send(self, records: Sequence[Record]) -> None:
        """Send without waiting for answers; return when Kafka has acknowledged."""
        for record in records:
            self._produce(record)
        self._producer.flush(30)

    def check(self) -> None:
        """Raise AssertionError unless each request of the last leg was translated and answered once."""
        twice = sum(count - 1 for count in self.traffic.answers.values())
        results = [self._codec.decode(value, TranslationResult) for value in self.traffic.values]
        bad = [result for result in results if result.status != ResultStatus.COMPLETED or result.holes]
        assert not twice, f"{twice} answers came twice"
        assert not bad, f"{len(bad)} requests were not translated, the first is {bad[0]}"

    def close(self) -> None:
        """Close the connections."""
        self._producer.flush(30)
        self._tail.close()

    def _run(self, name: str, send: Callable[[float], bool]) -> Leg:
        self.traffic = Traffic()
        before, began = self._platform.cpu_ms(), time.perf_counter()
        heard, sending = began, True
        while sending or self.traffic.open:
            sending = sending and send(time.perf_counter() - began)
            heard = time.perf_counter() if self._take() or not self.traffic.open else heard
            if time.perf_counter() - heard > _SILENT_SECONDS:
                raise TimeoutError(f"{name}: {self.traffic.open} requests without answers")
        suffix = ", with a registry" if self._platform.registry_url else ""
        return self.traffic.leg(name + suffix, used(before, self._platform.cpu_ms()))

    def _record(self, text: str, priority: Priority) -> Record:
        request = TranslationRequest(
            request_id=str(uuid.uuid4()), tenant="bench", source_language="en", target_language="pt",
            text=text, submitted_at=time.time_ns() // 1_000_000,
        )  # fmt: skip
        return Record(requests_topic(priority), request.key.encode(), self._codec.encode(request))

    def _send(self, record: Record) -> None:
        self.traffic.sent[record.key] = time.perf_counter()
        self._produce(record)

    def _produce(self, record: Record) -> None:
        self._producer.produce(record.topic, key=record.key, value=record.value)
        self._producer.poll(0)

    def _take(self) -> int:
        # consume(n, t) would wait for n records; so wait for one, then take what is there.
        consumer, count = self._tail.consumer, 0
        for message in (*consumer.consume(1, _TAKE_SECONDS), *consumer.consume(_TAKE_RECORDS, 0)):
            key = message.key() or b""
            if key in self.traffic.sent:
                count += 1
                self.traffic.arrived.setdefault(key, time.perf_counter())
                self.traffic.answers[key] += 1
                self.traffic.values.append(message.value() or b"")
        return count


def rate(arrived: Sequence[float], seconds: float) -> float:
    """Return answers a second between the first and the last twentieth; of a few answers, over all the time."""
    ordered, cut = sorted(arrived), int(len(arrived) * _TRIMMED)
    if not cut:
        return len(ordered) / seconds
    first, last = ordered[cut], ordered[-1 - cut]
    return (len(ordered) - 2 * cut - 1) / (last - first)
