"""Describe the topics as an AsyncAPI 3 document, made from the catalogue and the Avro schemas alone.

The document speaks for the platform: it receives requests and orders, and sends results. Topics by which only its
own processes speak to each other are listed, marked `internal`, and have no operation.
"""

from collections.abc import Mapping
from typing import Any

from schemas.avro_schemas import current
from schemas.codec import SINGLE_OBJECT
from schemas.records import (
    ACCEPTED_HEADER,
    ATTEMPT_HEADER,
    CALLBACK_HEADER,
    ERASED_HEADER,
    PRIORITY_HEADER,
    REDRIVE_HEADER,
    STATUS_HEADER,
    TRACE_HEADER,
    VERSION_HEADER,
    WORDS_HEADER,
)
from schemas.topics import (
    DEAD_LETTERS,
    NO_LIMIT_BYTES,
    OPERATIONS,
    PRODUCER,
    RESULTS,
    TRANSLATED,
    USAGE,
    Topic,
    TopicPlan,
    all_request_topics,
    catalogue,
    control_topics,
    results_topic,
)

Document = dict[str, Any]

_VERSION = "1"
_AVRO = "application/vnd.apache.avro;version=1.9.0"
_HEADERS = {
    TRACE_HEADER: "W3C trace context; what is written joins the trace of what was read.",
    ATTEMPT_HEADER: "2: it failed once.",
    REDRIVE_HEADER: "Process it again: 1 asks for the answer that never came, 2 for one that corrects the first.",
    ACCEPTED_HEADER: "When Kafka accepted the request, in milliseconds since the epoch.",
    WORDS_HEADER: "Source words.",
    PRIORITY_HEADER: "How urgent the request is: critical, high or standard.",
    VERSION_HEADER: "The revision of the result.",
    STATUS_HEADER: "How the request ended.",
    CALLBACK_HEADER: "1: it is told by a webhook.",
    ERASED_HEADER: "When the text of the result was erased, in milliseconds since the epoch.",
}
_OF_EVERY_RECORD = (TRACE_HEADER, ATTEMPT_HEADER)
_OF_MESSAGE: Mapping[str, tuple[str, ...]] = {
    "TranslationRequest": (REDRIVE_HEADER, ACCEPTED_HEADER),
    "SegmentBatch": (WORDS_HEADER, PRIORITY_HEADER),
    "TranslatedBatch": (ACCEPTED_HEADER, PRIORITY_HEADER),
    "TranslationResult": (VERSION_HEADER, STATUS_HEADER, CALLBACK_HEADER, ERASED_HEADER),
}
_ABOUT = """\
Dragoman's public contract is a set of Kafka topics: whoever can produce Avro can ask for a translation, whoever
can consume can read the answers. A record is an Avro single object (its schema's fingerprint, then its body) or,
with a schema registry, framed as Confluent's serializers do it; both are always understood. Read
`translation.results` with `isolation.level=read_committed`. HTTP is described at /openapi.json."""


def asyncapi_document(plan: TopicPlan) -> Document:
    """Describe every topic of a deployment (AsyncAPI 3.0, Kafka bindings 0.5)."""
    topics, received, sent = catalogue(plan), _received(plan), _sent(plan)
    names = sorted({topic.message for topic in topics})
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Dragoman",
            "version": _VERSION,
            "description": _ABOUT,
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/octet-stream",
        "servers": {"kafka": _server()},
        "channels": {topic.name: _channel(topic, is_public=topic.name in (*received, *sent)) for topic in topics},
        "operations": {
            **{f"receive.{name}": _operation("receive", name, topics) for name in received},
            **{f"send.{name}": _operation("send", name, topics) for name in sent},
        },
        "components": {"messages": {name: _message(name) for name in names}},
    }


def _received(plan: TopicPlan) -> list[str]:
    return [*all_request_topics(plan.tenants), *control_topics(plan.tenants)]


def _sent(plan: TopicPlan) -> list[str]:
    return [RESULTS, *map(results_topic, plan.tenants), TRANSLATED, DEAD_LETTERS, USAGE, OPERATIONS]


def _server() -> Document:
    return {
        "host": "{bootstrap}",
        "protocol": "kafka",
        "description": "The brokers of the deployment; its operators know the address, TLS and SASL.",
        "variables": {"bootstrap": {"description": "DRAGOMAN_KAFKA_BOOTSTRAP."}},
    }


def _channel(topic: Topic, *, is_public: bool) -> Document:
    return {
        "address": topic.name,
        "description": f"Key: {topic.key}. Time: {_stamped(topic)}.",
        "tags": [{"name": "public" if is_public else "internal"}],
        "messages": {topic.message: {"$ref": f"#/components/messages/{topic.message}"}},
        "bindings": {"kafka": _binding(topic)},
    }


def _stamped(topic: Topic) -> str:
    return "the producer's" if topic.stamped_by == PRODUCER else "the broker's, whatever the producer says"


def _binding(topic: Topic) -> Document:
    configuration: Document = {
        "cleanup.policy": topic.cleanup.split(","),
        "retention.ms": topic.retention_ms,
    }
    if topic.retention_bytes != NO_LIMIT_BYTES:
        configuration["retention.bytes"] = topic.retention_bytes
    return {
        "topic": topic.name,
        "partitions": topic.partitions,
        "topicConfiguration": configuration,
        "bindingVersion": "0.5.0",
    }


def _operation(action: str, name: str, topics: list[Topic]) -> Document:
    (topic,) = (one for one in topics if one.name == name)
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": _summary(topic.message),
        "messages": [{"$ref": f"#/channels/{name}/messages/{topic.message}"}],
    }


def _message(name: str) -> Document:
    schema = current(name).published
    return {
        "name": f"{schema['namespace']}.{name}",
        "title": name,
        "summary": _summary(name),
        "contentType": "application/octet-stream",
        "headers": _headers(name),
        # What a single object begins with: a client without CRC-64-AVRO need not compute it.
        "x-single-object-header": (SINGLE_OBJECT + current(name).fingerprint).hex(),
        "payload": {"schemaFormat": _AVRO, "schema": schema},
        "bindings": {"kafka": {"key": {"type": "string", "description": "UTF-8."}, "bindingVersion": "0.5.0"}},
    }


def _summary(name: str) -> str:
    return str(current(name).published["doc"])


def _headers(name: str) -> Document:
    known = (*_OF_EVERY_RECORD, *_OF_MESSAGE.get(name, ()))
    return {
        "type": "object",
        "properties": {header: {"type": "string", "description": _HEADERS[header]} for header in known},
    }
