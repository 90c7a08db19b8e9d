"""Confluent's own clients, in Python and Java, on a real registry: they are served as anybody is."""

import json
import os
import struct
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.common.serde import SchemaId
from confluent_kafka.serialization import MessageField, SerializationContext

from connectors.kafka.partition_reader import open_tail
from connectors.kafka.schema_registry import HttpSchemaRegistry
from schemas.codec import Codec
from schemas.events import DeadLetter
from schemas.topics import DEAD_LETTERS, RESULTS, catalogue
from tests.conftest import missing
from tests.fleet import Fleet, until
from tests.registry import Registry, confluent_tool, open_registry

# The registry is fetched where it is missing, and five servers and processes start.
pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

AVSC = Path(__file__).parent.parent.parent / "schemas" / "avro" / "TranslationRequest.avsc"
HIGH, STANDARD = "translation.requests.high", "translation.requests.standard"
MODULES = {
    "intake": "stream_apps.intake.main",
    "worker": "inference_workers.main",
    "assembly": "stream_apps.assembly.main",
}
NEEDED = ("request_id", "text", "source_language", "target_language", "tenant")


@dataclass
class Platform:
    """Three processes of ours with a registry, and a client of Confluent's for both."""

    fleet: Fleet
    registry: Registry
    confluent: SchemaRegistryClient
    environment: dict[str, str]

    def __post_init__(self) -> None:
        bootstrap = self.fleet.kafka.bootstrap
        self.producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random"})
        self._reads = AvroDeserializer(self.confluent)
        self._consumer = Consumer(
            {"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex, "isolation.level": "read_committed"}
        )
        partitions = self._consumer.list_topics(RESULTS, 10).topics[RESULTS].partitions
        # What older tests left on the topic has no schema id of this registry.
        ends = [self._consumer.get_watermark_offsets(TopicPartition(RESULTS, one), 10)[1] for one in partitions]
        self._ends = list(map(TopicPartition, [RESULTS] * len(ends), partitions, ends))
        self._consumer.assign(self._ends)
        self._results: dict[str, dict[str, Any]] = {}

    def send(self, topic: str, key: str, value: bytes, headers: dict[str, Any] | None = None) -> None:
        """Send one record and wait for its acknowledgement."""
        self.producer.produce(topic, key=key, value=value, headers=headers or {})
        assert self.producer.flush(20) == 0

    def serialized(self, topic: str, schema: dict[str, Any], request: dict[str, Any]) -> bytes:
        """Serialize with Confluent's serializer, which registers the schema."""
        serialize = AvroSerializer(self.confluent, json.dumps(schema))
        value = serialize(request, SerializationContext(topic, MessageField.VALUE))
        assert isinstance(value, bytes)
        return value

    def result(self, request_id: str, timeout_seconds: float = 60.0) -> dict[str, Any] | None:
        """Return the result of the request, read by Confluent's deserializer; None when none came in time."""
        end = time.monotonic() + timeout_seconds
        while request_id not in self._results and time.monotonic() < end:
            for message in self._consumer.consume(100, 0.2):
                value = self._reads(message.value(), SerializationContext(RESULTS, MessageField.VALUE))
                assert isinstance(value, dict)
                self._results[value["request_id"]] = value
        return self._results.get(request_id)

    def group_of_results(self) -> str:
        """Return a consumer group that has still to read the results of this platform, and none before them."""
        group = uuid.uuid4().hex
        consumer = Consumer({"bootstrap.servers": self.fleet.kafka.bootstrap, "group.id": group})
        consumer.commit(offsets=self._ends, asynchronous=False)
        consumer.close()
        return group

    def close(self) -> None:
        self._consumer.close()
        self.confluent.__exit__()


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    with open_registry() as found:
        if found is None:
            missing("Apicurio Registry (Java, Maven and the network)")
        yield found


@pytest.fixture(scope="module")
def platform(servers, registry, tmp_path_factory) -> Iterator[Platform]:
    fleet = Fleet(servers, tmp_path_factory.mktemp("registry"))
    environment = {
        "DRAGOMAN_KAFKA_BOOTSTRAP": servers.kafka_bootstrap,
        "DRAGOMAN_KAFKA_SCHEMA_REGISTRY_URL": registry.url,
    }
    assert created(environment) == f"0 created, {len(catalogue(fleet.kafka.plan))} subjects registered\n"
    for name, module in MODULES.items():
        fleet.start(module, name, **environment)
    for name in MODULES:
        fleet.wait_until_ready(name)
    platform = Platform(fleet, registry, SchemaRegistryClient({"url": registry.url}), environment)
    yield platform
    platform.close()
    fleet.close()


def created(environment: dict[str, str]) -> str:
    """Return what `dragoman topics create` says."""
    command = [sys.executable, "-m", "producers.cli.main", "topics", "create"]
    ran = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    return ran.stdout


def request(text: str = "The house is big.", **fields: Any) -> dict[str, Any]:
    usual = {"source_language": "en", "target_language": "pt", "tenant": "tests"}
    return {"request_id": f"registry-{uuid.uuid4().hex}", "text": text, **usual, **fields}


def key_of(request: dict[str, Any]) -> str:
    return f"{request['tenant']}/{request['request_id']}"


def schema_of_another(*more: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of somebody who knows five fields of ours, and has more of their own."""
    published = json.loads(AVSC.read_text())
    fields = [field for field in published["fields"] if field["name"] in NEEDED]
    return {**published, "fields": [*fields, *more]}


def own_field(name: str) -> dict[str, Any]:
    return {"name": name, "type": "string", "default": ""}


def test_topics_create_registers_every_topic_where_tools_look_for_it_and_once(platform):
    subjects = {f"{topic.name}-value" for topic in catalogue(platform.fleet.kafka.plan)}
    assert subjects <= set(platform.registry.subjects())
    assert created(platform.environment) == "0 created, 0 subjects registered\n"


def test_a_request_of_confluents_python_serializer_is_answered_for_its_deserializer(platform):
    sent = request()
    platform.send(HIGH, key_of(sent), platform.serialized(HIGH, json.loads(AVSC.read_text()), sent))
    result = platform.result(sent["request_id"])
    assert result is not None
    assert result["status"] == "COMPLETED"
    assert "casa" in result["text"]


def test_a_writer_whose_schema_lacks_fields_and_has_one_of_its_own_is_answered(platform):
    sent = request()
    schema = schema_of_another(own_field("tone"))
    platform.send(HIGH, key_of(sent), platform.serialized(HIGH, schema, {**sent, "tone": "formal"}))
    result = platform.result(sent["request_id"])
    assert result is not None
    assert "casa" in result["text"]


def test_a_schema_id_in_a_header_is_read_as_one_before_the_bytes(platform):
    sent = request()
    schema = schema_of_another(own_field("channel"))
    value = platform.serialized(HIGH, schema, {**sent, "channel": "mail"})
    (number,) = struct.unpack(">I", value[1:5])
    header = SchemaId("AVRO", schema_id=number).id_to_bytes()
    platform.send(HIGH, key_of(sent), value[5:], {"__value_schema_id": header})
    assert platform.result(sent["request_id"]) is not None


def test_confluents_java_clients_send_a_request_and_read_its_result(platform, needed):
    own = schema_of_another(own_field("desk"))
    schemas = f"schema.registry.url={platform.registry.url}"
    producer = confluent_tool(
        "org.apache.kafka.tools.ConsoleProducer",
        *("--bootstrap-server", platform.fleet.kafka.bootstrap, "--topic", HIGH),
        *("--line-reader", "io.confluent.kafka.formatter.AvroMessageReader"),
        *("--reader-property", schemas, "--reader-property", f"value.schema={json.dumps(own)}"),
    )
    needed(producer, "Confluent's Java serializers")
    assert producer is not None
    sent = request()
    line = json.dumps({**sent, **as_avro_json(own, sent), "desk": "7"})
    run = subprocess.run(producer, input=line + "\n", text=True, capture_output=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    assert platform.result(sent["request_id"]) is not None, run.stderr[-2000:]
    consumer = confluent_tool(
        "org.apache.kafka.tools.consumer.ConsoleConsumer",
        *("--bootstrap-server", platform.fleet.kafka.bootstrap, "--topic", RESULTS),
        *("--group", platform.group_of_results(), "--timeout-ms", "6000", "--isolation-level", "read_committed"),
        *("--formatter", "io.confluent.kafka.formatter.AvroMessageFormatter", "--formatter-property", schemas),
    )
    assert consumer is not None
    read = subprocess.run(consumer, text=True, capture_output=True, timeout=60, check=False)
    found = [json.loads(one) for one in read.stdout.splitlines() if one.startswith("{")]
    (result,) = [one for one in found if one["request_id"] == sent["request_id"]]
    assert "casa" in result["text"]["string"]


def as_avro_json(schema: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """Return the values of union fields as Avro's JSON wants them, with the name of their branch."""
    unions = [field["name"] for field in schema["fields"] if isinstance(field["type"], list)]
    return {name: {"string": request[name]} for name in unions}


def test_an_unknown_id_is_a_dead_letter_and_the_next_record_is_served(platform):
    tail = open_tail(platform.fleet.kafka, DEAD_LETTERS)
    sent = request()
    value = platform.serialized(HIGH, json.loads(AVSC.read_text()), sent)
    for _ in range(20):
        platform.send(HIGH, "nobody", b"\x00" + struct.pack(">I", 987_654) + b"body")
    platform.send(HIGH, key_of(sent), value)
    assert platform.result(sent["request_id"]) is not None
    settings = platform.fleet.kafka.model_copy(update={"schema_registry_url": platform.registry.url})
    letters: list[DeadLetter] = []
    with closing(tail), closing(HttpSchemaRegistry(settings)) as ours:
        codec = Codec(ours)

        def all_read() -> bool:
            letters.extend(codec.decode(record.value, DeadLetter) for record in tail.take(500, 0.2))
            return len(letters) >= 20

        until(all_read, "20 dead letters")
    assert {letter.message for letter in letters} == {"the schema registry does not know id 987654"}


def test_while_the_registry_is_away_known_schemas_are_served_and_new_ones_wait(platform):
    known, new = request(), request(text="The garden is green.")
    usual = platform.serialized(STANDARD, json.loads(AVSC.read_text()), known)
    other = platform.serialized(HIGH, schema_of_another(own_field("ticket")), {**new, "ticket": "7"})
    port = platform.fleet.health_ports["intake"]
    with platform.registry.frozen():
        platform.send(HIGH, key_of(new), other)
        until(lambda: "schema registry" in httpx.get(f"http://127.0.0.1:{port}/ready").text, "a waiting intake")
        platform.send(STANDARD, key_of(known), usual)
        assert platform.result(known["request_id"]) is not None, "the event loop stood still"
        assert platform.result(new["request_id"], 1.0) is None
        assert httpx.get(f"http://127.0.0.1:{port}/health").is_success
    assert platform.result(new["request_id"]) is not None
    platform.fleet.wait_until_ready("intake")
