"""Measure the sink against a bare insert of the same records: `make bench-sink`. No server is needed.

Usage as it lies in Kafka goes through the real sink into the embedded engine: decoded, checked, with tokens and
the protocol of ranges; Kafka's own part is left out. The rival decodes the same bytes, makes them Arrow, inserts
them into the same table and view, and does nothing else. Rounds take turns (A-B-A-B). Exits with 1 below the goal.
"""

import argparse
import json
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import closing
from tempfile import TemporaryDirectory
from typing import Any

from connectors.clickhouse.database import Database
from connectors.kafka.range_reader import Partition, StartingOffset
from schemas.codec import Codec
from schemas.events import UsageBatch, UsageEvent
from schemas.records import InboundRecord
from schemas.states import ResultStatus, UsageKind
from schemas.topics import USAGE
from stream_apps.usage_sink.inserting import Inserter
from stream_apps.usage_sink.sink import UsageSink
from tests.dead_letters import dead_letter_writer
from tests.servers import CHECKOUT

REPORT = CHECKOUT / ".dragoman" / "sink.json"
GOAL = 0.8
_RECORD_ROWS, _TAKE_RECORDS, _INSERT_RECORDS = 500, 40, 40
_CODEC = Codec()


class NoKafka:
    """Kafka's part is left out on both sides."""

    def announce(self, ranges: Mapping[Partition, tuple[int, int]]) -> None:
        """Forgotten."""

    def finish(self, lasts: Mapping[Partition, int]) -> None:
        """Forgotten."""

    def send(self, records: Sequence[Any], timeout_seconds: float = 30.0) -> None:
        raise AssertionError("every row here is sound")


def main() -> int:
    """Return 0 when the sink reaches the goal."""
    options = _options()
    spent = {"sink": 0.0, "bare": 0.0}
    with TemporaryDirectory(prefix="dragoman-sink-") as folder, closing(Database(f"chdb://{folder}")) as database:
        database.create({})
        for number in range(options.rounds + 1):
            records = _records(options.rows, number)
            taken = {"sink": _sunk(database, records), "bare": _inserted(database, records)}
            if number:  # the first round warms both
                spent = {name: spent[name] + seconds for name, seconds in taken.items()}
        ((rows,),) = database.rows("SELECT count() FROM usage_events")
        assert rows == 2 * options.rows * (options.rounds + 1)
    speeds = {name: round(options.rows * options.rounds / seconds) for name, seconds in spent.items()}
    ratio = round(spent["bare"] / spent["sink"], 3)
    report = {"rows_per_second": speeds, "ratio": ratio, "goal": GOAL, "passed": ratio >= GOAL}
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2))
    print(f"sink {speeds['sink']} rows/s, bare insert {speeds['bare']} rows/s: ratio {ratio:g}, goal {GOAL:g}")
    return 0 if report["passed"] else 1


def _records(rows: int, number: int) -> list[InboundRecord]:
    now = round(time.time() * 1000)
    rounds = range(rows // _RECORD_ROWS)
    batches = [UsageBatch([_event(at, row, now) for row in range(_RECORD_ROWS)]) for at in rounds]
    return [InboundRecord(USAGE, number, at, None, _CODEC.encode(one)) for at, one in enumerate(batches)]


def _event(at: int, row: int, now: int) -> UsageEvent:
    return UsageEvent(
        event_id=str(uuid.uuid4()), kind=UsageKind.BILLED, tenant=f"tenant-{row % 20}", request_id=f"{at}-{row}",
        labels={"team": "support"}, source_language="en", target_language="pt", model="bergamot-enpt-1693087644",
        status=ResultStatus.COMPLETED, segments=1, source_words=row, target_words=row, busy_ms=1.5 * row,
        latency_ms=20.0, sla_ms=30_000, at=now - row * 1000,
    )  # fmt: skip


def _sunk(database: Database, records: Sequence[InboundRecord]) -> float:
    """Return the seconds that the sink takes for all records."""
    kafka, letters = NoKafka(), dead_letter_writer("sink", now_ms=round(time.time() * 1000))
    sink = UsageSink(kafka, Inserter(database), kafka, letters, _INSERT_RECORDS * _RECORD_ROWS, batch_seconds=1e9)
    sink.begin([StartingOffset(USAGE, records[0].partition, 0, None)])
    started = time.perf_counter()
    for at in range(0, len(records), _TAKE_RECORDS):
        sink.accept(records[at : at + _TAKE_RECORDS])
        sink.write_due()
    sink.drain()
    return time.perf_counter() - started


def _inserted(database: Database, records: Sequence[InboundRecord]) -> float:
    """Return the seconds of the bare insert."""
    started = time.perf_counter()
    for at in range(0, len(records), _INSERT_RECORDS):
        batches = [_CODEC.decode(one.value, UsageBatch).rows.columns for one in records[at : at + _INSERT_RECORDS]]
        columns = {name: [value for batch in batches for value in batch[name]] for name in batches[0]}
        count = len(columns["kind"])
        columns |= {"kafka_partition": [999] * count, "kafka_offset": [at] * count}
        database.insert("usage_events", columns, f"bare-{records[0].partition}-{at}")
    return time.perf_counter() - started


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000, help="rows of one round")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
