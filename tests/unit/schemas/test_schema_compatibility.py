"""No version of a message may stop another version's reader."""

import pytest
from schemas.compatibility import conflicts, full_conflicts

from schemas.avro_schemas import NAMES, current, released


def record(*fields: dict) -> dict:
    return {"type": "record", "name": "R", "fields": list(fields)}


OLD = record({"name": "a", "type": "int"})


@pytest.mark.parametrize("name", NAMES)
def test_the_current_schema_is_fully_compatible_with_every_released_one(name):
    found = [
        conflict for old in released(name) for conflict in full_conflicts(old.published, current(name).published)
    ]
    assert found == []


def test_a_new_field_without_a_default_stops_the_new_reader():
    new = record({"name": "a", "type": "int"}, {"name": "b", "type": "string"})
    assert conflicts(OLD, new) == [".b: the writer lacks it and the reader has no default"]


def test_a_new_field_with_a_default_stops_nobody():
    new = record({"name": "a", "type": "int"}, {"name": "b", "type": "string", "default": ""})
    assert full_conflicts(OLD, new) == []


def test_widening_a_number_stops_the_old_reader_only():
    new = record({"name": "a", "type": "long"})
    assert conflicts(OLD, new) == []
    assert conflicts(new, OLD) == [".a: long cannot be read as int"]


def test_making_a_field_nullable_stops_the_old_reader():
    new = record({"name": "a", "type": ["null", "int"]})
    assert conflicts(OLD, new) == []
    assert conflicts(new, OLD) == [".a: null cannot be read as int"]


def test_a_lost_enum_symbol_stops_a_reader_without_a_default():
    old, new = ({"type": "enum", "name": "E", "symbols": symbols} for symbols in (["A", "B"], ["A"]))
    assert conflicts(old, new) == [": the reader lacks ['B']"]
    assert conflicts(old, {**new, "default": "A"}) == []


def test_differences_inside_arrays_and_maps_are_found():
    old = {"type": "array", "items": {"type": "map", "values": "string"}}
    new = {"type": "array", "items": {"type": "map", "values": "int"}}
    assert conflicts(old, new) == ["[]{}: string cannot be read as int"]
