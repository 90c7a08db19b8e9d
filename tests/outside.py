"""A client of the topics that shares no code with the pipeline: confluent-kafka, fastavro, the .avsc files."""

import io
import json
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Message, Producer, TopicPartition
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.schema import fingerprint, to_parsing_canonical_form

MESSAGE_OF = {
    **{f"translation.requests.{priority}": "TranslationRequest" for priority in ("critical", "high", "standard")},
    "translation.results": "TranslationResult",
    "translation.dead_letters": "DeadLetter",
    "translation.usage": "UsageBatch",
    "translation.translated": "TranslatedBatch",
}
AVRO = Path(__file__).parent.parent / "schemas" / "avro"


class Outside:
    """Sends raw records, and reads topics."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "acks": "all",
                "partitioner": "murmur2_random",
                "message.max.bytes": 2_000_000,
                # As the platform's own clients: the default is 5 minutes.
                "topic.metadata.refresh.interval.ms": 3000,
                "log_level": 2,
            }
        )

    def send_bytes(self, topic: str, key: str, value: bytes) -> None:
        """Send one record and wait for its acknowledgement."""
        failed: list[Any] = []
        self.producer.produce(topic, key=key, value=value, on_delivery=lambda error, _: failed.append(error))
        self.producer.flush(20)
        assert failed == [None]

    def send_request(self, topic_priority: str, /, **fields: Any) -> str:
        """Send one request to the topic of that priority; return its id."""
        request = request_of(**fields)
        value = encoded("TranslationRequest", request)
        self.send_bytes(f"translation.requests.{topic_priority}", key_of(request), value)
        return str(request["request_id"])

    def tail(self, topic: str, *, message: str = "", from_beginning: bool = False) -> "Tail":
        """Read the topic from its end, or from its beginning; `message` is needed outside the catalogue."""
        return Tail(self.bootstrap, topic, from_beginning, message or MESSAGE_OF[topic])


class Tail:
    """Committed records of one topic, decoded."""

    def __init__(self, bootstrap: str, topic: str, from_beginning: bool, schema: str) -> None:
        self.consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": str(uuid.uuid4()),
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "log_level": 2,
            }
        )
        partitions = [
            TopicPartition(topic, number)
            for number in self.consumer.list_topics(topic, 10).topics[topic].partitions
        ]
        for one in partitions:
            low, high = self.consumer.get_watermark_offsets(one, timeout=10)
            one.offset = low if from_beginning else high
        self.consumer.assign(partitions)
        self.schema = schema
        self.read: list[dict[str, Any]] = []

    def until(self, wanted: Any, timeout_seconds: float = 60.0) -> list[dict[str, Any]]:
        """Read until `wanted(all that was read)` or the time is over; return all that was read."""
        end = time.monotonic() + timeout_seconds
        while not wanted(self.read) and time.monotonic() < end:
            self.more(0.2)
        return self.read

    def more(self, timeout_seconds: float) -> None:
        """Read what arrives within that time, at most 500 records."""
        self._keep(self.consumer.consume(500, timeout_seconds))

    def next(self, timeout_seconds: float) -> None:
        """Read one record as soon as it is there; none after the timeout. `more` always takes its whole time."""
        self._keep(self.consumer.consume(1, timeout_seconds))

    def _keep(self, messages: list[Message]) -> None:
        for message in messages:
            assert not message.error(), message.error()
            if (value := message.value()) is not None:  # a tombstone closes a dead letter
                self.read.append(decoded(self.schema, value))

    def of(self, request_id: str, timeout_seconds: float = 60.0) -> dict[str, Any]:
        """Return the first message about the request."""
        found = self.until(lambda read: any(one["request_id"] == request_id for one in read), timeout_seconds)
        return next(one for one in found if one["request_id"] == request_id)

    def counts(self) -> Counter[str]:
        """Count the messages per request."""
        return Counter(one["request_id"] for one in self.read)

    def close(self) -> None:
        """Close the connections."""
        self.consumer.close()


def request_of(**fields: Any) -> dict[str, Any]:
    """Make a request with usual values."""
    usual = {"request_id": str(uuid.uuid4()), "source_language": "en", "target_language": "pt", "tenant": "tests"}
    return {**usual, "submitted_at": int(time.time() * 1000), **fields}


def key_of(request: dict[str, Any]) -> str:
    """Return the key of a record about the request."""
    return f"{request['tenant']}/{request['request_id']}"


def encoded(name: str, datum: dict[str, Any]) -> bytes:
    """Encode as an Avro single object."""
    schema = json.loads((AVRO / f"{name}.avsc").read_text())
    out = io.BytesIO()
    out.write(b"\xc3\x01" + bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO")))
    schemaless_writer(out, parse_schema(schema), datum)
    return out.getvalue()


def decoded(name: str, data: bytes) -> dict[str, Any]:
    """Decode an Avro single object; logical types as they come."""
    schema = parse_schema(json.loads((AVRO / f"{name}.avsc").read_text()))
    assert data[:2] == b"\xc3\x01"
    found = schemaless_reader(io.BytesIO(data[10:]), schema, None)
    assert isinstance(found, dict)
    return found
