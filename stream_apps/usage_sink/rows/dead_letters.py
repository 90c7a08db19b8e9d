"""Turn dead letters into rows of `dead_letters`. Pure."""

from collections.abc import Iterator, Mapping

from schemas.codec import Codec
from schemas.events import DeadLetter
from schemas.records import InboundRecord
from schemas.validity import LATEST_MS, check_id, check_length, check_number
from stream_apps.usage_sink.inserting import Row
from stream_apps.usage_sink.rows.parts import TableRow, check_time, coordinates_of, key_of

_OF_ALL = ("stage", "cause", "attempt", "topic", "partition", "offset")
_OF_SOME = ("field", "tenant", "request_id")
_CLOSED: Mapping[str, object] = {
    **dict.fromkeys(("stage", "cause", "field", "tenant", "request_id", "topic"), ""),
    **dict.fromkeys(("batch_number", "segment"), -1),
    **dict.fromkeys(("attempt", "partition", "offset"), 0),
}


def dead_letter_rows(record: InboundRecord, codec: Codec, now_ms: int) -> Iterator[TableRow]:
    """Yield the row of `dead_letters` that a dead letter, or its tombstone, is. Raises PermanentError."""
    letter_id = key_of(record)
    check_id("dead_letter_id", letter_id)
    letter = None if record.value is None else codec.decode(record.value, DeadLetter)
    at = record.timestamp_ms if letter is None else letter.failed_at
    check_time("at", at, now_ms)
    known = {"event": "closed", **_CLOSED} if letter is None else {"event": "opened", **_opened(letter)}
    yield "dead_letters", {"dead_letter_id": letter_id, **known, "at": at, **coordinates_of(record)}


def _opened(letter: DeadLetter) -> Row:
    for field in ("stage", "cause", "topic", *_OF_SOME):
        check_length(field, getattr(letter, field) or "")
    for field in ("attempt", "partition"):
        check_number(field, getattr(letter, field))
    check_number("offset", letter.offset, most=LATEST_MS)
    return {
        **{field: getattr(letter, field) for field in _OF_ALL},
        **{field: getattr(letter, field) or "" for field in _OF_SOME},
        "batch_number": -1 if letter.batch_number is None else letter.batch_number,
        "segment": -1 if letter.segment is None else letter.segment,
    }
