"""Make the rollups anew from the raw events, month by month."""

from collections.abc import Callable, Mapping
from typing import Final

from connectors.clickhouse.database import Database

# Each with the column of its time. The view that fills it has its name and `_view`.
ROLLUPS: Final[Mapping[str, str]] = {"usage_hourly": "hour", "durations_hourly": "hour", "users_daily": "day"}
_MONTHS = "SELECT DISTINCT toYYYYMM(at) AS month FROM usage_events ORDER BY month"
_VIEWS = "database = currentDatabase() AND"
_DIFFERENCES = "SELECT count() FROM rollup_differences"


def rebuild_rollup(database: Database, on_month: Callable[[int], None] = lambda _: None) -> int:
    """Rebuild every month of which there are raw events; return in how many hours usage_hourly still differs: 0.

    The sink must not write meanwhile, or what it inserts counts twice; it catches up afterwards. Months whose raw
    events are deleted keep their sums. Blocks; raises TransientError. Cut short, it can be repeated.
    """
    for (month,) in database.rows(_MONTHS):
        for rollup, time in ROLLUPS.items():
            _rebuild(database, rollup, time, int(month))
        on_month(int(month))
    ((differences,),) = database.rows(_DIFFERENCES)
    return int(differences)


def _rebuild(database: Database, rollup: str, time: str, month: int) -> None:
    ((query,),) = database.rows(f"SELECT as_select FROM system.tables WHERE {_VIEWS} name = '{rollup}_view'")
    ((rows,),) = database.rows(f"SELECT count() FROM {rollup} WHERE toYYYYMM({time}) = {month}")
    if rows:
        database.run(f"ALTER TABLE {rollup} DROP PARTITION {month}")
    # No token and no memory of blocks: the same sums may have been inserted before.
    database.run(
        f"INSERT INTO {rollup} ({_columns(database, rollup)}) "
        f"SELECT * FROM ({query}) WHERE toYYYYMM({time}) = {month} SETTINGS insert_deduplicate = 0"
    )


def _columns(database: Database, rollup: str) -> str:
    names = f"SELECT name FROM system.columns WHERE {_VIEWS} table = '{rollup}_view' ORDER BY position"
    return ", ".join(str(name) for (name,) in database.rows(names))
