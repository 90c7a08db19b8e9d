"""Open ClickHouse, embedded or a server: create tables, insert rows once, answer queries."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError, ProgrammingError

from connectors.clickhouse.arrow import arrow_table
from connectors.clickhouse.migrations import (
    MIGRATIONS_RAN,
    MIGRATIONS_TABLE,
    Migration,
    migrations,
    on_cluster,
    pending,
)
from schemas.errors import FatalError, PermanentError, TransientError

# The embedded engine compares its own count of memory with the system's: 20 times a second without this, 1.5 ms of
# processor per second.
_EMBEDDED = {"memory_worker_period_ms": 1000}


class Database:
    """One connection, which serves one caller at a time: a lock makes it safe for threads.

    Another one to the same folder, in the same process, works beside it: who asks gets one of its own, so that no
    question holds up the inserts. `cluster`: whose servers get the tables, as replicas; empty for one server.
    """

    def __init__(self, dsn: str, cluster: str = "") -> None:
        self._lock = threading.Lock()
        self._cluster = cluster
        self._types: dict[str, dict[str, str]] = {}
        try:
            self._client: Any = clickhouse_connect.get_client(dsn=dsn, **_options_of(dsn))
        except (ClickHouseError, OSError) as error:
            raise TransientError(f"ClickHouse cannot be opened: {error}") from error

    def create(self, prices: Mapping[str, float], word_prices: Mapping[str, float] = MappingProxyType({})) -> None:
        """Run the migrations that have not run here, and add the prices that have changed.

        `prices`: `device/market` -> US dollars per hour. `word_prices`: `priority` or `tenant/priority` -> US
        dollars per million source words. To be called before anything is written. Raises FatalError for a
        migration that ran and was changed since.
        """
        with self._lock:
            self._migrate(migrations())
            self._add_prices("price_list", ("device", "market"), "price_per_hour", prices)
            self._add_prices("word_prices", ("tenant", "priority"), "price_per_million_words", word_prices)

    def insert(self, table: str, columns: Mapping[str, Sequence[Any]], token: str) -> None:
        """Insert the rows, once for a token however often it is called.

        Raises TransientError, or FatalError for what the table cannot hold.
        """
        with self._lock, _insert_errors():
            rows = arrow_table(columns, self._types_of(table))
            self._client.insert_arrow(table, rows, settings=_once(token))

    def load(self, table: str, data: bytes, fmt: str, token: str) -> None:
        """Insert rows in ClickHouse's format of that name, as `insert` does."""
        with self._lock, _insert_errors():
            self._client.raw_insert(table, insert_block=data, fmt=fmt, settings=_once(token))

    def run(self, statement: str) -> None:
        """Run a statement of our own that changes something. Raises TransientError."""
        with self._lock, _insert_errors():
            self._client.command(statement)

    def drop(self, views: Sequence[str], tables: Sequence[str]) -> None:
        """Drop those that are there, on all servers of the cluster: a replica would bring its rows back."""
        kinds = {**dict.fromkeys(views, "VIEW"), **dict.fromkeys(tables, "TABLE")}
        for name, kind in kinds.items():
            self.run(on_cluster(f"DROP {kind} IF EXISTS {name} SYNC", self._cluster))

    def rows(self, sql: str) -> list[Sequence[Any]]:
        """Return the rows of a query of our own. Raises TransientError."""
        with self._lock, _insert_errors():
            return list(self._client.query(sql).result_rows)

    def answer(
        self, sql: str, fmt: str, settings: Mapping[str, Any], parameters: Mapping[str, str | int] | None = None
    ) -> bytes:
        """Return the result of a SELECT in ClickHouse's format of that name, which may only read.

        `parameters`: what stands in the SQL as {name:Type}; ClickHouse binds it, so it is a value and never SQL.
        Raises PermanentError for bad SQL. `sql` comes from others, so it must have been checked before:
        `readonly` refuses table functions and changes, but neither file('path') nor settings of a subquery.
        """
        with self._lock:
            try:
                text = _read_only(sql, fmt, settings)
                return bytes(self._client.raw_query(text, parameters=parameters and dict(parameters)))
            except OperationalError as error:
                raise TransientError(f"ClickHouse does not answer: {error}") from error
            except ClickHouseError as error:
                raise PermanentError("query_failed", str(error)) from error

    def close(self) -> None:
        """Close the connection; the embedded engine writes what it holds."""
        with self._lock:
            self._client.close()

    def _types_of(self, table: str) -> dict[str, str]:
        if table not in self._types:
            found = self._client.query(f"DESCRIBE TABLE {table}").result_rows
            self._types[table] = {str(name): str(kind) for name, kind, *_ in found}
        return self._types[table]

    def _migrate(self, wanted: Sequence[Migration]) -> None:
        self._client.command(on_cluster(MIGRATIONS_TABLE, self._cluster))
        ran = {int(number): str(digest) for number, digest in self._client.query(MIGRATIONS_RAN).result_rows}
        for migration in pending(wanted, ran):
            self._client.command(on_cluster(migration.statement, self._cluster))
            # Behind it, so that one that was cut off runs again: each bears being repeated.
            row = [[migration.number, migration.name, migration.digest]]
            self._client.insert("migrations", row, ["number", "name", "digest"])
        self._types.clear()

    def _add_prices(self, table: str, keys: tuple[str, str], column: str, prices: Mapping[str, float]) -> None:
        """Add what differs from the newest price. The first counts for all times, a changed one from now on."""
        names = ", ".join(keys)
        found = self._client.query(f"SELECT {names}, argMax({column}, valid_from) FROM {table} GROUP BY {names}")
        known = {(first, second): Decimal(price) for first, second, price in found.result_rows}
        wanted = {_price_key(name): Decimal(str(price)) for name, price in prices.items()}
        rows = [
            (*key, price, datetime.now(UTC) if key in known else datetime.fromtimestamp(0, UTC))
            for key, price in wanted.items()
            if known.get(key) != price
        ]
        if rows:
            self._client.insert(table, rows, [*keys, column, "valid_from"])


def _price_key(name: str) -> tuple[str, str]:
    """Split `device/market` or `tenant/priority`; a priority alone is everybody's."""
    first, _, second = name.rpartition("/")
    return first, second


def open_database(dsn: str, cluster: str = "") -> Database:
    """Open it for a process that is not the sink. Raises FatalError with the likely reason where that fails."""
    try:
        return Database(dsn, cluster)
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
