"""One connection to ClickHouse, embedded or a server: tables made, rows inserted once, queries answered."""

import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError

from schemas.errors import PermanentError, TransientError

_DDL = resources.files("connectors.clickhouse").joinpath("ddl")


class Database:
    """Thread-safe by a lock: the embedded engine serves one caller at a time."""

    def __init__(self, dsn: str) -> None:
        self._lock = threading.Lock()
        try:
            self._client: Any = clickhouse_connect.get_client(dsn=dsn)
        except (ClickHouseError, OSError) as error:
            raise TransientError(f"ClickHouse cannot be opened: {error}") from error

    def create(self, prices: Mapping[str, float]) -> None:
        """Makes what is missing of the tables, and adds the prices that have changed."""
        with self._lock:
            for file in sorted(_DDL.iterdir(), key=lambda file: file.name):
                self._client.command(file.read_text("utf-8"))
            self._add_prices(prices)

    def insert(self, table: str, columns: Mapping[str, Sequence[Any]], token: str) -> None:
        """Adds the rows, once for a token however often it is called. Raises TransientError."""
        settings = {
            "async_insert": 0,
            "insert_deduplication_token": token,
            "deduplicate_blocks_in_dependent_materialized_views": 1,
        }
        with self._lock:
            try:
                self._client.insert(
                    table, list(columns.values()), list(columns), column_oriented=True, settings=settings
                )
            except (ClickHouseError, OSError) as error:
                raise TransientError(f"ClickHouse does not take the rows: {error}") from error

    def answer(self, sql: str, fmt: str, settings: Mapping[str, Any]) -> bytes:
        """The result in ClickHouse's own format of that name. Raises PermanentError for bad SQL."""
        with self._lock:
            try:
                return bytes(self._client.raw_query(sql, fmt=fmt, settings=dict(settings)))
            except OperationalError as error:
                raise TransientError(f"ClickHouse does not answer: {error}") from error
            except ClickHouseError as error:
                raise PermanentError("query_failed", str(error)) from error

    def close(self) -> None:
        """Ends the connection; the embedded engine writes what it holds."""
        with self._lock:
            self._client.close()

    def _add_prices(self, prices: Mapping[str, float]) -> None:
        rows = self._client.query(
            "SELECT device, market, argMax(price_per_hour, valid_from) FROM price_list GROUP BY device, market"
        ).result_rows
        known = {f"{device}/{market}": float(price) for device, market, price in rows}
        changed = {name: price for name, price in prices.items() if known.get(name) != price}
        # A price that was never changed holds for all times; a new one from now on.
        times = [datetime.now(UTC) if name in known else datetime.fromtimestamp(0, UTC) for name in changed]
        if changed:
            devices, markets = zip(*(name.split("/", 1) for name in changed), strict=True)
            names = ["device", "market", "price_per_hour", "valid_from"]
            data = [list(devices), list(markets), list(changed.values()), times]
            self._client.insert("price_list", data, names, column_oriented=True)
