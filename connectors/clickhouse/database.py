"""Open ClickHouse, embedded or a server: create tables, insert rows once, answer queries."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError

from schemas.errors import FatalError, PermanentError, TransientError

_DDL = resources.files("connectors.clickhouse").joinpath("ddl")


class Database:
    """One connection. Thread-safe by a lock: the embedded engine serves one caller at a time."""

    def __init__(self, dsn: str) -> None:
        self._lock = threading.Lock()
        try:
            self._client: Any = clickhouse_connect.get_client(dsn=dsn)
        except (ClickHouseError, OSError) as error:
            raise TransientError(f"ClickHouse cannot be opened: {error}") from error

    def create(self, prices: Mapping[str, float]) -> None:
        """Create the missing tables, and add the prices that have changed."""
        with self._lock:
            for file in sorted(_DDL.iterdir(), key=lambda file: file.name):
                self._client.command(file.read_text("utf-8"))
            self._add_prices(prices)

    def insert(self, table: str, columns: Mapping[str, Sequence[Any]], token: str) -> None:
        """Insert the rows, once for a token however often it is called. Raises TransientError."""
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
        """Return the result of a query in ClickHouse's format of that name. Raises PermanentError for bad SQL."""
        with self._lock:
            try:
                return bytes(self._client.raw_query(sql, fmt=fmt, settings=dict(settings)))
            except OperationalError as error:
                raise TransientError(f"ClickHouse does not answer: {error}") from error
            except ClickHouseError as error:
                raise PermanentError("query_failed", str(error)) from error

    def close(self) -> None:
        """Close the connection; the embedded engine writes what it holds."""
        with self._lock:
            self._client.close()

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
    except (ClickHouseError, OSError) as error:
        raise TransientError(f"ClickHouse does not take the rows: {error}") from error
