"""Back up the tables that are topics of Kafka: accounts and glossaries, one Avro file each.

The newest record of a key is the row. A restore writes as the table's only writer, so whoever else changes it
meanwhile is asked again (connectors/kafka/lone_writer.py). Values are bytes as they are in Kafka: with a schema
registry they can be read only where it has the same schemas under the same ids.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from fastavro import parse_schema

from connectors.kafka.compacted_table import CompactedTable
from connectors.kafka.lone_writer import change_alone
from connectors.kafka.settings import KafkaSettings
from deploy.backup.archive import Backup, Draft
from deploy.backup.avro_files import decoded, encoded
from deploy.backup.job import OnPartProgress, PartFacts
from schemas.records import Headers, InboundRecord, OutboundRecord
from schemas.topics import ACCOUNT_TOPICS, GLOSSARIES
from stream_apps.accounts.store import ACCOUNTS_WRITER
from stream_apps.glossaries.store import GLOSSARIES_WRITER

_SCHEMA = parse_schema(
    {
        "type": "record",
        "name": "TableRow",
        "fields": [
            {"name": "topic", "type": "string"},
            {"name": "key", "type": "bytes"},
            {"name": "value", "type": "bytes"},
            {"name": "headers", "type": {"type": "map", "values": "bytes"}},
        ],
    }
)
# What one transaction of a restore holds at most.
_ROWS, _BYTES = 500, 4_000_000


class _Table(NamedTuple):
    name: str
    topics: tuple[str, ...]
    writer: str

    @property
    def file(self) -> str:
        return f"{self.name}.avro"


_TABLES = (
    _Table("accounts", ACCOUNT_TOPICS, ACCOUNTS_WRITER),
    _Table("glossaries", (GLOSSARIES,), GLOSSARIES_WRITER),
)


class _Row(NamedTuple):
    topic: str
    key: bytes
    value: bytes
    headers: Headers


class TablesPart:
    """A key that was deleted is not in a backup; one that Kafka still knows as deleted is not brought back."""

    name = "tables"

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka

    def save(self, draft: Draft, on_progress: OnPartProgress) -> PartFacts:
        """Add one file for each table."""
        facts: PartFacts = {}
        for table in _TABLES:
            content = _Content(self._kafka, table.topics)
            content.catch_up()
            rows = content.rows()
            draft.add(self.name, table.file, encoded(_SCHEMA, (row._asdict() for row in rows)), rows.__len__)
            facts[table.name] = len(rows)
            on_progress(self.name, sum(facts.values()), None)
        return facts

    def restore(self, backup: Backup, replace: bool, on_progress: OnPartProgress) -> PartFacts:
        """Write all rows; without `replace` only those whose key Kafka does not know."""
        total = sum(map(int, backup.manifest.parts[self.name].values()))
        files = {entry.name: entry for entry in backup.entries(self.name)}
        written = done = 0
        for table in _TABLES:
            content = _Content(self._kafka, table.topics)
            saved = (_Row(**row) for row in decoded(backup.read(files[f"{self.name}/{table.file}"])))
            for portion in _portions(saved):
                written += change_alone(self._kafka, table.writer, partial(content.missing, portion, replace))
                done += len(portion)
                on_progress(self.name, done, total)
        return {"written": written, "kept": done - written}


@dataclass
class _Content:
    """What a table holds: the newest row of each key, None where it was deleted."""

    kafka: KafkaSettings
    topics: Sequence[str]
    _rows: dict[tuple[str, bytes], _Row | None] = field(default_factory=dict, init=False)
    _table: CompactedTable = field(init=False)

    def __post_init__(self) -> None:
        self._table = CompactedTable(self.kafka, self.topics, self._add)

    def catch_up(self) -> None:
        """Read to the present end. Blocks. Raises TransientError or FatalError."""
        self._table.catch_up()

    def rows(self) -> list[_Row]:
        """Return what is not deleted."""
        return [row for row in self._rows.values() if row]

    def missing(self, rows: Sequence[_Row], replace: bool) -> tuple[int, list[OutboundRecord]]:
        """Return how many of the rows have to be written, and their records."""
        self.catch_up()
        records = [
            OutboundRecord(row.topic, row.key, row.value, row.headers)
            for row in rows
            if self._is_missing(row, replace=replace)
        ]
        return len(records), records

    def _is_missing(self, row: _Row, *, replace: bool) -> bool:
        place = (row.topic, row.key)
        return self._rows.get(place) != row if replace else place not in self._rows

    def _add(self, record: InboundRecord) -> None:
        key, value = record.key or b"", record.value
        self._rows[record.topic, key] = None if value is None else _Row(record.topic, key, value, record.headers)


def _portions(rows: Iterator[_Row]) -> Iterator[list[_Row]]:
    portion: list[_Row] = []
    size = 0
    for row in rows:
        portion.append(row)
        size += len(row.value)
        if len(portion) >= _ROWS or size >= _BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion
