"""The Avro schemas as they lie in the folder: the current ones and every released one."""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from fastavro import parse_schema
from fastavro.schema import fingerprint, to_parsing_canonical_form

Schema = dict[str, Any]

NAMES = (
    "TranslationRequest",
    "SegmentBatch",
    "TranslatedBatch",
    "TranslationResult",
    "JobEvent",
    "UsageEvent",
    "DeadLetter",
    "JobControl",
)


@dataclass(frozen=True)
class WireSchema:
    """One schema of one message: as published, as fastavro wants it, and its 8-byte fingerprint."""

    name: str
    published: Schema
    parsed: Schema
    fingerprint: bytes


def single_object_fingerprint(schema: Schema) -> bytes:
    """CRC-64-AVRO of the parsing canonical form, little-endian (Avro 1.12, single-object encoding)."""
    # fastavro gives the digits already in the byte order that the specification puts on the wire.
    return bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


@cache
def current(name: str) -> WireSchema:
    """The schema that this version writes."""
    return _wire_schema(name, _folder().joinpath(f"{name}.avsc").read_text("utf-8"))


@cache
def released(name: str) -> tuple[WireSchema, ...]:
    """Every released schema of that name, oldest first."""
    versions = sorted(_folder().joinpath("released").iterdir(), key=lambda entry: int(entry.name[1:]))
    files = [version.joinpath(f"{name}.avsc") for version in versions]
    return tuple(_wire_schema(name, file.read_text("utf-8")) for file in files if file.is_file())


@cache
def by_fingerprint() -> dict[bytes, WireSchema]:
    """Every schema that a reader may meet on the wire."""
    known = [schema for name in NAMES for schema in (*released(name), current(name))]
    return {schema.fingerprint: schema for schema in known}


def plain(schema: Any) -> Any:
    """The schema without logical types, so that times stay milliseconds instead of datetime objects."""
    if isinstance(schema, dict):
        return {key: plain(value) for key, value in schema.items() if key != "logicalType"}
    if isinstance(schema, list):
        return [plain(part) for part in schema]
    return schema


def _folder() -> Any:
    return resources.files("schemas").joinpath("avro")


def _wire_schema(name: str, text: str) -> WireSchema:
    published: Schema = json.loads(text)
    parsed: Any = parse_schema(plain(published))
    return WireSchema(name, published, parsed, single_object_fingerprint(published))
