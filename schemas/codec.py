"""Turn messages into bytes and back. The only module that knows the two wire formats.

Single object (no registry):  0xC3 0x01, 8 bytes CRC-64-AVRO little-endian, Avro body.
Confluent (with a registry):  0x00, 4 bytes schema id big-endian, Avro body.
"""

import struct
from io import BytesIO
from typing import Any, Protocol, TypeVar

from fastavro import schemaless_reader, schemaless_writer

from schemas.avro_schemas import Schema, WireSchema, by_fingerprint, current, int_fields
from schemas.errors import DecodeError, DragomanError
from schemas.messages import Message

SINGLE_OBJECT = b"\xc3\x01"
CONFLUENT = b"\x00"
_FINGERPRINT_END = 10
_ID_END = 5
_LEAST_INT, _MOST_INT = -(2**31), 2**31 - 1

M = TypeVar("M", bound=Message)


class SchemaRegistry(Protocol):
    """What the codec needs of a schema registry."""

    def id_of(self, name: str) -> int:
        """Return the registered id of the current schema of that name."""

    def schema_of(self, schema_id: int) -> Schema:
        """Return the writer's schema, parsed. Raises DecodeError for an id that the registry does not know."""


class Codec:
    """Encodes for one wire format, decodes both."""

    def __init__(self, registry: SchemaRegistry | None = None) -> None:
        self._registry = registry

    def encode(self, message: Message) -> bytes:
        """Return the framed bytes of the message."""
        schema = current(type(message).__name__)
        out = BytesIO()
        out.write(self._frame(schema))
        schemaless_writer(out, schema.parsed, message.to_datum())
        return out.getvalue()

    def decode(self, data: bytes | None, expected: type[M]) -> M:
        """Read the message from the bytes.

        Raises DecodeError, which says what the bytes look like instead, and PermanentError for a name that is
        none of its enum (schemas/states.py).
        """
        if not data:
            raise DecodeError("the record has no value", cure="send an Avro message, not a tombstone")
        try:
            writer, body = self._writer_schema(data)
            datum = _read(body, writer, current(expected.__name__))
            _check_ints(datum, expected.__name__)
            return expected.from_datum(datum)
        except DragomanError:
            raise
        except Exception as error:  # fastavro raises a dozen kinds on broken bytes
            raise DecodeError(
                f"the bytes do not hold a {expected.__name__}: {type(error).__name__}",
                cure=f"encode with schemas/avro/{expected.__name__}.avsc or a released version of it",
            ) from error

    def unknown_fields(self, data: bytes, expected: type[Message]) -> dict[str, object]:
        """Return what a newer writer sent in fields that this version does not know, by name.

        `data` must have been decoded before. Raises DecodeError as `decode` does.
        """
        writer, body = self._writer_schema(data)
        known = {field["name"] for field in current(expected.__name__).published["fields"]}
        names = [field["name"] for field in writer["fields"] if field["name"] not in known]
        if not names:
            return {}
        datum: Any = schemaless_reader(BytesIO(body), writer, None)
        return {name: datum[name] for name in names}

    def _frame(self, schema: WireSchema) -> bytes:
        if self._registry is None:
            return SINGLE_OBJECT + schema.fingerprint
        return CONFLUENT + struct.pack(">I", self._registry.id_of(schema.name))

    def _writer_schema(self, data: bytes) -> tuple[Schema, bytes]:
        if data.startswith(SINGLE_OBJECT):
            return _known(data[2:_FINGERPRINT_END]).parsed, data[_FINGERPRINT_END:]
        if data.startswith(CONFLUENT) and len(data) >= _ID_END:
            return self._registered(struct.unpack(">I", data[1:_ID_END])[0]), data[_ID_END:]
        raise _unknown_framing(data)

    def _registered(self, schema_id: int) -> Schema:
        if self._registry is None:
            raise DecodeError(
                f"Confluent framing with schema id {schema_id}, but no schema registry is configured",
                cure="set DRAGOMAN_KAFKA_SCHEMA_REGISTRY_URL or send Avro single-object encoding",
            )
        return self._registry.schema_of(schema_id)


def _read(body: bytes, writer: Schema, reader: WireSchema) -> dict[str, object]:
    stream = BytesIO(body)
    # Equal schemas need no resolution, which is the slower way through fastavro.
    same = writer is reader.parsed
    datum = schemaless_reader(stream, writer, None if same else reader.parsed)
    if stream.tell() != len(body):
        raise DecodeError(f"{len(body) - stream.tell()} bytes follow the end of the message")
    if not isinstance(datum, dict):
        raise DecodeError(f"the bytes hold no record, but {type(datum).__name__}")
    return datum


def _check_ints(datum: dict[str, Any], name: str) -> None:
    """Refuse ints of more than 32 bits: fastavro reads them, but no reader of what we write then could."""
    for path in int_fields(name):
        value: Any = datum
        for field in path:
            value = value and value[field]
        if value is not None and not _LEAST_INT <= value <= _MOST_INT:
            raise DecodeError(f"{'.'.join(path)} has more than the 32 bits of an Avro int")


def _known(fingerprint: bytes) -> WireSchema:
    try:
        return by_fingerprint()[fingerprint]
    except KeyError:
        raise DecodeError(
            f"unknown schema fingerprint {fingerprint.hex()}",
            cure="encode with a released version of schemas/avro",
        ) from None


def _unknown_framing(data: bytes) -> DecodeError:
    if data.lstrip()[:1] in (b"{", b"["):
        return DecodeError(
            "the value is JSON; this topic carries Avro",
            cure="encode with schemas/avro, or POST the JSON to /api/v1/translations",
        )
    return DecodeError(
        f"unknown magic bytes 0x{data[:2].hex()}",
        cure="start with 0xC301 and the schema fingerprint, or with 0x00 and the registry id",
    )
