"""May a reader with one schema read what a writer with another wrote? Pure.

The rules are those of schema resolution in the Avro 1.12 specification.
"""

from typing import Any

from schemas.catalog import Schema

_PROMOTIONS = {
    ("int", "long"),
    ("int", "float"),
    ("int", "double"),
    ("long", "float"),
    ("long", "double"),
    ("float", "double"),
    ("string", "bytes"),
    ("bytes", "string"),
}


def conflicts(writer: Any, reader: Any, path: str = "") -> list[str]:
    """What keeps the reader from reading; empty when it can read all that the writer writes."""
    if isinstance(writer, list):
        return [conflict for branch in writer for conflict in conflicts(branch, reader, path)]
    if isinstance(reader, list):
        fits = any(not conflicts(writer, branch, path) for branch in reader)
        return [] if fits else [f"{path}: no branch of the reader's union takes {_kind(writer)}"]
    if _kind(writer) != _kind(reader):
        promoted = (_kind(writer), _kind(reader)) in _PROMOTIONS
        return [] if promoted else [f"{path}: {_kind(writer)} cannot be read as {_kind(reader)}"]
    return _inside(writer, reader, path)


def full_conflicts(one: Schema, other: Schema) -> list[str]:
    """Conflicts in both directions (FULL compatibility)."""
    return conflicts(one, other) + conflicts(other, one)


def _kind(schema: Any) -> str:
    kind: Any = schema["type"] if isinstance(schema, dict) else schema
    return _kind(kind) if isinstance(kind, dict) else str(kind)


def _inside(writer: Any, reader: Any, path: str) -> list[str]:
    match _kind(writer):
        case "array":
            return conflicts(writer["items"], reader["items"], f"{path}[]")
        case "map":
            return conflicts(writer["values"], reader["values"], f"{path}{{}}")
        case "record":
            return _records(writer, reader, path)
        case "enum":
            lost = set(writer["symbols"]) - set(reader["symbols"])
            return [f"{path}: the reader lacks {sorted(lost)}"] if lost and "default" not in reader else []
    return []


def _records(writer: Schema, reader: Schema, path: str) -> list[str]:
    if writer["name"] != reader["name"]:
        return [f"{path}: record {writer['name']} is not {reader['name']}"]
    written = {field["name"]: field for field in writer["fields"]}
    found: list[str] = []
    for field in reader["fields"]:
        place = f"{path}.{field['name']}"
        if field["name"] in written:
            found += conflicts(written[field["name"]]["type"], field["type"], place)
        elif "default" not in field:
            found.append(f"{place}: the writer lacks it and the reader has no default")
    return found
