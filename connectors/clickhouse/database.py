"""Open ClickHouse, embedded or a server: create tables, insert rows once, answer queries."""

import hashlib
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError, ProgrammingError

from schemas.errors import FatalError, PermanentError, TransientError

# The embedded engine compares its own count of memory with the system's: 20 times a second without this, 1.5 ms of
# processor per second.
_EMBEDDED = {"memory_worker_period_ms": 1000}
_DDL = resources.files("connectors.clickhouse").joinpath("ddl")
_MIGRATIONS_TABLE = """
CREATE TABLE IF NOT EXISTS migrations
(
    number UInt32,
    name   String,
    digest String,
    at     DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = MergeTree
ORDER BY (number, at)
"""
_MIGRATIONS_RAN = "SELECT number, argMax(digest, at) FROM migrations GROUP BY number"


@dataclass(frozen=True)
class Migration:
    """One numbered step to today's tables: a statement that changes nothing where it ran before."""

    number: int
    name: str
    statement: str

    @property
    def digest(self) -> str:
        """Return what tells whether the statement was changed; comments and line breaks do not count."""
        words = " ".join(re.sub(r"--[^\n]*", "", self.statement).split())
        return hashlib.sha256(words.encode()).hexdigest()[:16]


def migrations() -> list[Migration]:
    """Return all, in the order of their numbers. A file is ddl/NUMBER_NAME.sql and holds one statement."""
    files = [file for file in _DDL.iterdir() if file.name.endswith(".sql")]
    parts = [(*file.name.removesuffix(".sql").partition("_"), file.read_text("utf-8")) for file in files]
    return sorted(
        (Migration(int(number), name, text) for number, _, name, text in parts), key=lambda one: one.number
    )


def pending(wanted: Sequence[Migration], ran: Mapping[int, str]) -> list[Migration]:
    """Return those that have not run, by number -> digest of what ran; numbers of a newer version are ignored.

    Raises FatalError for one whose statement is not the one that ran: the tables are not what the code expects.
    """
    for migration in wanted:
        if ran.get(migration.number, migration.digest) != migration.digest:
            raise FatalError(
                f"migration {migration.number} ({migration.name}) was changed after it ran here: change tables "
                "by a new file in connectors/clickhouse/ddl, or begin with empty ones (dragoman up --fresh)"
            )
    return [migration for migration in wanted if migration.number not in ran]


class Database:
    """One connection. Thread-safe by a lock: the embedded engine serves one caller at a time."""

    def __init__(self, dsn: str) -> None:
        self._lock = threading.Lock()
        try:
            self._client: Any = clickhouse_connect.get_client(dsn=dsn, **_options_of(dsn))
        except (ClickHouseError, OSError) as error:
            raise TransientError(f"ClickHouse cannot be opened: {error}") from error

    def create(self, prices: Mapping[str, float]) -> None:
        """Run the migrations that have not run here, and add the prices that have changed.

        To be called before anything is written. Raises FatalError for a migration that ran and was changed since.
        """
        with self._lock:
            self._migrate(migrations())
            self._add_prices(prices)

    def insert(self, table: str, columns: Mapping[str, Sequence[Any]], token: str) -> None:
        """Insert the rows, once for a token however often it is called.

        Raises TransientError, or FatalError for a column that the table does not have.
        """
        data, names = list(columns.values()), list(columns)
        with self._lock, _insert_errors():
            self._client.insert(table, data, names, column_oriented=True, settings=_once(token))

    def load(self, table: str, data: bytes, fmt: str, token: str) -> None:
        """Insert rows in ClickHouse's format of that name, as `insert` does."""
        with self._lock, _insert_errors():
            self._client.raw_insert(table, insert_block=data, fmt=fmt, settings=_once(token))

    def run(self, statement: str) -> None:
        """Run a statement of our own that changes something. Raises TransientError."""
        with self._lock, _insert_errors():
            self._client.command(statement)

    def rows(self, sql: str) -> list[Sequence[Any]]:
        """Return the rows of a query of our own. Raises TransientError."""
        with self._lock, _insert_errors():
            return list(self._client.query(sql).result_rows)

    def answer(self, sql: str, fmt: str, settings: Mapping[str, Any]) -> bytes:
        """Return the result of a SELECT in ClickHouse's format of that name, which may only read.

        Raises PermanentError for bad SQL. `sql` comes from others, so it must have been checked before:
        `readonly` refuses table functions and changes, but neither file('path') nor settings of a subquery.
        """
        with self._lock:
            try:
                return bytes(self._client.raw_query(_read_only(sql, fmt, settings)))
            except OperationalError as error:
                raise TransientError(f"ClickHouse does not answer: {error}") from error
            except ClickHouseError as error:
                raise PermanentError("query_failed", str(error)) from error

    def close(self) -> None:
        """Close the connection; the embedded engine writes what it holds."""
        with self._lock:
            self._client.close()

    def _migrate(self, wanted: Sequence[Migration]) -> None:
        self._client.command(_MIGRATIONS_TABLE)
        ran = {int(number): str(digest) for number, digest in self._client.query(_MIGRATIONS_RAN).result_rows}
        for migration in pending(wanted, ran):
            self._client.command(migration.statement)
            # Behind it, so that one that was cut off runs again: each bears being repeated.
            row = [[migration.number, migration.name, migration.digest]]
            self._client.insert("migrations", row, ["number", "name", "digest"])

    def _add_prices(self, prices: Mapping[str, float]) -> None:
        rows = self._client.query(
            "SELECT device, market, argMax(price_per_hour, valid_from) FROM price_list GROUP BY device, market"
        ).result_rows
        known = {f"{device}/{market}": float(price) for device, market, price in rows}
        changed = {name: price for name, price in prices.items() if known.get(name) != price}
        # The first price of a device counts for all times, a changed one from now on.
        times = [datetime.now(UTC) if name in known else datetime.fromtimestamp(0, UTC) for name in changed]
        if changed:
            devices, markets = zip(*(name.split("/", 1) for name in changed), strict=True)
            names = ["device", "market", "price_per_hour", "valid_from"]
            data = [list(devices), list(markets), list(changed.values()), times]
            self._client.insert("price_list", data, names, column_oriented=True)


def open_database(dsn: str) -> Database:
    """Open it for a process that is not the sink. Raises FatalError with the likely reason where that fails."""
    try:
        return Database(dsn)
    except TransientError as error:
        # The embedded engine's message is a page long and does not say that somebody else has it open.
        raise FatalError(
            "ClickHouse cannot be opened; the embedded engine is opened by one process at a time: "
            "stop the analytics process first"
        ) from error


def _read_only(sql: str, fmt: str, settings: Mapping[str, Any]) -> str:
    """Write the settings behind the query: given apart, the embedded engine would keep them, `readonly` for ever.

    The brackets keep the query from swallowing what follows; inside them INTO OUTFILE is no SQL.
    """
    # The last one, because it forbids to set others.
    limits = ", ".join(f"{name} = {value}" for name, value in {**settings, "readonly": 1}.items())
    return f"(\n{sql}\n)\nFORMAT {fmt}\nSETTINGS {limits}"


def _options_of(dsn: str) -> dict[str, Any]:
    return {"chdb_options": _EMBEDDED} if dsn.startswith("chdb:") else {}


def _once(token: str) -> dict[str, Any]:
    """Return the settings of an insert; with an empty token its content decides whether it is a repeat."""
    return {
        "async_insert": 0,
        "insert_deduplication_token": token,
        "deduplicate_blocks_in_dependent_materialized_views": 1,
    }


@contextmanager
def _insert_errors() -> Iterator[None]:
    try:
        yield
    except ProgrammingError as error:
        # No wait mends it: the client found that the table is not the one that our migrations make.
        raise FatalError(f"the tables in ClickHouse are not those of this version: {error}") from error
    except (ClickHouseError, OSError) as error:
        raise TransientError(f"ClickHouse does not take the rows: {error}") from error
