"""The registry client against a server that speaks the registry's HTTP interface."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from connectors.kafka.schema_registry import HttpSchemaRegistry, open_codec
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Codec
from schemas.errors import DecodeError, FatalError, TransientError
from schemas.messages import TranslationRequest

REQUEST = TranslationRequest(request_id="r1", target_language="pt", text="Olá")


class Registry:
    """Keeps schemas by id, one id for each different schema, and the requests it was sent."""

    def __init__(self) -> None:
        self.schemas: list[str] = []
        self.requests: list[str] = []
        self.status = 200
        self.url = ""

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, object]:
        self.requests.append(f"{method} {path}")
        if self.status != 200:
            return self.status, {"error_code": self.status, "message": "as told"}
        if re.fullmatch(r"/subjects/dragoman\.\w+/versions", path):
            schema = json.loads(body)["schema"]
            if schema not in self.schemas:
                self.schemas.append(schema)
            return 200, {"id": self.schemas.index(schema) + 1}
        number = int(path.removeprefix("/schemas/ids/"))
        if number > len(self.schemas):
            return 404, {"error_code": 40403, "message": "Schema not found"}
        return 200, {"schema": self.schemas[number - 1]}


@pytest.fixture
def registry() -> Iterator[Registry]:
    kept = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
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
def client(registry) -> Iterator[HttpSchemaRegistry]:
    made = HttpSchemaRegistry(registry.url)
    yield made
    made.close()


def test_a_message_travels_in_confluent_framing_and_each_schema_is_asked_for_once(registry, client):
    codec = Codec(client)
    sent = [codec.encode(REQUEST) for _ in range(3)]
    assert sent[0][:5] == b"\x00\x00\x00\x00\x01"
    assert [codec.decode(value, TranslationRequest) for value in sent] == [REQUEST] * 3
    assert registry.requests == ["POST /subjects/dragoman.TranslationRequest/versions", "GET /schemas/ids/1"]


def test_a_codec_with_a_registry_still_reads_what_needs_none(client):
    assert Codec(client).decode(Codec().encode(REQUEST), TranslationRequest) == REQUEST


def test_settings_choose_the_framing(registry):
    settings = KafkaSettings(schema_registry_url=registry.url)
    assert open_codec(settings).encode(REQUEST).startswith(b"\x00")
    assert open_codec(KafkaSettings()).encode(REQUEST).startswith(b"\xc3\x01")


def test_an_id_that_the_registry_does_not_know_is_an_undecodable_record(client):
    with pytest.raises(DecodeError, match="does not know id 77"):
        Codec(client).decode(b"\x00\x00\x00\x00\x4dbody", TranslationRequest)


def test_a_registry_in_trouble_is_waited_for_and_one_that_refuses_is_fatal(registry, client):
    registry.status = 503
    with pytest.raises(TransientError, match="503"):
        Codec(client).encode(REQUEST)
    registry.status = 409
    with pytest.raises(FatalError, match="refuses TranslationRequest"):
        Codec(client).encode(REQUEST)
    with pytest.raises(FatalError, match="refuses id 5"):
        Codec(client).decode(b"\x00\x00\x00\x00\x05body", TranslationRequest)
    registry.status = 200
    assert Codec(client).encode(REQUEST).startswith(b"\x00")


def test_a_registry_that_is_away_is_waited_for():
    with pytest.raises(TransientError, match="does not answer"):
        Codec(HttpSchemaRegistry("http://127.0.0.1:9")).encode(REQUEST)
