"""Faust's and aiokafka's types <-> records and errors of ours."""

from typing import Any

from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError
from faust.exceptions import ProducerSendError
from faust.types import EventT, ProducerT

from schemas.errors import DragomanError, PermanentError, TransientError
from schemas.records import InboundRecord, OutboundRecord

_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)


def record_of(event: EventT[Any]) -> InboundRecord:
    """The record behind the event, as Kafka stored it."""
    message = event.message
    return InboundRecord(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        key=message.key,
        value=message.value,
        headers={name: bytes(value or b"") for name, value in _pairs(message.headers)},
        timestamp_ms=round(message.timestamp * 1000),
    )


async def send_durably(producer: ProducerT, record: OutboundRecord) -> None:
    """Returns when every in-sync replica has it. Raises TransientError, or PermanentError when too large."""
    try:
        stored = await producer.send(
            record.topic, record.key, record.value, record.partition, None, dict(record.headers) or None
        )
        await stored
    except (ProducerSendError, KafkaError) as error:
        raise failure_of(error, record.topic) from error


def failure_of(error: Exception, topic: str) -> DragomanError:
    """Too large is for ever; all else may pass."""
    root = error.__cause__ if isinstance(error, ProducerSendError) and error.__cause__ else error
    if isinstance(root, _TOO_LARGE):
        return PermanentError(
            "output_too_large",
            f"an output for {topic} exceeds what Kafka takes",
            limit="DRAGOMAN_KAFKA_MAX_MESSAGE_BYTES",
            cure="send less text in one request, or raise the limit on brokers and processes",
        )
    return TransientError(f"Kafka: {type(root).__name__}: {root}")


def _pairs(headers: Any) -> list[tuple[str, bytes]]:
    if not headers:
        return []
    return list(headers.items()) if isinstance(headers, dict) else list(headers)
