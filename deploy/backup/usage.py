"""Back up usage: the events and the prices of ClickHouse, out of a running one and into another.

A file holds the events of one month in one window of offsets of one Kafka partition, so its size is bounded.
Events that the sink adds during the export have later offsets than those noted at its beginning and are left out:
the files show the table at one moment, and the sink can continue right after it.

At a restore each file is loaded once, and the view that makes the rollups every day makes them again.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from connectors.clickhouse.client import AnalyticsClient
from connectors.clickhouse.database import Database
from deploy.backup.archive import Backup, Draft
from deploy.backup.job import OnPartProgress, PartFacts
from schemas.errors import FatalError, PermanentError

FORMAT = "Native"
EVENTS = "usage_events"
# Bills are written with the prices of their time.
PRICE_TABLES = ("price_list", "word_prices")
# The most rows in a file; below the limit of one answer (DRAGOMAN_ANALYTICS_MAX_RESULT_ROWS).
# A record holds up to 1,000 rows.
_WINDOW_OFFSETS = 100
_VIEWS = ("usage_hourly_view", "durations_hourly_view", "users_daily_view", "cost")
# The list of migrations goes with the tables, or they would not be made again. The prices of words stay until
# others are loaded, as a backup of an earlier version has none.
_TABLES = ("usage_hourly", "durations_hourly", "users_daily", EVENTS, "price_list", "restores", "migrations")


@dataclass(frozen=True)
class Window:
    """The events of one file. `month` is a number like 202611; both offsets are included."""

    month: int
    partition: int
    first: int
    last: int
    rows: int
    words: int

    @property
    def name(self) -> str:
        """Return the name of its file, in the folder of the table."""
        return f"{EVENTS}/{self.month}/{self.partition}-{self.first:020d}.native"


@dataclass(frozen=True)
class ExportPlan:
    """All files of an export, and the last offset of each partition that they hold."""

    windows: tuple[Window, ...]
    last_offsets: dict[int, int]


class UsageExport:
    """Reads from a running ClickHouse, server or analytics process. Raises TransientError when unreachable."""

    def __init__(self, client: AnalyticsClient) -> None:
        self._client = client

    def plan(self) -> ExportPlan:
        """Plan the files for the events that are there at this moment."""
        rows = self._client.query(
            f"SELECT kafka_partition AS part, max(kafka_offset) AS last FROM {EVENTS} GROUP BY part"
        )
        last_offsets = {int(row["part"]): int(row["last"]) for row in rows}
        windows = [window for part, last in last_offsets.items() for window in self._windows(part, last)]
        return ExportPlan(tuple(sorted(windows, key=lambda window: window.name)), last_offsets)

    def events(self, window: Window) -> Iterator[bytes]:
        """Yield the events of one window, in ClickHouse's native format."""
        return self._client.stream(
            f"SELECT * FROM {EVENTS} WHERE toYYYYMM(at) = {window.month}"
            f" AND kafka_partition = {window.partition}"
            f" AND kafka_offset BETWEEN {window.first} AND {window.last} FORMAT {FORMAT}"
        )

    def prices(self, table: str) -> Iterator[bytes]:
        """Yield a whole list of prices."""
        return self._client.stream(f"SELECT * FROM {table} FORMAT {FORMAT}")

    def _windows(self, part: int, last: int) -> list[Window]:
        rows = self._client.query(
            f"SELECT toYYYYMM(at) AS month, intDiv(kafka_offset, {_WINDOW_OFFSETS}) AS number,"
            f" count() AS found, sum(source_words) AS words FROM {EVENTS}"
            f" WHERE kafka_partition = {part} AND kafka_offset <= {last} GROUP BY month, number"
        )
        return [_window(part, last, {name: int(value) for name, value in row.items()}) for row in rows]


def _window(part: int, last: int, row: dict[str, int]) -> Window:
    first = row["number"] * _WINDOW_OFFSETS
    return Window(row["month"], part, first, min(first + _WINDOW_OFFSETS - 1, last), row["found"], row["words"])


class RestoreStage(StrEnum):
    """The stage of the restore of one backup into this database."""

    NEW = "new"
    BEGUN = "begun"
    FINISHED = "finished"


@dataclass(frozen=True)
class Totals:
    """The totals of a table."""

    rows: int
    words: int


class UsageRestore:
    """Writes one backup into ClickHouse. Nothing else may write at the same time: the sink must be stopped.

    A repeat doubles nothing: a file that was loaded is recognised by its token, a finished restore by its entry in
    the table of restores. Raises PermanentError where other data is in the way, TransientError when unreachable.
    """

    def __init__(self, database: Database, backup_id: str) -> None:
        self._database = database
        self._backup_id = backup_id

    def begin(self, replace: bool) -> RestoreStage:
        """Create the tables, with `replace` after dropping them, and return how far this restore had come."""
        if replace:
            self._database.drop(_VIEWS, _TABLES)
        self._database.create({})
        stage = self._stage()
        if stage is RestoreStage.NEW:
            self._check_empty()
            self._note(RestoreStage.BEGUN)
        return stage

    def load_events(self, name: str, native: bytes) -> None:
        """Load the events of one file; does nothing where they were loaded before."""
        self._database.load(EVENTS, native, FORMAT, token=f"{self._backup_id}/{name}")

    def load_prices(self, table: str, native: bytes) -> None:
        """Replace a whole list of prices."""
        self._database.run(f"TRUNCATE TABLE {table} SYNC")
        if native:
            self._database.load(table, native, FORMAT, token="")

    def finish(self, expected: Totals) -> None:
        """Note that all is loaded. Raises FatalError where the tables have other totals than the backup."""
        events = self._totals(f"SELECT count(), sum(source_words) FROM {EVENTS}")
        hourly = self._totals("SELECT sum(events), sum(source_words) FROM usage_hourly")
        if not expected == events == hourly:
            raise FatalError(
                f"the backup has {expected}, usage_events {events}, usage_hourly {hourly}: "
                "restore once more with --replace, while nothing writes to ClickHouse"
            )
        self._note(RestoreStage.FINISHED)

    def has_rows_behind(self, last_offsets: Mapping[str, int]) -> bool:
        """Tell whether the sink has gone on since the restore: rewound, it would write the same again."""
        rows = self._database.rows(
            f"SELECT kafka_partition, max(kafka_offset) FROM {EVENTS} GROUP BY kafka_partition"
        )
        return any(int(offset) > int(last_offsets.get(str(partition), -1)) for partition, offset in rows)

    def _check_empty(self) -> None:
        if rows := self._totals(f"SELECT count(), sum(source_words) FROM {EVENTS}").rows:
            raise PermanentError(
                "not_empty",
                f"{EVENTS} holds {rows} rows that are not of this backup",
                cure="restore into an empty database, or throw away what is there with --replace",
            )

    def _stage(self) -> RestoreStage:
        rows = self._database.rows(
            f"SELECT argMax(state, at) FROM restores WHERE backup_id = '{self._backup_id}' HAVING count() > 0"
        )
        return RestoreStage(rows[0][0]) if rows else RestoreStage.NEW

    def _note(self, stage: RestoreStage) -> None:
        self._database.run(f"INSERT INTO restores (backup_id, state) VALUES ('{self._backup_id}', '{stage}')")

    def _totals(self, sql: str) -> Totals:
        ((rows, words),) = self._database.rows(sql)
        return Totals(int(rows), int(words))


class UsagePart:
    """Saved through the running process; restored into a database that no other process has open."""

    name = "clickhouse"

    def __init__(self, client: AnalyticsClient, open_target: Callable[[], Database]) -> None:
        self._client = client
        self._open_target = open_target

    def save(self, draft: Draft, on_progress: OnPartProgress) -> PartFacts:
        """Add the events, file by file, and the prices."""
        export = UsageExport(self._client)
        plan = export.plan()
        total, done = sum(window.rows for window in plan.windows), 0
        for window in plan.windows:
            self._save(draft, export, window)
            done += window.rows
            on_progress(self.name, done, total)
        for table in PRICE_TABLES:
            draft.add(self.name, f"{table}.native", export.prices(table), lambda: 0)
        words = sum(window.words for window in plan.windows)
        last_offsets = {str(partition): offset for partition, offset in plan.last_offsets.items()}
        return {"rows": total, "words": words, "last_offsets": last_offsets}

    def restore(self, backup: Backup, replace: bool, on_progress: OnPartProgress) -> PartFacts:
        """Load the events and the prices, then check the totals. A finished restore is not repeated."""
        facts = backup.manifest.parts[self.name]
        expected = Totals(int(facts["rows"]), int(facts["words"]))
        database = self._open_target()
        try:
            target = UsageRestore(database, backup.manifest.backup_id)
            if target.begin(replace) is RestoreStage.FINISHED:
                gone_on = {"sink_has_gone_on": True} if target.has_rows_behind(facts["last_offsets"]) else {}
                return {"rows": 0, "is_repeat": True, **gone_on}
            self._load(target, backup, expected.rows, on_progress)
            target.finish(expected)
        finally:
            database.close()
        return {"rows": expected.rows, "words": expected.words}

    def _save(self, draft: Draft, export: UsageExport, window: Window) -> None:
        draft.add(self.name, window.name, export.events(window), lambda: window.rows)

    def _load(self, target: UsageRestore, backup: Backup, total: int, on_progress: OnPartProgress) -> None:
        done = 0
        for entry in backup.entries(self.name):
            native = b"".join(backup.read(entry))
            table = PurePosixPath(entry.name).stem
            if table in PRICE_TABLES:
                target.load_prices(table, native)
            else:
                target.load_events(entry.name, native)
            done += entry.records
            on_progress(self.name, done, total)
