"""Wrap a record that cannot be processed with its cause and everything needed to send it again."""

from collections.abc import Sequence
from dataclasses import replace

from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.events import DeadLetter
from schemas.ids import JobKey, event_id
from schemas.records import InboundRecord, OutboundRecord, attempt_of
from schemas.topics import DEAD_LETTERS, tenant_of_topic

# Room for the envelope that Kafka and its client put around a value.
ENVELOPE_BYTES = 4096


def dead_letter_of(record: InboundRecord, error: PermanentError, *, stage: str, now_ms: int) -> DeadLetter:
    """Build the dead letter of a record.

    The same record at the same stage always gives the same dead_letter_id; sent again, it is another record. One
    in a tenant's own topic is that tenant's, whatever is in it.
    """
    return DeadLetter(
        dead_letter_id=event_id("dead_letter", stage, record.coordinates),
        stage=stage,
        cause=error.cause,
        message=error.message,
        field=error.field,
        limit=error.limit,
        cure=error.cure,
        tenant=tenant_of_topic(record.topic),
        attempt=attempt_of(record.headers),
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=record.timestamp_ms,
        key=record.key,
        value=record.value,
        headers=record.headers,
        failed_at=now_ms,
    )


def dead_letter_record(dead_letter: DeadLetter, codec: Codec, max_message_bytes: int) -> OutboundRecord:
    """Encode the dead letter for its topic. A value that would not fit is left out; the coordinates locate it."""
    value = codec.encode(dead_letter)
    if len(value) + ENVELOPE_BYTES > max_message_bytes:
        value = codec.encode(without_original(dead_letter))
    return OutboundRecord(DEAD_LETTERS, dead_letter.dead_letter_id.encode(), value, {"schema": b"DeadLetter"})


def without_original(dead_letter: DeadLetter) -> DeadLetter:
    """Drop the original record from the dead letter, leaving its coordinates."""
    return replace(dead_letter, value=None, headers={}, key=None)


def about_request(dead_letter: DeadLetter, key: JobKey) -> DeadLetter:
    """Name the request that the dead letter is about."""
    return replace(dead_letter, request_id=key.request_id, tenant=key.tenant)


def about_segments(dead_letter: DeadLetter, batch_number: int, segments: Sequence[int]) -> list[DeadLetter]:
    """Make one dead letter for each failed segment of a batch."""
    return [
        replace(
            dead_letter,
            dead_letter_id=event_id(dead_letter.dead_letter_id, segment),
            batch_number=batch_number,
            segment=segment,
        )
        for segment in segments
    ]
