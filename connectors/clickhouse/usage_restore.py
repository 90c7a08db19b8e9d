"""Usage back into ClickHouse: each file once, the rollups by the same view that makes them every day."""

from dataclasses import dataclass
from enum import StrEnum

from connectors.clickhouse.database import Database
from connectors.clickhouse.usage_export import EVENTS, FORMAT, PRICES
from schemas.errors import FatalError, PermanentError

_VIEWS = ("usage_hourly_view", "cost")
_TABLES = ("usage_hourly", EVENTS, PRICES, "restores")
_BEGUN, _FINISHED = "begun", "finished"


class Stage(StrEnum):
    """How far the restore of one backup has come in this database."""

    NEW = "new"
    BEGUN = _BEGUN
    FINISHED = _FINISHED


@dataclass(frozen=True)
class Totals:
    """What a table sums up to."""

    rows: int
    words: int


class UsageRestore:
    """For one backup. Nobody else may write meanwhile: the sink must stand still.

    A repeat doubles nothing: a file that is in already is recognised by its token, a finished restore by its
    note. Raises PermanentError where other data is in the way, TransientError when ClickHouse is away.
    """

    def __init__(self, database: Database, backup_id: str) -> None:
        self._database = database
        self._backup_id = backup_id

    def begin(self, replace: bool) -> Stage:
        """Makes the tables; with `replace` throws away what was in them."""
        if replace:
            for view in _VIEWS:
                self._database.run(f"DROP VIEW IF EXISTS {view} SYNC")
            for table in _TABLES:
                self._database.run(f"DROP TABLE IF EXISTS {table} SYNC")
        self._database.create({})
        stage = self._stage()
        if stage is Stage.NEW:
            self._check_empty()
            self._note(_BEGUN)
        return stage

    def load_events(self, name: str, native: bytes) -> None:
        """The rows of one file; nothing where they are in already."""
        self._database.load(EVENTS, native, FORMAT, token=f"{self._backup_id}/{name}")

    def load_prices(self, native: bytes) -> None:
        """The whole list, instead of the one that is there."""
        self._database.run(f"TRUNCATE TABLE {PRICES} SYNC")
        if native:
            self._database.load(PRICES, native, FORMAT, token="")

    def finish(self, expected: Totals) -> None:
        """Raises FatalError where the tables do not sum up to what the backup holds."""
        events = self._totals(f"SELECT count(), sum(source_words) FROM {EVENTS}")
        hourly = self._totals("SELECT sum(events), sum(source_words) FROM usage_hourly")
        if not expected == events == hourly:
            raise FatalError(
                f"the backup has {expected}, usage_events {events}, usage_hourly {hourly}: "
                "restore once more with --replace, while nothing writes to ClickHouse"
            )
        self._note(_FINISHED)

    def _check_empty(self) -> None:
        if rows := self._totals(f"SELECT count(), sum(source_words) FROM {EVENTS}").rows:
            raise PermanentError(
                "not_empty",
                f"{EVENTS} holds {rows} rows that are not of this backup",
                cure="restore into an empty database, or throw away what is there with --replace",
            )

    def _stage(self) -> Stage:
        rows = self._database.rows(
            f"SELECT argMax(state, at) FROM restores WHERE backup_id = '{self._backup_id}' HAVING count() > 0"
        )
        return Stage(rows[0][0]) if rows else Stage.NEW

    def _note(self, state: str) -> None:
        self._database.run(f"INSERT INTO restores (backup_id, state) VALUES ('{self._backup_id}', '{state}')")

    def _totals(self, sql: str) -> Totals:
        ((rows, words),) = self._database.rows(sql)
        return Totals(int(rows), int(words))
