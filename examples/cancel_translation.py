"""A client that shares no code with Dragoman: cancel a request with an event, wait for its one result.

Usage: python examples/cancel_translation.py BOOTSTRAP TENANT/REQUEST_ID
"""

import io
import json
import sys
import time
import uuid

from confluent_kafka import Consumer, Producer
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.schema import fingerprint, to_parsing_canonical_form


def load(name):
    with open(f"schemas/avro/{name}.avsc") as file:
        schema = json.load(file)
    return parse_schema(schema), b"\xc3\x01" + bytes.fromhex(
        fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO")
    )


servers, key, out, (schema, magic) = sys.argv[1], sys.argv[2], io.BytesIO(), load("JobControl")
tenant, _, request_id = key.partition("/")
event = {"tenant": tenant, "request_id": request_id, "action": "CANCEL", "requested_by": "example"}
event["at"] = int(time.time() * 1000)
schemaless_writer(out, schema, event)
# Java's partitioner, and the request's key: the event reaches the assembler that has the request.
producer = Producer({"bootstrap.servers": servers, "acks": "all", "partitioner": "murmur2_random"})
producer.produce("translation.control", key=key, value=magic + out.getvalue())
producer.flush()
consumer = Consumer(
    {
        "bootstrap.servers": servers,
        "group.id": str(uuid.uuid4()),
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
    }
)
consumer.subscribe(["translation.results"])
result_schema, _ = load("TranslationResult")
while message := consumer.poll(30):
    if not message.error() and message.key().decode() == key:
        result = schemaless_reader(io.BytesIO(message.value()[10:]), result_schema, None)
        # CANCELLED, or how the request had ended before the event arrived.
        print(result["status"])
        break
consumer.close()
