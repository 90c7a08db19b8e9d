"""deploy/clickhouse: what ClickHouse reads by itself is what the sink would have written. No broker is asked."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from connectors.clickhouse.database import Database
from schemas.avro_schemas import Schema, WireSchema, current
from schemas.codec import Codec, SchemaReference
from schemas.events import UsageBatch, UsageEvent
from schemas.ids import event_id
from schemas.records import InboundRecord
from schemas.states import ResultStatus, UsageKind
from stream_apps.usage_sink.query_check import TABLES
from stream_apps.usage_sink.rows.usage import merged, part_of

FOLDER = Path(__file__).parents[2] / "deploy" / "clickhouse"
AT = 1_900_000_000_000
EVENTS = [
    UsageEvent(
        event_id=event_id("alternatives", number), kind=UsageKind.BILLED, tenant="acme", request_id=f"r{number}",
        labels={"team": "a"}, source_language="en", target_language="pt", status=ResultStatus.PARTIAL,
        source_words=7 * number, busy_ms=1.5, at=AT + number,
    )
    for number in range(3)
]  # fmt: skip
WAYS = [("kafka_engine.sql", "usage_topic"), ("kafka_connect.sql", "usage_batches")]
SHOWN = "event_id, kind, tenant, request_id, labels, status, source_words, busy_ms, market, at"


class Registry(ThreadingHTTPServer):
    """Answers GET /schemas/ids/1 as Confluent's registry does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def id_of(self, schema: WireSchema) -> int:
        return 1

    def schema_of(self, reference: SchemaReference) -> Schema:
        raise AssertionError("nothing is read here")

    def is_at_hand(self, reference: SchemaReference) -> bool:
        return True


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"schema": json.dumps(current("UsageBatch").published)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def registry() -> Iterator[Registry]:
    registry = Registry()
    yield registry
    registry.shutdown()
    registry.server_close()


@pytest.fixture
def empty(tmp_path) -> Iterator[Database]:
    with closing(Database(f"chdb://{tmp_path}")) as database:
        database.create({})
        yield database


def statements(name: str) -> list[str]:
    text = re.sub(r"--[^\n]*", "", (FOLDER / name).read_text())
    return [part.strip() for part in text.split(";") if part.strip()]


def shown(database: Database) -> list[Any]:
    found = list(map(tuple, database.rows(f"SELECT {SHOWN} FROM usage_events ORDER BY source_words")))
    database.run("TRUNCATE TABLE usage_events SYNC")
    return found


def as_the_sink_writes(database: Database) -> list[Any]:
    part = part_of(UsageBatch(EVENTS).rows, InboundRecord("u", 0, 0, None, b""), {}, AT)
    database.insert("usage_events", merged([part]), "sink")
    return shown(database)


@pytest.mark.parametrize(("file", "table"), WAYS)
def test_a_record_of_the_topic_unfolds_into_the_rows_that_the_sink_writes(empty, registry, tmp_path, file, table):
    wanted = as_the_sink_writes(empty)
    for statement in statements(file):
        # No broker here: the rows come in by an insert, and the columns that the engine adds are missing.
        local = re.sub(r"ENGINE = Kafka.*", "ENGINE = Null", statement, flags=re.DOTALL)
        empty.run(local.replace("_partition AS", "0 AS").replace("_offset AS", "0 AS"))
    path = tmp_path / "batch.avro"
    path.write_bytes(Codec(registry).encode(UsageBatch(EVENTS)))
    empty.run(
        f"INSERT INTO {table} FROM INFILE '{path}' "
        f"SETTINGS format_avro_schema_registry_url = '{registry.url}' FORMAT AvroConfluent"
    )
    assert shown(empty) == wanted
    assert len(wanted) == len(EVENTS)


@pytest.mark.parametrize("file", ["kafka_engine.sql", "kafka_connect.sql"])
def test_the_columns_are_the_fields_of_the_batch_in_order(file):
    table = statements(file)[0]
    columns = re.findall(r"^    (\w+)\s+Array\((.*)\),?$", table, flags=re.MULTILINE)
    fields = current("UsageBatch").published["fields"]
    assert [name for name, _ in columns] == [field["name"] for field in fields]


@pytest.mark.parametrize("file", sorted(path.name for path in FOLDER.glob("*.sql")))
def test_every_statement_is_clickhouses_sql(database, file):
    for statement in statements(file):
        quoted = statement.replace("\\", "\\\\").replace("'", "\\'")
        assert database.rows(f"SELECT length(formatQuery('{quoted}')) > 0") == [(1,)]


def test_the_dashboards_user_may_read_all_books_and_nothing_else():
    text = "\n".join(statements("dashboards_user.sql"))
    granted = set(re.findall(r"GRANT SELECT ON dragoman\.(\w+) TO dashboards", text))
    assert granted == TABLES - {"restores", "migrations"}
    assert "readonly = 1" in text
    assert text.count("GRANT") == len(granted)


def test_the_connector_reads_committed_records_of_our_topic_into_that_table_exactly_once():
    config = json.loads((FOLDER / "kafka_connect.json").read_text())["config"]
    assert config["topic2TableMap"] == f"{config['topics']}=usage_batches" == "translation.usage=usage_batches"
    assert (config["exactlyOnce"], config["consumer.override.isolation.level"]) == ("true", "read_committed")
