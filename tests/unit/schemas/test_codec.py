"""Both wire formats, byte by byte."""

import json
import struct
from typing import Any, cast

import pytest
from fastavro import parse_schema

from schemas.avro_schemas import (
    NAMES,
    WireSchema,
    current,
    foreign,
    plain,
    released,
    single_object_fingerprint,
)
from schemas.codec import Codec, SchemaReference
from schemas.errors import DecodeError
from schemas.events import DeadLetter, JobControl
from schemas.messages import Job, SegmentBatch, TranslationRequest
from schemas.states import ControlAction

# Arrays come back as lists.
REQUEST = TranslationRequest(
    request_id="r-1",
    target_language="pt",
    text="Olá 👋",
    metadata={"a": "b"},
    texts=[],
    glossaries=["g"],
    do_not_translate=[],
)


class RegistryInMemory:
    """Ids by name; a schema that somebody else registered under 77."""

    def id_of(self, schema: WireSchema) -> int:
        return 1 + NAMES.index(schema.name)

    def schema_of(self, reference: SchemaReference) -> dict:
        if reference == 77:
            return _request_of_a_future_version()
        if isinstance(reference, str) or reference > len(NAMES):
            raise DecodeError(f"the schema registry does not know {reference}")
        return current(NAMES[reference - 1]).parsed

    def is_at_hand(self, reference: SchemaReference) -> bool:
        return True


def _request_of_a_future_version() -> dict:
    published = plain(current("TranslationRequest").published)
    published["fields"] = [
        {"name": "tone", "type": "string", "default": "neutral"},
        *(field for field in published["fields"] if field["name"] != "callback"),
    ]
    parsed: Any = parse_schema(published)
    return dict(parsed)


def test_the_fingerprint_of_null_is_the_one_in_the_avro_test_vectors_little_endian():
    # share/test/data/schema-tests.txt of Apache Avro: "null" has the CRC-64-AVRO 7195948357588979594.
    assert single_object_fingerprint(cast(Any, "null")) == struct.pack("<Q", 7195948357588979594)


def test_the_single_object_header_is_c301_and_the_fingerprint():
    data = Codec().encode(REQUEST)
    assert data[:2] == b"\xc3\x01"
    assert data[2:10] == current("TranslationRequest").fingerprint


def test_a_message_comes_back_from_single_object_encoding():
    assert Codec().decode(Codec().encode(REQUEST), TranslationRequest) == REQUEST


def test_the_confluent_header_is_zero_and_the_id_big_endian():
    data = Codec(RegistryInMemory()).encode(REQUEST)
    assert data[:5] == b"\x00" + struct.pack(">I", 1)


def test_a_decoder_with_a_registry_takes_both_formats():
    codec = Codec(RegistryInMemory())
    assert codec.decode(codec.encode(REQUEST), TranslationRequest) == REQUEST
    assert codec.decode(Codec().encode(REQUEST), TranslationRequest) == REQUEST


def test_a_record_of_a_later_writer_is_read_with_defaults():
    from io import BytesIO

    from fastavro import schemaless_writer

    out = BytesIO()
    schemaless_writer(out, _request_of_a_future_version(), {**REQUEST.to_datum(), "tone": "formal"})
    data = b"\x00" + struct.pack(">I", 77) + out.getvalue()
    assert Codec(RegistryInMemory()).decode(data, TranslationRequest) == REQUEST


def test_a_header_inside_a_batch_survives():
    batch = SegmentBatch(request_id="r", batch_number=2, job=Job(metadata={"x": "y"}), texts=["a"])
    assert Codec().decode(Codec().encode(batch), SegmentBatch).job.metadata == {"x": "y"}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (None, "no value"),
        (b"", "no value"),
        (b'{"text": "hi"}', "JSON"),
        (b"hello", "unknown magic bytes 0x6865"),
        (b"\x00\x00\x00\x00\x07rest", "no schema registry is configured"),
        (b"\xc3\x01" + bytes(8), "unknown schema fingerprint"),
        (Codec().encode(REQUEST)[:-3], "do not hold a TranslationRequest"),
        (Codec().encode(REQUEST) + b"x", "1 bytes follow"),
        (Codec().encode(JobControl(request_id="r", action=ControlAction.CANCEL)), "TranslationRequest"),
    ],
)
def test_bytes_that_are_no_request_are_named_for_what_they_are(data, says):
    with pytest.raises(DecodeError, match=says):
        Codec().decode(data, TranslationRequest)


def test_every_released_schema_is_known_by_its_fingerprint():
    assert all(released(name) for name in NAMES)


def test_an_int_of_more_than_32_bits_is_refused_though_fastavro_reads_it():
    for batch in (
        SegmentBatch(request_id="r", batch_number=2**31, job=Job()),
        SegmentBatch(request_id="r", batch_number=0, job=Job(batches=-(2**31) - 1)),
    ):
        with pytest.raises(DecodeError, match="32 bits"):
            Codec().decode(Codec().encode(batch), SegmentBatch)


def test_a_missing_optional_int_is_no_number_to_check():
    dead_letter = DeadLetter(dead_letter_id="d", stage="intake", cause="x", message="y")
    assert Codec().decode(Codec().encode(dead_letter), DeadLetter) == dead_letter


_NODE = {"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]}
_NOTHING = {"type": "record", "name": "Nothing", "fields": []}


@pytest.mark.parametrize("kind", [_NODE, *({"type": "array", "items": items} for items in ("null", _NOTHING))])
def test_a_schema_of_others_whose_data_could_be_a_bomb_is_refused(kind):
    schema = {"type": "record", "name": "TranslationRequest", "fields": [{"name": "extra", "type": kind}]}
    with pytest.raises(DecodeError):
        foreign(json.dumps(schema))


def test_a_schema_of_others_that_is_no_record_is_refused():
    with pytest.raises(DecodeError):
        foreign('"string"')


def test_every_schema_of_ours_could_come_from_a_registry():
    for name in NAMES:
        # The very object: equal schemas are read without resolution.
        assert foreign(json.dumps(current(name).published)) is current(name).parsed


def test_a_registry_that_holds_nonsense_under_an_id_makes_a_decode_error():
    class Nonsense(RegistryInMemory):
        def schema_of(self, reference):
            return foreign('{"type": "record"}')

    with pytest.raises(DecodeError):
        Codec(Nonsense()).decode(b"\x00\x00\x00\x00\x01abc", TranslationRequest)
