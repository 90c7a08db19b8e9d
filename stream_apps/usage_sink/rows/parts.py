"""What the rows of several tables have in common. Pure."""

from collections.abc import Mapping

from schemas.records import InboundRecord
from schemas.topics import DAY_MS
from schemas.validity import LATEST_MS, check_length, check_number, out_of_bounds
from stream_apps.usage_sink.inserting import Row

TableRow = tuple[str, Row]
"""The name of a table and one row of it."""

# ClickHouse keeps rows for 400 days (ddl/001_usage_events.sql) in one part per month, and takes at most 100 parts
# in one insert. Clocks may differ by a day.
OLDEST_MS, NEWEST_MS = 400 * DAY_MS, DAY_MS
_MOST_FIGURES = 64


def coordinates_of(record: InboundRecord) -> dict[str, int]:
    """Return where a record lies, as columns."""
    return {"kafka_partition": record.partition, "kafka_offset": record.offset}


def key_of(record: InboundRecord) -> str:
    """Return the key of a record as text."""
    return (record.key or b"").decode(errors="replace")


def check_time(field: str, at_ms: int, now_ms: int) -> None:
    """Raise PermanentError for a time of which ClickHouse would keep no row."""
    check_number(field, at_ms, least=now_ms - OLDEST_MS, most=now_ms + NEWEST_MS)


def check_figures(field: str, figures: Mapping[str, float]) -> None:
    """Raise PermanentError for too many figures, and for one that is no sound number."""
    if len(figures) > _MOST_FIGURES:
        raise out_of_bounds(field, f"{len(figures)} entries long", f"{_MOST_FIGURES} entries")
    for name, figure in figures.items():
        check_length(field, name)
        check_number(field, figure, most=LATEST_MS)
