"""The dataclasses say the same as the Avro files."""

import dataclasses
from typing import Any, cast

import pytest

from schemas.avro_schemas import NAMES, current
from schemas.codec import Codec
from schemas.errors import PermanentError
from schemas.events import MESSAGES, UsageBatch, UsageEvent
from schemas.message_parts import Document
from schemas.messages import Job, SegmentBatch, changed
from schemas.states import UsageKind

ROWS = [
    UsageEvent(
        event_id="a", kind=UsageKind.BILLED, tenant="acme", request_id="r1", labels={"cost": "x"}, segments=2
    ),
    UsageEvent(event_id="b", kind=UsageKind.COMPUTE, busy_ms=1.5),
]
ROW_WISE = [name for name in NAMES if name != "UsageBatch"]


@pytest.mark.parametrize("name", ROW_WISE)
def test_a_message_has_the_fields_of_its_schema_in_order(name):
    fields = [field.name for field in dataclasses.fields(cast(Any, MESSAGES[name]))]
    assert fields == [field["name"] for field in current(name).published["fields"]]


@pytest.mark.parametrize("name", ROW_WISE)
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


def test_the_columns_of_usage_are_the_fields_of_a_row_in_order():
    published = current("UsageBatch").published["fields"]
    assert [field["name"] for field in published] == [field.name for field in dataclasses.fields(UsageEvent)]
    assert {field["type"]["type"] for field in published} == {"array"}


@pytest.mark.parametrize("rows", [[], ROWS[:1], ROWS])
def test_rows_of_usage_come_back_as_they_were(rows):
    found = Codec().decode(Codec().encode(UsageBatch(rows)), UsageBatch)
    assert list(found.events) == rows


@pytest.mark.parametrize(
    "change", [{"segments": [2]}, {"labels": [{}]}, {"event_id": []}, {"event_id": ["a", "b", "c"]}]
)
def test_columns_that_are_not_equally_long_are_refused_with_limit_and_cure(change):
    with pytest.raises(PermanentError) as refused:
        UsageBatch.from_datum({**UsageBatch(ROWS).to_datum(), **change})
    assert refused.value.cause == "unequal_columns"
    assert refused.value.limit
    assert refused.value.cure


def test_a_column_that_an_older_writer_did_not_know_gives_each_row_its_default():
    found = UsageBatch.from_datum({**UsageBatch(ROWS).to_datum(), "labels": []})
    assert [row.labels for row in found.events] == [{}, {}]


def test_the_document_in_a_header_survives():
    job = Job(kind="document", document=Document(source_ref="tenants/acme/a.docx", filter_options={"a": "b"}))
    batch = SegmentBatch(tenant="acme", request_id="r", batch_number=0, job=job)
    assert Codec().decode(Codec().encode(batch), SegmentBatch).job.document == job.document


def test_the_job_header_is_the_same_wherever_it_travels():
    def job(name: str) -> dict:
        types = {field["name"]: field["type"] for field in current(name).published["fields"]}
        found = types["job"]
        return found[1] if isinstance(found, list) else found

    assert job("SegmentBatch") == job("TranslatedBatch") == job("JobControl")


@pytest.mark.parametrize("name", NAMES)
def test_every_field_of_the_contract_is_documented(name):
    assert [field["name"] for field in current(name).published["fields"] if not field.get("doc")] == []


def test_a_changed_message_is_equal_to_a_replaced_one_and_leaves_the_first_as_it_was():
    job = Job(priority="high", target_language="pt", source_language="en")
    other = changed(job, words=7, pool="gpu")
    assert other == dataclasses.replace(job, words=7, pool="gpu")
    assert (job.words, job.pool) == (0, Job(priority="high").pool)
