"""Fields that a newer producer of usage sends: read by its schema, kept with the row they belong to."""

from io import BytesIO
from typing import Any

import pytest
from fastavro import parse_schema, schemaless_writer

from schemas.avro_schemas import WireSchema, current, plain
from schemas.codec import Codec, SchemaReference
from schemas.errors import PermanentError
from schemas.events import UsageBatch, UsageEvent
from schemas.states import UsageKind
from stream_apps.usage_sink.rows.usage import other_fields_of

OURS, THEIRS = 1, 2


class NewerRegistry:
    """A registry in which the producer's schema has one more array and one more plain field."""

    def id_of(self, schema: WireSchema) -> int:
        return OURS

    def is_at_hand(self, reference: SchemaReference) -> bool:
        return True

    def schema_of(self, reference: SchemaReference) -> Any:
        published = plain(current("UsageBatch").published)
        if reference == OURS:
            return parse_schema(published)
        more = [
            {"name": "carbon_grams", "type": {"type": "array", "items": "double"}, "default": []},
            {"name": "region", "type": "string", "default": ""},
        ]
        return parse_schema({**published, "fields": [*published["fields"], *more]})


def sent_by_a_newer_version(**more: Any) -> bytes:
    events = [UsageEvent(event_id=f"e{number}", kind=UsageKind.BILLED) for number in range(2)]
    out = BytesIO()
    schemaless_writer(out, NewerRegistry().schema_of(THEIRS), {**UsageBatch(events).to_datum(), **more})
    return b"\x00" + THEIRS.to_bytes(4, "big") + out.getvalue()


def test_each_event_keeps_its_entry_of_a_new_array_and_the_batchs_plain_fields():
    data = sent_by_a_newer_version(carbon_grams=[1.5, 2.5], region="eu")
    unknown = Codec(NewerRegistry()).unknown_fields(data, UsageBatch)
    assert [other_fields_of(unknown, number, 2) for number in range(2)] == [
        {"carbon_grams": "1.5", "region": "eu"},
        {"carbon_grams": "2.5", "region": "eu"},
    ]


def test_an_array_of_another_length_is_kept_whole():
    assert other_fields_of({"carbon_grams": [1.5]}, 1, 2) == {"carbon_grams": "[1.5]"}


def test_our_own_batches_have_no_unknown_fields():
    batch = UsageBatch([UsageEvent(event_id="e", kind=UsageKind.BILLED)])
    for codec in (Codec(), Codec(NewerRegistry())):
        assert codec.unknown_fields(codec.encode(batch), UsageBatch) == {}


def test_a_batch_of_an_older_version_gives_the_defaults_of_the_fields_it_does_not_know():
    events = [UsageEvent(event_id=f"e{number}", kind=UsageKind.BILLED, source_words=7) for number in range(2)]
    older = {**UsageBatch(events).to_datum(), "sla_ms": [], "market": [], "status": []}
    assert UsageBatch.from_datum(older).events == events


@pytest.mark.parametrize(("name", "entries"), [("event_id", []), ("kind", []), ("source_words", [1])])
def test_arrays_that_do_not_fit_together_are_refused(name, entries):
    events = [UsageEvent(event_id=f"e{number}", kind=UsageKind.BILLED) for number in range(2)]
    with pytest.raises(PermanentError, match="not equally long"):
        UsageBatch.from_datum({**UsageBatch(events).to_datum(), name: entries})


def test_an_empty_batch_holds_no_events():
    assert UsageBatch.from_datum(UsageBatch().to_datum()).events == []
