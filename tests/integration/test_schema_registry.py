"""The registry client against a server of ours that speaks the registry's HTTP interface and fails as told.

It gives GUIDs, as Confluent's does and the free ones do not yet; test_confluent_clients.py has a real registry.
"""

import asyncio
import json
import re
import struct
import threading
import time
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

import pytest
from confluent_kafka.schema_registry import (
    SchemaRegistryClient,
    header_schema_id_serializer,
    prefix_schema_id_serializer,
)
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from pydantic import SecretStr

from connectors.kafka.schema_registry import (
    HttpSchemaRegistry,
    compare_subjects,
    open_codec,
    register_schemas,
    subjects_of,
)
from connectors.kafka.settings import KafkaSettings
from schemas.avro_schemas import NAMES, current
from schemas.codec import SCHEMA_ID_HEADER, Codec
from schemas.errors import DecodeError, FatalError, PermanentError, TransientError
from schemas.messages import TranslationRequest
from schemas.records import InboundRecord, StoredAt
from schemas.topics import DEAD_LETTERS, catalogue
from stream_apps.runtime.dead_letters import DeadLetterWriter, TokenBucket
from stream_apps.runtime.event_processor import EventHandler, EventProcessor, EventRetry
from stream_apps.runtime.retry import RetryPolicy

# Arrays come back as lists.
_ARRAYS: dict[str, Any] = {"texts": [], "glossaries": [], "do_not_translate": []}
REQUEST = TranslationRequest(request_id="r1", target_language="pt", text="Olá", **_ARRAYS)
SUBJECT = "translation.requests.critical-value"


class Registry:
    """Keeps schemas by id, one id for each different schema, their subjects, and the requests it was sent."""

    def __init__(self) -> None:
        self.schemas: list[str] = []
        self.subjects: dict[str, list[str]] = {}
        self.requests: list[str] = []
        self.authorizations: set[str | None] = set()
        self.status = 200
        self.delay_seconds = 0.0
        self.described: dict[str, object] = {}
        self.url = ""

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, object]:
        path = path.partition("?")[0]
        self.requests.append(f"{method} {path}")
        time.sleep(self.delay_seconds)
        if self.status != 200:
            return self.status, {"error_code": self.status, "message": "as told"}
        if found := re.fullmatch(r"/subjects/([^/]+)(/versions)?", path):
            return self._of_subject(found[1], json.loads(body)["schema"], registers=bool(found[2]))
        kind, _, named = path.removeprefix("/schemas/").partition("/")
        known = {guid_of(one) if kind == "guids" else str(at): one for at, one in enumerate(self.schemas, 1)}
        if named not in known:
            return 404, {"error_code": 40403, "message": "Schema not found"}
        return 200, {"schema": known[named], "guid": guid_of(known[named]), **self.described}

    def _of_subject(self, subject: str, schema: str, registers: bool) -> tuple[int, object]:
        if registers:
            if schema not in self.schemas:
                self.schemas.append(schema)
            self.subjects.setdefault(subject, []).append(schema)
        elif schema not in self.subjects.get(subject, ()):
            return 404, {"error_code": 40403, "message": "Schema not found"}
        number = self.schemas.index(schema) + 1
        return 200, {"subject": subject, "id": number, "version": 1, "guid": guid_of(schema), "schema": schema}

    def asked(self, part: str) -> int:
        return sum(part in request for request in self.requests)


def guid_of(schema: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, schema))


@pytest.fixture
def registry() -> Iterator[Registry]:
    kept = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kept.authorizations.add(self.headers.get("Authorization"))
            status, found = kept.answer(self.command, self.path, body)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        def log_message(self, *_args: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    kept.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield kept
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def settings(registry) -> KafkaSettings:
    return KafkaSettings(schema_registry_url=registry.url)


@pytest.fixture
def clock() -> list[float]:
    """Seconds, in a list that the test may change."""
    return [0.0]


@pytest.fixture
def client(settings, clock) -> Iterator[HttpSchemaRegistry]:
    made = HttpSchemaRegistry(settings, lambda: clock[0])
    yield made
    made.close()


def framed(schema_id: int, body: bytes = b"body") -> bytes:
    return b"\x00" + struct.pack(">I", schema_id) + body


def test_a_message_travels_in_confluent_framing_and_each_schema_is_asked_for_once(registry, settings, client):
    register_schemas(settings)
    registry.requests.clear()
    codec, reader = Codec(client), open_codec(settings)
    sent = [codec.encode(REQUEST) for _ in range(3)]
    number = 1 + registry.schemas.index(json.dumps(current("TranslationRequest").published))
    assert sent[0][:5] == framed(number, b"")
    assert [reader.decode(value, TranslationRequest) for value in sent] == [REQUEST] * 3
    assert registry.requests == [f"POST /subjects/{SUBJECT}", f"GET /schemas/ids/{number}"]
    assert client.is_at_hand(number), "what was looked up for writing need not be asked for again"


def test_every_topic_gets_a_subject_and_a_second_time_changes_nothing(registry, settings):
    topics = catalogue(settings.plan)
    assert sorted(register_schemas(settings)) == sorted(f"{topic.name}-value" for topic in topics)
    for topic in topics:
        (schema,) = registry.subjects[f"{topic.name}-value"]
        assert json.loads(schema)["name"] == topic.message
    assert register_schemas(settings) == []
    assert len(registry.schemas) == len({topic.message for topic in topics})


def test_the_check_names_every_subject_that_lacks_our_schema(registry, settings):
    assert {difference.topic for difference in compare_subjects(settings)} == {
        f"{topic.name}-value" for topic in catalogue(settings.plan)
    }
    register_schemas(settings)
    assert compare_subjects(settings) == []
    registry.subjects[SUBJECT].clear()
    (difference,) = compare_subjects(settings)
    assert str(difference) == (
        f"{SUBJECT}: schema is not registered, the catalogue says the current TranslationRequest; "
        "cure: dragoman topics create"
    )
    assert compare_subjects(KafkaSettings()) == []


def test_record_names_may_be_the_subjects(registry):
    settings = KafkaSettings(schema_registry_url=registry.url, schema_registry_subjects="record")
    assert register_schemas(settings) == [f"dragoman.{name}" for name in NAMES]
    assert open_codec(settings).encode(REQUEST).startswith(b"\x00")


def test_every_message_has_a_subject_whether_or_not_it_has_a_topic():
    assert subjects_of("Nobody", KafkaSettings()) == ["dragoman.Nobody"]


def test_without_a_registry_nothing_is_registered():
    assert register_schemas(KafkaSettings()) == []


def test_a_process_waits_for_a_schema_that_nobody_registered_and_goes_on_when_somebody_did(settings, client):
    with pytest.raises(
        TransientError, match=f"lacks TranslationRequest under {SUBJECT}; cure: dragoman topics create"
    ):
        Codec(client).encode(REQUEST)
    register_schemas(settings)
    assert Codec(client).encode(REQUEST).startswith(b"\x00")


def test_a_codec_with_a_registry_still_reads_what_needs_none(client):
    assert Codec(client).decode(Codec().encode(REQUEST), TranslationRequest) == REQUEST


def test_settings_choose_the_framing(settings):
    register_schemas(settings)
    assert open_codec(settings).encode(REQUEST).startswith(b"\x00")
    assert open_codec(KafkaSettings()).encode(REQUEST).startswith(b"\xc3\x01")


def test_name_and_password_are_sent(registry):
    settings = KafkaSettings(
        schema_registry_url=registry.url,
        schema_registry_username="ann",
        schema_registry_password=SecretStr("secret"),
    )
    register_schemas(settings)
    assert registry.authorizations == {"Basic YW5uOnNlY3JldA=="}


def test_an_unknown_id_is_asked_for_once_a_minute_however_often_it_comes(registry, client, clock):
    for _ in range(100):
        with pytest.raises(DecodeError, match="does not know id 77"):
            Codec(client).decode(framed(77), TranslationRequest)
    assert registry.asked("/schemas/ids/77") == 1
    clock[0] = 61.0
    with pytest.raises(DecodeError, match="does not know id 77") as refused:
        Codec(client).decode(framed(77), TranslationRequest)
    assert registry.asked("/schemas/ids/77") == 2
    assert refused.value.cure == "register the writer's schema, then redrive"


def test_an_id_that_becomes_known_is_read_after_a_minute(registry, settings, client, clock):
    with pytest.raises(DecodeError):
        Codec(client).decode(framed(1), TranslationRequest)
    registry.schemas.append(json.dumps(current("TranslationRequest").published))
    clock[0] = 61.0
    assert Codec(client).decode(framed(1, Codec().encode(REQUEST)[10:]), TranslationRequest) == REQUEST


def test_an_id_that_no_registry_can_have_is_not_asked_for(registry, client):
    with pytest.raises(DecodeError, match="does not know id 4294967295"):
        Codec(client).decode(framed(2**32 - 1), TranslationRequest)
    assert registry.requests == []


def test_refusals_are_remembered_up_to_a_number(client, monkeypatch):
    monkeypatch.setattr("connectors.kafka.schema_registry._MOST_REMEMBERED", 3)
    for number in range(1, 6):
        with pytest.raises(DecodeError):
            Codec(client).decode(framed(number), TranslationRequest)
    assert [number for number in range(1, 6) if client.is_at_hand(number)] == [3, 4, 5]


@pytest.mark.parametrize("status", [400, 403, 406, 422])
def test_a_registry_that_refuses_an_id_makes_dead_letters_and_ends_no_process(registry, client, status):
    registry.status = status
    for _ in range(3):
        with pytest.raises(DecodeError, match=f"refuses id 5: {status}"):
            Codec(client).decode(framed(5), TranslationRequest)
    assert registry.asked("/schemas/ids/5") == 1


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_a_registry_in_trouble_or_a_wrong_password_is_waited_for(registry, settings, client, status):
    register_schemas(settings)
    registry.status = status
    with pytest.raises(TransientError, match=str(status)):
        Codec(client).encode(REQUEST)
    with pytest.raises(TransientError, match=str(status)):
        Codec(client).decode(framed(1), TranslationRequest)
    registry.status = 200
    assert Codec(client).encode(REQUEST).startswith(b"\x00")


def test_a_schema_that_the_registry_refuses_to_register_is_fatal(registry, settings):
    registry.status = 409
    with pytest.raises(FatalError, match=f"refuses TranslationRequest under {SUBJECT}: 409"):
        register_schemas(settings)


@pytest.mark.parametrize(
    ("described", "says"),
    [
        ({"schemaType": "PROTOBUF"}, "id 1 is no Avro schema, but PROTOBUF"),
        ({"references": [{"name": "x"}]}, "id 1 has references"),
        ({"schema": "nonsense"}, "cannot be parsed"),
        ({"schema": '"string"'}, "no record"),
    ],
)
def test_a_schema_that_cannot_be_used_is_a_dead_letter_and_asked_for_once(registry, client, described, says):
    registry.schemas.append("{}")
    registry.described = described
    for _ in range(2):
        with pytest.raises(DecodeError, match=says):
            Codec(client).decode(framed(1), TranslationRequest)
    assert len(registry.requests) == 1


def test_a_registry_that_is_away_is_waited_for():
    with pytest.raises(TransientError, match="does not answer"):
        Codec(HttpSchemaRegistry(KafkaSettings(schema_registry_url="http://127.0.0.1:9"))).encode(REQUEST)


@pytest.mark.parametrize(
    "place", [header_schema_id_serializer, prefix_schema_id_serializer], ids=["header", "prefix"]
)
def test_what_confluents_own_serializer_writes_is_read_wherever_it_puts_the_schema(registry, client, place):
    schema = json.dumps({**current("TranslationRequest").published, "fields": [*_some_fields(), _LATER]})
    with SchemaRegistryClient({"url": registry.url}) as confluent:
        serialize = AvroSerializer(confluent, schema, conf={"schema.id.serializer": place})
        headers: list[tuple[str, Any]] = []
        context = SerializationContext("translation.requests.high", MessageField.VALUE, headers)
        value = serialize({"request_id": "r1", "target_language": "pt", "text": "Olá", "tone": "formal"}, context)
    assert [name for name, _ in headers] == ([SCHEMA_ID_HEADER] if place is header_schema_id_serializer else [])
    assert isinstance(value, bytes)
    assert Codec(client).decode(value, TranslationRequest, dict(headers)) == REQUEST
    assert "translation.requests.high-value" in registry.subjects


_LATER = {"name": "tone", "type": "string", "default": "neutral"}


def _some_fields() -> list[dict]:
    wanted = ("request_id", "target_language", "text")
    return [field for field in current("TranslationRequest").published["fields"] if field["name"] in wanted]


def test_the_event_loop_goes_on_while_the_registry_is_slow_and_an_unknown_id_costs_one_question(
    registry, settings, client
):
    register_schemas(settings)
    codec = Codec(client)
    codec.look_up()
    registry.delay_seconds, registry.requests = 0.5, []
    handled, dead_letters, longest = asyncio.run(_process(codec, [framed(77)] * 20 + [codec.encode(REQUEST)]))
    assert (handled, dead_letters) == ([REQUEST], 20)
    assert registry.requests == ["GET /schemas/ids/77"]
    assert longest < 0.3, "the loop stood still"


def test_an_event_waits_while_the_registry_is_away_and_then_goes_on(registry, settings, client):
    register_schemas(settings)
    registry.status = 503
    value = framed(1 + registry.schemas.index(json.dumps(current("TranslationRequest").published)))

    def repaired(_reason: str) -> None:
        registry.status = 200

    handled, dead_letters, _ = asyncio.run(
        _process(Codec(client), [value[:5] + Codec().encode(REQUEST)[10:]], repaired)
    )
    assert (handled, dead_letters) == ([REQUEST], 0)
    assert registry.status == 200, "it was waited for"


def test_events_before_one_that_waits_for_the_registry_are_served_first(registry, settings, client):
    register_schemas(settings)
    codec = Codec(client)
    codec.look_up()
    registry.status = 503
    handled: list[TranslationRequest] = []
    served_while_waiting: list[int] = []

    def repaired(_reason: str) -> None:
        served_while_waiting.append(len(handled))
        registry.status = 200

    values = [codec.encode(REQUEST), framed(77), codec.encode(REQUEST)]
    _, dead_letters, _ = asyncio.run(_process(codec, values, repaired, handled))
    assert served_while_waiting == [1]
    assert (handled, dead_letters) == ([REQUEST] * 2, 1)


async def _process(codec, values, on_waiting=lambda _reason: None, handled=None):
    """Process the values as Faust processes do; return what was handled, dead letters, the longest standstill."""
    handled = [] if handled is None else handled
    sent: list[str] = []
    turns = [time.monotonic()]

    async def handle(records):
        return [read(record) for record in records]

    def read(record):
        try:
            handled.append(codec.decode(record.value, TranslationRequest, record.headers))
        except PermanentError as error:
            return error
        return []

    async def store(outputs):
        sent.extend(output.topic for output in outputs)
        return [StoredAt(0, at) for at, _ in enumerate(outputs)]

    async def turn():
        while True:
            await asyncio.sleep(0.01)
            turns.append(time.monotonic())

    writer = DeadLetterWriter("intake", codec, TokenBucket(0, 10**6, lambda: 0.0), 10**6, lambda: 0)
    retry = EventRetry(policy=RetryPolicy(0.01, 0.01), on_waiting=on_waiting)
    turning = asyncio.create_task(turn())
    records = [InboundRecord("in", 0, at, b"k", value) for at, value in enumerate(values)]
    assert await EventProcessor(EventHandler(writer, handle), store, retry).process(records)
    turning.cancel()
    longest = max(after - before for before, after in pairwise([*turns, time.monotonic()]))
    return handled, sent.count(DEAD_LETTERS), longest
