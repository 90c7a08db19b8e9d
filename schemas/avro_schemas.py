"""Load the Avro schemas of this folder: the current ones and every released one."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from fastavro import parse_schema
from fastavro.schema import fingerprint, to_parsing_canonical_form

from schemas.errors import DecodeError, DragomanError, FatalError

Schema = dict[str, Any]

# Primitive types whose data take at least one byte each.
_SIZED = ("boolean", "int", "long", "float", "double", "bytes", "string")

NAMES = (
    "TranslationRequest",
    "SegmentBatch",
    "TranslatedBatch",
    "TranslationResult",
    "UsageBatch",
    "DeadLetter",
    "JobControl",
    "OperationEvent",
    "Tenant",
    "Credential",
    "Glossary",
)


@dataclass(frozen=True)
class WireSchema:
    """One schema of one message: as published, parsed for fastavro, and its 8-byte fingerprint."""

    name: str
    published: Schema
    parsed: Schema
    fingerprint: bytes


def single_object_fingerprint(schema: Schema) -> bytes:
    """Compute the CRC-64-AVRO of the parsing canonical form, little-endian (Avro 1.12, single-object encoding)."""
    # fastavro gives the digits already in the byte order that the specification puts on the wire.
    return bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


@cache
def current(name: str) -> WireSchema:
    """Return the schema that this version writes."""
    return _wire_schema(name, _folder().joinpath(f"{name}.avsc").read_text("utf-8"))


@cache
def released(name: str) -> tuple[WireSchema, ...]:
    """Return every released schema of that name, oldest first."""
    versions = sorted(_folder().joinpath("released").iterdir(), key=lambda entry: int(entry.name[1:]))
    files = [version.joinpath(f"{name}.avsc") for version in versions]
    return tuple(_wire_schema(name, file.read_text("utf-8")) for file in files if file.is_file())


@cache
def written(name: str, release: int = 0) -> WireSchema:
    """Return the schema that messages are written in: the current one (0), or that of a release.

    A message that the release did not have yet is written in its current schema, as nobody else reads it then.
    Raises FatalError for a release that never was.
    """
    if not release:
        return current(name)
    folder = _folder().joinpath("released", f"v{release}")
    if not folder.is_dir():
        raise FatalError(f"there is no release v{release} of the schemas (DRAGOMAN_KAFKA_WRITE_RELEASE)")
    file = folder.joinpath(f"{name}.avsc")
    return _wire_schema(name, file.read_text("utf-8")) if file.is_file() else current(name)


@cache
def by_fingerprint() -> dict[bytes, WireSchema]:
    """Map the fingerprints to every schema that a reader may meet on the wire."""
    known = [schema for name in NAMES for schema in (*released(name), current(name))]
    return {schema.fingerprint: schema for schema in known}


@cache
def int_fields(name: str) -> tuple[tuple[str, ...], ...]:
    """List the paths of the message's Avro int fields, optional ones and those of its header included."""
    return tuple(_int_fields(current(name).published))


def foreign(text: str) -> Schema:
    """Parse a schema that somebody else wrote; one that equals one of ours is ours, which is read faster.

    Raises DecodeError for one that cannot be parsed, and for one whose data could be a bomb: data of a recursive
    schema may be nested deeper than the stack, and an array whose items take no bytes may be longer than the
    memory.
    """
    try:
        published = plain(json.loads(text))
        _check_foreign_record(published)
        parsed: Any = parse_schema(published)
        ours = by_fingerprint().get(single_object_fingerprint(published))
    except DragomanError:
        raise
    except Exception as error:  # a schema may be broken in as many ways as fastavro has exceptions
        raise DecodeError(f"the writer's schema cannot be parsed: {type(error).__name__}") from error
    return dict(parsed) if ours is None else ours.parsed


def plain(schema: Any) -> Any:
    """Strip the logical types, so that times stay milliseconds instead of datetime objects."""
    if isinstance(schema, dict):
        return {key: plain(value) for key, value in schema.items() if key != "logicalType"}
    if isinstance(schema, list):
        return [plain(part) for part in schema]
    return schema


def _int_fields(record: Schema) -> Iterator[tuple[str, ...]]:
    for field in record["fields"]:
        for kind in field["type"] if isinstance(field["type"], list) else [field["type"]]:
            if kind == "int":
                yield (field["name"],)
            elif isinstance(kind, dict) and kind["type"] == "record":
                yield from ((field["name"], *path) for path in _int_fields(kind))


def _check_foreign_record(published: Any) -> None:
    if not isinstance(published, dict) or published.get("type") != "record":
        raise DecodeError("the writer's schema is no record")
    _check_foreign(published, ())


def _check_foreign(kind: Any, inside: tuple[str, ...]) -> None:
    if isinstance(kind, list):
        for branch in kind:
            _check_foreign(branch, inside)
    elif isinstance(kind, str):
        if kind.rpartition(".")[2] in inside:
            raise DecodeError("the writer's schema is recursive")
    elif kind["type"] in ("array", "map"):
        items = kind["items"] if kind["type"] == "array" else kind["values"]
        if kind["type"] == "array" and items not in _SIZED and not _is_sized(items):
            raise DecodeError("the writer's schema has an array whose items may take no bytes")
        _check_foreign(items, inside)
    elif kind["type"] in ("record", "error"):
        for field in kind["fields"]:
            _check_foreign(field["type"], (*inside, kind["name"].rpartition(".")[2]))
    elif isinstance(kind["type"], (dict, list)):
        _check_foreign(kind["type"], inside)


def _is_sized(kind: Any) -> bool:
    """Tell whether a datum takes at least one byte. A union has its branch's number, an enum its symbol's."""
    if not isinstance(kind, dict):
        return isinstance(kind, list)
    if kind["type"] in ("record", "error"):
        return any(field["type"] in _SIZED or _is_sized(field["type"]) for field in kind["fields"])
    return kind["type"] in (*_SIZED, "array", "map", "enum") or (kind["type"] == "fixed" and kind["size"] > 0)


def _folder() -> Any:
    return resources.files("schemas").joinpath("avro")


def _wire_schema(name: str, text: str) -> WireSchema:
    published: Schema = json.loads(text)
    parsed: Any = parse_schema(plain(published))
    return WireSchema(name, published, parsed, single_object_fingerprint(published))
