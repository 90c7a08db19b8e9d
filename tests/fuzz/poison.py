"""Records that nobody should send, from a seed: the same seed gives the same records. Pure."""

import json
import random
import struct
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from typing import Any

from fastavro import parse_schema, schemaless_writer

from schemas.avro_schemas import current
from tests.fuzz.samples import MESSAGE_OF, sample

Datum = dict[str, Any]
Headers = list[tuple[str, bytes | None]]


@dataclass(frozen=True)
class Poison:
    """One record. `is_deadly`: no process may accept it as valid, so it must become a dead letter."""

    topic: str
    kind: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    is_deadly: bool


@dataclass
class Poisoner:
    """Spoils valid messages in every known way, in turn. `now_ms` is the current time in the messages."""

    seed: int
    now_ms: int
    # One in this many large strings and maps is near Kafka's limit instead of merely large.
    huge_one_in: int = 40
    _chooser: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chooser = random.Random(self.seed)

    def records(self, topic: str, count: int) -> Iterator[Poison]:
        """Make that many records for the topic."""
        kinds = list(_KINDS.items())
        for number in range(count):
            kind, (spoil, is_deadly) = kinds[number % len(kinds)]
            name = str(uuid.UUID(int=self._chooser.getrandbits(128), version=4))
            value = spoil(self, topic, sample(topic, name, self.now_ms))
            headers = self._headers() if kind == "hostile headers" or self._one_in(5) else []
            key = None if self._one_in(4) else name.encode()
            yield Poison(topic, kind, key, value, headers, is_deadly)

    def _one_in(self, chance: int) -> bool:
        return self._chooser.randrange(chance) == 0

    def _large(self) -> int:
        return 1_400_000 if self._one_in(self.huge_one_in) else self._chooser.randrange(20_000, 60_000)

    def _random_bytes(self, topic: str, datum: Datum) -> bytes:
        return self._chooser.randbytes(self._chooser.randrange(1, 400))

    def _random_body(self, topic: str, datum: Datum) -> bytes:
        return framed(MESSAGE_OF[topic], self._chooser.randbytes(self._chooser.randrange(1, 12)))

    def _truncated(self, topic: str, datum: Datum) -> bytes:
        whole = encoded(MESSAGE_OF[topic], datum)
        return whole[: self._chooser.randrange(2, len(whole))]

    def _flipped(self, topic: str, datum: Datum) -> bytes:
        whole = bytearray(encoded(MESSAGE_OF[topic], datum))
        for _ in range(self._chooser.randrange(1, 4)):
            whole[self._chooser.randrange(len(whole))] ^= 1 << self._chooser.randrange(8)
        return bytes(whole)

    def _trailing(self, topic: str, datum: Datum) -> bytes:
        return encoded(MESSAGE_OF[topic], datum) + self._chooser.randbytes(3)

    def _unknown_fingerprint(self, topic: str, datum: Datum) -> bytes:
        return b"\xc3\x01" + self._chooser.randbytes(8) + encoded(MESSAGE_OF[topic], datum)[10:]

    def _unknown_registry_id(self, topic: str, datum: Datum) -> bytes:
        return struct.pack(">bI", 0, self._chooser.getrandbits(32)) + encoded(MESSAGE_OF[topic], datum)[10:]

    def _as_json(self, topic: str, datum: Datum) -> bytes:
        return json.dumps(datum).encode()

    def _tombstone(self, topic: str, datum: Datum) -> bytes | None:
        return None if self._one_in(2) else b""

    def _length_bomb(self, topic: str, datum: Datum) -> bytes:
        """A string or an array that claims to be longer than any memory, or shorter than nothing."""
        length = self._chooser.choice((2**60, 2**31, 2**62, -1, -(2**40), -(2**63), 2**24))
        whole = encoded(MESSAGE_OF[topic], datum)
        at = self._chooser.choice([10, *(number for number in range(10, len(whole)) if whole[number] in (2, 4))])
        return whole[:at] + zigzag(length) + whole[at + 1 :]

    def _varint_bomb(self, topic: str, datum: Datum) -> bytes:
        return framed(MESSAGE_OF[topic], b"\xff" * self._large())

    def _invalid_utf8(self, topic: str, datum: Datum) -> bytes:
        bad = self._chooser.choice((b"\xff\xfe\xfd", b"\xed\xa0\x80", b"\xc0\xaf\xff", b"\x80\x80\x80"))
        whole = encoded(MESSAGE_OF[topic], datum)
        return whole[:12] + bad + whole[12 + len(bad) :]

    def _huge_string(self, topic: str, datum: Datum) -> bytes:
        owner, name = self._chooser.choice(list(_strings(datum)))
        unit = self._chooser.choice(("x", "é ", "\0", "'"))
        put(owner, name, unit * (self._large() // len(unit.encode())))
        return encoded(MESSAGE_OF[topic], datum)

    def _large_map(self, topic: str, datum: Datum) -> bytes:
        owner = datum.get("job") or datum
        name = next((name for name in ("metadata", "labels", "engine_options", "timings") if name in owner), "")
        value: Any = 1.0 if name == "timings" else "v"
        if name:
            large = {f"key {number}": value for number in range(min(max(self._large() // 5, 8000), 120_000))}
            put(owner, name, large)
        else:
            owner["model"] = "m" * self._large()
        return encoded(MESSAGE_OF[topic], datum)

    def _number_out_of_range(self, topic: str, datum: Datum) -> bytes:
        owner, name, values = self._chooser.choice(list(_numbers(datum)))
        put(owner, name, self._chooser.choice(values))
        return encoded(MESSAGE_OF[topic], datum)

    def _unequal_arrays(self, topic: str, datum: Datum) -> bytes:
        arrays = [name for name, value in datum.items() if isinstance(value, list)]
        if not arrays:
            return self._random_bytes(topic, datum)
        name = self._chooser.choice(arrays)
        # An empty column of usage is that of an older writer.
        shorter = datum[name][:1] if "event_id" in datum else []
        datum[name] = self._chooser.choice((shorter, datum[name][:1], datum[name] * 2))
        return encoded(MESSAGE_OF[topic], datum)

    def _unknown_word(self, topic: str, datum: Datum) -> bytes:
        """A priority, action, stage or kind that does not exist."""
        name = next((name for name in ("action", "stage", "kind", "priority") if name in datum), "")
        owner = datum if name else datum["job"]
        put(owner, name or "priority", self._chooser.choice(("", "urgent", "x" * 70_000, "\0", "ＣＡＮＣＥＬ")))
        return encoded(MESSAGE_OF[topic], datum)

    def _empty_id(self, topic: str, datum: Datum) -> bytes:
        put(datum, "event_id" if "event_id" in datum else "request_id", "")
        return encoded(MESSAGE_OF[topic], datum)

    def _bad_tenant(self, topic: str, datum: Datum) -> bytes:
        """A tenant that is no DNS label; of usage only the length is checked."""
        known = ("x" * 1001,) if "event_id" in datum else ("", "a/b", "Poison", "poison ", "x" * 64, "\0", "é")
        put(datum, "tenant", self._chooser.choice(known))
        return encoded(MESSAGE_OF[topic], datum)

    def _foreign(self, topic: str, datum: Datum) -> bytes:
        """A valid message, in the wrong topic."""
        others = sorted(set(MESSAGE_OF.values()) - {MESSAGE_OF[topic]})
        name = self._chooser.choice(others)
        where = next(where for where, message in MESSAGE_OF.items() if message == name)
        return encoded(name, sample(where, str(uuid.UUID(int=self._chooser.getrandbits(128))), self.now_ms))

    def _valid(self, topic: str, datum: Datum) -> bytes:
        return encoded(MESSAGE_OF[topic], datum)

    def _headers(self) -> Headers:
        return list(self._chooser.choice(_HEADERS)(self))

    def _many_headers(self) -> Headers:
        return [(f"header {number}", b"x") for number in range(self._chooser.randrange(200, 500))]

    def _forged_headers(self) -> Headers:
        names = ("traceparent", "words", "priority", "tenant", "schema", "redrive", "attempt", "version", "status")
        return [(name, self._chooser.choice(_FORGED)) for name in names]


_FORGED = (
    b"", None, b"-1", b"0", b"7", b"999999", b"9" * 5000, b"9" * 400, b"\xff\xfe", "٣".encode(), b"1e309",
    b"urgent", bytes(50_000),
)  # fmt: skip
Spoil = Callable[[Poisoner, str, Datum], bytes | None]

_HEADERS: tuple[Callable[[Poisoner], Headers], ...] = (
    Poisoner._many_headers,
    Poisoner._forged_headers,
    lambda _poisoner: [("big", b"x" * 100_000)],
    lambda _poisoner: [("same", b"1"), ("same", b"2"), ("", b"empty name"), ("naïve ☃", None)],
)
_KINDS: dict[str, tuple[Spoil, bool]] = {
    "random bytes": (Poisoner._random_bytes, True),
    "random body": (Poisoner._random_body, False),
    "truncated": (Poisoner._truncated, True),
    "bits flipped": (Poisoner._flipped, False),
    "trailing bytes": (Poisoner._trailing, True),
    "unknown fingerprint": (Poisoner._unknown_fingerprint, True),
    "unknown registry id": (Poisoner._unknown_registry_id, True),
    "JSON": (Poisoner._as_json, True),
    "tombstone": (Poisoner._tombstone, True),
    "length bomb": (Poisoner._length_bomb, False),
    "varint bomb": (Poisoner._varint_bomb, True),
    "invalid UTF-8": (Poisoner._invalid_utf8, True),
    "huge string": (Poisoner._huge_string, True),
    "large map": (Poisoner._large_map, True),
    "number out of range": (Poisoner._number_out_of_range, True),
    "unequal arrays": (Poisoner._unequal_arrays, True),
    "unknown word": (Poisoner._unknown_word, True),
    "empty id": (Poisoner._empty_id, True),
    "bad tenant": (Poisoner._bad_tenant, True),
    "foreign message": (Poisoner._foreign, True),
    "hostile headers": (Poisoner._valid, False),
}


def put(owner: Any, name: Any, value: Any) -> None:
    """Set a field; of a column of usage, the first row's."""
    if isinstance(owner, dict) and isinstance(owner.get("event_id"), list):
        owner[name][0] = value
    else:
        owner[name] = value


def encoded(name: str, datum: Datum) -> bytes:
    """Single-object encoding of a schema that takes 64 bits in every int, as fastavro's decoder does."""
    out = BytesIO()
    schemaless_writer(out, _lax_schema(name), datum)
    return framed(name, out.getvalue())


def framed(name: str, body: bytes) -> bytes:
    """The body behind the fingerprint of the schema."""
    return b"\xc3\x01" + current(name).fingerprint + body


def zigzag(number: int) -> bytes:
    """An Avro long."""
    rest = ((number << 1) ^ (number >> 63)) & (2**64 - 1)
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])


@cache
def _lax_schema(name: str) -> Any:
    published = json.dumps(current(name).published).replace('"int"', '"long"')
    return parse_schema(_without_logical_types(json.loads(published)))


def _without_logical_types(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: _without_logical_types(value) for key, value in schema.items() if key != "logicalType"}
    return [_without_logical_types(part) for part in schema] if isinstance(schema, list) else schema


def _strings(datum: Datum) -> Iterator[tuple[Any, Any]]:
    """Return where the strings are whose length is limited: the container and the key."""
    yield datum, "request_id"
    for owner in (datum, datum.get("job") or {}):
        yield from ((owner, name) for name in ("tenant", "target_language") if name in owner)
    if "texts" in datum:
        yield datum["texts"], 0


_BEYOND_INT = (-(2**31) - 1, 2**31, 2**40, -(2**62), 2**63 - 1)
_BEYOND_TIME = (-1, -(2**62), 2**62, 10**17)


def _numbers(datum: Datum) -> Iterator[tuple[Datum, str, tuple[Any, ...]]]:
    """Return where the numbers are (container and key), with values that each must not have."""
    if "event_id" in datum:
        for name in ("batches", "segments", "source_words", "sla_ms"):
            yield datum, name, (*_BEYOND_INT, -5)
        yield datum, "at", _BEYOND_TIME
        yield datum, "busy_ms", (float("nan"), float("inf"), -1.0)
        return
    if "target_language" in datum and "texts" not in datum:
        yield datum, "deadline", (1, -(2**62), 2**62)
        return
    for name in ("batch_number", "segments", "words", "source_words", "batches"):
        if name in datum:
            yield datum, name, (*_BEYOND_INT, -5)
    job = datum.get("job") or {}
    for name in ("batches", "segments", "words", "characters"):
        if name in job:
            yield job, name, (*_BEYOND_INT, -5)
    for owner, name in ((job, "accepted_at"), (job, "submitted_at"), (datum, "at")):
        if name in owner and not (name == "at" and "action" in datum):
            yield owner, name, _BEYOND_TIME
    if "translations" in datum:
        yield datum, "scores", ([float("nan"), None], [7.5, None])
