"""Turn messages into bytes and back. The only module that knows the wire formats.

Written, and read:
  Single object (no registry):  0xC3 0x01, 8 bytes CRC-64-AVRO little-endian, Avro body.
  Confluent (with a registry):  0x00, 4 bytes schema id big-endian, Avro body.
Read only, as Confluent's newer serializers write it:
  GUID:                         0x01, 16 bytes schema GUID, Avro body.
  Header:                       Avro body; `__value_schema_id` holds 0x00 and the id, or 0x01 and the GUID.
Refused by name, without asking anybody: Apicurio's own framings, AWS Glue's, JSON.
"""

import struct
from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from types import MappingProxyType
from typing import Any, Protocol, TypeVar
from uuid import UUID

from fastavro import schemaless_reader, schemaless_writer

from schemas.avro_schemas import NAMES, Schema, WireSchema, by_fingerprint, current, int_fields, written
from schemas.errors import DecodeError, DragomanError
from schemas.messages import Message

SINGLE_OBJECT = b"\xc3\x01"
SCHEMA_ID_HEADER = "__value_schema_id"
_ID, _GUID = b"\x00", b"\x01"
_FINGERPRINT_END, _ID_END, _GUID_END = 10, 5, 17
_APICURIO_HEADERS = ("apicurio.value.globalId", "apicurio.value.contentId")
_APICURIO_END = 9
_GLUE, _GLUE_END = (b"\x03\x00", b"\x03\x05"), 18
_LEAST_INT, _MOST_INT = -(2**31), 2**31 - 1
_NO_HEADERS: Mapping[str, bytes] = MappingProxyType({})

M = TypeVar("M", bound=Message)

SchemaReference = int | str
"""What names a schema in a registry: its id, or its GUID in the usual notation."""


class SchemaRegistry(Protocol):
    """What the codec needs of a schema registry. Both questions may block, and raise TransientError."""

    def id_of(self, schema: WireSchema) -> int:
        """Return the registered id of a schema of ours."""

    def schema_of(self, reference: SchemaReference) -> Schema:
        """Return the writer's schema, parsed. Raises DecodeError for one that the registry does not give."""

    def is_at_hand(self, reference: SchemaReference) -> bool:
        """Tell whether `schema_of` would answer, or refuse, from memory. Never blocks."""


class Codec:
    """Encodes for one wire format, decodes all.

    `release` makes it write the schemas of an earlier release (docs/upgrading.md); 0: the current ones. A process
    with an event loop asks `is_at_hand`, and if not calls `look_up` on another thread; then nothing blocks.
    """

    def __init__(self, registry: SchemaRegistry | None = None, release: int = 0) -> None:
        self._registry = registry
        self._release = release
        self._frames: dict[str, tuple[Schema, bytes]] = {}

    def encode(self, message: Message) -> bytes:
        """Return the framed bytes of the message. Raises TransientError while the registry is needed and away."""
        schema, frame = self._written(type(message).__name__)
        out = BytesIO()
        out.write(frame)
        schemaless_writer(out, schema, message.to_datum())
        return out.getvalue()

    def decode(self, data: bytes | None, expected: type[M], headers: Mapping[str, bytes] = _NO_HEADERS) -> M:
        """Read the message from the bytes. The headers matter for topics that others write.

        Raises DecodeError, which says what the bytes look like instead, PermanentError for a name that is none of
        its enum (schemas/states.py), and TransientError while the registry is needed and away.
        """
        if not data:
            raise DecodeError("the record has no value", cure="send an Avro message, not a tombstone")
        try:
            writer, body = self._writer_schema(data, headers)
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

    def is_at_hand(self, data: bytes | None = None, headers: Mapping[str, bytes] = _NO_HEADERS) -> bool:
        """Tell whether encoding, and decoding these bytes, need no answer of the registry. Never blocks."""
        if self._registry is None:
            return True
        reference = _reference(data, headers)
        is_known = reference is None or self._registry.is_at_hand(reference)
        return is_known and len(self._frames) >= len(NAMES)

    def look_up(self, data: bytes | None = None, headers: Mapping[str, bytes] = _NO_HEADERS) -> None:
        """Ask the registry for all that is not at hand. Blocks. Raises TransientError while it does not answer.

        A schema that it does not give is no error here: `decode` raises it, from memory.
        """
        for name in NAMES:
            self._written(name)
        reference = _reference(data, headers)
        if self._registry is not None and reference is not None:
            with suppress(DecodeError):
                self._registry.schema_of(reference)

    def _written(self, name: str) -> tuple[Schema, bytes]:
        """Return the schema that messages of that name are written in, and what stands before their bodies."""
        if name not in self._frames:
            schema = written(name, self._release)
            self._frames[name] = schema.parsed, self._frame(schema)
        return self._frames[name]

    def _frame(self, schema: WireSchema) -> bytes:
        if self._registry is None:
            return SINGLE_OBJECT + schema.fingerprint
        return _ID + struct.pack(">I", self._registry.id_of(schema))

    def _writer_schema(self, data: bytes, headers: Mapping[str, bytes] = _NO_HEADERS) -> tuple[Schema, bytes]:
        if (framing := _framing(data, headers)) is None:
            raise _unknown_framing(data, headers)
        named, end = framing
        schema = _known(named) if isinstance(named, bytes) else self._registered(named)
        return schema, data[end:]

    def _registered(self, reference: SchemaReference) -> Schema:
        if self._registry is None:
            raise DecodeError(
                f"Confluent framing with schema id {reference}, but no schema registry is configured",
                cure="set DRAGOMAN_KAFKA_SCHEMA_REGISTRY_URL or send Avro single-object encoding",
            )
        return self._registry.schema_of(reference)


def without_schema(headers: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the headers without the one that names the schema of a value: for a value that is written anew."""
    return {name: value for name, value in headers.items() if name != SCHEMA_ID_HEADER}


def _framing(data: bytes, headers: Mapping[str, bytes]) -> tuple[bytes | SchemaReference, int] | None:
    """Return the fingerprint, id or GUID of the writer's schema, and where the body begins; None without any."""
    if headers:
        if any(header in headers for header in _APICURIO_HEADERS):
            return None
        # As Confluent's deserializers do: a header that makes sense comes before the bytes.
        told = headers.get(SCHEMA_ID_HEADER)
        if told and (found := _registry_framing(told)) and found[1] == len(told):
            return found[0], 0
    if data.startswith(SINGLE_OBJECT):
        return data[2:_FINGERPRINT_END], _FINGERPRINT_END
    return _registry_framing(data)


def _registry_framing(data: bytes) -> tuple[SchemaReference, int] | None:
    if data.startswith(_ID) and len(data) >= _ID_END:
        # Registries count from 1: zeros are the beginning of Apicurio's longer ids.
        number: int = struct.unpack_from(">I", data, 1)[0]
        return (number, _ID_END) if number else None
    if data.startswith(_GUID) and len(data) >= _GUID_END:
        return str(UUID(bytes=data[1:_GUID_END])), _GUID_END
    return None


def _reference(data: bytes | None, headers: Mapping[str, bytes]) -> SchemaReference | None:
    """Return what the registry has to be asked for; None where it need not be asked."""
    framing = _framing(data, headers) if data else None
    return None if framing is None or isinstance(framing[0], bytes) else framing[0]


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


def _known(fingerprint: bytes) -> Schema:
    try:
        return by_fingerprint()[fingerprint].parsed
    except KeyError:
        raise DecodeError(
            f"unknown schema fingerprint {fingerprint.hex()}",
            cure="encode with a released version of schemas/avro; if a newer release of Dragoman wrote it: "
            "docs/upgrading.md, then redrive",
        ) from None


def _unknown_framing(data: bytes, headers: Mapping[str, bytes]) -> DecodeError:
    if any(header in headers for header in _APICURIO_HEADERS):
        return DecodeError("the schema id is in a header of Apicurio's own", cure=_APICURIO_CURE)
    if data.startswith(_ID) and len(data) >= _APICURIO_END:
        number = struct.unpack_from(">Q", data, 1)[0]
        return DecodeError(f"Apicurio's own framing with the 8-byte id {number}", cure=_APICURIO_CURE)
    if data.startswith(_GLUE) and len(data) >= _GLUE_END:
        return DecodeError(
            f"AWS Glue's framing with the schema version {UUID(bytes=data[2:_GLUE_END])}",
            cure="use Confluent's serializer, or Avro single-object encoding",
        )
    if data.lstrip()[:1] in (b"{", b"["):
        return DecodeError(
            "the value is JSON; this topic carries Avro",
            cure="encode with schemas/avro, or POST the JSON to /api/v1/translations",
        )
    return DecodeError(
        f"unknown magic bytes 0x{data[:2].hex()}",
        cure="start with 0xC301 and the schema fingerprint, or with 0x00 and the registry id",
    )


_APICURIO_CURE = (
    "make Apicurio's serializer write as Confluent's does: apicurio.registry.as-confluent=true, "
    "apicurio.registry.use-id=contentId, apicurio.registry.headers.enabled=false"
)
