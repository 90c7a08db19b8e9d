"""No version of a message may stop another version's reader, by the rules of the Avro specification.

Judged by Apache's own Python library, which the platform itself does not need.
"""

import json

import avro.schema
import pytest
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType

from schemas.avro_schemas import NAMES, current, released

Published = dict


def record(*fields: Published) -> Published:
    return {"type": "record", "name": "R", "fields": list(fields)}


def conflicts(writer: Published, reader: Published) -> list[str]:
    """Return what keeps the reader from reading; empty when it can read all that the writer writes."""
    ours, theirs = (avro.schema.parse(json.dumps(schema)) for schema in (reader, writer))
    found = ReaderWriterCompatibilityChecker().get_compatibility(ours, theirs)
    return [] if found.compatibility is SchemaCompatibilityType.compatible else sorted(found.messages)


OLD = record({"name": "a", "type": "int"})


@pytest.mark.parametrize("name", NAMES)
def test_the_current_schema_is_fully_compatible_with_every_released_one(name):
    new = current(name).published
    assert [conflicts(old.published, new) + conflicts(new, old.published) for old in released(name)] == [
        [] for _ in released(name)
    ]
    assert released(name)


def test_a_new_field_without_a_default_stops_the_new_reader():
    new = record({"name": "a", "type": "int"}, {"name": "b", "type": "string"})
    assert conflicts(OLD, new)
    assert conflicts(new, OLD) == []


def test_a_new_field_with_a_default_stops_nobody():
    new = record({"name": "a", "type": "int"}, {"name": "b", "type": "string", "default": ""})
    assert conflicts(OLD, new) == conflicts(new, OLD) == []


def test_widening_a_number_stops_the_old_reader_only():
    new = record({"name": "a", "type": "long"})
    assert conflicts(OLD, new) == []
    assert conflicts(new, OLD)


def test_making_a_field_nullable_stops_the_old_reader():
    new = record({"name": "a", "type": ["null", "int"]})
    assert conflicts(OLD, new) == []
    assert conflicts(new, OLD)
