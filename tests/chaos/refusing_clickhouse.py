"""The real analytics process with a ClickHouse that refuses rows while a file says so: `... REFUSAL_FILE`.

`before`: the rows are refused. `after`: they are stored but the response is lost, so the sink sends them again.
"""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.exceptions import OperationalError

_TABLE = "usage_events"


class Refusal(StrEnum):
    """When an insert fails."""

    BEFORE = "before"
    AFTER = "after"


def refuse(client: Any, file: Path) -> Any:
    """Make the client refuse inserts as the file says at that moment."""
    insert = client.insert_arrow

    def refusing_insert(table: str, *arguments: Any, **named: Any) -> Any:
        refusal = file.read_text() if table == _TABLE and file.exists() else ""
        if refusal == Refusal.BEFORE:
            raise OperationalError("chaos: the rows are refused")
        summary = insert(table, *arguments, **named)
        if refusal == Refusal.AFTER:
            raise OperationalError("chaos: the answer is lost")
        return summary

    client.insert_arrow = refusing_insert
    return client


def main() -> None:
    """Run `python -m stream_apps.usage_sink.main` with that client."""
    from stream_apps.usage_sink.main import main as run_analytics

    file, get_client = Path(sys.argv[1]), clickhouse_connect.get_client
    clickhouse_connect.get_client = lambda **options: refuse(get_client(**options), file)
    run_analytics()


if __name__ == "__main__":
    main()
