"""What Vector makes of a line fits its table in ClickHouse, and the lines have what it looks for.

Vector itself is not here: `make test-vector` has it check these files, with the tests in them.
"""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import structlog
import yaml  # type: ignore[import-untyped]  # no stubs are installed

from connectors.clickhouse.database import Database
from deploy.local.log_lines import parse_line
from schemas.ids import JobKey
from schemas.records import InboundRecord
from stream_apps.runtime.process import configure_logging

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "vector"
PROGRAM = (FOLDER / "read_line.vrl").read_text()
TABLE = (ROOT / "deploy" / "clickhouse" / "logs.sql").read_text()
FILES = ("logs.yaml", "to_clickhouse.yaml", "to_elasticsearch.yaml", "tests.yaml")
ROW = {
    "timestamp": "2026-11-30T03:12:13.250Z",
    "process": "intake",
    "instance": "intake-1",
    "level": "info",
    "event": "dead_letter",
    "tenant": "acme",
    "request_id": "r1",
    "trace_id": "a" * 32,
    "fields": json.dumps({"cause": "no_target"}),
}


def read(name):
    return yaml.safe_load((FOLDER / name).read_text())


def test_every_file_is_yaml_and_its_parts_are_joined():
    parts = {name: read(name) for name in FILES}
    transform = parts["logs.yaml"]["transforms"]["dragoman_rows"]
    assert transform["inputs"] == list(parts["logs.yaml"]["sources"])
    assert (FOLDER / transform["file"]).exists()
    sinks = [parts["to_clickhouse.yaml"]["sinks"], parts["to_elasticsearch.yaml"]["sinks"]]
    assert [sink["inputs"] for one in sinks for sink in one.values()] == [["dragoman_rows"]] * 2


def test_the_program_makes_exactly_the_columns_of_the_table():
    columns = re.findall(r"^    (\w+) (?:DateTime64|LowCardinality|String)", TABLE, re.MULTILINE)
    made = {*re.findall(r'^  "(\w+)":', PROGRAM, re.MULTILINE), *re.findall(r"^\.(\w+) =", PROGRAM, re.MULTILINE)}
    assert made == set(columns) == set(ROW)


@pytest.fixture
def restored_logging():
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def test_a_line_of_ours_has_the_names_that_the_program_looks_for(capsys, restored_logging):
    configure_logging("intake", "intake-1")
    record = InboundRecord("t", 0, 1, b"", b"", {"traceparent": b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01"})
    # On another thread, where what was bound to the main one is not seen.
    told = {"job": JobKey("acme", "r1"), "record": record}
    with ThreadPoolExecutor() as threads:
        threads.submit(structlog.get_logger().info, "request_repeated", **told).result()
    line = json.loads(capsys.readouterr().err)
    looked_for = set(re.findall(r'key == "(\w+)"', PROGRAM)) | {"timestamp"}
    assert looked_for <= line.keys()
    names = ("process", "instance", "level", "tenant", "request_id", "trace_id")
    assert {name: line[name] for name in names} == {name: ROW[name] for name in names}
    assert parse_line("intake-1", json.dumps(line)).fields["record"] == "t-0-1"


def test_the_table_takes_a_row_as_vector_sends_it(tmp_path):
    with closing(Database(f"chdb://{tmp_path}")) as database:
        database.run(TABLE)
        database.run(
            "INSERT INTO logs "
            "SETTINGS date_time_input_format = 'best_effort', input_format_skip_unknown_fields = 1 "
            f"FORMAT JSONEachRow {json.dumps({**ROW, 'other': 1})}"
        )
        asked = "SELECT event, toString(timestamp), JSONExtractString(fields, 'cause') FROM logs"
        assert database.rows(f"{asked} WHERE request_id = 'r1'") == [
            ("dead_letter", "2026-11-30 03:12:13.250", "no_target")
        ]
