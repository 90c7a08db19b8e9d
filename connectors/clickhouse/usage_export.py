"""Usage out of a running ClickHouse, server or analytics process, in files of bounded size.

A file holds the rows of one month that stood in one window of offsets of one Kafka partition. What the sink
adds while the export runs lies behind the last offsets that were noted at its beginning, and is left out: the
files are one moment of the table, and the sink could go on right behind it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from connectors.clickhouse.analytics_client import AnalyticsClient

FORMAT = "Native"
EVENTS, PRICES = "usage_events", "price_list"
# At most so many rows in a file: below the limit of one answer (DRAGOMAN_ANALYTICS_MAX_RESULT_ROWS).
_WINDOW_ROWS = 50_000


@dataclass(frozen=True)
class Window:
    """One file to be. `month` is a number like 202611; both offsets are included."""

    month: int
    partition: int
    first: int
    last: int
    rows: int
    words: int

    @property
    def name(self) -> str:
        """Below the folder of the table."""
        return f"{EVENTS}/{self.month}/{self.partition}-{self.first:020d}.native"


@dataclass(frozen=True)
class ExportPlan:
    """All files, and the last offset of each partition that they hold."""

    windows: tuple[Window, ...]
    last_offsets: dict[int, int]


class UsageExport:
    """Reads only. Raises TransientError when ClickHouse is away."""

    def __init__(self, client: AnalyticsClient) -> None:
        self._client = client

    def plan(self) -> ExportPlan:
        """What there is at this moment."""
        rows = self._client.query(
            f"SELECT kafka_partition AS part, max(kafka_offset) AS last FROM {EVENTS} GROUP BY part"
        )
        last_offsets = {int(row["part"]): int(row["last"]) for row in rows}
        windows = [window for part, last in last_offsets.items() for window in self._windows(part, last)]
        return ExportPlan(tuple(sorted(windows, key=lambda window: window.name)), last_offsets)

    def events(self, window: Window) -> Iterator[bytes]:
        """The rows of one window, in ClickHouse's native format."""
        return self._client.stream(
            f"SELECT * FROM {EVENTS} WHERE toYYYYMM(at) = {window.month}"
            f" AND kafka_partition = {window.partition}"
            f" AND kafka_offset BETWEEN {window.first} AND {window.last} FORMAT {FORMAT}"
        )

    def prices(self) -> Iterator[bytes]:
        """The whole list of prices."""
        return self._client.stream(f"SELECT * FROM {PRICES} FORMAT {FORMAT}")

    def _windows(self, part: int, last: int) -> list[Window]:
        rows = self._client.query(
            f"SELECT toYYYYMM(at) AS month, intDiv(kafka_offset, {_WINDOW_ROWS}) AS number,"
            f" count() AS found, sum(source_words) AS words FROM {EVENTS}"
            f" WHERE kafka_partition = {part} AND kafka_offset <= {last} GROUP BY month, number"
        )
        return [_window(part, last, {name: int(value) for name, value in row.items()}) for row in rows]


def _window(part: int, last: int, row: dict[str, int]) -> Window:
    first = row["number"] * _WINDOW_ROWS
    return Window(row["month"], part, first, min(first + _WINDOW_ROWS - 1, last), row["found"], row["words"])
