"""The dataclasses say the same as the Avro files."""

import dataclasses
from typing import Any, cast

import pytest

from schemas.avro_schemas import NAMES, current
from schemas.events import MESSAGES


@pytest.mark.parametrize("name", NAMES)
def test_a_message_has_the_fields_of_its_schema_in_order(name):
    fields = [field.name for field in dataclasses.fields(cast(Any, MESSAGES[name]))]
    assert fields == [field["name"] for field in current(name).published["fields"]]


@pytest.mark.parametrize("name", NAMES)
def test_a_default_in_the_schema_is_the_default_of_the_message(name):
    cls: Any = MESSAGES[name]
    for field in current(name).published["fields"]:
        if "default" not in field:
            continue
        ours = next(one for one in dataclasses.fields(cls) if one.name == field["name"])
        factory: Any = ours.default_factory
        value = factory() if ours.default is dataclasses.MISSING else ours.default
        # A status that is not known is None in code and empty on the wire.
        value = "" if value is None and field["type"] == "string" else value
        assert (list(value) if isinstance(value, tuple) else value) == field["default"], field["name"]


def test_the_job_header_is_the_same_wherever_it_travels():
    def job(name: str) -> dict:
        types = {field["name"]: field["type"] for field in current(name).published["fields"]}
        found = types["job"]
        return found[1] if isinstance(found, list) else found

    assert job("SegmentBatch") == job("TranslatedBatch") == job("JobControl")


@pytest.mark.parametrize("name", NAMES)
def test_every_field_of_the_contract_is_documented(name):
    assert [field["name"] for field in current(name).published["fields"] if not field.get("doc")] == []
