"""A client that shares no code with Dragoman: send one request event, wait for its result.

Usage: python examples/request_translation.py BOOTSTRAP TEXT
"""

import io
import json
import sys
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


servers, text, out, (schema, magic) = sys.argv[1], sys.argv[2], io.BytesIO(), load("TranslationRequest")
request = {
    "tenant": "default",
    "request_id": str(uuid.uuid4()),
    "source_language": "en",
    "target_language": "pt",
    "text": text,
}
schemaless_writer(out, schema, request)
key = f"{request['tenant']}/{request['request_id']}"
producer = Producer({"bootstrap.servers": servers, "acks": "all", "partitioner": "murmur2_random"})
producer.produce("translation.requests.critical", key=key, value=magic + out.getvalue())
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
        print(result["status"], result["text"])
        break
consumer.close()
