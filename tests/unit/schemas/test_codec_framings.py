"""How others' serializers say which schema wrote a record, and what the registry is asked for."""

import json
import struct
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from fastavro import schemaless_writer

from schemas.avro_schemas import NAMES, Schema, WireSchema, current, foreign
from schemas.codec import SCHEMA_ID_HEADER, Codec, SchemaReference
from schemas.errors import DecodeError, TransientError
from schemas.messages import TranslationRequest

# Arrays come back as lists.
_ARRAYS: dict[str, Any] = {"texts": [], "glossaries": [], "do_not_translate": []}
REQUEST = TranslationRequest(request_id="r-1", target_language="pt", text="Olá 👋", metadata={"a": "b"}, **_ARRAYS)
GUID = "89791762-2336-4186-9674-299b90a802e2"
LATER = 77
UNKNOWN = b"\x00" + struct.pack(">I", 99)


class RegistryInMemory:
    """Ids by name; a later version of requests under an id and a GUID. Keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: list[SchemaReference] = []
        self.is_away = False

    def id_of(self, schema: WireSchema) -> int:
        self._ask(schema.name)
        return 1 + NAMES.index(schema.name)

    def schema_of(self, reference: SchemaReference) -> Schema:
        self._ask(reference)
        if reference not in (LATER, GUID):
            raise DecodeError(f"the schema registry does not know {reference}")
        return foreign(json.dumps(_later_request()))

    def is_at_hand(self, reference: SchemaReference) -> bool:
        return reference in self.asked

    def _ask(self, what: SchemaReference) -> None:
        if self.is_away:
            raise TransientError("away")
        self.asked.append(what)


def _later_request() -> dict[str, Any]:
    published = current("TranslationRequest").published
    return {
        **published,
        "fields": [{"name": "tone", "type": "string", "default": "neutral"}, *published["fields"]],
    }


def _body_of_a_later_writer() -> bytes:
    out = BytesIO()
    schemaless_writer(out, foreign(json.dumps(_later_request())), {**REQUEST.to_datum(), "tone": "formal"})
    return out.getvalue()


@pytest.mark.parametrize(
    "named", [b"\x00" + struct.pack(">I", LATER), b"\x01" + UUID(GUID).bytes], ids=["id", "GUID"]
)
def test_a_later_writer_is_read_by_id_and_by_guid_before_the_bytes_and_in_a_header(named):
    codec, body = Codec(RegistryInMemory()), _body_of_a_later_writer()
    assert codec.decode(named + body, TranslationRequest) == REQUEST
    assert codec.decode(body, TranslationRequest, {SCHEMA_ID_HEADER: named}) == REQUEST


@pytest.mark.parametrize(
    "told", [b"", b"\x00", b"\x00\x00\x00\x00\x4d\x00", b"\x00\x00\x00\x00\x00", b"\x02abcd", b"\x01" + bytes(15)]
)
def test_a_header_that_makes_no_sense_counts_as_missing(told):
    assert Codec().decode(Codec().encode(REQUEST), TranslationRequest, {SCHEMA_ID_HEADER: told}) == REQUEST


@pytest.mark.parametrize(
    ("data", "headers", "says"),
    [
        (b"\x00" + struct.pack(">Q", 4711) + b"rest", {}, "Apicurio's own framing with the 8-byte id 4711"),
        (b"\x00\x00\x00\x00\x01body", {"apicurio.value.globalId": bytes(8)}, "in a header of Apicurio's own"),
        (b"body", {"apicurio.value.contentId": bytes(8)}, "in a header of Apicurio's own"),
        (b"\x03\x00" + UUID(GUID).bytes + b"rest", {}, f"AWS Glue's framing with the schema version {GUID}"),
        (b"\x03\x05" + UUID(GUID).bytes + b"rest", {}, "AWS Glue's framing"),
        (b"\x00\x00\x00\x00\x00", {}, "unknown magic bytes 0x0000"),
        (b"\x01\x02", {}, "unknown magic bytes 0x0102"),
        (b"\x03\x04" + bytes(16), {}, "unknown magic bytes 0x0304"),
    ],
)
def test_what_another_registry_framed_is_refused_by_name_without_asking_ours(data, headers, says):
    registry = RegistryInMemory()
    registry.is_away = True
    with pytest.raises(DecodeError, match=says) as refused:
        Codec(registry).decode(data, TranslationRequest, headers)
    assert refused.value.cure


# What Apicurio's AvroKafkaSerializer 2.6.13 wrote for a request of three fields, registered under id 1.
_BODY_OF_APICURIO = bytes.fromhex("04723104707402044869")


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        (_BODY_OF_APICURIO, {"apicurio.value.globalId": bytes(7) + b"\x01", "apicurio.value.encoding": b"BINARY"}),
        (
            _BODY_OF_APICURIO,
            {"apicurio.value.contentId": bytes(7) + b"\x01", "apicurio.value.encoding": b"BINARY"},
        ),
        (bytes(8) + b"\x01" + _BODY_OF_APICURIO, {}),
    ],
    ids=["its default", "use-id=contentId", "headers.enabled=false"],
)
def test_what_apicurios_serializer_writes_is_refused_by_name_and_read_as_the_cure_says(data, headers):
    with pytest.raises(DecodeError, match="Apicurio's own") as refused:
        Codec(RegistryOfApicurio()).decode(data, TranslationRequest, headers)
    assert "apicurio.registry.as-confluent=true" in (refused.value.cure or "")
    as_confluent = bytes(4) + b"\x01" + _BODY_OF_APICURIO
    read = Codec(RegistryOfApicurio()).decode(as_confluent, TranslationRequest)
    assert (read.request_id, read.target_language, read.text) == ("r1", "pt", "Hi")


class RegistryOfApicurio(RegistryInMemory):
    """Knows that request."""

    def schema_of(self, reference: SchemaReference) -> Schema:
        published = current("TranslationRequest").published
        types = {"request_id": "string", "target_language": "string", "text": ["null", "string"]}
        return foreign(json.dumps({**published, "fields": [{"name": n, "type": t} for n, t in types.items()]}))


def test_without_a_registry_ids_and_guids_are_refused_with_the_cure():
    for named in (UNKNOWN, b"\x01" + UUID(GUID).bytes):
        with pytest.raises(DecodeError, match="no schema registry is configured"):
            Codec().decode(named + b"body", TranslationRequest)


def test_nothing_is_at_hand_before_the_registry_was_asked_and_everything_after():
    registry = RegistryInMemory()
    codec = Codec(registry)
    assert not codec.is_at_hand(Codec().encode(REQUEST))
    codec.look_up()
    assert codec.is_at_hand()
    assert codec.is_at_hand(Codec().encode(REQUEST))
    assert not codec.is_at_hand(UNKNOWN)
    assert not codec.is_at_hand(b"body", {SCHEMA_ID_HEADER: UNKNOWN})
    codec.look_up(UNKNOWN)
    assert codec.is_at_hand(UNKNOWN)
    codec.encode(REQUEST)
    assert registry.asked == [*NAMES, 99]


def test_a_registry_that_is_away_is_reported_and_asked_again():
    registry = RegistryInMemory()
    registry.is_away = True
    codec = Codec(registry)
    with pytest.raises(TransientError):
        codec.look_up(UNKNOWN)
    registry.is_away = False
    codec.look_up(UNKNOWN)
    assert codec.is_at_hand(UNKNOWN)


def test_without_a_registry_everything_is_at_hand():
    assert Codec().is_at_hand(UNKNOWN)
